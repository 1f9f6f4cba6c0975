// Cholesky against its definition.

import fc from 'fast-check';
import { factorize, solve } from '../../src/kernels/cholesky';

/** M M^T + I: symmetric and positive definite. */
function definite(m: readonly number[], n: number): Float64Array {
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      a[i * n + j] = i === j ? 1 : 0;
      for (let k = 0; k < n; k++) a[i * n + j]! += m[i * n + k]! * m[j * n + k]!;
    }
  return a;
}

test('a system solved gives back its right side', () => {
  const systems = fc.integer({ min: 1, max: 12 }).chain((n) =>
    fc.record({
      n: fc.constant(n),
      m: fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: n * n, maxLength: n * n }),
      x: fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: n, maxLength: n }),
    }),
  );
  fc.assert(
    fc.property(systems, ({ n, m, x }) => {
      const a = definite(m, n);
      const b = Float64Array.from({ length: n }, (_, i) => x.reduce((sum, xj, j) => sum + a[i * n + j]! * xj, 0));
      const l = a.slice();
      expect(factorize(l, n)).toBe(true);
      solve(l, n, b);
      for (let i = 0; i < n; i++) expect(Math.abs(b[i]! - x[i]!)).toBeLessThan(1e-9);
    }),
  );
});

test('what is not positive definite is refused', () => {
  expect(factorize(Float64Array.of(1, 2, 2, 1), 2)).toBe(false);
  expect(factorize(Float64Array.of(0), 1)).toBe(false);
  expect(factorize(Float64Array.of(Number.NaN), 1)).toBe(false);
});
