// From rows or columns to a set: what is kept, what becomes of duplicates, and which row an error blames.

import fc from 'fast-check';
import { DataError, OptionError } from '../../src/core/errors';
import { type DuplicatePolicy, type InputColumns, Interactions, type Row } from '../../src/data/interactions';
import { Vocabulary } from '../../src/data/vocabulary';
import { parseInteractions } from '../../src/io/text/parse-interactions';
import { processorTime } from '../support/processor-time';

const triples = fc.array(fc.tuple(fc.nat(5), fc.nat(5), fc.integer({ min: -9, max: 9 })), { maxLength: 60 });
const columnsOf = (rows: readonly (readonly [number, number, number])[]) => ({
  userIds: rows.map(([user]) => user),
  itemIds: rows.map(([, item]) => item),
  values: rows.map(([, , value]) => value),
});

describe('rows and columns', () => {
  test('objects and tuples are the same rows', () => {
    const tuples = Interactions.from([
      ['ann', 1, 4, 10],
      ['bob', '1', 2, 20],
    ]);
    const objects = Interactions.from([
      { userId: 'ann', itemId: 1, value: 4, timestamp: 10 },
      { userId: 'bob', itemId: '1', value: 2, timestamp: 20 },
    ]);
    expect([...tuples]).toEqual([...objects]);
    expect(tuples.items.size).toBe(2);
  });

  test('what is left out is 1, and weights and timestamps are absent where no row has them', () => {
    const data = Interactions.from([['ann', 'tea'], { userId: 'ann', itemId: 'milk' }]);
    expect([...data.values]).toEqual([1, 1]);
    expect('weights' in data || 'timestamps' in data).toBe(false);
  });

  test('one weight gives every row a weight', () => {
    const data = Interactions.from([['ann', 'tea'], { userId: 'ann', itemId: 'milk', weight: 0.5 }, ['bob', 'tea']]);
    expect([...data.weights!]).toEqual([1, 0.5, 1]);
  });

  test('a set is read back as it is, from any iterable', () => {
    const rows: Row[] = [
      { userId: 'a', itemId: '__proto__', value: 2, weight: 3, timestamp: 4.5 },
      { userId: '', itemId: 7, value: -1, weight: 0.5, timestamp: -2 },
    ];
    const data = Interactions.from(new Set(rows).values());
    expect([...data]).toEqual(rows);
    expect([...Interactions.from(data)]).toEqual(rows);
  });

  test('rows of weight 0 are as rows that were not given', () => {
    const at = (weight: number, userId: string, itemId: string, value: number) => ({ userId, itemId, value, weight });
    const rows = [
      at(0, 'nobody', 'nothing', 100),
      at(1, 'ann', 'tea', 4),
      at(0, 'ann', 'tea', 1),
      at(2, 'bob', 'tea', 2),
      at(0, 'bob', 'milk', -7),
    ];
    const present = rows.filter(({ weight }) => weight > 0);
    for (const duplicates of ['last', 'first', 'sum', 'keep', 'error'] as const) {
      const [some, without] = [Interactions.from(rows, { duplicates }), Interactions.from(present, { duplicates })];
      expect([...some]).toEqual([...without]);
      expect([[...some.users], [...some.items]]).toEqual([['ann', 'bob'], ['tea']]);
      expect(some.stats()).toEqual(without.stats());
    }
    const columns = { userIds: [1, 2, 1], itemIds: [2, 3, 2], values: [5, 1, 3], weights: [1, 0, 1] };
    expect([...Interactions.fromColumns(columns, { duplicates: 'keep' })].map(({ value }) => value)).toEqual([5, 3]);
    expect(() => Interactions.fromColumns(columns, { duplicates: 'error' })).toThrow('rows 1 and 3 (counting from 1)');
    // One vocabulary on both sides, which knew an id before.
    const ids = Vocabulary.from(['old', 'tea']);
    const shared = Interactions.from(rows, { users: ids, items: ids });
    expect([...ids]).toEqual(['old', 'tea', 'ann', 'bob']);
    expect([...shared.userIndex, ...shared.itemIndex]).toEqual([2, 3, 1, 1]);
    expect(Interactions.from([at(0, 'a', 'b', 1)]).size).toBe(0);
    expect(() => Interactions.from([at(0, 'a', 'b', Number.NaN)])).toThrow('has value NaN');
    expect(() => Interactions.from([at(1e-60, 'a', 'b', 1)])).toThrow('has weight 1e-60; want');
  });

  test('columns and rows give the same set', () => {
    fc.assert(
      fc.property(triples, (rows) => {
        const [a, b] = [Interactions.from(rows), Interactions.fromColumns(columnsOf(rows))];
        expect([...a]).toEqual([...b]);
        expect([...a.users]).toEqual([...b.users]);
      }),
    );
  });

  test('typed columns are read, and copied', () => {
    const values = new Float64Array([4, 3]);
    const data = Interactions.fromColumns({
      userIds: new Int32Array([7, 9]),
      itemIds: ['tea', 'tea'],
      values,
      weights: [1, 2],
      timestamps: new Float64Array([1.6e9, 1.7e9]),
    });
    values[0] = 0;
    expect([...data]).toEqual([
      { userId: 7, itemId: 'tea', value: 4, weight: 1, timestamp: 1.6e9 },
      { userId: 9, itemId: 'tea', value: 3, weight: 2, timestamp: 1.7e9 },
    ]);
  });

  test('no rows are an empty set, of which there are no statistics', () => {
    expect(Interactions.from([]).size).toBe(0);
    expect(() => Interactions.from([]).stats()).toThrow(DataError);
  });
});

describe('duplicates', () => {
  test('are counted', () => {
    const rows = [['a', 'b', 1], ['a', 'b', 2], ['a', 'c', 2], { userId: 'a', itemId: 'c', weight: 0 }] as const;
    expect(Interactions.from(rows.slice(0, 3)).leftOut.repeated).toBe(1);
    expect(Interactions.from(rows).leftOut).toMatchObject({ repeated: 1, absent: 1 });
    expect(parseInteractions('a,b,1\na,b,2\na,b,3').leftOut.repeated).toBe(2);
    expect(parseInteractions('a,b,1\na,b,2', { duplicates: 'keep' }).leftOut.repeated).toBe(0);
  });
  const rows: Row[] = [
    ['a', 'x', 1, 10],
    ['b', 'x', 2, 20],
    ['a', 'y', 3, 30],
    ['a', 'x', 4, 40],
    ['b', 'y', 5, 50],
    ['a', 'x', 6, 60],
  ];
  test.each<[DuplicatePolicy | undefined, number[], number[]]>([
    [undefined, [2, 3, 5, 6], [20, 30, 50, 60]],
    ['last', [2, 3, 5, 6], [20, 30, 50, 60]],
    ['first', [1, 2, 3, 5], [10, 20, 30, 50]],
    ['sum', [2, 3, 5, 11], [20, 30, 50, 60]],
    ['keep', [1, 2, 3, 4, 5, 6], [10, 20, 30, 40, 50, 60]],
  ])('%s', (duplicates, values, timestamps) => {
    const data = Interactions.from(rows, { duplicates });
    expect([...data.values]).toEqual(values);
    expect([...data.timestamps!]).toEqual(timestamps);
  });

  test('error names both rows and the ids', () => {
    expect(() => Interactions.from(rows, { duplicates: 'error' })).toThrow(
      'rows 1 and 4 (counting from 1) are both of user "a" and item "x"',
    );
    expect(Interactions.from(rows.slice(0, 3), { duplicates: 'error' }).size).toBe(3);
  });

  test('last, first and sum are what a Map says', () => {
    fc.assert(
      fc.property(triples, (list) => {
        const [last, first, sum] = [new Map(), new Map(), new Map()] as [Pairs, Pairs, Pairs];
        for (const [user, item, value] of list) {
          const key = `${user} ${item}`;
          last.set(key, value);
          if (!first.has(key)) first.set(key, value);
          sum.set(key, (sum.get(key) ?? 0) + value);
        }
        for (const [duplicates, expected] of Object.entries({ last, first, sum })) {
          const data = Interactions.from(list, { duplicates: duplicates as DuplicatePolicy });
          const got = new Map([...data].map(({ userId, itemId, value }) => [`${userId} ${itemId}`, value]));
          expect(data.size).toBe(expected.size);
          expect(got).toEqual(expected);
        }
      }),
    );
  });

  test('a sum is taken in double precision, and may not overflow float32', () => {
    const same = (values: number[]) => values.map((value): Row => ['a', 'x', value]);
    const data = Interactions.from(same([2 ** 24, 1, 1, 1, 1]), { duplicates: 'sum' });
    expect(data.values[0]).toBe(2 ** 24 + 4);
    expect(() => Interactions.from(same([3e38, 3e38]), { duplicates: 'sum' })).toThrow(DataError);
  });

  type Pairs = Map<string, number>;
});

describe('shared vocabularies', () => {
  test('are extended', () => {
    const first = Interactions.from([['ann', 'tea']]);
    const second = Interactions.from([['bob', 'tea']], { users: first.users, items: first.items });
    expect([...first.users]).toEqual(['ann', 'bob']);
    expect(second.userIndex[0]).toBe(1);
    expect(second.itemIndex[0]).toBe(0);
  });

  test('are left as they were by bad rows', () => {
    const [users, items] = [Vocabulary.from(['ann']), Vocabulary.from(['tea'])];
    expect(() => Interactions.from([['bob', 'milk'], ['cy']] as unknown as Row[], { users, items })).toThrow(DataError);
    const twice = { userIds: ['bob', 'bob'], itemIds: ['milk', 'milk'] };
    expect(() => Interactions.fromColumns(twice, { users, items, duplicates: 'error' })).toThrow(DataError);
    expect([...users, ...items]).toEqual(['ann', 'tea']);
  });
});

describe('errors', () => {
  test.each<[string, unknown, string]>([
    ['NaN value', ['a', 'x', Number.NaN], 'has value NaN; want a finite number'],
    ['infinite value', ['a', 'x', -Infinity], 'has value -Infinity'],
    ['value beyond float32', ['a', 'x', 1e39], 'has value 1e+39'],
    ['text value', ['a', 'x', '5'], 'has value "5"'],
    ['null value', { userId: 'a', itemId: 'x', value: null }, 'has value null'],
    ['negative weight', { userId: 'a', itemId: 'x', weight: -1 }, 'has weight -1; want a finite number of at least 0'],
    ['infinite weight', { userId: 'a', itemId: 'x', weight: Infinity }, 'has weight Infinity'],
    ['timestamp where others have none', ['a', 'x', 1, 5], 'has a timestamp, but the rows before have none'],
    ['NaN user', [Number.NaN, 'x'], 'has userId NaN'],
    ['missing item', { userId: 'a' }, 'has itemId undefined'],
    ['bigint item', ['a', 1n], 'turn a bigint into a string'],
    ['short tuple', ['a'], 'is an array of 1; a row is'],
    ['long tuple', ['a', 'x', 1, 2, 3], 'is an array of 5'],
    ['text', 'a,x,1', 'is "a,x,1"; a row is'],
    ['null', null, 'is null; a row is'],
    ['rating for value', { userId: 'a', itemId: 'x', rating: 5 }, "has 'rating' but no 'value'"],
  ])('%s', (_, row, message) => {
    const read = () => Interactions.from([['a', 'w'], row as Row]);
    expect(read).toThrow(DataError);
    expect(read).toThrow('row 2 (counting from 1)');
    expect(read).toThrow(message);
  });

  test('a timestamp that is no number', () => {
    const read = () =>
      Interactions.from([
        ['a', 'x', 1, 5],
        ['a', 'y', 1, Number.NaN],
      ]);
    expect(read).toThrow('row 2 (counting from 1) has timestamp NaN');
  });

  test('a row without a timestamp after rows with one', () => {
    expect(() =>
      Interactions.from([
        ['a', 'x', 1, 5],
        ['a', 'y'],
      ]),
    ).toThrow('row 2 (counting from 1) has no timestamp');
  });

  test.each([undefined, null, 5, {}])('%p is no list of rows', (rows) => {
    expect(() => Interactions.from(rows as unknown as Row[])).toThrow(DataError);
  });

  test.each<[string, unknown, string]>([
    ['no columns', undefined, 'userIds must be a list'],
    ['no items', { userIds: [1] }, 'itemIds must be a list'],
    [
      'another length',
      { userIds: [1, 2], itemIds: [1] },
      'itemIds must be a list of 2 entries, as many as userIds; it has 1',
    ],
    [
      'a misspelt column',
      { userIds: [1], itemIds: [1], ratings: [3] },
      "columns has 'ratings'; want userIds, itemIds, values",
    ],
    ['text for values', { userIds: [1], itemIds: [1], values: 'x' }, 'values must be a list'],
    [
      'NaN value',
      { userIds: [1, 1], itemIds: [1, 2], values: [1, Number.NaN] },
      'row 2 (counting from 1) has value NaN',
    ],
    ['hole', { userIds: [1, undefined], itemIds: [1, 2] }, 'row 2 (counting from 1) has userId undefined'],
  ])('columns: %s', (_, columns, message) => {
    expect(() => Interactions.fromColumns(columns as InputColumns)).toThrow(DataError);
    expect(() => Interactions.fromColumns(columns as InputColumns)).toThrow(message);
  });

  test.each([{ duplicates: 'latest' }, { users: ['ann'] }, { duplicate: 'last' }])('options %j', (options) => {
    expect(() => Interactions.from([['a', 'x']], options as object)).toThrow(OptionError);
  });
});

describe('stats', () => {
  test('by hand', () => {
    const data = Interactions.from([
      ['a', 'x', 1],
      ['a', 'y', 2],
      ['a', 'z', 3],
      ['b', 'x', 6],
    ]);
    expect(data.stats()).toEqual({
      ratings: 4,
      users: 2,
      items: 3,
      density: 4 / 6,
      mean: 3,
      standardDeviation: Math.sqrt(14 / 4),
      minimum: 1,
      maximum: 6,
      medianPerUser: 2,
      medianPerItem: 1,
    });
  });

  test('count only the users and items that have a row here', () => {
    const data = Interactions.from([
      ['a', 'x', 1],
      ['b', 'y', 2],
    ]);
    const { users, items, density, medianPerUser } = data.select(Int32Array.of(1)).stats();
    expect([users, items, density, medianPerUser]).toEqual([1, 1, 1, 1]);
    expect(data.select(Int32Array.of(1)).users).toBe(data.users);
  });
});

test('a million rows in columns are read with duplicates found in time', () => {
  const size = 1_000_000;
  const userIds = Float64Array.from({ length: size }, (_, at) => (at * 7919) % 6007);
  const itemIds = Float64Array.from({ length: size }, (_, at) => (at * 104729) % 4001);
  const start = processorTime();
  Interactions.fromColumns({ userIds, itemIds });
  // About 0.2 s alone on one core; the bound only catches a change of order.
  expect(processorTime() - start).toBeLessThan(4000);
});
