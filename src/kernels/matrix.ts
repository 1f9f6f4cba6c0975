// The reference of the dense matrix products. Four sums run side by side: one alone would wait for each addition.

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
    let j = 0;
    for (; j + 4 <= n; j += 4) {
      let sum0 = 0;
      let sum1 = 0;
      let sum2 = 0;
      let sum3 = 0;
      for (let l = 0, q = j; l < k; l++, q += n) {
        const x = a[p + l]!;
        sum0 += x * b[q]!;
        sum1 += x * b[q + 1]!;
        sum2 += x * b[q + 2]!;
        sum3 += x * b[q + 3]!;
      }
      c[i * n + j] = sum0;
      c[i * n + j + 1] = sum1;
      c[i * n + j + 2] = sum2;
      c[i * n + j + 3] = sum3;
    }
    for (; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += a[p + l]! * b[l * n + j]!;
      c[i * n + j] = sum;
    }
  }
}

/** @see Kernels.multiplyTransposed */
export function multiplyTransposed(a: Numbers, b: Numbers, m: number, n: number, k: number, c: Numbers): void {
  for (let i = 0; i < m; i++) {
    let j = 0;
    for (; j + 4 <= k; j += 4) {
      let sum0 = 0;
      let sum1 = 0;
      let sum2 = 0;
      let sum3 = 0;
      for (let l = 0, q = j * n; l < n; l++, q++) {
        const x = a[i * n + l]!;
        sum0 += x * b[q]!;
        sum1 += x * b[q + n]!;
        sum2 += x * b[q + 2 * n]!;
        sum3 += x * b[q + 3 * n]!;
      }
      c[i * k + j] = sum0;
      c[i * k + j + 1] = sum1;
      c[i * k + j + 2] = sum2;
      c[i * k + j + 3] = sum3;
    }
    for (; j < k; j++) {
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
