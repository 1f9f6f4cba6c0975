// The reference of the gradient of an L2 penalty on rows.

import type { Numbers } from './kernels';
import { isSingle, round } from './rounding';

/** @see Kernels.startPenalty */
export function startPenalty(
  values: Numbers,
  at: Int32Array,
  rows: Int32Array,
  occurrences: Int32Array,
  byRow: Float64Array | null,
  strength: number,
  batch: number,
  dim: number,
  count: number,
  grads: Numbers,
): void {
  const single = isSingle(grads);
  for (let u = 0; u < count; u++) {
    const lambda = byRow === null ? strength : byRow[rows[u]!]!;
    const weight = round((lambda * occurrences[u]!) / batch, single);
    const from = at[u]! * dim;
    const to = u * dim;
    for (let k = 0; k < dim; k++) grads[to + k] = weight * values[from + k]!;
  }
}
