// Solves symmetric positive definite systems in double precision: A = L L^T (Cholesky), then two triangular solves.
// Made for many small systems, one after another, in memory that the caller reuses.

import type { Gram } from './gram';

/**
 * Overwrites the lower triangle of A (n x n, row-major) with L; the upper one is not read. Returns false, with A partly
 * overwritten, if A is not positive definite. Cost: n^3 / 6 multiplications.
 */
export function factorize(a: Float64Array, n: number): boolean {
  for (let j = 0; j < n; j++) {
    const row = j * n;
    let pivot = a[row + j]!;
    for (let k = 0; k < j; k++) pivot -= a[row + k]! * a[row + k]!;
    if (!(pivot > 0)) return false;
    const root = Math.sqrt(pivot);
    a[row + j] = root;
    for (let i = j + 1; i < n; i++) {
      const other = i * n;
      let sum = a[other + j]!;
      for (let k = 0; k < j; k++) sum -= a[other + k]! * a[row + k]!;
      a[other + j] = sum / root;
    }
  }
  return true;
}

/** Overwrites b (n numbers) with the solution of L L^T x = b. Cost: n^2 multiplications. */
export function solve(l: Float64Array, n: number, b: Float64Array): void {
  for (let i = 0; i < n; i++) {
    let sum = b[i]!;
    for (let k = 0; k < i; k++) sum -= l[i * n + k]! * b[k]!;
    b[i] = sum / l[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    // Column i of L^T is row i of L, which is contiguous.
    const x = b[i]! / l[i * n + i]!;
    b[i] = x;
    for (let k = 0; k < i; k++) b[k]! -= x * l[i * n + k]!;
  }
}

// Cholesky factorization of a Gram by panels: a few columns are finished, then their update of the trailing matrix is
// one kernel call. The bits are those of `factorize`: the same sums in the same order.

/** Columns per panel, a multiple of GRAM_BLOCK. */
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

/** Turns columns [from, to) of A into those of L; the update by the columns before has been applied. */
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
