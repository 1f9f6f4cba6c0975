// Sparse weights: for each item the few others that are most like it, with how alike they are.

import type { ItemWeights } from './item-weights';

/** The neighbours of item i are items[offsets[i]] .. items[offsets[i + 1] - 1], by index; w(j, i) is that of j in i's list. */
export class NeighborLists implements ItemWeights {
  /** The same lists turned round: who has an item as a neighbour. */
  private readonly ownerOffsets: Int32Array;
  private readonly owners: Int32Array;
  private readonly ownerWeights: Float32Array;

  constructor(
    readonly offsets: Int32Array,
    readonly items: Int32Array,
    readonly similarities: Float32Array,
  ) {
    const count = offsets.length - 1;
    this.ownerOffsets = new Int32Array(count + 1);
    for (const item of items) this.ownerOffsets[item + 1]!++;
    for (let item = 0; item < count; item++) this.ownerOffsets[item + 1]! += this.ownerOffsets[item]!;
    const next = this.ownerOffsets.slice();
    this.owners = new Int32Array(items.length);
    this.ownerWeights = new Float32Array(items.length);
    for (let owner = 0; owner < count; owner++) {
      for (let k = offsets[owner]!; k < offsets[owner + 1]!; k++) {
        const place = next[items[k]!]!++;
        this.owners[place] = owner;
        this.ownerWeights[place] = similarities[k]!;
      }
    }
  }

  addTo(scores: Float64Array, from: number): void {
    const { owners, ownerWeights } = this;
    const end = this.ownerOffsets[from + 1]!;
    for (let k = this.ownerOffsets[from]!; k < end; k++) scores[owners[k]!]! += ownerWeights[k]!;
  }

  /** Cost: O(log of the neighbours). */
  at(from: number, to: number): number {
    let [low, high] = [this.offsets[to]!, this.offsets[to + 1]!];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.items[middle]! < from) low = middle + 1;
      else high = middle;
    }
    return low < this.offsets[to + 1]! && this.items[low] === from ? this.similarities[low]! : 0;
  }

  alike(item: number, tell: (other: number, similarity: number) => void): void {
    for (let k = this.offsets[item]!; k < this.offsets[item + 1]!; k++) tell(this.items[k]!, this.similarities[k]!);
  }
}
