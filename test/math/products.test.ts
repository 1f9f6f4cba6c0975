// gemv and gemm against loops over indices: same bits, whatever the strides, and no cell outside the result is touched.

import * as fc from 'fast-check';
import ndarray, { type NdArray } from 'ndarray';
import { dot, gemm, gemv } from '../../src/math';
import { coefficients, elements, size, snapshot, storage, storageAfter, view } from './strided';

/** Element i, j of alpha A B + beta C; without C, of alpha A B. */
function naive(alpha: number, A: NdArray, B: NdArray, i: number, j: number, beta = 0, c = 0): number {
  let product = 0;
  for (let k = 0; k < A.shape[1]!; k++) product += A.get(i, k) * B.get(k, j);
  return alpha * product + beta * c;
}

/** Values without the sign of their zeros: a term that is left out and one that is 0 may differ in it. */
function unsigned(values: readonly number[]): number[] {
  return values.map((value) => value + 0);
}

/** A vector as a matrix of one column. */
function column(x: NdArray): NdArray {
  return ndarray(x.data, [x.shape[0]!, 1], [x.stride[0]!, 1], x.offset);
}

const problem = fc
  .tuple(size, size, size)
  .chain(([m, k, n]) => fc.tuple(view([m, k], 'input'), view([k, n], 'input'), view([m, n], 'output')));
const vectorProblem = fc
  .tuple(size, size)
  .chain(([m, n]) => fc.tuple(view([m, n], 'input'), view([n], 'input'), view([m], 'output')));

describe('gemm', () => {
  test('is alpha A B + beta C in place', () => {
    fc.assert(
      fc.property(coefficients, coefficients, problem, (alpha, beta, [A, B, C]) => {
        const wanted = storageAfter(C, (i, j) => naive(alpha, A, B, i!, j!, beta, C.get(i!, j!)));
        expect(gemm(alpha, A, B, beta, C)).toBe(C);
        expect(unsigned(storage(C))).toEqual(unsigned(wanted));
      }),
      { numRuns: 300 },
    );
  });

  test('makes a new matrix, float32 only when both are', () => {
    fc.assert(
      fc.property(problem, ([A, B]) => {
        const C = gemm(2, A, B);
        expect(C.dtype).toBe(A.dtype === 'float32' && B.dtype === 'float32' ? 'float32' : 'float64');
        expect(storage(C)).toEqual(storageAfter(C, (i, j) => naive(2, A, B, i!, j!)));
      }),
    );
  });

  test('(A B)^T = B^T A^T, to the bit', () => {
    fc.assert(
      fc.property(problem, ([A, B]) => {
        const transposed = gemm(1, B.transpose(1, 0), A.transpose(1, 0));
        expect(elements(transposed.transpose(1, 0))).toEqual(elements(gemm(1, A, B)));
      }),
    );
  });

  test('beta = 0 does not read C, alpha = 0 does not read A and B; otherwise NaN propagates, also through 0', () => {
    const [bad, one] = [ndarray([Number.NaN], [1, 1]), ndarray([1], [1, 1])];
    expect(elements(gemm(1, one, one, 0, snapshot(bad)))).toEqual([1]);
    expect(elements(gemm(0, bad, bad, 3, snapshot(one)))).toEqual([3]);
    expect(elements(gemm(0, bad, bad, 0, snapshot(bad)))).toEqual([0]);
    expect(elements(gemm(1, one, one, 1, snapshot(bad)))).toEqual([Number.NaN]);
    expect(elements(gemm(1, ndarray([0], [1, 1]), bad))).toEqual([Number.NaN]);
    expect(elements(gemm(1, bad, ndarray([0], [1, 1])))).toEqual([Number.NaN]);
  });

  test('an empty inner dimension leaves beta C', () => {
    const C = ndarray([1, 2, 3, 4], [2, 2]);
    expect(elements(gemm(1, ndarray([], [2, 0]), ndarray([], [0, 2]), 2, C))).toEqual([2, 4, 6, 8]);
    expect(elements(gemm(1, ndarray([], [2, 0]), ndarray([], [0, 2])))).toEqual([0, 0, 0, 0]);
  });

  test('reads A and B before it writes C where they overlap', () => {
    const shifts = fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }), fc.boolean());
    fc.assert(
      fc.property(coefficients, shifts, (alpha, [p, q, single]) => {
        const numbers = Array.from({ length: 27 }, (_, i) => ((i * 7) % 11) - 5);
        const data = single ? new Float32Array(numbers) : numbers;
        const [A, B, C] = [p, q, 9].map((offset) => ndarray(data, [3, 3], [3, 1], offset) as NdArray) as [
          NdArray,
          NdArray,
          NdArray,
        ];
        const [left, right] = [snapshot(A), snapshot(B)];
        const wanted = storageAfter(C, (i, j) => naive(alpha, left, right, i!, j!, -1, C.get(i!, j!)));
        gemm(alpha, A, B, -1, C);
        expect(unsigned(storage(C))).toEqual(unsigned(wanted));
      }),
    );
  });

  test('sums float32 in double: 1 is not lost beside 2^24, in either layout of B', () => {
    const a = ndarray(new Float32Array([2 ** 24, 1, -(2 ** 24)]), [1, 3]);
    const b = ndarray(new Float32Array([1, 1, 1, 1, 1, 1]), [3, 2]);
    expect(elements(gemm(1, a, b))).toEqual([1, 1]);
    expect(elements(gemm(1, a, ndarray(b.data, [3, 2], [1, 3])))).toEqual([1, 1]);
  });
});

describe('gemv', () => {
  test('is alpha A x + beta y in place', () => {
    fc.assert(
      fc.property(coefficients, coefficients, vectorProblem, (alpha, beta, [A, x, y]) => {
        const wanted = storageAfter(y, (i) => naive(alpha, A, column(x), i!, 0, beta, y.get(i!)));
        expect(gemv(alpha, A, x, beta, y)).toBe(y);
        expect(unsigned(storage(y))).toEqual(unsigned(wanted));
      }),
      { numRuns: 300 },
    );
  });

  test('makes a new vector whose elements are the inner products with the rows', () => {
    fc.assert(
      fc.property(vectorProblem, ([A, x]) => {
        const y = gemv(1, A, x);
        const single = A.dtype === 'float32' && x.dtype === 'float32';
        expect(y.dtype).toBe(single ? 'float32' : 'float64');
        const rows = elements(y).map((_, i) => dot(A.pick(i, null), x));
        expect(elements(y)).toEqual(single ? rows.map(Math.fround) : rows);
      }),
    );
  });

  test('beta = 0 does not read y, alpha = 0 does not read A and x; otherwise NaN propagates', () => {
    const [A, x] = [ndarray([Number.NaN], [1, 1]), ndarray([1])];
    expect(elements(gemv(1, ndarray([2], [1, 1]), x, 0, ndarray([Number.NaN])))).toEqual([2]);
    expect(elements(gemv(0, A, x, 3, ndarray([1])))).toEqual([3]);
    expect(elements(gemv(1, A, x, 0, ndarray([1])))).toEqual([Number.NaN]);
    expect(elements(gemv(1, ndarray([2], [1, 1]), x, 1, ndarray([Number.NaN])))).toEqual([Number.NaN]);
  });

  test('may write into x, or into a row of A', () => {
    const A = ndarray([1, 2, 3, 4], [2, 2]);
    const x = ndarray([1, 1]);
    expect(elements(gemv(1, A, x, 0, x))).toEqual([3, 7]);
    gemv(1, A, ndarray([1, 1]), 0, A.pick(0, null));
    expect(elements(A)).toEqual([3, 7, 3, 4]);
  });
});
