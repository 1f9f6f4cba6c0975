// Moments of the rows of pairs: WebAssembly against JavaScript, which defines them, and JavaScript against plain sums.

import fc from 'fast-check';
import { LINE, MOMENT, Moments, type Pairs } from '../../src/kernels/moments';

const SIDES = [7, 5] as const;

function pairsOf(count: number, isWeighted: boolean, draw: () => number): Pairs {
  const rows = SIDES.map((most) => Int32Array.from({ length: count }, () => Math.floor(draw() * most)));
  const values = Float32Array.from({ length: count }, () => 10 * draw() - 5);
  const weights = isWeighted ? Float32Array.from({ length: count }, () => 2 * draw()) : undefined;
  return { rows: rows as [Int32Array, Int32Array], values, weights };
}

function made(pairs: Pairs, kernels: 'js' | 'wasm', from: number): Moments {
  const moments = new Moments(SIDES, kernels);
  for (const lines of moments.lines) {
    for (let at = 0; at < lines.length; at += LINE.width) {
      lines[at + LINE.times] = 1 + 1 / (at + 3);
      lines[at + LINE.less] = at / 7;
    }
  }
  const { length } = pairs.values;
  for (const side of [0, 1] as const) {
    moments.add(pairs, side, 0.3, 0, Math.min(from, length));
    moments.add(pairs, side, 0.3, Math.min(from, length), length);
  }
  return moments;
}

test('the same bits in JavaScript and WebAssembly, in whatever parts', () => {
  const parts = fc.record({ count: fc.nat(5000), from: fc.nat(5000), isWeighted: fc.boolean(), seed: fc.integer() });
  fc.assert(
    fc.property(parts, ({ count, from, isWeighted, seed }) => {
      let state = seed;
      const draw = () => {
        state = (Math.imul(state, 1664525) + 1013904223) | 0;
        return (state >>> 0) / 2 ** 32;
      };
      const pairs = pairsOf(count, isWeighted, draw);
      const [js, wasm] = [made(pairs, 'js', from), made(pairs, 'wasm', from)];
      for (const side of [0, 1] as const) expect([...wasm.sums[side]]).toEqual([...js.sums[side]]);
    }),
    { numRuns: 50 },
  );
});

test('weights, residuals and their squares are added by row', () => {
  const pairs: Pairs = {
    rows: [Int32Array.of(1, 1, 0), Int32Array.of(2, 0, 2)],
    values: Float32Array.of(3, 4, 5),
    weights: Float32Array.of(1, 2, 1),
  };
  const moments = new Moments([2, 3], 'js');
  moments.lines[1].set([2, 1, 0, 0, 1, 0.5]);
  moments.add(pairs, 0, 1, 0, 3);
  // Residuals: (3 - 1) 1 - .5, (4 - 1) 2 - 1, (5 - 1) 1 - .5.
  const rowOf = (row: number) => [...moments.sums[0].subarray(MOMENT.width * row, MOMENT.width * row + 3)];
  expect(rowOf(0)).toEqual([1, 3.5, 12.25]);
  expect(rowOf(1)).toEqual([3, 1.5 + 10, 2.25 + 50]);
});
