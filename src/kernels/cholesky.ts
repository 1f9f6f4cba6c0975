// Solves symmetric positive definite systems in double precision: A = L L^T (Cholesky), then two triangular solves.
// Made for many small systems, one after another, in memory that the caller reuses.

import type { Scheduler } from '../core/scheduler';
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

// The inverse of a symmetric positive definite matrix of some thousand rows, in double precision: blocked Gauss-Jordan.
// Nearly all the work is one product of two panels, computed in register tiles. Yields to other tasks.

/** Rows per block: two panels of it stay in cache while every tile of the matrix is visited. */
const BLOCK = 64;
/** Rows and columns per tile. */
const TILE = 4;

/**
 * Overwrites a (n x n, row-major, of which the lower triangle is read) with its inverse, both triangles. Returns false,
 * with a partly overwritten, if it is not positive definite. Cost: n^3 / 2 multiplications; memory: two panels of n x
 * 64.
 * @see Goodnight, "A Tutorial on the SWEEP Operator" (1979); a block of pivots is swept at once
 */
export async function invert(a: Float64Array, n: number, scheduler: Scheduler): Promise<boolean> {
  const padded = Math.ceil(n / TILE) * TILE;
  const panel = new Float64Array(padded * BLOCK);
  const scaled = new Float64Array(padded * BLOCK);
  for (let start = 0; start < n; start += BLOCK) {
    const width = Math.min(BLOCK, n - start);
    const pivot = invertBlock(a, n, start, width);
    if (pivot === null) return false;
    gather(a, n, start, width, panel);
    multiply(panel, pivot, n, width, scaled);
    if (scheduler.isDue(n * width)) await scheduler.yieldNow();
    for (let row = 0; row < n; row += TILE) {
      update(a, n, row, width, scaled, panel);
      if (scheduler.isDue((row * width) >> 2)) await scheduler.yieldNow();
    }
    scatter(a, n, start, width, scaled, pivot);
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const value = -a[i * n + j]!;
      a[i * n + j] = value;
      a[j * n + i] = value;
    }
    if (scheduler.isDue(i)) await scheduler.yieldNow();
  }
  return true;
}

/** The inverse of the diagonal block at `start`, width x width; null if it is not positive definite. */
function invertBlock(a: Float64Array, n: number, start: number, width: number): Float64Array | null {
  const l = new Float64Array(width * width);
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) l[i * width + j] = a[(start + i) * n + start + j]!;
  }
  if (!factorize(l, width)) return null;
  const inverse = new Float64Array(width * width);
  for (let i = 0; i < width; i++) {
    const row = inverse.subarray(i * width, (i + 1) * width);
    row[i] = 1;
    solve(l, width, row);
  }
  return inverse;
}

/** A panel stores its rows in groups of four: element (row, p) of one of `width` columns is at place(row, p, width). */
const place = (row: number, p: number, width: number) => (row - (row % TILE)) * width + p * TILE + (row % TILE);

/** Copies the columns of a block, those above the diagonal from their mirror images; its own rows become 0 and are not updated. */
function gather(a: Float64Array, n: number, start: number, width: number, panel: Float64Array): void {
  panel.fill(0);
  for (let row = 0; row < n; row++) {
    if (row >= start && row < start + width) continue;
    for (let p = 0; p < width; p++) {
      panel[place(row, p, width)] = row > start ? a[row * n + start + p]! : a[(start + p) * n + row]!;
    }
  }
}

/** scaled = panel x pivot, four rows at a time. */
function multiply(panel: Float64Array, pivot: Float64Array, n: number, width: number, scaled: Float64Array): void {
  for (let tile = 0; tile < n * width; tile += TILE * width) {
    for (let p = 0; p < width; p++) {
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let q = 0; q < width; q++) {
        // The pivot is symmetric: its row p is its column p.
        const factor = pivot[p * width + q]!;
        const at = tile + q * TILE;
        s0 += panel[at]! * factor;
        s1 += panel[at + 1]! * factor;
        s2 += panel[at + 2]! * factor;
        s3 += panel[at + 3]! * factor;
      }
      const at = tile + p * TILE;
      scaled[at] = s0;
      scaled[at + 1] = s1;
      scaled[at + 2] = s2;
      scaled[at + 3] = s3;
    }
  }
}

/** Subtracts scaled x panel^T from the lower triangle, for the four rows from `row` on. */
function update(
  a: Float64Array,
  n: number,
  row: number,
  width: number,
  scaled: Float64Array,
  panel: Float64Array,
): void {
  const rows = Math.min(TILE, n - row);
  for (let column = 0; column <= row; column += TILE) {
    let [a00, a01, a02, a03, a10, a11, a12, a13] = [0, 0, 0, 0, 0, 0, 0, 0];
    let [a20, a21, a22, a23, a30, a31, a32, a33] = [0, 0, 0, 0, 0, 0, 0, 0];
    const shift = (column - row) * width;
    const end = (row + TILE) * width;
    for (let at = row * width; at < end; at += TILE) {
      const s0 = scaled[at]!;
      const s1 = scaled[at + 1]!;
      const s2 = scaled[at + 2]!;
      const s3 = scaled[at + 3]!;
      const p0 = panel[at + shift]!;
      const p1 = panel[at + shift + 1]!;
      const p2 = panel[at + shift + 2]!;
      const p3 = panel[at + shift + 3]!;
      a00 += s0 * p0;
      a01 += s0 * p1;
      a02 += s0 * p2;
      a03 += s0 * p3;
      a10 += s1 * p0;
      a11 += s1 * p1;
      a12 += s1 * p2;
      a13 += s1 * p3;
      a20 += s2 * p0;
      a21 += s2 * p1;
      a22 += s2 * p2;
      a23 += s2 * p3;
      a30 += s3 * p0;
      a31 += s3 * p1;
      a32 += s3 * p2;
      a33 += s3 * p3;
    }
    const columns = Math.min(TILE, n - column);
    subtract(a, row * n + column, columns, a00, a01, a02, a03);
    if (rows > 1) subtract(a, (row + 1) * n + column, columns, a10, a11, a12, a13);
    if (rows > 2) subtract(a, (row + 2) * n + column, columns, a20, a21, a22, a23);
    if (rows > 3) subtract(a, (row + 3) * n + column, columns, a30, a31, a32, a33);
  }
}

/** Subtracts up to four numbers from a row. Entries above the diagonal may change: nobody reads them. */
function subtract(a: Float64Array, at: number, count: number, x0: number, x1: number, x2: number, x3: number): void {
  a[at]! -= x0;
  if (count > 1) a[at + 1]! -= x1;
  if (count > 2) a[at + 2]! -= x2;
  if (count > 3) a[at + 3]! -= x3;
}

/** Writes the rows and columns of the swept block. */
function scatter(
  a: Float64Array,
  n: number,
  start: number,
  width: number,
  scaled: Float64Array,
  pivot: Float64Array,
): void {
  for (let row = 0; row < n; row++) {
    for (let p = 0; p < width; p++) {
      if (row < start) a[(start + p) * n + row] = scaled[place(row, p, width)]!;
      else if (row >= start + width) a[row * n + start + p] = scaled[place(row, p, width)]!;
      else a[row * n + start + p] = -pivot[(row - start) * width + p]!;
    }
  }
}
