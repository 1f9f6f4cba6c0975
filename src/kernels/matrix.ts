// The reference of the dense matrix products. Loop orders keep the inner loop on contiguous memory.

import type { Numbers } from './kernels';

/** @see Kernels.multiply */
export function multiply(
  a: Numbers,
  ids: Int32Array | null,
  b: Numbers,
  m: number,
  k: number,
  n: number,
  c: Numbers,
): void {
  for (let i = 0; i < m; i++) {
    const p = (ids === null ? i : ids[i]!) * k;
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += a[p + l]! * b[l * n + j]!;
      c[i * n + j] = sum;
    }
  }
}

/** @see Kernels.multiplyTransposed */
export function multiplyTransposed(a: Numbers, b: Numbers, m: number, n: number, k: number, c: Numbers): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < k; j++) {
      let sum = 0;
      for (let l = 0; l < n; l++) sum += a[i * n + l]! * b[j * n + l]!;
      c[i * k + j] = sum;
    }
  }
}

/** @see Kernels.transposedMultiply */
export function transposedMultiply(
  a: Numbers,
  ids: Int32Array | null,
  b: Numbers,
  m: number,
  k: number,
  n: number,
  c: Numbers,
): void {
  // Row by row, the first one written and the others added: with one row a step this is an outer product.
  if (m === 0) c.fill(0, 0, k * n);
  for (let i = 0; i < m; i++) {
    const p = (ids === null ? i : ids[i]!) * k;
    for (let l = 0; l < k; l++) {
      const weight = a[p + l]!;
      const q = l * n;
      if (i === 0) for (let j = 0; j < n; j++) c[q + j] = weight * b[j]!;
      else for (let j = 0; j < n; j++) c[q + j]! += weight * b[i * n + j]!;
    }
  }
}
