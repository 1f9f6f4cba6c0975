// The reference of the dense matrix products. Each loops along memory; the order within a sum is that of kernels.ts.

import { dot } from './dot';
import type { Numbers } from './kernels';
import { isSingle, round } from './rounding';

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
  const single = isSingle(c);
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
        sum0 = round(sum0 + round(x * b[q]!, single), single);
        sum1 = round(sum1 + round(x * b[q + 1]!, single), single);
        sum2 = round(sum2 + round(x * b[q + 2]!, single), single);
        sum3 = round(sum3 + round(x * b[q + 3]!, single), single);
      }
      c[i * n + j] = sum0;
      c[i * n + j + 1] = sum1;
      c[i * n + j + 2] = sum2;
      c[i * n + j + 3] = sum3;
    }
    for (; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum = round(sum + round(a[p + l]! * b[l * n + j]!, single), single);
      c[i * n + j] = sum;
    }
  }
}

/** @see Kernels.multiplyTransposed */
export function multiplyTransposed(a: Numbers, b: Numbers, m: number, n: number, k: number, c: Numbers): void {
  for (let i = 0; i < m; i++) for (let j = 0; j < k; j++) c[i * k + j] = dot(a, i * n, b, j * n, n);
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
  const single = isSingle(c);
  c.fill(0, 0, k * n);
  for (let i = 0; i < m; i++) {
    const p = (ids === null ? i : ids[i]!) * k;
    const q = i * n;
    for (let l = 0; l < k; l++) {
      const weight = a[p + l]!;
      for (let j = 0; j < n; j++) c[l * n + j]! += round(weight * b[q + j]!, single);
    }
  }
}
