// Sums of outer products against their definition.

import fc from 'fast-check';
import { addGram, paddedLength } from '../../src/kernels/gram';

test('adds x x^T for every row, to what is there', () => {
  const cases = fc.tuple(fc.constantFrom(4, 8, 12), fc.integer({ min: 0, max: 9 })).chain(([n, count]) =>
    fc.record({
      n: fc.constant(n),
      count: fc.constant(count),
      rows: fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: n * count, maxLength: n * count }),
      start: fc.double({ min: -3, max: 3, noNaN: true }),
    }),
  );
  fc.assert(
    fc.property(cases, ({ n, count, rows, start }) => {
      const a = new Float64Array(n * n).fill(start);
      addGram(a, n, Float64Array.from(rows), count);
      for (let i = 0; i < n; i++)
        for (let j = 0; j <= i; j++) {
          let sum = start;
          for (let k = 0; k < count; k++) sum += rows[k * n + i]! * rows[k * n + j]!;
          expect(a[i * n + j]).toBe(sum);
        }
    }),
  );
});

test('lengths are rounded up to blocks', () => {
  expect([1, 4, 5, 64].map(paddedLength)).toEqual([4, 4, 8, 64]);
});
