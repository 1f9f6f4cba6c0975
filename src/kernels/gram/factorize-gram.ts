// Cholesky's factorization of a Gram, a few columns at a time: they are finished, and then taken out of all that is left of
// the matrix at once, which is the work of a kernel. The bits are those of `factorize` (cholesky.ts): the same sums in the
// same order.

import type { Gram } from './gram';

/** Columns that are finished together, a multiple of GRAM_BLOCK. */
const PANEL = 8;

/** As `factorize`, on the matrix of a Gram, whose rows are overwritten. */
export function factorizeGram(gram: Gram): boolean {
  const { matrix: a, rows, n } = gram;
  for (let from = 0; from < n; from += PANEL) {
    const to = Math.min(from + PANEL, n);
    if (!finishColumns(a, n, from, to)) return false;
    if (to === n) continue;
    for (let k = from; k < to; k++) {
      const row = (k - from) * n;
      for (let i = to; i < n; i++) rows[row + i] = a[i * n + k]!;
    }
    gram.subtract(to - from, to);
  }
  return true;
}

/** Turns columns [from, to) of A into those of L; the columns before have been taken out. */
function finishColumns(a: Float64Array, n: number, from: number, to: number): boolean {
  for (let i = from; i < n; i++) {
    const row = i * n;
    const end = Math.min(i, to);
    for (let j = from; j < end; j++) {
      let sum = a[row + j]!;
      for (let k = from; k < j; k++) sum -= a[row + k]! * a[j * n + k]!;
      a[row + j] = sum / a[j * n + j]!;
    }
    if (i >= to) continue;
    let pivot = a[row + i]!;
    for (let k = from; k < i; k++) pivot -= a[row + k]! * a[row + k]!;
    if (!(pivot > 0)) return false;
    a[row + i] = Math.sqrt(pivot);
  }
  return true;
}
