// The vectors of a factorization for an index of approximate search: rows whose inner products, or cosines, order items
// as `recommend` does.

import type { Id, Vocabulary } from '../data/vocabulary';
import type { Real } from '../optimizers/factor';
import type { FittedFactorization } from '../serving/factorization-tables';

/** What an index compares vectors by. */
export type VectorIndex = 'inner-product' | 'cosine';

/** Vectors with the ids that they belong to, in order. */
export interface VectorTable {
  readonly ids: readonly Id[];
  /** Numbers a vector. */
  readonly dim: number;
  /** Row-major, ids.length x dim. */
  readonly values: Float32Array;
}

/** The vectors of both sides. */
export type Vectors = { readonly users: VectorTable; readonly items: VectorTable };

/** Items (q_i, b_i) and users (p_u, 1); for cosines, all items as long as the longest. Rows never trained are left out. */
export function vectorsOf({ tables, served, users, items, seen }: FittedFactorization, index: VectorIndex): Vectors {
  const { rank, userEmbedding, itemEmbedding, itemBias } = tables;
  const hasBiases = itemBias.length > 0;
  const dim = rank + (hasBiases ? 1 : 0) + (index === 'cosine' ? 1 : 0);
  const rows = (count: number, isTrained: (row: number) => boolean) =>
    Int32Array.from({ length: count }, (_, row) => row).filter(isTrained);
  const table = (embedding: Real, taken: Int32Array, vocabulary: Vocabulary, last: (row: number) => number) => {
    const values = new Float32Array(taken.length * dim);
    taken.forEach((row, at) => {
      values.set(embedding.subarray(row * rank, (row + 1) * rank), at * dim);
      if (hasBiases) values[at * dim + rank] = last(row);
    });
    return { ids: Array.from(taken, (row) => vocabulary.idOf(row)), dim, values };
  };
  const userTable = table(userEmbedding, rows(seen.userCounts.length, served.hasUser), users, () => 1);
  const itemTable = table(itemEmbedding, rows(seen.itemCounts.length, served.hasItem), items, (row) => itemBias[row]!);
  if (index === 'cosine') levelLengths(itemTable);
  return { users: userTable, items: itemTable };
}

/**
 * Writes sqrt(M^2 - |row|^2) into the last column, which is 0, M the longest row (Bachrach et al., RecSys 2014, equation
 * 5): all rows then are as long, and the cosine with a vector that ends in 0 orders them as the inner product does.
 */
function levelLengths({ values, dim }: VectorTable): void {
  const squares = Float64Array.from({ length: values.length / dim }, (_, row) => {
    let square = 0;
    for (let at = row * dim; at < (row + 1) * dim; at++) square += values[at]! * values[at]!;
    return square;
  });
  const longest = squares.reduce((most, square) => Math.max(most, square), 0);
  squares.forEach((square, row) => {
    values[(row + 1) * dim - 1] = Math.sqrt(longest - square);
  });
}
