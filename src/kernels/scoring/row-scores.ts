// The score of one row: the definition that every scorer follows to the bit.

import { dot } from '../dot';
import type { Measure, Query, RowTable } from './scorer';

/** Vectors shorter than this have no direction: their products leave the range of float32. */
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

  /** 1 / |query| where the measure wants it. */
  factor(measure: Measure, { values, start }: Omit<Query, 'keeper'>): number {
    return measure === 'cosine' ? inverseLength(values, start, this.table.dim) : 1;
  }

  /** 1 / |row| of every row; 0 for what is not in use. Computed once. */
  get inverseLengths(): Float32Array {
    const { values, dim, count, isUsed } = this.table;
    this.lengths ??= Float32Array.from({ length: count }, (_, row) =>
      isUsed(row) ? inverseLength(values, row * dim, dim) : 0,
    );
    return this.lengths;
  }
}

/** In double, so that no square overflows. */
function inverseLength(values: Float32Array, start: number, dim: number): number {
  let square = 0;
  for (let k = start; k < start + dim; k++) square += values[k]! * values[k]!;
  const length = Math.sqrt(square);
  return length >= SHORTEST ? Math.fround(1 / length) : 0;
}
