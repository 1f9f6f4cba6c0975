// Matrix times matrix.

import type { NdArray } from 'ndarray';
import { type Cells, cellsOf, coefficient, readable, wantShape, writable } from './arguments';
import { innerProduct } from './inner-product';
import { detached, newResult } from './results';

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

/** row <- row i of A B. B is walked along its closer axis; both ways add the same products in the same order. */
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
