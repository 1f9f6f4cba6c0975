// THE SEAM of what finds the best rows of a table for a query: WebAssembly, or plain JavaScript with the same bits.

/** The rows to choose from. They are not changed while a scorer serves them: it may work on a copy. */
export interface RowTable {
  /** count x dim. */
  readonly values: Float32Array;
  readonly dim: number;
  readonly count: number;
  /** What is added to the score of a row; empty for nothing. */
  readonly shifts: Float32Array;
  /** Rows that are not in use are read as zeros, with a shift of 0. */
  readonly isUsed: (row: number) => boolean;
}

/**
 * How a row is scored against a query q, each operation rounded to float32, the dot product summed in sixteen lanes:
 * sum: (base + shift) + <q, row>; dot: <q, row>; cosine: <q, row> (1/|q| 1/|row|).
 */
export type Measure = 'sum' | 'dot' | 'cosine';

/** What takes the rows that a scan finds. */
export interface Keeper {
  /** A float32: rows that score less are of no use. It may rise; it is read again after every block of rows. */
  readonly threshold: number;
  /** Rows come in ascending order. No score is NaN: such a row is passed over. */
  offer(row: number, score: number): void;
}

/** A vector to score rows against: dim numbers of `values` from `start`. */
export interface Query {
  readonly values: Float32Array;
  readonly start: number;
  /** A float32. Used by the measure `sum`. */
  readonly base: number;
  readonly keeper: Keeper;
}

/** Scores rows. */
export interface Scorer {
  /** Offers every row that scores its query's threshold or more. Cost: rows x dim a query; memory that does not grow. */
  scan(measure: Measure, queries: readonly Query[]): void;
}
