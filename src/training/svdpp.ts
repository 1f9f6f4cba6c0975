// The ratings grouped by user, and the set N(u) of the items that each user has rated, as compressed rows.

import type { Stream } from '../core/random';
import { forEachChunk, type Scheduler } from '../core/scheduler';
import { groupRows } from '../data/csr';
import type { Move } from '../kernels/heap';
import { inFours } from '../kernels/ridge-rows';
import type { RatingData } from '../models/model';
import type { SVDppModel, UserBatch } from '../models/svdpp';
import type { Real } from '../optimizers/factor';
import { LearningRates } from '../optimizers/learning-rate';
import { Sgd } from '../optimizers/sgd';
import type { Parameter } from '../parameters/parameter';
import { PlainTable } from '../parameters/table';
import { layOut, type Part } from '../wasm/host';
import type { Training } from './fit';
import { coprime, MOST_STRIDE, type OrderOptions } from './per-rating/block-schedule';
import { lossSpecOf, progressAt } from './per-rating/plan';
import type { Batcher } from './rating-batches';
import type { StepTask } from './start-training';
import {
  encodeSvdpp,
  jsSvdpp,
  SVDPP_STEPS,
  type SvdppArrays,
  type SvdppShape,
  svdppLengths,
  svdppScratch,
} from './svdpp-steps';
import { PartRunner, type Work } from './threads';

/** Ratings by user. */
export class UserRatings {
  private constructor(
    /** The ratings of user u are numbered order[starts[u]] .. order[starts[u + 1] - 1], in the order of the data. */
    readonly starts: Int32Array,
    readonly order: Int32Array,
    private readonly setStarts: Int32Array,
    private readonly sets: Int32Array,
  ) {}

  /** Of some ratings of so many users and items. Cost: O(ratings + users + items). */
  static async of(
    data: Pick<RatingData, 'size' | 'users' | 'items'>,
    rows: { readonly users: number; readonly items: number },
    scheduler: Scheduler,
  ): Promise<UserRatings> {
    const { starts, order } = await groupRows(data.users, rows.users, scheduler);
    const setStarts = new Int32Array(rows.users + 1);
    const sets = new Int32Array(data.size);
    /** For each item, the last user (plus one) known to have it; of repeats the first counts. */
    const owner = new Int32Array(rows.items);
    let used = 0;
    for (let user = 0; user < rows.users; user++) {
      const [from, to] = [starts[user]!, starts[user + 1]!];
      for (let at = from; at < to; at++) {
        const item = data.items[order[at]!]!;
        if (owner[item] === user + 1) continue;
        owner[item] = user + 1;
        sets[used++] = item;
      }
      setStarts[user + 1] = used;
      if (scheduler.isDue(1 + to - from)) await scheduler.yieldNow();
    }
    return new UserRatings(starts, order, setStarts, sets);
  }

  /** The number of users. */
  get users(): number {
    return this.starts.length - 1;
  }

  /** N(u): each item that the user has rated, once. */
  setOf(user: number): Int32Array {
    return this.sets.subarray(this.setStarts[user]!, this.setStarts[user + 1]!);
  }

  /** The most ratings of a user, an upper bound on the size of its set. */
  mostRatings(): number {
    let most = 0;
    for (let user = 0; user < this.users; user++) most = Math.max(most, this.starts[user + 1]! - this.starts[user]!);
    return most;
  }
}

// The order of an epoch by users: the users in random order, and the ratings of each in random order. A function of the
// stream and the epoch only.

/** Iterates over the users with ratings. */
export class UserOrder {
  /** The indices of the user's ratings: the first `count`. */
  readonly rows: Int32Array;
  count = 0;
  private readonly users: Int32Array;
  private left = 0;
  private draws: Stream;

  constructor(
    readonly ratings: UserRatings,
    private readonly options: { readonly stream: Stream; readonly shuffle: boolean },
  ) {
    this.rows = new Int32Array(ratings.mostRatings());
    this.users = new Int32Array(ratings.users);
    this.draws = options.stream;
  }

  /** Starts epoch `epoch` (from 1). */
  begin(epoch: number): void {
    const { users } = this;
    this.left = users.length;
    this.draws = this.options.stream.fork(epoch);
    // They are taken from last to first: in the order of their numbers, unless shuffled.
    for (let i = 0; i < users.length; i++) users[i] = users.length - 1 - i;
  }

  /** Moves on to the next user; -1 after the last. */
  next(): number {
    const { ratings, users, rows, draws } = this;
    const { shuffle } = this.options;
    while (this.left > 0) {
      // Fisher and Yates, one user at a time: all at once would be a pause if users are many.
      const last = --this.left;
      const place = shuffle ? draws.below(last + 1) : last;
      const user = users[place]!;
      users[place] = users[last]!;
      const from = ratings.starts[user]!;
      this.count = ratings.starts[user + 1]! - from;
      if (this.count === 0) continue;
      for (let k = 0; k < this.count; k++) rows[k] = ratings.order[from + k]!;
      if (shuffle) draws.shuffle(rows, this.count);
      return user;
    }
    this.count = 0;
    return -1;
  }
}

// Batches of the ratings of one user, with the set of its items, which SVD++ then pools once per step.

/** Goes from user to user, each in steps of at most `limit` ratings. */
export class UserBatcher implements Batcher<UserBatch> {
  readonly places = null;
  private order: UserOrder | null = null;
  private user = -1;
  /** Ratings of the user that are done. */
  private done = 0;
  private batch: { count: number; users: Int32Array; items: Int32Array; set: Int32Array; setCount: number } & {
    targets: Real;
    weights: Real | null;
  };

  constructor(
    private readonly data: RatingData,
    private readonly rows: { readonly users: number; readonly items: number },
    private readonly options: Pick<OrderOptions, 'stream' | 'shuffle'>,
    /** Called with the largest size of a set, so that no step allocates. */
    private readonly reserveSets: (most: number) => void,
  ) {
    this.batch = { ...this.room(1), set: new Int32Array(1), setCount: 0 };
  }

  get size(): number {
    return this.data.size;
  }

  get steps(): number {
    return this.data.size;
  }

  async prepare(scheduler: Scheduler): Promise<void> {
    const ratings = await UserRatings.of(this.data, this.rows, scheduler);
    this.order = new UserOrder(ratings, this.options);
    this.batch.set = new Int32Array(ratings.mostRatings());
    this.reserveSets(this.batch.set.length);
  }

  reserve(limit: number): void {
    // No step has more ratings than a user.
    const most = Math.min(limit, this.batch.set.length);
    if (most > this.batch.users.length) Object.assign(this.batch, this.room(most));
  }

  move(move: Move): void {
    const { batch } = this;
    batch.users = move(batch.users);
    batch.items = move(batch.items);
    batch.set = move(batch.set);
    batch.targets = move(batch.targets);
    if (batch.weights !== null) batch.weights = move(batch.weights);
  }

  begin(epoch: number): void {
    this.order!.begin(epoch);
    this.enter();
  }

  next(limit: number): UserBatch | null {
    const { batch, data } = this;
    const order = this.order!;
    if (this.done === order.count) this.enter();
    if (this.user < 0) return null;
    const count = Math.min(limit, order.count - this.done);
    this.reserve(count);
    for (let s = 0; s < count; s++) {
      const k = order.rows[this.done + s]!;
      batch.users[s] = this.user;
      batch.items[s] = data.items[k]!;
      batch.targets[s] = data.targets[k]!;
      if (batch.weights !== null) batch.weights[s] = data.weights![k]!;
    }
    batch.count = count;
    this.done += count;
    return batch;
  }

  private enter(): void {
    const { batch } = this;
    const order = this.order!;
    this.user = order.next();
    this.done = 0;
    if (this.user < 0) return;
    const set = order.ratings.setOf(this.user);
    batch.set.set(set);
    batch.setCount = set.length;
  }

  private room(count: number) {
    const reals = this.data.targets instanceof Float64Array ? Float64Array : Float32Array;
    return {
      count: 0,
      users: new Int32Array(count),
      items: new Int32Array(count),
      targets: new reals(count),
      weights: this.data.weights === null ? null : new reals(count),
    };
  }
}

// SVD++ by plain SGD, a step a rating, in O(n_u + |N(u)|) row operations per user instead of O(n_u |N(u)|): svdpp-steps.ts.

/**
 * What rates bear at once: rows of the busiest item are moved by so many times the rate, a quarter of what batches are taken to
 * bear (docs/defaults.md).
 */
const MOST_AT_ONCE = { bias: 0.22, embedding: 2.4 };
/** The most users of a group, the least groups of an epoch, and the ratings that a group of several ends with. */
const MOST_USERS = 32;
const LEAST_GROUPS = 64;
const MOST_RATINGS = 8192;
/** A step in the scheduler's units, by rank. */
const A_STEP = 1 / 16;

/** Trains SVD++ rating by rating. */
export class PooledSgd implements Training {
  readonly rates: LearningRates;
  private runner: PartRunner | null = null;
  private arrays: SvdppArrays | null = null;
  private readonly shape: SvdppShape;
  /** How many users have ratings, and the part of them that have the busiest item. */
  private users = 0;
  private busiest = 1;
  private size = { users: 0, items: 0, ratings: 0, most: 0, group: 1 };
  /** Where shares of the items begin, and their end. */
  private shares: number[] = [];
  /** The address of what threads have for themselves. */
  private scratch = 0;

  private constructor(
    private readonly task: StepTask<SVDppModel>,
    private readonly mostUsers: number | undefined,
  ) {
    const { model, optimizer, data } = task;
    this.rates = new LearningRates(optimizer.config.learningRate);
    const { rank, globalMean: mean, userBias, implicitEmbedding } = model;
    const yDecay = this.decayOf(implicitEmbedding)[0]!;
    this.shape = { rank, mean, hasBiases: userBias !== null, isWeighted: data.weights !== null, yDecay };
  }

  /**
   * Null if this shortcut does not apply: another rule, products, larger batches, or penalties that differ between the y_j.
   * `mostUsers`: of a group, whatever rates bear.
   */
  static of(task: StepTask<SVDppModel>, mostUsers?: number): PooledSgd | null {
    const { model, optimizer, penalties, options } = task;
    const isPlain = model.parameters.every((parameter) => parameter instanceof PlainTable);
    const isSgd = optimizer instanceof Sgd && optimizer.config.weightDecay === 0;
    const isAlike = penalties.every(({ parameter, byRow }) => parameter !== model.implicitEmbedding || byRow === null);
    return isPlain && isSgd && isAlike && options.batchSize === 1 ? new PooledSgd(task, mostUsers) : null;
  }

  dispose(): void {
    this.runner?.stop();
  }

  async epoch(epoch: number, scheduler: Scheduler): Promise<number> {
    const { data } = this.task;
    if (this.runner === null) await this.prepare(scheduler);
    const strata = await this.strataOf(epoch, scheduler);
    await this.runner!.run(strata);
    await this.copy('out', scheduler);
    const losses = this.arrays!.loss.subarray(0, this.users);
    return losses.reduce((sum, one) => sum + one, 0) / (data.ratings ?? data.size);
  }

  /** Lays the ratings out by user and item, and the tables beside them. */
  private async prepare(scheduler: Scheduler): Promise<void> {
    const { data, options, model, loss } = this.task;
    const { rank, users, items } = model;
    const { shape } = this;
    const byItem = await groupRows(data.items, items, scheduler);
    const usersByItem = new Int32Array(data.size);
    await forEachChunk(data.size, scheduler, (from, to) => {
      for (let k = from; k < to; k++) usersByItem[k] = data.users[byItem.order[k]!]!;
    });
    const { starts, order } = await groupRows(usersByItem, users, scheduler);
    const single = model.userEmbedding.values instanceof Float32Array;
    const lengths = (of: Int32Array) => Int32Array.from({ length: of.length - 1 }, (_, row) => of[row + 1]! - of[row]!);
    const counts = lengths(starts);
    this.users = counts.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
    this.busiest = lengths(byItem.starts).reduce((a, b) => Math.max(a, b), 1) / this.users;
    const ofOne = counts.reduce((a, b) => Math.max(a, b), 1);
    const group = this.mostUsers ?? Math.max(1, Math.min(MOST_USERS, Math.floor(this.users / LEAST_GROUPS)));
    const most = Math.max(ofOne, Math.min(MOST_RATINGS, group * ofOne));
    this.size = { users, items, ratings: data.size, most, group };
    const layout = layOut(svdppLengths(shape, this.size, single ? 'f32' : 'f64'));
    const rule = lossSpecOf(loss);
    const views = (buffer: ArrayBufferLike) => layout.views(buffer) as SvdppArrays;
    const work: Work = {
      names: SVDPP_STEPS,
      bytes: layout.bytes,
      scratch: svdppScratch(rank),
      what: 'the tables of SVD++',
      encode: (memory) => encodeSvdpp(shape, rule!, layout.at, memory),
      define: (buffer) => jsSvdpp(views(buffer), shape, loss),
    };
    const { kernels = 'auto', threads = 1, host } = options;
    const place = {
      kernels: single && rule !== null ? kernels : 'js',
      threads,
      ...(host !== undefined && { host }),
    } as const;
    this.runner = await PartRunner.start(work, data.size, place, scheduler);
    this.scratch = layout.bytes;
    const arrays = views(this.runner.buffer);
    this.arrays = arrays;
    arrays.starts.set(starts);
    /** Where each rating of the data has come to. */
    const placeOf = usersByItem;
    await forEachChunk(data.size, scheduler, (from, to) => {
      for (let at = from; at < to; at++) {
        const k = byItem.order[order[at]!]!;
        arrays.item[at] = data.items[k]!;
        arrays.target[at] = data.targets[k]!;
        if (data.weights !== null) arrays.weight[at] = data.weights[k]!;
      }
    });
    await forEachChunk(data.size, scheduler, (from, to) => {
      for (let at = from; at < to; at++) placeOf[byItem.order[order[at]!]!] = at;
    });
    const { item, home } = arrays;
    for (let user = 0; user < users; user++) {
      for (let at = starts[user]!, first = at; at < starts[user + 1]!; at++) {
        if (item[at] !== item[first]) first = at;
        home[at] = at;
        if (at > first) home[first] = home[at] = ~first;
      }
      if (scheduler.isDue(counts[user]!)) await scheduler.yieldNow();
    }
    // In the order of the data, then shuffled.
    const next = starts.slice();
    await forEachChunk(data.size, scheduler, (from, to) => {
      for (let k = from; k < to; k++) arrays.random[next[data.users[k]!]!++] = placeOf[k]!;
    });
    const draws = options.stream.fork('ratings');
    for (let user = 0; user < users && options.shuffle; user++) {
      const own = arrays.random.subarray(starts[user]!, starts[user + 1]!);
      draws.shuffle(own);
      if (scheduler.isDue(own.length)) await scheduler.yieldNow();
    }
    this.shares = [0];
    const { count } = this.runner;
    for (let item = 0; item < items && this.shares.length < count; item++)
      if (byItem.starts[item + 1]! >= (this.shares.length * data.size) / count) this.shares.push(item + 1);
    this.shares.push(items);
    const { userEmbedding, itemEmbedding, userBias, itemBias } = model;
    arrays.pDecay.set(this.decayOf(userEmbedding));
    arrays.qDecay.set(this.decayOf(itemEmbedding));
    if (userBias !== null) arrays.userBiasDecay.set(this.decayOf(userBias));
    if (itemBias !== null) arrays.itemBiasDecay.set(this.decayOf(itemBias));
    await this.copy('in', scheduler);
  }

  /** The strength of the penalty on each row. */
  private decayOf(parameter: Parameter): Float64Array {
    const penalty = this.task.penalties.find((one) => one.parameter === parameter);
    return penalty?.byRows() ?? new Float64Array(parameter.rows);
  }

  /** Writes who comes when in an epoch, and how; the calls for the users of each group, then for all items. */
  private async strataOf(epoch: number, scheduler: Scheduler): Promise<Part[][]> {
    const { rates, task, size, shares, scratch } = this;
    const { model, data, options } = task;
    const { starts, user: order, first, stride, room, row, rate, biasRate } = this.arrays!;
    const { rank, userEmbedding, userBias } = model;
    const draws = options.stream.fork(epoch);
    const ratesAt = (seen: number) => {
      rates.begin(1 + seen, progressAt(seen, data.size, epoch, options.epochs));
      const of = (table: Parameter | null) => (table === null ? 0 : rates.learningRateOf(table.factors[0]!));
      return { embedding: of(userEmbedding), bias: of(userBias) };
    };
    const { embedding, bias } = ratesAt(0);
    const borne = Math.min(MOST_AT_ONCE.embedding / embedding, MOST_AT_ONCE.bias / bias) / this.busiest;
    const mostUsers = this.mostUsers ?? Math.max(1, Math.min(size.group, Math.floor(borne)));
    let places = 0;
    for (let user = 0; user < size.users; user++) if (starts[user + 1]! > starts[user]!) order[places++] = user;
    if (options.shuffle) draws.shuffle(order, places);
    const strata: Part[][] = [];
    const perThread = svdppScratch(rank);
    const costOf = (ratings: number) => ratings * rank * A_STEP;
    let [seen, ratings, from] = [0, 0, 0];
    let trained: Part[] = [];
    const close = (to: number) => {
      const start = from;
      const cost = costOf(ratings) / (shares.length - 1);
      const share = (high: number, at: number): Part => ({ call: () => [1, start, to, shares[at]!, high], cost });
      strata.push(trained, shares.slice(1).map(share));
      [ratings, from, trained] = [0, to, []];
    };
    for (let place = 0; place < places; place++) {
      const user = order[place]!;
      const count = starts[user + 1]! - starts[user]!;
      if (place - from === mostUsers || (place > from && ratings + count > size.most)) close(place);
      stride[place] = options.shuffle ? coprime(1 + draws.below(Math.min(count, MOST_STRIDE)), count) : 1;
      first[place] = options.shuffle ? draws.below(count) : 0;
      [room[place], row[place]] = [ratings, place - from];
      const now = ratesAt(seen);
      [rate[place], biasRate[place]] = [now.embedding, now.bias];
      trained.push({ call: (thread) => [0, place, 0, 0, scratch + thread * perThread], cost: 8 + costOf(count) });
      ratings += count;
      seen += count;
      if (scheduler.isDue(32)) await scheduler.yieldNow();
    }
    close(places);
    return strata;
  }

  /** Copies the tables to the padded rows, or back. */
  private async copy(direction: 'in' | 'out', scheduler: Scheduler): Promise<void> {
    const { userEmbedding, itemEmbedding, implicitEmbedding, userBias, itemBias, rank } = this.task.model;
    const { p, q, y, ...arrays } = this.arrays!;
    const width = inFours(rank);
    for (const [table, own, padded, columns] of [
      [userEmbedding, p, width, rank],
      [itemEmbedding, q, width, rank],
      [implicitEmbedding, y, width, rank],
      [userBias, arrays.userBias, 1, 1],
      [itemBias, arrays.itemBias, 1, 1],
    ] as const) {
      if (table === null) continue;
      const values = (table as PlainTable).factors[0]!.data;
      const [source, from, target, to] =
        direction === 'in' ? [values, columns, own, padded] : [own, padded, values, columns];
      await forEachChunk(table.rows, scheduler, (start, end) => {
        if (from === to) return target.set(source.subarray(start * from, end * from), start * to);
        for (let r = start; r < end; r++) for (let k = 0; k < columns; k++) target[r * to + k] = source[r * from + k]!;
      });
    }
  }
}
