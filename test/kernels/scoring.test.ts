// Scorers against the definition of a score, WebAssembly against JavaScript to the bit, and scans against every score.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { UnsupportedError } from '../../src/core/errors';
import { runToEnd } from '../../src/core/scheduler';
import { dot } from '../../src/kernels/dot';
import type { Measure, Query, RowTable, Scorer } from '../../src/kernels/scorer';
import { JsScorer } from '../../src/kernels/scorer';
import { MOST_QUERIES } from '../../src/kernels/scorer-scan';
import { createScorer, WasmScorer } from '../../src/kernels/scorer-wasm';
import { canCompile } from '../../src/wasm/host';

const MEASURES: readonly Measure[] = ['sum', 'dot', 'cosine'];
const { fround } = Math;

const specials = [0, -0, 1, -1, 2 ** -149, -(2 ** -140), 3e38, -3e38, Infinity, -Infinity, Number.NaN].map(fround);
/** Float32 numbers, ordinary ones and now and then one that is not. */
const number = fc.oneof(
  { weight: 30, arbitrary: fc.float({ min: -4, max: 4, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(...specials) },
);

/** Numbers that follow from a seed, some of them from the list. */
function numbers(count: number, seed: number, odd: readonly number[]): Float32Array {
  let state = seed | 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
  return Float32Array.from({ length: count }, () => (odd.length > 0 && next() > 0.98 ? odd[state & 7]! : 2 * next()));
}

/** What a scan offers to queries with these thresholds: row, score, row, score. */
function scan(scorer: Scorer, measure: Measure, queries: readonly Omit<Query, 'keeper'>[], thresholds: number[]) {
  const offers = queries.map((): number[] => []);
  const asked = queries.map((query, j) => ({
    ...query,
    keeper: { threshold: thresholds[j]!, offer: (row: number, score: number) => offers[j]!.push(row, score) },
  }));
  runToEnd(scorer.scan(measure, asked));
  return offers;
}

/** Numbers as a text in which 0 and -0 are two. */
const bits = (list: readonly number[]) => list.map((x) => (Object.is(x, -0) ? '-0' : String(x))).join(' ');

const cases = fc.record({
  dim: fc.integer({ min: 1, max: 70 }),
  count: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom(1023, 1024, 1025, 2050)),
  queries: fc.integer({ min: 1, max: 2 * MOST_QUERIES + 1 }),
  seed: fc.integer(),
  odd: fc.oneof(fc.constant([]), fc.array(fc.constantFrom(...specials), { minLength: 8, maxLength: 8 })),
  isShifted: fc.boolean(),
  /** Where products underflow, and where they overflow. */
  size: fc.constantFrom(1, 1, 1, 1e-13, 1e-20, 1e15, 1e19),
  measure: fc.constantFrom(...MEASURES),
});

function made({
  dim,
  count,
  queries,
  seed,
  odd,
  isShifted,
  size = 1,
}: Omit<typeof cases extends fc.Arbitrary<infer T> ? T : never, 'measure' | 'size'> & { readonly size?: number }) {
  const table: RowTable = {
    values: numbers(count * dim, seed, odd),
    dim,
    count,
    shifts: isShifted ? numbers(count, seed + 1, odd) : new Float32Array(0),
    isUsed: (row) => row % 7 !== 3,
  };
  const values = numbers((queries + 1) * dim, seed + 2, odd);
  const bases = numbers(queries, seed + 3, odd);
  // Some of the rows and of the queries.
  for (const all of [table.values, values])
    for (let k = 0; k < all.length; k += k % dim < dim - 1 ? 1 : 2 * dim + 1) all[k]! *= size;
  return { table, asked: Array.from(bases, (base, j) => ({ values, start: j * dim + (dim >> 1), base })) };
}

/** The score as scorer.ts says it. */
function defined(
  table: RowTable,
  measure: Measure,
  { values, start, base }: Omit<Query, 'keeper'>,
  row: number,
): number {
  const { dim } = table;
  const at = row * dim;
  const inverse = (of: Float32Array, from: number) => {
    let square = 0;
    for (const x of of.subarray(from, from + dim)) square += x * x;
    return Math.sqrt(square) >= 1e-18 ? fround(1 / Math.sqrt(square)) : 0;
  };
  const used = table.isUsed(row);
  const product = used ? dot(values, start, table.values, at, dim) : 0;
  if (measure === 'dot') return product;
  if (measure === 'cosine') {
    return fround(product * fround(inverse(values, start) * (used ? inverse(table.values, at) : 0)));
  }
  return fround(fround(base + (used ? (table.shifts[row] ?? 0) : 0)) + product);
}

test('the test runs where there is WebAssembly', () => {
  expect(canCompile()).toBe(true);
});

describe.each([
  ['JavaScript', (table: RowTable) => new JsScorer(table)],
  ['WebAssembly', (table: RowTable) => new WasmScorer(table)],
] as const)('%s', (_, make) => {
  test('offers every row whose score reaches the threshold, in order, with the bits that are defined', () => {
    fc.assert(
      fc.property(cases, fc.array(number, { minLength: 9, maxLength: 9 }), (one, levels) => {
        const { table, asked } = made(one);
        const scorer = make(table);
        const thresholds = levels.map((level, j) => (j % 3 === 0 ? -Infinity : level));
        const offers = scan(scorer, one.measure, asked, thresholds);
        for (const [j, query] of asked.entries()) {
          const wanted: number[] = [];
          for (let row = 0; row < one.count; row++) {
            const score = defined(table, one.measure, query, row);
            // A NaN reaches no threshold.
            if (score >= thresholds[j]!) wanted.push(row, score);
          }
          expect(bits(offers[j]!)).toBe(bits(wanted));
        }
      }),
      { numRuns: 60 },
    );
  });
});

test('long rows, whose lanes are loops, and every length up to two rounds of the lanes', () => {
  for (const dim of [...Array.from({ length: 34 }, (_, k) => k + 1), 128, 256, 257, 530]) {
    for (const measure of MEASURES) {
      const { table, asked } = made({ dim, count: 9, queries: 3, seed: dim, odd: [], isShifted: true });
      const all = asked.map(() => -Infinity);
      const [found, wanted] = [new WasmScorer(table), new JsScorer(table)].map((one) => scan(one, measure, asked, all));
      expect(found).toEqual(wanted);
      expect(found![0]).toHaveLength(18);
      expect(scan(new WasmScorer(table), measure, asked.slice(0, 1), all)).toEqual(wanted!.slice(0, 1));
    }
  }
});

test('rows that hardly differ are told apart by the score, whatever their rounded ones say', () => {
  const dim = 20;
  const count = 500;
  const [values] = [numbers(dim, 3, [])].map((one) =>
    Float32Array.from({ length: count * dim }, (_, k) => one[k % dim]!),
  );
  for (let row = 0; row < count; row++) values![row * dim + (row % dim)]! *= 1 + row * 2 ** -20;
  const table = { values: values!, dim, count, shifts: new Float32Array(0), isUsed: () => true };
  const query = { values: numbers(dim, 9, []), start: 0, base: 0 };
  const [all] = scan(new JsScorer(table), 'dot', [query], [-Infinity]);
  for (const threshold of all!.filter((_, k) => k % 20 === 1)) {
    const [wanted] = scan(new JsScorer(table), 'dot', [query], [threshold]);
    expect(scan(new WasmScorer(table), 'dot', [query], [threshold])).toEqual([wanted]);
    expect(wanted!.length).toBeLessThan(all!.length + 1);
  }
});

test('a threshold that rises during the scan is heeded from the next block on', () => {
  const count = 5000;
  const table = { values: numbers(count, 5, []), dim: 1, count, shifts: new Float32Array(0), isUsed: () => true };
  const offers: number[] = [];
  const keeper = { threshold: -Infinity, offer: (row: number) => offers.push(row) };
  const steps = new WasmScorer(table).scan('sum', [
    {
      values: Float32Array.of(1),
      start: 0,
      base: 0,
      keeper: {
        get threshold() {
          return keeper.threshold;
        },
        offer(row) {
          keeper.offer(row);
          keeper.threshold = Infinity;
        },
      },
    },
  ]);
  runToEnd(steps);
  expect(offers).toEqual(Array.from({ length: 64 }, (_, row) => row));
});

test('scorers share a memory: each has its own table, before and after others come and go', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const memories = jest.spyOn(WebAssembly, 'Memory');
  const of = (seed: number) => {
    const one = { dim: 1 + ((7 * seed) % 40), count: 100 + ((seed * 977) % 1500), queries: 3, seed, odd: [] };
    const { table, asked } = made({ ...one, isShifted: seed % 2 === 0 });
    return { table, asked, scorer: new WasmScorer(table), wanted: new JsScorer(table) };
  };
  let kept: ReturnType<typeof of>[] = [];
  for (let seed = 1; seed <= 60; seed++) {
    kept.push(of(seed));
    if (seed % 20 !== 0) continue;
    for (const { scorer, wanted, asked } of kept) {
      for (const measure of MEASURES) {
        const all = asked.map(() => -Infinity);
        expect(scan(scorer, measure, asked, all)).toEqual(scan(wanted, measure, asked, all));
      }
    }
    kept = kept.filter((_, k) => k % 3 === 0);
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(memories.mock.calls.length).toBeLessThanOrEqual(1);
  memories.mockRestore();
});

describe('the choice', () => {
  const table = (count: number): RowTable => ({
    values: new Float32Array(count * 16),
    dim: 16,
    count,
    shifts: new Float32Array(0),
    isUsed: () => true,
  });

  test('js is JavaScript, wasm is WebAssembly, auto is WebAssembly for tables that are worth it', () => {
    expect(createScorer(table(5000), 'js')).toBeInstanceOf(JsScorer);
    expect(createScorer(table(2), 'wasm')).toBeInstanceOf(WasmScorer);
    expect(createScorer(table(2), 'auto')).toBeInstanceOf(JsScorer);
    expect(createScorer(table(5000), 'auto')).toBeInstanceOf(WasmScorer);
  });

  test('a table that 32 bits cannot address is scored in JavaScript, unless WebAssembly is demanded', () => {
    const large = { ...table(0), count: 2 ** 26 };
    expect(createScorer(large, 'auto')).toBeInstanceOf(JsScorer);
    expect(() => createScorer(large, 'wasm')).toThrow(UnsupportedError);
  });
});
