// The innermost loop of dot, gemv and gemm: ndarray-ops has no product that sums, so it is our own.

import type { Cells } from './arguments';

/** The sum of a[p + k da] b[q + k db] for k = 0 ... n - 1, in that order, in double precision. */
export function innerProduct(n: number, a: Cells, p: number, da: number, b: Cells, q: number, db: number): number {
  let sum = 0;
  for (let k = 0; k < n; k++) {
    sum += a[p]! * b[q]!;
    p += da;
    q += db;
  }
  return sum;
}
