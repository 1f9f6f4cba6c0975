// Sums of outer products against their definition, in JavaScript and WebAssembly, and a factorization built on them.

import fc from 'fast-check';
import { Stream } from '../../src/core/random';
import { factorize, factorizeGram } from '../../src/kernels/cholesky';
import { commonGram, paddedLength, ROWS_A_TIME } from '../../src/kernels/gram';
import type { KernelChoice } from '../../src/wasm/host';

/** One of zeros. */
function createGram(n: number, kernels: KernelChoice) {
  const gram = commonGram(n, kernels);
  gram.matrix.fill(0);
  return gram;
}

describe.each(['js', 'wasm'] as const)('in %s', (kernels) => {
  test('adds and subtracts x x^T for every row, to the bit of a sum from first to last', () => {
    const cases = fc.constantFrom(4, 8, 12).chain((n) =>
      fc.integer({ min: 0, max: 9 }).chain((count) =>
        fc.record({
          n: fc.constant(n),
          count: fc.constant(count),
          rows: fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: n * count, maxLength: n * count }),
          start: fc.double({ min: -3, max: 3, noNaN: true }),
          from: fc.integer({ min: 0, max: n / 4 - 1 }).map((block) => 4 * block),
        }),
      ),
    );
    fc.assert(
      fc.property(cases, ({ n, count, rows, start, from }) => {
        const gram = createGram(n, kernels);
        gram.matrix.fill(start);
        gram.rows.set(rows);
        gram.add(count);
        const expected = (i: number, j: number) => {
          let sum = start;
          for (let k = 0; k < count; k++) sum += rows[k * n + i]! * rows[k * n + j]!;
          return sum;
        };
        for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) expect(gram.matrix[i * n + j]).toBe(expected(i, j));
        gram.subtract(count, from);
        for (let i = 0; i < n; i++)
          for (let j = 0; j <= i; j++) {
            let sum = expected(i, j);
            for (let k = 0; j >= from && k < count; k++) sum -= rows[k * n + i]! * rows[k * n + j]!;
            expect(gram.matrix[i * n + j]).toBe(sum);
          }
      }),
    );
  });

  test.each([4, 8, 12, 20, 64])('factorizes %i x %i to the bits of the definition', (n) => {
    const gram = createGram(n, kernels);
    const stream = Stream.of(n);
    for (let part = 0; part < 3; part++) {
      for (let at = 0; at < gram.rows.length; at++) gram.rows[at] = stream.normal();
      gram.add(ROWS_A_TIME);
    }
    const plain = gram.matrix.slice();
    expect(factorize(plain, n)).toBe(true);
    expect(factorizeGram(gram)).toBe(true);
    for (let i = 0; i < n; i++)
      expect(gram.matrix.slice(i * n, i * n + i + 1)).toEqual(plain.slice(i * n, i * n + i + 1));
  });

  test('what is not positive definite is not factorized', () => {
    const gram = createGram(12, kernels);
    for (let f = 0; f < 12; f++) gram.matrix[f * 12 + f] = f === 10 ? -1 : 1;
    expect(factorizeGram(gram)).toBe(false);
  });
});

test('lengths are rounded up to blocks', () => {
  expect([1, 4, 5, 64].map(paddedLength)).toEqual([4, 4, 8, 64]);
});
