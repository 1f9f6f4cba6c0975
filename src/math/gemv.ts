// Matrix times vector.

import type { NdArray } from 'ndarray';
import { cellsOf, coefficient, readable, wantShape, writable } from './arguments';
import { innerProduct } from './inner-product';
import { detached, newResult } from './results';

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
