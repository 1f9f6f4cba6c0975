// Tables of features: each kind of field by hand and against a naive encoding, schemas through JSON, faults by row.

import * as fc from 'fast-check';
import {
  categorical,
  crossed,
  DataError,
  type FeatureRow,
  type FeatureRows,
  FeatureSchema,
  FeatureTable,
  type FieldConfig,
  FormatError,
  multiValued,
  numeric,
  OptionError,
} from '../../src';
import { processorTime } from '../support/processor-time';

/** The features of each row by name, with values other than 1. */
const named = (table: FeatureTable): string[] =>
  Array.from({ length: table.size }, (_, row) =>
    Array.from(table.indices.subarray(table.starts[row], table.starts[row + 1]), (feature, k) => {
      const value = table.values[table.starts[row]! + k]!;
      return table.schema!.nameOf(feature) + (value === 1 ? '' : `:${value}`);
    }).join(' '),
  );

const rows: FeatureRow[] = [
  { age: 20, city: 'Rome', hour: 8, tags: 'a|b', y: 1, w: 2 },
  { age: '40', city: 'Paris', hour: '9', tags: ['b', 'c', 'b'], y: true, w: 1 },
  { age: null, city: '', hour: 8, tags: '', y: 0, w: 0.5 },
  { age: Number.NaN, city: 'Rome', tags: undefined, y: '0', w: 1 },
];
const fields = { age: numeric(), city: categorical(), tags: multiValued(), at: crossed('city', 'hour') };
const table = FeatureTable.from(rows, { fields, label: 'y', weight: 'w' });

test('every kind of field, with missing cells', () => {
  expect(named(table)).toEqual([
    'age:-1 city=Rome tags=a tags=b at=Rome & 8',
    'age city=Paris tags=b tags=c at=Paris & 9',
    'age:0 age=(missing) city=(missing) tags=(missing) at=(missing)',
    'age:0 age=(missing) city=Rome tags=(missing) at=(missing)',
  ]);
  expect([...table.labels!]).toEqual([1, 1, 0, 0]);
  expect([...table.weights!]).toEqual([2, 1, 0.5, 1]);
  expect(table.fields.map(({ name, kind, offset, size }) => [name, kind, offset, size])).toEqual([
    ['age', 'numeric', 0, 2],
    ['city', 'categorical', 2, 4],
    ['tags', 'multi', 6, 5],
    ['at', 'crossed', 11, 4],
  ]);
  expect(table.features).toBe(15);
});

test('rows of weight 0 teach no mean, no deviation and no category', () => {
  const odd: FeatureRow[] = [
    { age: 1e6, city: 'Oslo', hour: 1, tags: 'z', y: 1, w: 0 },
    ...rows,
    { age: null, city: 'Paris', hour: 9, tags: 'c|a', y: 1, w: 0 },
  ];
  const all = FeatureTable.from(odd, { fields, label: 'y', weight: 'w' });
  expect(all.size).toBe(6);
  expect(all.schema!.toJSON()).toEqual(table.schema!.toJSON());
  expect(named(all).slice(1, 5)).toEqual(named(table));
  expect(named(all)[0]).toContain('city=');
});

test('other rows are encoded by what was learned; labels are optional there', () => {
  const other = table.encode([
    { age: 50, city: 'Oslo', hour: 8, tags: 'c|x|y' },
    { city: 'Rome', hour: 9 },
  ]);
  expect(named(other)).toEqual([
    'age:2 city=(other) tags=(other) tags=c at=(other)',
    'age:0 age=(missing) city=Rome tags=(missing) at=(other)',
  ]);
  expect([other.labels, other.weights]).toEqual([null, null]);
  expect(table.encode([]).size).toBe(0);
  expect(table.encode(rows)).toEqual(table);
});

test('rare categories share a feature, in fields of several once a row', () => {
  const few = [{ t: 'z|a|y|b' }, { t: 'b|x' }, { t: '' }, { t: 'b|a' }];
  const learned = FeatureTable.from(few, { fields: { t: multiValued({ minCount: 2 }) } });
  expect(named(learned)).toEqual(['t=(other) t=a t=b', 't=(other) t=b', 't=(missing)', 't=a t=b']);
  expect(learned.encode(few)).toEqual(learned);
});

test('numbers as they are, and a constant column', () => {
  const data = [{ a: 1e9 }, { a: 1e9 }, { a: '' }];
  expect([...FeatureTable.from(data, { fields: { a: numeric() } }).values]).toEqual([0, 0, 0, 1]);
  const raw = FeatureTable.from(data, { fields: { a: numeric({ standardize: false }) } });
  expect([...raw.values]).toEqual([1e9, 1e9, 1e9, 1]);
});

test('a large mean does not drown the spread', () => {
  const data = Array.from({ length: 100 }, (_, k) => ({ t: 1.7e9 + k }));
  const { values } = FeatureTable.from(data, { fields: { t: numeric() } });
  const deviation = Math.sqrt((100 ** 2 - 1) / 12);
  expect(values[0]).toBeCloseTo(-49.5 / deviation, 6);
  expect(values[99]).toBeCloseTo(49.5 / deviation, 6);
});

test('a column may serve several fields', () => {
  const data = [{ age: 20 }, { age: 40 }];
  const two = FeatureTable.from(data, { fields: { age: numeric(), years: categorical({ column: 'age' }) } });
  expect(named(two)).toEqual(['age:-1 years=20', 'age years=40']);
});

test('hashed combinations: in range, the same for the same, for unknown ones too, missing where a side is', () => {
  const all = Array.from({ length: 200 }, (_, k) => ({ a: `a${k}`, b: k % 7 }));
  const hashed = FeatureTable.from(all, { fields: { ab: crossed('a', 'b', { buckets: 16 }) } });
  expect(hashed.fields[0]).toEqual({ name: 'ab', kind: 'crossed', offset: 0, size: 18 });
  expect(hashed.indices.every((feature) => feature >= 2 && feature < 18)).toBe(true);
  expect(new Set(hashed.indices).size).toBe(16);
  expect(hashed.encode(all).indices).toEqual(hashed.indices);
  expect(named(hashed.encode([{ a: 'new', b: 1 }, { a: 'new' }]))).toEqual([
    expect.stringMatching(/^ab=#\d+$/),
    'ab=(missing)',
  ]);
});

test('combinations whose texts run together are two', () => {
  const pairs = [
    { a: '1:', b: '2' },
    { a: '1', b: ':2' },
  ];
  expect(named(FeatureTable.from(pairs, { fields: { x: crossed('a', 'b') } }))).toEqual(['x=1: & 2', 'x=1 & :2']);
});

test('categories as a naive encoding numbers them', () => {
  const cell = fc.oneof(
    fc.constantFrom('', '__proto__', 'toString'),
    fc.integer({ min: 0, max: 3 }),
    fc.boolean(),
    fc.constant(null),
  );
  fc.assert(
    fc.property(fc.array(cell, { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 4 }), (cells, minCount) => {
      const counts = new Map<string, number>();
      for (const c of cells) if (c !== '' && c !== null) counts.set(String(c), (counts.get(String(c)) ?? 0) + 1);
      const kept = [...counts.keys()].filter((text) => counts.get(text)! >= minCount);
      const want = cells.map((c) =>
        c === '' || c === null ? 1 : kept.includes(String(c)) ? 2 + kept.indexOf(String(c)) : 0,
      );
      const data = cells.map((c) => ({ c }));
      const encoded = FeatureTable.from(data, { fields: { c: categorical({ minCount }) } });
      expect([...encoded.indices]).toEqual(want);
      expect(encoded.encode(data)).toEqual(encoded);
    }),
  );
});

test('sets of categories as a naive encoding numbers them', () => {
  const cell = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), { maxLength: 6 });
  fc.assert(
    fc.property(fc.array(cell, { minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 4 }), (cells, minCount) => {
      const counts = new Map<string, number>();
      for (const set of cells) for (const one of new Set(set)) counts.set(one, (counts.get(one) ?? 0) + 1);
      const kept = [...counts.keys()].filter((one) => counts.get(one)! >= minCount);
      const code = (one: string) => (kept.includes(one) ? 2 + kept.indexOf(one) : 0);
      const want = cells.map((set) => (set.length === 0 ? [1] : [...new Set(set.map(code))].sort((a, b) => a - b)));
      const encoded = FeatureTable.from(
        cells.map((t) => ({ t })),
        { fields: { t: multiValued({ minCount }) } },
      );
      expect(cells.map((_, r) => [...encoded.indices.subarray(encoded.starts[r], encoded.starts[r + 1])])).toEqual(
        want,
      );
    }),
  );
});

test('columns grow: as many rows as asked for, from a stream', () => {
  function* stream() {
    for (let k = 0; k < 5000; k++) yield { n: k, c: k % 3000, m: `${k}|${k + 1}|x`, y: k % 2 };
  }
  const fields = { n: numeric({ standardize: false }), c: categorical(), m: multiValued() };
  const large = FeatureTable.from(stream(), { fields, label: 'y' });
  expect(large.size).toBe(5000);
  expect(named(large.take([4999]))).toEqual(['n:4999 c=1999 m=x m=4999 m=5000']);
  expect(large.labels![4999]).toBe(1);
});

test('a schema comes back from JSON as it was', () => {
  const text = JSON.stringify(table.schema);
  const back = FeatureSchema.fromJSON(JSON.parse(text));
  expect(JSON.stringify(back)).toBe(text);
  expect(FeatureTable.encode(rows, back)).toEqual(table);
  const hashed = FeatureTable.from(rows, { fields: { x: crossed('city', 'hour', { buckets: 5 }) } });
  expect(FeatureTable.encode(rows, FeatureSchema.fromJSON(JSON.parse(JSON.stringify(hashed.schema))))).toEqual(hashed);
});

type Spoiled = { fields: Record<string, unknown>[]; label: unknown; weight: unknown };
test.each<[string, (json: Spoiled) => unknown]>([
  ['nothing', () => null],
  ['no fields', (json) => ({ ...json, fields: [] })],
  ['a field that is none', (json) => ({ ...json, fields: [7] })],
  ['an unknown kind', (json) => Object.assign(json.fields[0]!, { kind: 'text' })],
  ['no deviation', (json) => Object.assign(json.fields[0]!, { deviation: 0 })],
  ['a mean of null', (json) => Object.assign(json.fields[0]!, { mean: null })],
  ['a repeated category', (json) => Object.assign(json.fields[1]!, { categories: ['a', 'a'] })],
  ['a category that is no string', (json) => Object.assign(json.fields[1]!, { categories: [1] })],
  ['no separator', (json) => Object.assign(json.fields[2]!, { separator: '' })],
  ['half a pair', (json) => Object.assign(json.fields[3]!, { of: ['city'] })],
  ['too many buckets', (json) => Object.assign(json.fields[3]!, { buckets: 2 ** 40 })],
  ['two of one name', (json) => Object.assign(json.fields[1]!, { name: 'age' })],
  ['a label that is none', (json) => Object.assign(json, { label: 'y' })],
  ['positives that are no strings', (json) => Object.assign(json, { label: { column: 'y', positive: [1] } })],
  ['a weight that is none', (json) => Object.assign(json, { weight: 1 })],
])('spoiled JSON is refused: %s', (_, spoil) => {
  const json = JSON.parse(JSON.stringify(table.schema)) as Spoiled;
  const given = spoil(json);
  const whole = given !== null && typeof given === 'object' && 'fields' in given ? given : given === null ? null : json;
  expect(() => FeatureSchema.fromJSON(whole)).toThrow(FormatError);
});

test('names of features that are none', () => {
  for (const feature of [-1, 15, 0.5]) expect(() => table.schema!.nameOf(feature)).toThrow(FormatError);
});

test('labels by name', () => {
  const people = [
    { a: 1, pay: '>50K' },
    { a: 2, pay: '<=50K' },
    { a: 3, pay: '>50K.' },
  ];
  const options = { fields: { a: numeric() }, label: { column: 'pay', positive: ['>50K', '>50K.'] } };
  expect([...FeatureTable.from(people, options).labels!]).toEqual([1, 0, 1]);
  expect(() => FeatureTable.from(people, { ...options, label: 'pay' })).toThrow(/row 1 .*column "pay".*positive/);
});

test.each<[string, FeatureRow[], RegExp]>([
  ['no rows', [], /no rows/],
  [
    'a text that is no number',
    [
      { age: 1, city: 'a', y: 1 },
      { age: 'x', city: 'a', y: 1 },
    ],
    /row 2 .*"age".*"x"/,
  ],
  ['an infinite number', [{ age: Infinity, city: 'a', y: 1 }], /row 1 .*"age".*Infinity/],
  ['an object for a category', [{ age: 1, city: {} as never, y: 1 }], /row 1 .*"city"/],
  ['several categories for one', [{ age: 1, city: ['a'], y: 1 }], /row 1 .*"city"/],
  [
    'a label missing',
    [
      { age: 1, city: 'a', y: 1 },
      { age: 1, city: 'a' },
    ],
    /row 2 .*"y".*every row/,
  ],
  ['no label at all', [{ age: 1, city: 'a' }], /row 1 .*"y"/],
  ['a row that is none', [null as never], /row 1/],
  ['a column that no row has', [{ age: 1, y: 1 }], /"city".*no row has this column/],
])('rows at fault are named: %s', (_, bad, message) => {
  const make = () => FeatureTable.from(bad, { fields: { age: numeric(), city: categorical() }, label: 'y' });
  expect(make).toThrow(DataError);
  expect(make).toThrow(message);
});

test('a negative weight, and labels of some encoded rows only, are refused', () => {
  expect(() => FeatureTable.from([{ a: 1, w: -1 }], { fields: { a: numeric() }, weight: 'w' })).toThrow(/at least 0/);
  expect(() => table.encode([{ age: 1 }, { age: 1, y: 1, w: 1 }])).toThrow(/row 2/);
});

test.each<[string, unknown, RegExp]>([
  ['no fields', {}, /no fields/],
  ['fields that are none', { fields: [numeric()] }, /fields/],
  ['a field that is none', { fields: { age: 'numeric' } }, /fields\.age/],
  ['an unknown option of a field', { fields: { age: { kind: 'numeric', standardise: true } } }, /standardize/],
  ['a label without its column', { fields: { age: numeric() }, label: { positive: ['a'] } }, /label\.column/],
  ['half a pair', { fields: { x: { kind: 'crossed' } } }, /fields\.x\.of/],
])('options at fault are named: %s', (_, options, message) => {
  const make = () => FeatureTable.from(rows, options as { fields: Record<string, FieldConfig> });
  expect(make).toThrow(OptionError);
  expect(make).toThrow(message);
});

test('fields check their options at once', () => {
  expect(() => categorical({ minCount: 0 })).toThrow(OptionError);
  expect(() => multiValued({ separator: '' })).toThrow(OptionError);
  expect(() => crossed('a', 'b', { buckets: 0 })).toThrow(OptionError);
  expect(() => crossed('a', 'b', { buckets: 5, minCount: 2 })).toThrow(OptionError);
  expect(() => FeatureTable.encode(rows, {} as FeatureSchema)).toThrow(OptionError);
});

test('rows at positions, in their order', () => {
  const taken = table.take([3, 0, 3]);
  expect(named(taken)).toEqual([3, 0, 3].map((row) => named(table)[row]));
  expect([...taken.labels!, ...taken.weights!]).toEqual([0, 1, 0, 1, 2, 1]);
  expect(taken.schema).toBe(table.schema);
  for (const row of [-1, 4, 0.5]) expect(() => table.take([row])).toThrow(DataError);
});

test('a split has every row once, by the seed', () => {
  const data = FeatureTable.from(
    Array.from({ length: 50 }, (_, n) => ({ n, y: n })),
    {
      fields: { n: numeric({ standardize: false }) },
      label: 'y',
    },
  );
  const { train, test: held } = data.split({ testFraction: 0.1, seed: 3 });
  expect([train.size, held.size]).toEqual([45, 5]);
  expect([...train.labels!, ...held.labels!].sort((a, b) => a - b)).toEqual(Array.from(data.labels!));
  expect([...held.labels!]).toEqual([...held.values]);
  expect(data.split({ testFraction: 0.1, seed: 3 }).test).toEqual(held);
  expect(data.split({ testFraction: 0.1, seed: 4 }).test).not.toEqual(held);
  expect(() => data.split({ testFraction: 1 })).toThrow(OptionError);
  expect(() => table.take([0]).split()).toThrow(DataError);
});

const plain = (change: Partial<FeatureRows> = {}): FeatureRows => ({
  size: 2,
  starts: Int32Array.of(0, 1, 3),
  indices: Int32Array.of(0, 1, 2),
  values: Float32Array.of(1, 1, 0.5),
  labels: Float32Array.of(0, 1),
  weights: null,
  fields: [
    { name: 'city', kind: 'categorical', offset: 0, size: 2 },
    { name: 'age', kind: 'numeric', offset: 2, size: 1 },
  ],
  ...change,
});

test('rows that come encoded are taken as they are', () => {
  const rows = plain();
  const made = FeatureTable.fromRows(rows);
  expect(made.indices).toBe(rows.indices);
  expect([made.features, made.schema]).toEqual([3, null]);
  expect(FeatureTable.fromRows(table)).toBe(table);
  expect(() => made.encode([])).toThrow(DataError);
});

test.each<[string, Partial<FeatureRows>]>([
  ['a gap between fields', { fields: [{ name: 'a', kind: 'numeric', offset: 1, size: 3 }] }],
  ['half a feature', { fields: [{ name: 'a', kind: 'numeric', offset: 0, size: 3.5 }] }],
  ['too few starts', { starts: Int32Array.of(0, 3) }],
  ['a late start', { starts: Int32Array.of(1, 1, 3) }],
  ['an early end', { starts: Int32Array.of(0, 1, 2) }],
  ['a falling start', { size: 3, starts: Int32Array.of(0, 2, 1, 3), labels: null }],
  ['too few values', { values: new Float32Array(2) }],
  ['a value of NaN', { values: Float32Array.of(1, Number.NaN, 1) }],
  ['a feature of no field', { indices: Int32Array.of(0, 1, 3) }],
  ['a negative feature', { indices: Int32Array.of(-1, 1, 2) }],
  ['a feature twice', { indices: Int32Array.of(0, 1, 1) }],
  ['too few labels', { labels: Float32Array.of(1) }],
  ['a label of NaN', { labels: Float32Array.of(1, Number.NaN) }],
  ['a negative weight', { weights: Float32Array.of(1, -1) }],
])('encoded rows that do not fit are refused: %s', (_, change) => {
  expect(() => FeatureTable.fromRows(plain(change))).toThrow(DataError);
});

test('a cell of many categories in descending order takes time in proportion', () => {
  const names = Array.from({ length: 100_000 }, (_, k) => `c${k}`);
  const rows = [{ c: names }, { c: [...names].reverse().concat('c7') }];
  const start = processorTime();
  const table = FeatureTable.from(rows, { fields: { c: multiValued() } });
  expect([...table.starts]).toEqual([0, 100_000, 200_000]);
  expect(table.indices.subarray(100_000)).toEqual(table.indices.subarray(0, 100_000));
  expect(processorTime() - start).toBeLessThan(5000);
});
