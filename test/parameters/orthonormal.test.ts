// The linear algebra behind the start and the growth of a dense product, by its defining identities.

import { OpmfError } from '../../src/core/errors';
import { Stream } from '../../src/core/random';
import { orthonormalColumns, solvePositive } from '../../src/parameters/dense-product';

test.each([
  [1, 1],
  [5, 1],
  [4, 4],
  [64, 32],
  [33, 32],
])('%d x %d: the columns are orthonormal to rounding', (rows, cols) => {
  const q = orthonormalColumns(rows, cols, Stream.of(1));
  for (let a = 0; a < cols; a++)
    for (let b = 0; b <= a; b++) {
      let inner = 0;
      for (let r = 0; r < rows; r++) inner += q[r * cols + a]! * q[r * cols + b]!;
      expect(Math.abs(inner - (a === b ? 1 : 0))).toBeLessThan(1e-14);
    }
});

test('orthonormal columns are a function of the stream', () => {
  expect(orthonormalColumns(4, 2, Stream.of(1))).toEqual(orthonormalColumns(4, 2, Stream.of(1)));
  expect(orthonormalColumns(4, 2, Stream.of(1))).not.toEqual(orthonormalColumns(4, 2, Stream.of(2)));
});

test.each([1, 2, 7, 20])('a positive definite system of %d is solved', (n) => {
  const stream = Stream.of(n);
  const b = Float64Array.from({ length: n * n }, () => stream.normal());
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < n; k++) a[i * n + j]! += b[i * n + k]! * b[j * n + k]!;
      if (i === j) a[i * n + j]! += 1;
    }
  const solve = solvePositive(a, n);
  for (let again = 0; again < 2; again++) {
    const wanted = Float64Array.from({ length: n }, () => stream.normal());
    const x = wanted.map((_, i) => wanted.reduce((sum, value, j) => sum + a[i * n + j]! * value, 0));
    solve(x);
    for (const [i, value] of x.entries()) expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-11);
  }
});

test('a matrix without full rank is refused, not divided by', () => {
  expect(() => solvePositive(Float64Array.of(1, 1, 1, 1), 2)).toThrow(OpmfError);
  expect(() => solvePositive(Float64Array.of(0), 1)).toThrow('lost rank');
  expect(() => solvePositive(Float64Array.of(Number.NaN), 1)).toThrow(OpmfError);
});
