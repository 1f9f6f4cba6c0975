// The best n of many scores, exactly and in bounded memory: a heap of n whose root is the worst one kept.
// What is not a number is no score, and is never kept.

import type { Keeper } from '../kernels/scorer';

/** A place in a list of scores, best first; ties have the smaller index first, so that the order is always the same. */
export interface Ranked {
  readonly index: number;
  readonly score: number;
}

/** Keeps the n best of the scores that it is offered. Cost of an offer: O(1) for most, O(log n) when it is kept. */
export class Ranking implements Keeper {
  private readonly indices: Int32Array;
  private readonly scores: Float64Array;
  private size = 0;

  constructor(private readonly limit: number) {
    this.indices = new Int32Array(limit);
    this.scores = new Float64Array(limit);
  }

  /** The score that is not to be missed: less is of no use. */
  get threshold(): number {
    if (this.size < this.limit) return -Infinity;
    return this.limit > 0 ? this.scores[0]! : Number.NaN;
  }

  offer(index: number, score: number): void {
    if (Number.isNaN(score)) return;
    if (this.size < this.limit) {
      this.put(this.size, index, score);
      this.rise(this.size++);
    } else if (this.limit > 0 && this.isWorse(0, index, score)) {
      this.put(0, index, score);
      this.sink();
    }
  }

  /** What was kept, best first. */
  list(): Ranked[] {
    return Array.from({ length: this.size }, (_, at) => ({ index: this.indices[at]!, score: this.scores[at]! })).sort(
      (a, b) => b.score - a.score || a.index - b.index,
    );
  }

  /** Whether the entry at a place ranks behind (index, score). */
  private isWorse(place: number, index: number, score: number): boolean {
    const held = this.scores[place]!;
    return held < score || (held === score && this.indices[place]! > index);
  }

  private put(place: number, index: number, score: number): void {
    this.indices[place] = index;
    this.scores[place] = score;
  }

  private rise(place: number): void {
    const index = this.indices[place]!;
    const score = this.scores[place]!;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.isWorse(parent, index, score)) break;
      this.put(place, this.indices[parent]!, this.scores[parent]!);
      place = parent;
    }
    this.put(place, index, score);
  }

  private sink(): void {
    const index = this.indices[0]!;
    const score = this.scores[0]!;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && this.isWorse(child + 1, this.indices[child]!, this.scores[child]!)) child++;
      if (!this.isWorse(child, index, score)) break;
      this.put(place, this.indices[child]!, this.scores[child]!);
      place = child;
    }
    this.put(place, index, score);
  }
}
