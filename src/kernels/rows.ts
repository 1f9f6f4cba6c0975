// The reference of the gathers, scatters and row-by-row dot products. Plain loops: the definition of correct.

import type { Numbers } from './kernels';

/** @see Kernels.dot */
export function dot(a: Numbers, aStart: number, b: Numbers, bStart: number, n: number): number {
  let sum = 0;
  for (let k = 0; k < n; k++) sum += a[aStart + k]! * b[bStart + k]!;
  return sum;
}

/** @see Kernels.gatherAdd */
export function gatherAdd(a: Numbers, at: Int32Array, count: number, out: Numbers): void {
  for (let s = 0; s < count; s++) out[s]! += a[at[s]!]!;
}

/** @see Kernels.scatterAdd */
export function scatterAdd(g: Numbers, slot: Int32Array, count: number, out: Numbers): void {
  for (let s = 0; s < count; s++) out[slot[s]!]! += g[s]!;
}

/** @see Kernels.rowDots */
export function rowDots(
  a: Numbers,
  aAt: Int32Array,
  b: Numbers,
  bAt: Int32Array,
  dim: number,
  count: number,
  out: Numbers,
): void {
  for (let s = 0; s < count; s++) {
    const p = aAt[s]! * dim;
    const q = bAt[s]! * dim;
    let sum = 0;
    for (let k = 0; k < dim; k++) sum += a[p + k]! * b[q + k]!;
    out[s]! += sum;
  }
}

/** @see Kernels.scatterRows */
export function scatterRows(
  g: Numbers,
  a: Numbers,
  at: Int32Array,
  slot: Int32Array,
  dim: number,
  count: number,
  out: Numbers,
): void {
  for (let s = 0; s < count; s++) {
    const weight = g[s]!;
    const p = at[s]! * dim;
    const q = slot[s]! * dim;
    for (let k = 0; k < dim; k++) out[q + k]! += weight * a[p + k]!;
  }
}
