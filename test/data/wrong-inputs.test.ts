// Whatever is handed over in place of data: an OpmfError that says what it is, in few words, or a result.

import * as fc from 'fast-check';
import {
  categorical,
  DataError,
  FeatureTable,
  Interactions,
  interactionFeatures,
  kFold,
  OpmfError,
  parseFeatureTable,
  parseInteractions,
  parseLibFM,
  predefinedSplit,
  splitByTime,
  splitByUser,
  splitLeaveOneOut,
  splitRandom,
  Vocabulary,
} from '../../src';

const LONG = 'x'.repeat(100_000);
async function* later() {
  yield ['a', 'b', 1] as const;
}

const atom = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    undefined,
    true,
    1n,
    Symbol(LONG),
    () => 1,
    new Map(),
    new Date(Number.NaN),
    new Array(1),
    LONG,
  ),
  fc.constantFrom<unknown>(
    {},
    { length: 3 },
    { length: -1 },
    { length: 2 ** 40 },
    { [LONG]: 1 },
    later(),
    new Proxy({}, {}),
  ),
  fc.constantFrom<unknown>(new BigInt64Array(2), new Float32Array(3), Object.create(null), BigInt('9'.repeat(5000))),
  fc.double(),
  fc.integer(),
  fc.string(),
);
const value = fc.oneof(
  atom,
  fc.array(atom, { maxLength: 4 }),
  fc.array(fc.array(atom, { maxLength: 5 }), { maxLength: 4 }),
  fc.dictionary(
    fc.constantFrom(
      ...['userId', 'itemId', 'value', 'weight', 'timestamp', 'userIds', 'itemIds', 'values', 'weights', 'timestamps'],
      ...[
        'size',
        'starts',
        'indices',
        'labels',
        'fields',
        'users',
        'items',
        'duplicates',
        'seed',
        'folds',
        'by',
        'id',
        LONG,
      ],
    ),
    fc.oneof(atom, fc.array(atom, { maxLength: 3 })),
    { maxKeys: 5 },
  ),
  fc.array(fc.dictionary(fc.constantFrom('userId', 'itemId', 'value', 'city', 'timestamp'), atom), { maxLength: 3 }),
);

const small = Interactions.from([
  ['a', 'x', 1, 1],
  ['a', 'y', 2, 2],
  ['b', 'x', 3, 3],
]);
const table = FeatureTable.from([{ city: 'Rome' }, { city: 'Oslo' }], { fields: { city: categorical() } });

const calls: Readonly<Record<string, (one: never, two: never) => unknown>> = {
  'Interactions.from': (one, two) => Interactions.from(one, two),
  'Interactions.fromColumns': (one, two) => Interactions.fromColumns(one, two),
  predefinedSplit: (one, two) => predefinedSplit(one, two),
  'predefinedSplit, options': (one) => predefinedSplit([], [], one),
  splitRandom: (one, two) => splitRandom(one, two),
  'splitRandom, options': (one) => splitRandom(small, one),
  splitByTime: (one, two) => splitByTime(one, two),
  'splitByTime, options': (one) => splitByTime(small, one),
  splitByUser: (one, two) => splitByUser(one, two),
  'splitByUser, options': (one) => splitByUser(small, one),
  splitLeaveOneOut: (one, two) => splitLeaveOneOut(one, two),
  'splitLeaveOneOut, options': (one) => splitLeaveOneOut(small, one),
  kFold: (one, two) => kFold(one, two),
  'kFold, options': (one) => kFold(small, one),
  'Vocabulary.from': (one) => Vocabulary.from(one),
  'Vocabulary, questions': (one) => [small.users.indexOf(one), small.users.has(one)],
  'Vocabulary.idOf': (one) => small.users.idOf(one),
  'FeatureTable.from': (one, two) => FeatureTable.from(one, two),
  'FeatureTable.from, rows': (one) => FeatureTable.from(one, { fields: { city: categorical() }, id: 'userId' }),
  'FeatureTable.encode': (one, two) => FeatureTable.encode(one, two),
  'FeatureTable.fromRows': (one, two) => FeatureTable.fromRows(one, two),
  'FeatureTable.fromRows, ids': (one) => FeatureTable.fromRows(table, one),
  'FeatureTable.take': (one) => table.take(one),
  'FeatureTable.split': (one) => table.split(one),
  'FeatureTable#encode': (one) => table.encode(one),
  interactionFeatures: (one, two) => interactionFeatures(one, two),
  'interactionFeatures, options': (one) => interactionFeatures(small, one),
  parseInteractions: (one, two) => parseInteractions(one, two),
  'parseInteractions, options': (one) => parseInteractions('1,2,3\n', one),
  parseFeatureTable: (one, two) => parseFeatureTable(one, two),
  parseLibFM: (one, two) => parseLibFM(one, two),
};

test.each(Object.entries(calls))('%s: a result or an OpmfError of few words', (_, call) => {
  fc.assert(
    fc.property(value, value, (one, two) => {
      try {
        call(one as never, two as never);
      } catch (error) {
        if (!(error instanceof OpmfError)) throw error;
        expect(error.message.length).toBeLessThan(1200);
      }
    }),
    { numRuns: 300 },
  );
});

test.each<[string, unknown, string]>([
  ['null', null, 'rows is null; want an iterable of rows'],
  ['an async iterable', later(), 'rows is an async iterable; collect it first'],
  ['a hole', new Array(1), 'row 1 (counting from 1) is undefined'],
  ['a bigint', [[1n, 'x']], 'row 1 (counting from 1) has userId 1; want a string or a finite number'],
  ['a symbol', [['a', Symbol('s')]], 'has itemId Symbol(s); want a string or a finite number'],
])('rows: %s', (_, rows, message) => {
  expect(() => Interactions.from(rows as never)).toThrow(DataError);
  expect(() => Interactions.from(rows as never)).toThrow(message);
});

test.each(['score', 'stars', 'rating', 'Value', 'user', LONG])(
  'a row with a property %.20s is refused by its name',
  (name) => {
    const row = { userId: 'a', itemId: 'x', value: 3, [name]: 5 };
    expect(() => Interactions.from([['b', 'x', 1], row])).toThrow(DataError);
    expect(() => Interactions.from([['b', 'x', 1], row])).toThrow(`row 2 (counting from 1) has '${name.slice(0, 50)}`);
    expect(() => Interactions.from([Object.create(row)])).toThrow(`has '${name.slice(0, 50)}`);
  },
);

test('properties that a class reads are read', () => {
  class Rating {
    get userId() {
      return 'a';
    }
    get itemId() {
      return 'x';
    }
    get value() {
      return 4;
    }
  }
  expect([...Interactions.from([new Rating()])]).toEqual([{ userId: 'a', itemId: 'x', value: 4 }]);
});

const UNSAFE = [2 ** 53, -(2 ** 53), 1e300, Infinity, -Infinity, Number.NaN];

test.each(UNSAFE)('%p is no id anywhere', (id) => {
  expect(() => Interactions.from([[id, 'x']])).toThrow(DataError);
  expect(() => Interactions.from([{ userId: 'a', itemId: id }])).toThrow(DataError);
  expect(() => Interactions.fromColumns({ userIds: [id], itemIds: ['x'] })).toThrow(DataError);
  expect(() => Interactions.fromColumns({ userIds: ['a'], itemIds: Float64Array.of(id) })).toThrow(DataError);
  expect(() => Vocabulary.from([1, id])).toThrow(
    `id 2 (counting from 1) is ${id}; want a string or a finite number of at most`,
  );
  expect(() => small.users.indexOf(id)).toThrow(DataError);
  expect(small.users.has(id)).toBe(false);
  expect(() => parseInteractions(`${id},1,1\n`, { ids: 'number', header: false, separator: ',' })).toThrow(DataError);
  const rows = [{ who: id, city: 'Rome' }];
  expect(() => FeatureTable.from(rows, { fields: { city: categorical() }, id: 'who' })).toThrow(DataError);
  expect(() => FeatureTable.fromRows(table, [1, id])).toThrow(DataError);
});

test('the largest safe numbers and fractions are ids everywhere', () => {
  const ids = [Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, 0.5, -0];
  const data = Interactions.from(ids.map((id) => [id, id]));
  expect([...data.users]).toEqual([Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, 0.5, 0]);
  const text = ids.map((id) => `${id},${id},1`).join('\n');
  expect([...parseInteractions(text, { ids: 'number', header: false }).users]).toEqual([...data.users]);
});
