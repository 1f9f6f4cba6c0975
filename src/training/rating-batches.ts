// Batches of (user, item, target): the ratings in the order of their tiles, each tile traversed in the epoch's stride.

import type { Scheduler } from '../core/scheduler';
import type { Move } from '../kernels/heap';
import type { Batch, RatingBatch, RatingData } from '../models/model';
import type { Real } from '../optimizers/factor';
import type { OrderOptions, RatingStore, Shares, TileLayout, TileVisit } from './per-rating/block-schedule';
import { epochVisits, gridOf, layOutRatings, orderByBlock, scheduleShares, stepsOf } from './per-rating/block-schedule';

/** The renumbering of rows, per side: row r is at place users[r]. */
export interface RowPlaces {
  readonly users: Int32Array;
  readonly items: Int32Array;
}

/** How an epoch is divided, where items are drawn from the part that those of a share are of. @see scheduleShares */
export interface EpochParts {
  /** How many. */
  readonly count: number;
  /** Of a share: the visit of its batches. */
  ofShare(share: number): number;
  ofItem(item: number): number;
}

/** Yields the batches of an epoch, in an order that depends only on the options and the epoch. */
export interface Batcher<B extends Batch> {
  /** The ratings of an epoch. */
  readonly size: number;
  /** The steps of an epoch, where each step is one rating or one group. Known once prepared. */
  readonly steps: number;
  /** The places by which its batches number rows; null: the row numbers themselves. Known once prepared. */
  readonly places: RowPlaces | null;
  /** Of the epoch; null or absent: it is in one. */
  readonly parts?: EpochParts | null;
  /** Sorts the ratings into their order, once, before the first epoch. */
  prepare(scheduler: Scheduler): Promise<void>;
  /** Allocates for batches of at most `limit` ratings (or groups), so that no step allocates. */
  reserve(limit: number): void;
  /** Moves the arrays of its batches. */
  move(move: Move): void;
  /** Starts epoch `epoch` (from 1). */
  begin(epoch: number): void;
  /** The next batch of at most `limit` ratings (or groups), null at the end. The object is reused. */
  next(limit: number): B | null;
}

/** Yields ratings in batches. The order of an epoch is a function of the data, the stream and the epoch only. */
export class RatingBatcher implements Batcher<RatingBatch> {
  places: RowPlaces | null = null;
  private records: RatingRecords;
  private layout: TileLayout;
  private visits: readonly TileVisit[] = [];
  private visit = 0;
  private itemBlock = new Uint16Array(0);
  private shares: Shares | null = null;
  /** Where the visits of each share end. */
  private ends: readonly number[] = [];
  private share = 0;
  /** The position in the current visit: ratings done, and where the next one is. */
  private done = 0;
  private index = 0;
  private batch: {
    count: number;
    visit: number;
    users: Int32Array;
    items: Int32Array;
    sizes: Uint8Array | null;
    targets: Real;
    weights: Real | null;
  };

  constructor(
    private readonly data: RatingData,
    private readonly rows: { readonly users: number; readonly items: number },
    private readonly options: OrderOptions,
  ) {
    this.records = new RatingRecords(data, null);
    this.layout = { starts: Int32Array.of(0, data.size), groups: null };
    this.batch = this.room(1);
  }

  get size(): number {
    return this.data.size;
  }

  get steps(): number {
    return stepsOf(this.layout);
  }

  get parts(): EpochParts | null {
    const { shares, itemBlock, options } = this;
    if (shares === null) return null;
    const { partOfShare, partOfBlock } = shares;
    return {
      count: options.parts!,
      ofShare: (share) => partOfShare[share]!,
      ofItem: (item) => partOfBlock[itemBlock[item]!]!,
    };
  }

  async prepare(scheduler: Scheduler): Promise<void> {
    const { data, rows, options } = this;
    const grid = await gridOf(data, rows, options, scheduler);
    this.itemBlock = grid.itemBlock as Uint16Array<ArrayBuffer>;
    if (options.packs) {
      const { userBlock, itemBlock, blocks } = grid;
      this.places = {
        users: orderByBlock(userBlock, blocks.users).places,
        items: orderByBlock(itemBlock, blocks.items).places,
      };
      this.records = new RatingRecords(data, this.places);
    }
    this.layout = await layOutRatings(data, grid, options, this.records, scheduler);
  }

  reserve(limit: number): void {
    const most = limit * this.options.grouping;
    if (most > this.batch.users.length) this.batch = this.room(most);
  }

  move(move: Move): void {
    const { batch } = this;
    batch.users = move(batch.users);
    batch.items = move(batch.items);
    batch.targets = move(batch.targets);
    if (batch.weights !== null) batch.weights = move(batch.weights);
  }

  begin(epoch: number): void {
    const { layout, options } = this;
    const { parts = 1, blocks, stream } = options;
    if (parts === 1) this.visits = epochVisits(layout, options, epoch).flat(2);
    else {
      this.shares = scheduleShares(layout.starts, blocks, parts, stream.fork(epoch));
      this.visits = this.shares.visits.flat();
      let end = 0;
      this.ends = this.shares.visits.map(({ length }) => (end += length));
      this.share = 0;
    }
    this.enter(0);
  }

  next(limit: number): RatingBatch | null {
    if (this.done === (this.visits[this.visit]?.count ?? 0)) this.enter(this.visit + 1);
    const visit = this.visits[this.visit];
    if (visit === undefined) return null;
    if (this.shares !== null) return this.nextOfShare(limit);
    const { groups } = this.layout;
    const steps = Math.min(limit, visit.count - this.done);
    this.reserve(steps);
    const { batch } = this;
    batch.count = groups === null ? this.copyRatings(visit, steps, 0) : this.copyGroups(visit, steps, groups);
    this.done += steps;
    batch.visit = this.visit;
    return batch;
  }

  /** A batch that runs on from visit to visit of a share. */
  private nextOfShare(limit: number): RatingBatch {
    const { ends, visits } = this;
    this.reserve(limit);
    while (ends[this.share]! <= this.visit) this.share++;
    let count = 0;
    while (count < limit) {
      const visit = visits[this.visit]!;
      const steps = Math.min(limit - count, visit.count - this.done);
      count += this.copyRatings(visit, steps, count);
      this.done += steps;
      if (this.done < visit.count) continue;
      if (this.visit + 1 === ends[this.share]) break;
      this.enter(this.visit + 1);
    }
    this.batch.count = count;
    this.batch.visit = this.share;
    return this.batch;
  }

  /** Copies the next ratings of a visit to a place of the batch; returns how many. */
  private copyRatings({ tile, count, stride }: TileVisit, steps: number, to: number): number {
    const start = this.layout.starts[tile]!;
    this.records.copyStrides({ start, size: count, stride }, this.index, steps, this.batch, to);
    this.index = (this.index + steps * stride) % count;
    return steps;
  }

  /** Copies the next groups of a visit to the batch; returns how many ratings they are. */
  private copyGroups({ tile, count, stride }: TileVisit, steps: number, groups: Int32Array): number {
    const { batch, records } = this;
    const start = this.layout.starts[tile]!;
    let ratings = 0;
    for (let step = 0; step < steps; step++) {
      const group = groups[start + this.index]!;
      const size = (group & 3) + 1;
      batch.sizes![ratings] = size;
      for (let j = 0; j < size; j++) records.copy((group >> 2) + j, batch, ratings++);
      this.index = (this.index + stride) % count;
    }
    return ratings;
  }

  private enter(visit: number): void {
    this.visit = visit;
    this.done = 0;
    const entered = this.visits[visit];
    this.index = entered?.start ?? 0;
    if (entered === undefined || this.layout.groups !== null) return;
    this.records.prefetch(this.layout.starts[entered.tile]!, entered.count);
  }

  private room(count: number) {
    const reals = this.data.targets instanceof Float64Array ? Float64Array : Float32Array;
    return {
      count: 0,
      visit: 0,
      users: new Int32Array(count),
      items: new Int32Array(count),
      sizes: this.options.grouping === 1 ? null : new Uint8Array(count),
      targets: new reals(count),
      weights: this.data.weights === null ? null : new reals(count),
    };
  }
}

// Ratings laid out for an epoch: user, item, target and weight of one together, in one cache line. Epochs traverse them
// in strides, where separate arrays would each cost a cache miss per rating.

/** The bytes that come from memory together. */
const CACHE_LINE = 64;
/** Half a megabyte of records. */
const MOST_PREFETCHED = 1 << 15;

/** The arrays that ratings are copied to. */
export interface RatingArrays {
  readonly users: Int32Array;
  readonly items: Int32Array;
  readonly targets: Real;
  readonly weights: Real | null;
}

/** The ratings by place: two integers, then two reals. */
export class RatingRecords implements RatingStore {
  readonly words: Int32Array;
  readonly first = 0;
  private readonly reals: Real;
  /** The size of a record in either, and where its reals are. */
  readonly wordStep: number;
  private readonly realStep: number;
  private readonly target: number;
  /** The result of touching records: stored, so that the reads are not optimized away. */
  protected looked = 0;

  /** `places`: what to write instead of the numbers of users and items; null: the numbers themselves. */
  constructor(
    private readonly data: RatingData,
    private readonly places: RowPlaces | null,
  ) {
    const isSingle = data.targets instanceof Float32Array;
    this.wordStep = isSingle ? 4 : 8;
    this.realStep = 4;
    this.target = isSingle ? 2 : 1;
    this.words = new Int32Array(data.size * this.wordStep);
    this.reals = isSingle ? new Float32Array(this.words.buffer) : new Float64Array(this.words.buffer);
  }

  put(to: Int32Array, from: number, end: number, which?: Int32Array): void {
    const { data, places, words, reals, wordStep, realStep, target } = this;
    const { users, items, targets, weights } = data;
    for (let n = from; n < end; n++) {
      const k = which === undefined ? n : which[n]!;
      const place = to[n - from]!;
      const user = users[k]!;
      const item = items[k]!;
      words[place * wordStep] = places === null ? user : places.users[user]!;
      words[place * wordStep + 1] = places === null ? item : places.items[item]!;
      reals[place * realStep + target] = targets[k]!;
      if (weights !== null) reals[place * realStep + target + 1] = weights[k]!;
    }
  }

  /**
   * Brings the records of a tile into the cache in the order they lie, which is faster than in strides. Of a tile
   * larger than the cache, nothing would be left by the time it is needed.
   */
  prefetch(start: number, count: number): void {
    const { words, wordStep } = this;
    if (count > MOST_PREFETCHED) return;
    let sum = 0;
    for (let at = start * wordStep, end = at + count * wordStep; at < end; at += CACHE_LINE / 4) sum ^= words[at]!;
    this.looked = sum;
  }

  /** Copies the rating of a place to `at`. */
  copy(place: number, { users, items, targets, weights }: RatingArrays, at: number): void {
    const { words, reals, wordStep, realStep, target } = this;
    users[at] = words[place * wordStep]!;
    items[at] = words[place * wordStep + 1]!;
    targets[at] = reals[place * realStep + target]!;
    if (weights !== null) weights[at] = reals[place * realStep + target + 1]!;
  }

  /**
   * Copies `count` ratings in strides, to `place` and after it: the places start + index, index going round at `size`. The first, short loop
   * issues as many loads at once as the processor can track.
   */
  copyStrides(
    { start, size, stride }: { readonly start: number; readonly size: number; readonly stride: number },
    index: number,
    count: number,
    to: RatingArrays,
    place: number,
  ): void {
    const { words, reals, wordStep, realStep, target } = this;
    const { users, items, targets, weights } = to;
    const last = place + count;
    const [step, realsStep] = [stride * wordStep, stride * realStep];
    const [round, realsRound] = [size * wordStep, size * realStep];
    const end = (start + size) * wordStep;
    const first = (start + index) * wordStep;
    for (let s = place, at = first; s < last; s++) {
      users[s] = words[at]!;
      at += step;
      if (at >= end) at -= round;
    }
    for (let s = place, at = first, real = (start + index) * realStep + target; s < last; s++) {
      items[s] = words[at + 1]!;
      targets[s] = reals[real]!;
      if (weights !== null) weights[s] = reals[real + 1]!;
      at += step;
      real += realsStep;
      if (at >= end) {
        at -= round;
        real -= realsRound;
      }
    }
  }
}
