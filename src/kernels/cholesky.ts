// Symmetric positive definite systems, solved in double: A = L L^T (Cholesky), then two triangular solves. Made for many
// small systems, one after another, in memory that the caller keeps. Eight entries of L are worked out at a time: sums
// that wait for each other would take most of the time.

/**
 * Overwrites the lower triangle of A (n x n, row-major) with L; the upper one is not read. False, and A half done, where
 * A is not positive definite. Cost: n^3 / 6 multiplications.
 */
export function factorize(a: Float64Array, n: number): boolean {
  for (let i = 0; i < n; i += 4) {
    const end = Math.min(i + 4, n);
    for (let j = 0; j < i; j += 4) {
      if (end === i + 4) {
        subtract(a, n, i, j, j);
        subtract(a, n, i, j + 2, j);
        for (let row = i; row < end; row++) divide(a, n, row, j, j + 4, j);
      } else for (let row = i; row < end; row++) divide(a, n, row, j, j + 4, 0);
    }
    for (let row = i; row < end; row++) {
      divide(a, n, row, i, row, 0);
      let pivot = a[row * n + row]!;
      for (let k = 0; k < row; k++) pivot -= a[row * n + k]! * a[row * n + k]!;
      if (!(pivot > 0)) return false;
      a[row * n + row] = Math.sqrt(pivot);
    }
  }
  return true;
}

/** From entries of A to entries [from, to) of a row of L; what columns before `start` have to do with them is done. */
function divide(a: Float64Array, n: number, row: number, from: number, to: number, start: number): void {
  for (let j = from; j < to; j++) {
    let sum = a[row * n + j]!;
    for (let k = start; k < j; k++) sum -= a[row * n + k]! * a[j * n + k]!;
    a[row * n + j] = sum / a[j * n + j]!;
  }
}

/** Subtracts from four rows, from i on, and two columns, j and the next, what the columns before `end` have to do with them. */
function subtract(a: Float64Array, n: number, i: number, j: number, end: number): void {
  const [r0, r1, r2, r3] = [i * n, (i + 1) * n, (i + 2) * n, (i + 3) * n];
  const [c0, c1] = [j * n, (j + 1) * n];
  let a00 = a[r0 + j]!;
  let a01 = a[r0 + j + 1]!;
  let a10 = a[r1 + j]!;
  let a11 = a[r1 + j + 1]!;
  let a20 = a[r2 + j]!;
  let a21 = a[r2 + j + 1]!;
  let a30 = a[r3 + j]!;
  let a31 = a[r3 + j + 1]!;
  for (let k = 0; k < end; k++) {
    const y0 = a[c0 + k]!;
    const y1 = a[c1 + k]!;
    const x0 = a[r0 + k]!;
    a00 -= x0 * y0;
    a01 -= x0 * y1;
    const x1 = a[r1 + k]!;
    a10 -= x1 * y0;
    a11 -= x1 * y1;
    const x2 = a[r2 + k]!;
    a20 -= x2 * y0;
    a21 -= x2 * y1;
    const x3 = a[r3 + k]!;
    a30 -= x3 * y0;
    a31 -= x3 * y1;
  }
  a[r0 + j] = a00;
  a[r0 + j + 1] = a01;
  a[r1 + j] = a10;
  a[r1 + j + 1] = a11;
  a[r2 + j] = a20;
  a[r2 + j + 1] = a21;
  a[r3 + j] = a30;
  a[r3 + j + 1] = a31;
}

/** Overwrites b (n numbers) with the solution of L L^T x = b. Cost: n^2 multiplications. */
export function solve(l: Float64Array, n: number, b: Float64Array): void {
  for (let i = 0; i < n; i++) {
    let sum = b[i]!;
    for (let k = 0; k < i; k++) sum -= l[i * n + k]! * b[k]!;
    b[i] = sum / l[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    const x = b[i]! / l[i * n + i]!;
    b[i] = x;
    for (let k = 0; k < i; k++) b[k]! -= x * l[i * n + k]!;
  }
}
