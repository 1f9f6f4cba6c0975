// THE SEAM for finding the best rows of a table for a query: WebAssembly, or JavaScript with the same bits.

import type { Pausable } from '../core/scheduler';
import { dot } from './dot';

/** The candidate rows. They must not change while a scorer is in use: it may work on a copy. */
export interface RowTable {
  /** count x dim. */
  readonly values: Float32Array;
  readonly dim: number;
  readonly count: number;
  /** Added to the score of each row; empty means nothing is added. */
  readonly shifts: Float32Array;
  /** Unused rows are read as zeros, with a shift of 0. */
  readonly isUsed: (row: number) => boolean;
}

/**
 * How a row is scored against a query q, each operation rounded to float32, the dot product summed in sixteen lanes:
 * sum: (base + shift) + <q, row>; dot: <q, row>; cosine: <q, row> (1/|q| 1/|row|).
 */
export type Measure = 'sum' | 'dot' | 'cosine';

/** Receives the rows that a scan finds. */
export interface Keeper {
  /** A float32: rows that score less are not needed. It may rise; it is read again after every block of rows. */
  readonly threshold: number;
  /** Rows come in ascending order. Rows with NaN scores are skipped. */
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
  /** Makes what scans need, in steps; the first scan does what is left of it. */
  layOut(): Pausable<void>;
  /**
   * Offers every row that reaches its query's threshold, in steps of some thousand rows. Cost: rows x dim per query;
   * constant memory beside the queries.
   */
  scan(measure: Measure, queries: readonly Query[]): Pausable<void>;
}

/** Rows of a tile of the scan program. */
export const TILE = 4;

// The score of one row: the definition that every scorer follows to the bit.

/** Shorter vectors have no direction: their products underflow float32. */
const SHORTEST = 1e-18;

/** Scores of the rows of a table, one at a time. */
export class RowScores {
  private lengths: Float32Array | undefined;

  constructor(readonly table: RowTable) {}

  /** The score of a row; `factor` is that of the query. */
  score(measure: Measure, { values, start, base }: Omit<Query, 'keeper'>, factor: number, row: number): number {
    const { values: rows, dim, shifts } = this.table;
    const isUsed = this.table.isUsed(row);
    const product = isUsed ? dot(values, start, rows, row * dim, dim) : 0;
    if (measure === 'dot') return product;
    if (measure === 'cosine') return Math.fround(product * Math.fround(factor * this.inverseLengths[row]!));
    const shift = isUsed ? (shifts[row] ?? 0) : 0;
    return Math.fround(Math.fround(base + shift) + product);
  }

  /** 1 / |query| for the measure `cosine`. */
  factor(measure: Measure, { values, start }: Omit<Query, 'keeper'>): number {
    return measure === 'cosine' ? inverseLength(values, start, this.table.dim) : 1;
  }

  /** 1 / |row| of every row; 0 for unused rows. Computed once. */
  get inverseLengths(): Float32Array {
    const { values, dim, count, isUsed } = this.table;
    this.lengths ??= Float32Array.from({ length: count }, (_, row) =>
      isUsed(row) ? inverseLength(values, row * dim, dim) : 0,
    );
    return this.lengths;
  }
}

/** In double precision, so that no square overflows. */
function inverseLength(values: Float32Array, start: number, dim: number): number {
  let square = 0;
  for (let k = start; k < start + dim; k++) square += values[k]! * values[k]!;
  const length = Math.sqrt(square);
  return length >= SHORTEST ? Math.fround(1 / length) : 0;
}

// A scorer in plain JavaScript: the definition, row by row, and the fallback everywhere.

const ROWS_A_STEP = 1024;

/** Scores rows in place. */
export class JsScorer implements Scorer {
  readonly rows: RowScores;

  constructor(table: RowTable) {
    this.rows = new RowScores(table);
  }

  *layOut(): Pausable<void> {}

  *scan(measure: Measure, queries: readonly Query[]): Pausable<void> {
    const { rows } = this;
    const { count } = rows.table;
    for (const query of queries) {
      const { keeper } = query;
      const factor = rows.factor(measure, query);
      for (let row = 0; row < count; row++) {
        if (row % ROWS_A_STEP === 0) yield;
        const score = rows.score(measure, query, factor, row);
        // False for NaN.
        if (score >= keeper.threshold) keeper.offer(row, score);
      }
    }
  }
}
