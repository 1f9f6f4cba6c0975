// Sums of outer products, in double: A += the sum over rows x of x x^T, what normal equations are made of. Eight entries of
// A stay in registers while all rows pass by, so that an addition costs less than one load.

/** What lengths are rounded up to: the rows of A that are worked on together. */
export const GRAM_BLOCK = 4;

/** The next length that addGram takes. */
export function paddedLength(length: number): number {
  return Math.ceil(length / GRAM_BLOCK) * GRAM_BLOCK;
}

/**
 * Adds x x^T to the lower triangle of A (n x n, row-major) for each of `count` rows x (n numbers each, one after another),
 * first to last. n is a multiple of GRAM_BLOCK; a few entries beside the diagonal of the upper triangle are changed too.
 * Cost: count n^2 / 2 multiplications.
 */
export function addGram(a: Float64Array, n: number, rows: Float64Array, count: number): void {
  const end = count * n;
  for (let i = 0; i < n; i += 4) {
    const [r0, r1, r2, r3] = [i * n, (i + 1) * n, (i + 2) * n, (i + 3) * n];
    for (let j = 0; j < i + 4; j += 2) {
      let a00 = a[r0 + j]!;
      let a01 = a[r0 + j + 1]!;
      let a10 = a[r1 + j]!;
      let a11 = a[r1 + j + 1]!;
      let a20 = a[r2 + j]!;
      let a21 = a[r2 + j + 1]!;
      let a30 = a[r3 + j]!;
      let a31 = a[r3 + j + 1]!;
      for (let at = 0; at < end; at += n) {
        const y0 = rows[at + j]!;
        const y1 = rows[at + j + 1]!;
        const x0 = rows[at + i]!;
        a00 += x0 * y0;
        a01 += x0 * y1;
        const x1 = rows[at + i + 1]!;
        a10 += x1 * y0;
        a11 += x1 * y1;
        const x2 = rows[at + i + 2]!;
        a20 += x2 * y0;
        a21 += x2 * y1;
        const x3 = rows[at + i + 3]!;
        a30 += x3 * y0;
        a31 += x3 * y1;
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
  }
}
