// THE SEAM of sums of outer products, in double: what normal equations are made of, and most of what solving them takes.

/** What lengths are rounded up to. */
export const GRAM_BLOCK = 4;
/** The most rows that are added at a time: they stay in a cache near the processor. */
export const ROWS_A_TIME = 32;

/** The next length that a Gram has. */
export function paddedLength(length: number): number {
  return Math.ceil(length / GRAM_BLOCK) * GRAM_BLOCK;
}

/** A symmetric matrix A (n x n, row-major), and room for a few rows x of n numbers that are to be added to it. */
export interface Gram {
  /** A multiple of GRAM_BLOCK. */
  readonly n: number;
  /** A. Its lower triangle is what counts; entries of the upper one beside the diagonal may change. */
  readonly matrix: Float64Array;
  /** ROWS_A_TIME rows, one after another. */
  readonly rows: Float64Array;
  /** A += the sum of x x^T over the first `count` rows, first to last. Cost: count n^2 / 2 multiplications. */
  add(count: number): void;
  /** A -= the same, for rows and columns of A from `from` on, a multiple of GRAM_BLOCK. */
  subtract(count: number, from: number): void;
}
