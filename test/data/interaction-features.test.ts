// Interactions as rows of features: by hand, against a naive join, for users and items that nobody has met, and every fault.

import * as fc from 'fast-check';
import {
  categorical,
  DataError,
  FeatureSchema,
  FeatureTable,
  FormatError,
  type Id,
  Interactions,
  interactionFeatures,
  multiValued,
  numeric,
  OptionError,
  Vocabulary,
} from '../../src';
import { runToEnd } from '../../src/core/scheduler';
import { PairFeatures, rowsOfPairs } from '../../src/data/pair-features';

const userFeatures = FeatureTable.from(
  [
    { who: 'bob', age: 40 },
    { who: 'ann', age: 20 },
    { who: 'eve', age: null },
  ],
  { id: 'who', fields: { age: numeric() } },
);
const itemFeatures = FeatureTable.from(
  [
    { tea: 7, tags: 'a|b' },
    { tea: 8, tags: 'b' },
  ],
  { id: 'tea', fields: { tags: multiValued() } },
);
const data = Interactions.from([
  { userId: 'ann', itemId: 7, value: 5, weight: 2 },
  { userId: 'tom', itemId: 8, value: 3, weight: 1 },
  { userId: 'ann', itemId: 9, value: 4, weight: 1 },
]);

/** The entries of each row, as feature:value. */
const entries = ({ size, starts, indices, values }: Omit<FeatureTable, 'take'>): string[] =>
  Array.from({ length: size }, (_, row) =>
    [...indices.subarray(starts[row], starts[row + 1])]
      .map((feature, k) => `${feature}:${values[starts[row]! + k]}`)
      .join(' '),
  );

test('by hand: the user, the item, the rows of both, nothing for those without', () => {
  const rows = interactionFeatures(data, { userFeatures, itemFeatures });
  expect(rows.fields).toEqual([
    { name: 'user', kind: 'categorical', offset: 0, size: 2 },
    { name: 'item', kind: 'categorical', offset: 2, size: 3 },
    { name: 'user.age', kind: 'numeric', offset: 5, size: 2 },
    { name: 'item.tags', kind: 'multi', offset: 7, size: 4 },
  ]);
  expect(entries(rows)).toEqual(['0:1 2:1 5:-1 9:1 10:1', '1:1 3:1 10:1', '0:1 4:1 5:-1']);
  expect([...rows.labels!]).toEqual([5, 3, 4]);
  expect([...rows.weights!]).toEqual([2, 1, 1]);
  const bare = interactionFeatures(Interactions.from([['ann', 'tea', 2]]));
  expect([entries(bare), bare.weights]).toEqual([['0:1 1:1'], null]);
});

test('those not learned from have no feature of their own, but what is known of them', () => {
  const other = Interactions.from([
    ['bob', 7],
    ['eve', 1],
    ['ann', '7'],
  ]);
  const rows = interactionFeatures(other, { userFeatures, itemFeatures, users: data.users, items: data.items });
  expect(entries(rows)).toEqual(['2:1 5:1 9:1 10:1', '5:0 6:1', '0:1 5:-1']);
  expect(rows.fields).toEqual(interactionFeatures(data, { userFeatures, itemFeatures }).fields);
});

test('a table of new items alone will do', () => {
  const later = itemFeatures.encode([{ tea: 70, tags: 'a' }]);
  const pairs = Interactions.from([['ann', 70]]);
  const rows = interactionFeatures(pairs, { itemFeatures: later, users: data.users, items: data.items });
  const all = itemFeatures.encode([
    { tea: 7, tags: 'a|b' },
    { tea: 70, tags: 'a' },
  ]);
  const same = interactionFeatures(pairs, { itemFeatures: all, users: data.users, items: data.items });
  expect(entries(rows)).toEqual(entries(same));
});

test('pairs to predict need no values', () => {
  const { users, items } = data;
  const pairs = { users, items, userIndex: Int32Array.of(1, 1), itemIndex: Int32Array.of(0, 2) };
  const rows = runToEnd(rowsOfPairs(new PairFeatures('test', users, items, { itemFeatures }), pairs));
  expect([rows.size, rows.labels, rows.weights]).toEqual([2, null, null]);
  expect([...rows.indices]).toEqual([1, 2, 7, 8, 1, 4]);
});

test('as a naive join has them', () => {
  const id = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom('0', '1', 'x', '__proto__'));
  const side = fc.uniqueArray(id, { minLength: 1, maxLength: 6, selector: (one) => `${typeof one} ${one}` });
  const pairs = fc.array(fc.tuple(id, id), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(pairs, side, side, (rows, userIds, itemIds) => {
      const all = Interactions.from(rows, { duplicates: 'keep' });
      const table = (ids: readonly Id[]) =>
        FeatureTable.from(
          ids.map((one, k) => ({ one, a: k % 3, b: k === 1 ? null : k })),
          { id: 'one', fields: { a: categorical(), b: numeric() } },
        );
      const [ofUsers, ofItems] = [
        table([...userIds, ...all.users].filter(isFirst)),
        table([...itemIds, ...all.items].filter(isFirst)),
      ];
      const got = interactionFeatures(all, { userFeatures: ofUsers, itemFeatures: ofItems });
      const part = (of: FeatureTable, one: Id, offset: number) =>
        entries(of.take([of.ids!.indexOf(one)]))[0]!
          .split(' ')
          .map((entry) => entry.split(':'))
          .map(([feature, value]) => `${Number(feature) + offset}:${value}`);
      const [users, items] = [[...all.users], [...all.items]];
      const base = users.length + items.length;
      expect(entries(got)).toEqual(
        rows.map(([user, item]) =>
          [
            `${users.indexOf(user)}:1`,
            `${users.length + items.indexOf(item)}:1`,
            ...part(ofUsers, user, base),
            ...part(ofItems, item, base + ofUsers.features),
          ].join(' '),
        ),
      );
    }),
  );
});

function isFirst(id: Id, at: number, ids: readonly Id[]): boolean {
  return ids.indexOf(id) === at;
}

test('ids go where their rows go, and through JSON', () => {
  expect(userFeatures.ids).toEqual(['bob', 'ann', 'eve']);
  expect(userFeatures.take([2, 0]).ids).toEqual(['eve', 'bob']);
  const schema = FeatureSchema.fromJSON(JSON.parse(JSON.stringify(userFeatures.schema)));
  expect(FeatureTable.encode([{ who: 5, age: 1 }], schema).ids).toEqual([5]);
  expect(FeatureTable.encode([{ age: 1 }], schema).ids).toBeNull();
  const encoded = FeatureTable.fromRows(itemFeatures, ['x', 'y']);
  expect([encoded.ids, encoded.indices, encoded.schema]).toEqual([
    ['x', 'y'],
    itemFeatures.indices,
    itemFeatures.schema,
  ]);
});

const withId = { id: 'k', fields: { a: numeric() } };
test.each<[string, () => unknown, typeof DataError | typeof OptionError | typeof FormatError, string]>([
  [
    'an id twice',
    () =>
      FeatureTable.from(
        [
          { k: 1, a: 1 },
          { k: 1, a: 2 },
        ],
        withId,
      ),
    DataError,
    'row 2 (counting from 1), column "k": the cell is 1; want an id once: it is that of row 1 too',
  ],
  [
    'no id',
    () => FeatureTable.from([{ k: 1, a: 1 }, { a: 2 }], withId),
    DataError,
    'row 2 (counting from 1), column "k"',
  ],
  [
    'no id at first',
    () => FeatureTable.from([{ a: 2 }, { k: 1, a: 1 }], withId),
    DataError,
    'row 1 (counting from 1), column "k"',
  ],
  [
    'an id that is none',
    () => FeatureTable.from([{ k: true, a: 2 }], withId),
    DataError,
    'want a string or a finite number',
  ],
  [
    'ids for some rows',
    () => FeatureTable.encode([{ a: 1 }, { k: 2, a: 1 }], FeatureTable.from([{ k: 1, a: 1 }], withId).schema!),
    DataError,
    'row 2 (counting from 1), column "k"',
  ],
  [
    'too few ids',
    () => FeatureTable.fromRows(itemFeatures, ['x']),
    DataError,
    'there are 1 ids, 1 of them different; want one for each of the 2 rows',
  ],
  ['equal ids', () => FeatureTable.fromRows(itemFeatures, ['x', 'x']), DataError, '1 of them different'],
  [
    'a table without ids',
    () => interactionFeatures(data, { userFeatures: userFeatures.encode([{ age: 1 }]) }),
    OptionError,
    'userFeatures has no ids',
  ],
  [
    'ids of another type',
    () => interactionFeatures(Interactions.from([[1, '7']]), { itemFeatures }),
    DataError,
    'itemFeatures has no row for any id of the interactions: theirs are such as "7", those of the table such as 7',
  ],
  [
    'no table',
    () => interactionFeatures(data, { userFeatures: [] as never }),
    OptionError,
    'userFeatures is an array of 0',
  ],
  [
    'no vocabulary',
    () => interactionFeatures(data, { users: ['ann'] as never }),
    OptionError,
    'users is an array of 1',
  ],
  [
    'an unknown option',
    () => interactionFeatures(data, { userFeature: userFeatures } as never),
    OptionError,
    'userFeature',
  ],
  [
    'a schema with a bad id',
    () => FeatureSchema.fromJSON({ ...userFeatures.schema!.toJSON(), id: 3 }),
    FormatError,
    'id is 3; want a string or null',
  ],
])('a fault: %s', (_, make, type, message) => {
  expect(make).toThrow(type);
  expect(make).toThrow(message);
});

test('no interactions at all are no fault', () => {
  const none = Interactions.from([]);
  expect(interactionFeatures(none, { userFeatures }).size).toBe(0);
  expect(interactionFeatures(none, { users: new Vocabulary() }).features).toBe(0);
});
