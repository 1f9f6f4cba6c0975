// Dense weights: one from every item to every other.

import type { ItemWeights } from './item-weights';

/** w(j, i) is values[j * count + i]; the diagonal is 0. */
export class DenseWeights implements ItemWeights {
  constructor(
    readonly count: number,
    readonly values: Float32Array,
  ) {}

  addTo(scores: Float64Array, from: number): void {
    const start = from * this.count;
    for (let item = 0; item < this.count; item++) scores[item]! += this.values[start + item]!;
  }

  at(from: number, to: number): number {
    return this.values[from * this.count + to]!;
  }

  /** The geometric mean of the weights both ways, which have one sign. */
  alike(item: number, tell: (other: number, similarity: number) => void): void {
    for (let other = 0; other < this.count; other++) {
      const [forth, back] = [this.at(item, other), this.at(other, item)];
      tell(other, (forth < 0 ? -1 : 1) * Math.sqrt(Math.abs(forth)) * Math.sqrt(Math.abs(back)));
    }
  }
}
