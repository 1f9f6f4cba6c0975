// Ratings laid out for an epoch: user, item, target and weight of one together, in one cache line. Epochs go through them
// in strides, where each separate array would cost a miss for each rating.

import type { Real } from '../optimizers/factor';
import type { Places } from './grid/lay-out';
import type { RatingData } from './model';
import type { RowPlaces } from './rating-batcher';

/** The bytes that come from memory together. */
const CACHE_LINE = 64;
/** Records of half a megabyte. */
const MOST_PREFETCHED = 1 << 15;

/** Where a rating is copied to. */
export interface RatingArrays {
  readonly users: Int32Array;
  readonly items: Int32Array;
  readonly targets: Real;
  readonly weights: Real | null;
}

/** The ratings by place: two integers, then two reals. */
export class RatingRecords implements Places {
  private readonly words: Int32Array;
  private readonly reals: Real;
  /** The size of a record in either, and where its reals are. */
  private readonly wordStep: number;
  private readonly realStep: number;
  private readonly target: number;
  /** What a look at records came to: kept, so that looking is not for nothing. */
  protected looked = 0;

  /** `places`: what to write in place of the numbers of users and items; null: those. */
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

  put(place: number, k: number): void {
    const { data, places, words, reals, wordStep, realStep, target } = this;
    const user = data.users[k]!;
    const item = data.items[k]!;
    words[place * wordStep] = places === null ? user : places.users[user]!;
    words[place * wordStep + 1] = places === null ? item : places.items[item]!;
    reals[place * realStep + target] = data.targets[k]!;
    if (data.weights !== null) reals[place * realStep + target + 1] = data.weights[k]!;
  }

  swap(a: number, b: number): void {
    const { words, wordStep } = this;
    for (let field = 0; field < wordStep; field++) {
      const held = words[a * wordStep + field]!;
      words[a * wordStep + field] = words[b * wordStep + field]!;
      words[b * wordStep + field] = held;
    }
  }

  /**
   * Brings the records of a tile into the cache in the order they lie, which is faster than in strides. Of more than a
   * cache holds nothing would be left by the time it is asked for.
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
   * Copies `count` ratings in strides: the places start + index, index going round at `size`. The first, short loop has
   * as many of them on their way from memory at once as the processor can keep count of.
   */
  copyStrides(
    { start, size, stride }: { readonly start: number; readonly size: number; readonly stride: number },
    index: number,
    count: number,
    to: RatingArrays,
  ): void {
    const { words, reals, wordStep, realStep, target } = this;
    const { users, items, targets, weights } = to;
    const [step, realsStep] = [stride * wordStep, stride * realStep];
    const [round, realsRound] = [size * wordStep, size * realStep];
    const end = (start + size) * wordStep;
    const first = (start + index) * wordStep;
    for (let s = 0, at = first; s < count; s++) {
      users[s] = words[at]!;
      at += step;
      if (at >= end) at -= round;
    }
    for (let s = 0, at = first, real = (start + index) * realStep + target; s < count; s++) {
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
