// What the items of a user say of it together: |N|^-1/2 sum over j in N of y_j (Koren, KDD 2008, equation 15).

import type { Real } from '../../optimizers/factor';

/** Writes the pooled rows of a table, the first `count` that are named, each once; zeros where there are none. */
export function poolRows(
  table: Real,
  rows: ArrayLike<number>,
  count: number,
  rank: number,
  pooled: Float64Array,
): void {
  pooled.fill(0);
  for (let j = 0; j < count; j++) {
    for (let k = 0, from = rows[j]! * rank; k < rank; k++) pooled[k]! += table[from + k]!;
  }
  if (count === 0) return;
  const norm = 1 / Math.sqrt(count);
  for (let k = 0; k < rank; k++) pooled[k]! *= norm;
}

/** Adds to the vector of a user what its set pools. `pooled` is room for rank numbers. */
export function addPooled(
  vectors: Real,
  user: number,
  table: Real,
  set: ArrayLike<number>,
  rank: number,
  pooled: Float64Array,
): void {
  poolRows(table, set, set.length, rank, pooled);
  for (let k = 0; k < rank; k++) vectors[user * rank + k]! += pooled[k]!;
}
