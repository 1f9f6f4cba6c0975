// Sums of outer products in JavaScript: the definition. Eight entries of A stay in registers while all rows pass by, so that
// an addition costs less than one load.

import { doubles } from '../../core/allocate';
import { type Gram, ROWS_A_TIME } from './gram';

/** A Gram on plain arrays. */
export class JsGram implements Gram {
  readonly matrix: Float64Array;
  readonly rows: Float64Array;

  constructor(readonly n: number) {
    this.matrix = doubles(n * n, `a matrix of ${n} x ${n} numbers`);
    this.rows = new Float64Array(ROWS_A_TIME * n);
  }

  add(count: number): void {
    addRows(this.matrix, this.n, this.rows, count, 0, 1);
  }

  subtract(count: number, from: number): void {
    addRows(this.matrix, this.n, this.rows, count, from, -1);
  }
}

/** A += sign (sum of x x^T); the sign is 1 or -1, with which a product is exact. */
function addRows(a: Float64Array, n: number, rows: Float64Array, count: number, from: number, sign: number): void {
  const end = count * n;
  for (let i = from; i < n; i += 4) {
    const [r0, r1, r2, r3] = [i * n, (i + 1) * n, (i + 2) * n, (i + 3) * n];
    for (let j = from; j < i + 4; j += 2) {
      let a00 = a[r0 + j]!;
      let a01 = a[r0 + j + 1]!;
      let a10 = a[r1 + j]!;
      let a11 = a[r1 + j + 1]!;
      let a20 = a[r2 + j]!;
      let a21 = a[r2 + j + 1]!;
      let a30 = a[r3 + j]!;
      let a31 = a[r3 + j + 1]!;
      for (let at = 0; at < end; at += n) {
        const y0 = sign * rows[at + j]!;
        const y1 = sign * rows[at + j + 1]!;
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
