// How a program finds its ratings: the description of a run, and the ratings, one after another.

/**
 * The fields of the description of a run of ratings, in bytes. The program moves `index` and `step` on, and adds to `loss`.
 * A run has a cache line to itself: threads write side by side.
 */
export const RUN = {
  ...{ ratings: 0, groups: 4, count: 8, stride: 12, index: 16, step: 20, loss: 24 },
  /** Room for a vector that nobody reads. */
  scratch: 32,
  /** The rows of the tile on either side, which lie together: where they start, and how many bytes they are. */
  ...{ leftRows: 48, leftBytes: 52, rightRows: 56, rightBytes: 60 },
  bytes: 64,
} as const;

/** The fields of a rating, in bytes: its rows as addresses. */
export const RATING = { left: 0, right: 4, target: 8, weight: 12 } as const;

/** The bytes of a rating. */
export function ratingBytes(isWeighted: boolean): number {
  return isWeighted ? 16 : 12;
}
