// The seam between what item-based recommenders learn and how they answer: a weight from each item of a history to each
// item that may be recommended.

import { FormatError } from '../core/errors';
import { type Pausable, pausable, runToEnd } from '../core/scheduler';
import { transposing } from '../data/csr';
import type { Tensor } from '../io/files/safetensors';
import { checkFinite, checkLists, type SavedModel, taker, vector } from './saved-model';

/** score(history, i) = sum over the items j of the history of w(j, i), added in the order of the history. */
export interface ItemWeights {
  /** Adds w(from, i) to scores[i] for every i. */
  addTo(scores: Float64Array, from: number): void;
  /** w(from, to). */
  at(from: number, to: number): number;
  /** Tells of every other item how alike it is; those not told of are not alike. */
  alike(item: number, tell: (other: number, similarity: number) => void): void;
}

// Dense weights: one from every item to every other.

/** w(j, i) is values[j * count + i]; the diagonal is 0. */
export class DenseWeights implements ItemWeights {
  constructor(
    readonly count: number,
    readonly values: Float32Array,
  ) {}

  /** Those of a file. @throws FormatError where they are not there, or inconsistent */
  static decode({ items, tensors }: SavedModel): DenseWeights {
    const { size } = items;
    const itemWeights = taker(tensors)('itemWeights', Float32Array, size, size);
    checkFinite({ itemWeights });
    for (let item = 0; item < size; item++) {
      if (itemWeights[item * size + item] !== 0)
        throw new FormatError(`tensor 'itemWeights' has a weight from item ${item} to itself; the file is damaged`);
    }
    return new DenseWeights(size, itemWeights);
  }

  /** For a file. */
  tensors(): [string, Tensor][] {
    const { count, values } = this;
    return [['itemWeights', { dtype: 'F32', shape: [count, count], data: values }]];
  }

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

// Sparse weights: for each item the few others that are most like it, with how alike they are.

/** The neighbours of item i are items[offsets[i]] .. items[offsets[i + 1] - 1], by index; w(j, i) is that of j in i's list. */
export class NeighborLists implements ItemWeights {
  private constructor(
    readonly offsets: Int32Array,
    readonly items: Int32Array,
    readonly similarities: Float32Array,
    /** The same lists turned round: who has an item as a neighbour. */
    private readonly ownerOffsets: Int32Array,
    private readonly owners: Int32Array,
    private readonly ownerWeights: Float32Array,
  ) {}

  /** Of some lists. */
  static *of(offsets: Int32Array, items: Int32Array, similarities: Float32Array): Pausable<NeighborLists> {
    const { starts, rows, places } = yield* transposing(offsets, items, offsets.length - 1);
    const weights = new Float32Array(places.length);
    yield* pausable(places.length, (from, to) => {
      for (let at = from; at < to; at++) weights[at] = similarities[places[at]!]!;
    });
    return new NeighborLists(offsets, items, similarities, starts, rows, weights);
  }

  /** Those of a file. @throws FormatError where they are not there, or inconsistent */
  static decode({ items, tensors }: SavedModel): NeighborLists {
    const take = taker(tensors);
    const offsets = take('neighbors.offsets', Int32Array, items.size + 1);
    const neighbors = take('neighbors.items', Int32Array, offsets[items.size]!);
    const similarities = take('neighbors.similarities', Float32Array, neighbors.length);
    checkLists('neighbors', offsets, neighbors, items.size);
    checkFinite({ 'neighbors.similarities': similarities });
    for (let item = 0; item < items.size; item++) {
      for (let k = offsets[item]!; k < offsets[item + 1]!; k++) {
        if (neighbors[k] === item || (k > offsets[item]! && neighbors[k]! <= neighbors[k - 1]!))
          throw new FormatError(
            `tensor 'neighbors.items' does not list other items in rising order for item ${item}; the file is damaged`,
          );
      }
    }
    return runToEnd(NeighborLists.of(offsets, neighbors, similarities));
  }

  /** For a file. */
  tensors(): [string, Tensor][] {
    return [
      ['neighbors.offsets', vector('I32', this.offsets)],
      ['neighbors.items', vector('I32', this.items)],
      ['neighbors.similarities', vector('F32', this.similarities)],
    ];
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
