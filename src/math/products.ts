// The innermost loop of dot, gemv and gemm; ndarray-ops has no summing product.

import type { NdArray } from 'ndarray';
import { type Cells, cellsOf, coefficient, detached, newResult, readable, wantShape, writable } from './arguments';

/** The sum of a[p + k da] b[q + k db] for k = 0 ... n - 1, in that order, in double precision. */
export function innerProduct(n: number, a: Cells, p: number, da: number, b: Cells, q: number, db: number): number {
  let sum = 0;
  for (let k = 0; k < n; k++) {
    sum += a[p]! * b[q]!;
    p += da;
    q += db;
  }
  return sum;
}

// The inner product of two arrays of equal shape, any dimension.

/**
 * The inner product of two arrays: sum over all indices i of x_i y_i.
 *
 * Summed in double precision whatever the dtype, row by row along the last axis. NaN and infinity propagate; the
 * product of empty arrays is 0. Reads only, so that x and y may overlap or be one array.
 *
 * Shapes: x and y equal, any dimension. Cost: one multiplication an element, no allocation.
 *
 * @throws OptionError when an argument is not an NdArray of numbers or the shapes differ.
 * @see https://www.netlib.org/blas/ (level 1, DOT)
 * @example
 * ```ts
 * import ndarray from 'ndarray';
 * import { dot } from 'opmf/math';
 * const x = ndarray(new Float32Array([1, 2, 3]));
 * const reversed = x.step(-1);
 * console.log(dot(x, reversed)); // 10
 * ```
 */
export function dot(x: NdArray, y: NdArray): number {
  readable('dot', 'x', x);
  readable('dot', 'y', y);
  wantShape('dot', 'y', y, x.shape, 'the shape of x');
  return fromAxis(x, y, 0, x.offset, y.offset);
}

/** The inner product over axes `axis` and above of the parts of x and y that start at cells p and q. */
function fromAxis(x: NdArray, y: NdArray, axis: number, p: number, q: number): number {
  if (x.dimension === 0) return cellsOf(x)[p]! * cellsOf(y)[q]!;
  const n = x.shape[axis]!;
  const dx = x.stride[axis]!;
  const dy = y.stride[axis]!;
  if (axis === x.dimension - 1) return innerProduct(n, cellsOf(x), p, dx, cellsOf(y), q, dy);
  let sum = 0;
  for (let i = 0; i < n; i++) sum += fromAxis(x, y, axis + 1, p + i * dx, q + i * dy);
  return sum;
}

// Matrix times matrix.

/**
 * Matrix times matrix: C <- alpha A B + beta C, into `C` where given, else into a new matrix (of beta = 0). Returns C.
 * A transposed factor is a view, `B.transpose(1, 0)`: nothing is copied.
 *
 * Each element is summed in double precision in the order of k = 0, 1, ..., and rounded once, to the dtype of C: the
 * bits do not depend on strides. A new matrix is row-major, float32 when A and B both are, else float64. beta = 0 does
 * not read C and alpha = 0 reads neither A nor B (as BLAS does), so that a NaN there stays there; otherwise NaN and
 * infinity propagate. Where the inner dimension is 0, A B is 0. A and B may overlap C: the result is as if they were
 * read before C is written.
 *
 * Shapes: A m x k, B k x n, C m x n. dtype: A and B any number type; C a float type or a plain array, without shared
 * cells (no stride 0). Cost: m n k multiplications, n doubles of work-space, and a float64 copy of an input whose memory
 * overlaps that of C.
 *
 * @throws OptionError when alpha or beta is not finite, an argument is not such an NdArray, or the shapes do not fit.
 * @see https://www.netlib.org/blas/ (level 3, GEMM)
 * @example
 * ```ts
 * import ndarray from 'ndarray';
 * import { gemm } from 'opmf/math';
 * const users = ndarray(new Float32Array([1, 0, 0, 1, 1, 1]), [3, 2]);
 * const items = ndarray(new Float32Array([1, 2, 3, 4]), [2, 2]);
 * const scores = gemm(1, users, items.transpose(1, 0)); // users x items
 * console.log(scores.get(2, 0), scores.get(2, 1)); // 3 7
 * ```
 */
export function gemm<Out extends NdArray>(alpha: number, A: NdArray, B: NdArray, beta: number, C: Out): Out;
export function gemm(alpha: number, A: NdArray, B: NdArray): NdArray<Float32Array> | NdArray<Float64Array>;
export function gemm(alpha: number, A: NdArray, B: NdArray, beta = 0, C?: NdArray): NdArray {
  coefficient(alpha, 'alpha');
  coefficient(beta, 'beta');
  readable('gemm', 'A', A, 2);
  readable('gemm', 'B', B, 2);
  const [m, k] = A.shape as [number, number];
  const n = B.shape[1]!;
  wantShape('gemm', 'B', B, [k, n], 'as many rows as A has columns');
  const out = C === undefined && beta === 0 ? newResult(A, B, [m, n]) : C;
  writable('gemm', 'C', out, 2);
  wantShape('gemm', 'C', out, [m, n], 'the rows of A and the columns of B');
  const left = detached(A, out);
  const right = detached(B, out);
  const row = new Float64Array(n);
  const cells = cellsOf(out);
  const [rowStep, columnStep] = out.stride as [number, number];
  for (let i = 0; i < m; i++) {
    if (alpha !== 0) rowProduct(left, i, right, row);
    for (let j = 0, cell = out.offset + i * rowStep; j < n; j++, cell += columnStep) {
      const kept = beta === 0 ? 0 : beta * cells[cell]!;
      cells[cell] = alpha === 0 ? kept : alpha * row[j]! + kept;
    }
  }
  return out;
}

/** row <- row i of A B. B is traversed along its closer axis; both orders add the same products in the same order. */
function rowProduct(A: NdArray, i: number, B: NdArray, row: Float64Array): void {
  const k = A.shape[1]!;
  const start = A.offset + i * A.stride[0]!;
  const step = A.stride[1]!;
  const [down, across] = B.stride as [number, number];
  if (Math.abs(down) < Math.abs(across)) {
    for (let j = 0; j < row.length; j++) {
      row[j] = innerProduct(k, cellsOf(A), start, step, cellsOf(B), B.offset + j * across, down);
    }
    return;
  }
  row.fill(0);
  for (let l = 0; l < k; l++) addMultiple(cellsOf(A)[start + l * step]!, cellsOf(B), B.offset + l * down, across, row);
}

/** row += a b, with b the strided vector that starts at cell q. */
function addMultiple(a: number, b: Cells, q: number, step: number, row: Float64Array): void {
  for (let j = 0; j < row.length; j++) {
    row[j]! += a * b[q]!;
    q += step;
  }
}

// Matrix times vector.

/**
 * Matrix times vector: y <- alpha A x + beta y, into `y` where given, else into a new vector (of beta = 0). Returns y.
 * The transposed product is `gemv(alpha, A.transpose(1, 0), x, ...)`: a view, nothing is copied.
 *
 * Each row is summed in double precision in the order of the columns, and rounded once, to the dtype of y: the bits do
 * not depend on strides. A new vector is float32 when A and x both are, else float64. beta = 0 does not read y and
 * alpha = 0 reads neither A nor x (as BLAS does), so that a NaN there stays there; otherwise NaN and infinity propagate.
 * Without columns A x is 0. A and x may overlap y: the result is as if they were read before y is written.
 *
 * Shapes: A m x n, x n, y m. dtype: A and x any number type; y a float type or a plain array, without shared cells (no
 * stride 0). Cost: m n multiplications, and a float64 copy of an input whose memory overlaps that of y.
 *
 * @throws OptionError when alpha or beta is not finite, an argument is not such an NdArray, or the shapes do not fit.
 * @see https://www.netlib.org/blas/ (level 2, GEMV)
 * @example
 * ```ts
 * import ndarray from 'ndarray';
 * import { gemv } from 'opmf/math';
 * const A = ndarray(new Float32Array([1, 2, 3, 4, 5, 6]), [2, 3]);
 * const x = ndarray(new Float32Array([1, 0, 1]));
 * const y = gemv(1, A, x);
 * console.log(y.get(0), y.get(1)); // 4 10
 * gemv(-1, A, x, 2, y); // y <- 2 y - A x
 * console.log(y.get(0), y.get(1)); // 4 10
 * ```
 */
export function gemv<Y extends NdArray>(alpha: number, A: NdArray, x: NdArray, beta: number, y: Y): Y;
export function gemv(alpha: number, A: NdArray, x: NdArray): NdArray<Float32Array> | NdArray<Float64Array>;
export function gemv(alpha: number, A: NdArray, x: NdArray, beta = 0, y?: NdArray): NdArray {
  coefficient(alpha, 'alpha');
  coefficient(beta, 'beta');
  readable('gemv', 'A', A, 2);
  readable('gemv', 'x', x, 1);
  const [m, n] = A.shape as [number, number];
  wantShape('gemv', 'x', x, [n], 'one element a column of A');
  const out = y === undefined && beta === 0 ? newResult(A, x, [m]) : y;
  writable('gemv', 'y', out, 1);
  wantShape('gemv', 'y', out, [m], 'one element a row of A');
  const matrix = detached(A, out);
  const vector = detached(x, out);
  const [a, v, r] = [cellsOf(matrix), cellsOf(vector), cellsOf(out)];
  const [rowStep, columnStep] = matrix.stride as [number, number];
  for (let i = 0, cell = out.offset; i < m; i++, cell += out.stride[0]!) {
    const kept = beta === 0 ? 0 : beta * r[cell]!;
    if (alpha === 0) r[cell] = kept;
    else {
      const product = innerProduct(n, a, matrix.offset + i * rowStep, columnStep, v, vector.offset, vector.stride[0]!);
      r[cell] = alpha * product + kept;
    }
  }
  return out;
}
