// The reference of the gathers, scatters and row-by-row dot products. Plain loops: the definition of correct. Where one
// operation is left before a store, the store is what rounds it.

import { dot } from './dot';
import type { Numbers } from './kernels';
import { isSingle, round } from './rounding';

/** @see Kernels.gatherAdd */
export function gatherAdd(a: Numbers, at: Int32Array, count: number, out: Numbers): void {
  for (let s = 0; s < count; s++) out[s]! += a[at[s]!]!;
}

/** @see Kernels.scatterAdd */
export function scatterAdd(g: Numbers, slot: Int32Array, count: number, out: Numbers): void {
  for (let s = 0; s < count; s++) out[slot[s]!]! += g[s]!;
}

/** @see Kernels.divide */
export function divide(x: Numbers, by: number, count: number): void {
  for (let s = 0; s < count; s++) x[s]! /= by;
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
  for (let s = 0; s < count; s++) out[s]! += dot(a, aAt[s]! * dim, b, bAt[s]! * dim, dim);
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
  const single = isSingle(out);
  for (let s = 0; s < count; s++) {
    const weight = g[s]!;
    const p = at[s]! * dim;
    const q = slot[s]! * dim;
    for (let k = 0; k < dim; k++) out[q + k]! += round(weight * a[p + k]!, single);
  }
}
