// The seam between what item-based recommenders learn and how they answer: a weight from each item of a history to each
// item that may be recommended.

/** score(history, i) = sum over the items j of the history of w(j, i), added in the order of the history. */
export interface ItemWeights {
  /** Adds w(from, i) to scores[i] for every i. */
  addTo(scores: Float64Array, from: number): void;
  /** w(from, to). */
  at(from: number, to: number): number;
  /** Tells of every other item how alike it is; those not told of are not alike. */
  alike(item: number, tell: (other: number, similarity: number) => void): void;
}
