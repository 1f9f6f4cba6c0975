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
  if (m === 1) outer(a, (ids === null ? 0 : ids[0]!) * k, b, k, n, c);
  else {
    for (let l = 0; l < k; l++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let i = 0; i < m; i++) sum += a[(ids === null ? i : ids[i]!) * k + l]! * b[i * n + j]!;
        c[l * n + j] = sum;
      }
    }
  }
}

/** One row a step needs no sums: c = a_row^T b, along the rows of c. */
function outer(a: Numbers, start: number, b: Numbers, k: number, n: number, c: Numbers): void {
  for (let l = 0; l < k; l++) {
    const weight = a[start + l]!;
    for (let j = 0; j < n; j++) c[l * n + j] = weight * b[j]!;
  }
}
