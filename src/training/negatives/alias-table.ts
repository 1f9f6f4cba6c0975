// Draws from a discrete distribution in constant time: Walker 1977, built as Vose 1991 does.

import type { Stream } from '../../core/random';

/** A distribution over 0 .. n - 1. */
export class AliasTable {
  /** The chance to keep a place, as a part of 2^32, and who is taken instead. */
  private readonly keep: Float64Array;
  private readonly other: Int32Array;

  /** `weights` are at least 0 and not all 0. */
  constructor(weights: Float64Array) {
    const n = weights.length;
    let sum = 0;
    for (let k = 0; k < n; k++) sum += weights[k]!;
    const scaled = weights.map((weight) => (weight * n) / sum);
    this.keep = new Float64Array(n).fill(2 ** 32);
    this.other = Int32Array.from({ length: n }, (_, k) => k);
    const poor: number[] = [];
    const rich: number[] = [];
    for (let k = 0; k < n; k++) (scaled[k]! < 1 ? poor : rich).push(k);
    while (poor.length > 0 && rich.length > 0) {
      const from = rich[rich.length - 1]!;
      const to = poor.pop()!;
      this.keep[to] = scaled[to]! * 2 ** 32;
      this.other[to] = from;
      scaled[from]! -= 1 - scaled[to]!;
      if (scaled[from]! < 1) poor.push(rich.pop()!);
    }
    // What rounding has left on either list is full.
  }

  /** One draw: two words of the stream. */
  draw(stream: Stream): number {
    const place = stream.below(this.other.length);
    return stream.uint32() < this.keep[place]! ? place : this.other[place]!;
  }
}
