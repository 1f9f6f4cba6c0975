// The ratings grouped by user, and the set N(u) of the items that each user has rated, as compressed rows.

import type { Stream } from '../core/random';
import type { Scheduler } from '../core/scheduler';
import { groupRows } from '../data/csr';
import type { Move } from '../kernels/heap';
import type { RatingData } from '../models/model';
import { poolRows, type SVDppModel, type UserBatch } from '../models/svdpp';
import type { Real } from '../optimizers/factor';
import { LearningRates } from '../optimizers/learning-rate';
import { Sgd } from '../optimizers/sgd';
import type { Parameter } from '../parameters/parameter';
import { PlainTable } from '../parameters/table';
import type { Training } from './fit';
import type { OrderOptions } from './per-rating/block-schedule';
import { progressAt } from './per-rating/plan';
import type { Batcher } from './rating-batches';
import type { StepTask } from './start-training';

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

// SVD++ by plain SGD, one rating per step, in O(n_u + |N(u)|) row operations per user instead of O(n_u |N(u)|). The
// steps of a user's ratings give all y_j of its set the same addend and the same decay: their pooled sum, and the final
// value of each, follow without touching them. Steps and order are those of batches of one, up to rounding.

/** A table with the strength of the penalty on each of its rows. */
interface Penalized {
  readonly data: Real;
  readonly decay: Float64Array;
}

/** Trains SVD++ rating by rating. */
export class PooledSgd implements Training {
  readonly rates: LearningRates;
  private order: UserOrder | null = null;
  private readonly p: Penalized;
  private readonly q: Penalized;
  private readonly y: Real;
  private readonly yDecay: number;
  private readonly userBias: Penalized | null;
  private readonly itemBias: Penalized | null;
  /** Of the current user: p_u, the pooled sum of its set, and the total that its ratings add to each y of it. */
  private readonly own: Float64Array;
  private readonly pooled: Float64Array;
  private readonly addend: Float64Array;
  private readonly scored: { scores: Real; targets: Real; weights: Real | null; count: number };
  private readonly gScores: Real;

  private constructor(private readonly task: StepTask<SVDppModel>) {
    const { model, optimizer, penalties, data } = task;
    const of = (parameter: Parameter): Penalized => ({
      data: parameter.values,
      decay: penalties.find((penalty) => penalty.parameter === parameter)?.byRows() ?? new Float64Array(parameter.rows),
    });
    this.rates = new LearningRates(optimizer.config.learningRate);
    this.p = of(model.userEmbedding);
    this.q = of(model.itemEmbedding);
    const implicit = of(model.implicitEmbedding);
    this.y = implicit.data;
    this.yDecay = implicit.decay[0]!;
    this.userBias = model.userBias && of(model.userBias);
    this.itemBias = model.itemBias && of(model.itemBias);
    this.own = new Float64Array(model.rank);
    this.pooled = new Float64Array(model.rank);
    this.addend = new Float64Array(model.rank);
    const one = () => new Float64Array(1);
    this.scored = { scores: one(), targets: one(), weights: data.weights && one(), count: 1 };
    this.gScores = one();
  }

  /** Null if this shortcut does not apply: another rule, products, larger batches, or penalties that differ between the y_j. */
  static of(task: StepTask<SVDppModel>): PooledSgd | null {
    const { model, optimizer, penalties, options } = task;
    const isPlain = model.parameters.every((parameter) => parameter instanceof PlainTable);
    const isSgd = optimizer instanceof Sgd && optimizer.config.weightDecay === 0;
    const isAlike = penalties.every(({ parameter, byRow }) => parameter !== model.implicitEmbedding || byRow === null);
    return isPlain && isSgd && isAlike && options.batchSize === 1 ? new PooledSgd(task) : null;
  }

  dispose(): void {
    this.order = null;
  }

  async epoch(epoch: number, scheduler: Scheduler): Promise<number> {
    const { data, options, model } = this.task;
    this.order ??= new UserOrder(await UserRatings.of(data, model, scheduler), options);
    const { order } = this;
    order.begin(epoch);
    let sum = 0;
    let seen = 0;
    for (let user = order.next(); user >= 0; user = order.next()) {
      sum += this.trainUser(user, order, epoch, seen);
      seen += order.count;
      if (!scheduler.isDue(order.count * (1 + (model.rank >> 2)))) continue;
      if (!Number.isFinite(sum)) return sum;
      await scheduler.yieldNow();
    }
    return sum / (data.ratings ?? data.size);
  }

  /** The steps of all ratings of a user; returns the sum of their losses. */
  private trainUser(user: number, { rows, count, ratings }: UserOrder, epoch: number, seen: number): number {
    const { p, y, own, pooled, addend, rates, task } = this;
    const { rank, userEmbedding, userBias } = task.model;
    const { epochs } = task.options;
    const { size } = task.data;
    const set = ratings.setOf(user);
    poolRows(y, set, set.length, rank, pooled);
    addend.fill(0);
    for (let k = 0; k < rank; k++) own[k] = p.data[user * rank + k]!;
    const norm = 1 / Math.sqrt(set.length);
    /** The fraction that remains of each original y. */
    let kept = 1;
    let sum = 0;
    for (let s = 0; s < count; s++) {
      rates.begin(1 + seen + s, progressAt(seen + s, size, epoch, epochs));
      const rate = rates.learningRateOf(userEmbedding.factors[0]!);
      const biasRate = userBias === null ? 0 : rates.learningRateOf(userBias.factors[0]!);
      sum += this.step(user, rows[s]!, rate, biasRate, norm);
      kept *= 1 - rate * (task.data.weights?.[rows[s]!] ?? 1) * this.yDecay;
    }
    for (let k = 0; k < rank; k++) p.data[user * rank + k] = own[k]!;
    for (let j = 0; j < set.length; j++) {
      for (let k = 0, at = set[j]! * rank; k < rank; k++) y[at + k] = kept * y[at + k]! + addend[k]!;
    }
    return sum;
  }

  /** The step of one rating; returns its loss. */
  private step(user: number, rating: number, rate: number, biasRate: number, norm: number): number {
    const { p, q, userBias, itemBias, own, pooled, addend, scored, gScores, yDecay, task } = this;
    const { rank, globalMean } = task.model;
    const { items, targets, weights } = task.data;
    const item = items[rating]!;
    const from = item * rank;
    let score = globalMean;
    if (userBias !== null && itemBias !== null) score += userBias.data[user]! + itemBias.data[item]!;
    for (let k = 0; k < rank; k++) score += (own[k]! + pooled[k]!) * q.data[from + k]!;
    scored.scores[0] = score;
    scored.targets[0] = targets[rating]!;
    if (scored.weights !== null) scored.weights[0] = weights![rating]!;
    const loss = task.loss.evaluate(scored, gScores);
    const step = rate * gScores[0]!;
    // Penalties count as much as the rating does.
    const weight = weights === null ? 1 : weights[rating]!;
    const decayRate = rate * weight;
    const pKept = 1 - decayRate * p.decay[user]!;
    const qKept = 1 - decayRate * q.decay[item]!;
    const yKept = 1 - decayRate * yDecay;
    for (let k = 0; k < rank; k++) {
      const qk = q.data[from + k]!;
      const pull = step * qk;
      q.data[from + k] = qKept * qk - step * (own[k]! + pooled[k]!);
      own[k] = pKept * own[k]! - pull;
      // n times norm times what each y of the n moves by, which is norm times the pull.
      pooled[k] = yKept * pooled[k]! - pull;
      addend[k] = yKept * addend[k]! - norm * pull;
    }
    if (userBias !== null && itemBias !== null) {
      userBias.data[user]! -= biasRate * (gScores[0]! + weight * userBias.decay[user]! * userBias.data[user]!);
      itemBias.data[item]! -= biasRate * (gScores[0]! + weight * itemBias.decay[item]! * itemBias.data[item]!);
    }
    return loss;
  }
}
