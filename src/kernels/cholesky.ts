// Symmetric positive definite systems, solved in double: A = L L^T (Cholesky), then two triangular solves. Made for many
// small systems, one after another, in memory that the caller keeps.

/**
 * Overwrites the lower triangle of A (n x n, row-major) with L; the upper one is not read. False, and A half done, where
 * A is not positive definite. Cost: n^3 / 6 multiplications.
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
    // Column i of L^T is row i of L, where its numbers lie together.
    const x = b[i]! / l[i * n + i]!;
    b[i] = x;
    for (let k = 0; k < i; k++) b[k]! -= x * l[i * n + k]!;
  }
}
