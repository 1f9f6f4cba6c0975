// Tables of features out of delimited text: against the same rows as objects, and every fault with its line and column.

import * as fc from 'fast-check';
import {
  categorical,
  crossed,
  DataError,
  FeatureTable,
  multiValued,
  numeric,
  OptionError,
  parseFeatureTable,
  type ReadFeatureOptions,
} from '../../../src';

const fields = { age: numeric(), city: categorical(), tags: multiValued(), at: crossed('city', 'hour') };
const TEXT = 'city,age,hour,tags,y,w\nRome,20,8,a|b,1,2\n"Paris, FR",40,9,b|c,0,1\n,,8,,1,0.5\n';
const ROWS = [
  { city: 'Rome', age: 20, hour: 8, tags: 'a|b', y: 1, w: 2 },
  { city: 'Paris, FR', age: 40, hour: 9, tags: 'b|c', y: 0, w: 1 },
  { city: '', age: null, hour: 8, tags: '', y: 1, w: 0.5 },
];

test('text gives what its rows give', () => {
  const want = FeatureTable.from(ROWS, { fields, label: 'y', weight: 'w' });
  const options = { fields, label: 'y', weight: 'w' };
  expect(parseFeatureTable(TEXT, options)).toEqual(want);
  expect(parseFeatureTable(new TextEncoder().encode(`\ufeff${TEXT.replaceAll('\n', '\r\n')}`), options)).toEqual(want);
  const semicolons = 'city;age;hour;tags;y;w\nRome;20;8;a|b;1;2\nParis, FR;40;9;b|c;0;1\n;;8;;1;0.5';
  expect(parseFeatureTable(semicolons, { ...options, separator: ';' })).toEqual(want);
});

test('cells of any text come back whole, whatever quotes they need', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', 'b', '"', ',', '\n', ' ', 'é') }).map((text) => text.trim());
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 8 }), (cells) => {
      const lines = cells.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(','));
      const both = { a: categorical(), b: categorical(), ab: crossed('a', 'b') };
      const read = parseFeatureTable(`a,b\n${lines.join('\n')}`, { fields: both, separator: ',' });
      expect(read).toEqual(
        FeatureTable.from(
          cells.map(([a, b]) => ({ a, b })),
          { fields: both },
        ),
      );
    }),
  );
});

test('a table in the manner of the Adult census: a line to leave out, no header, spaces, question marks, final dots', () => {
  const columns = ['age', 'job', 'pay'];
  const label = { column: 'pay', positive: ['>50K', '>50K.'] };
  const census = { columns, label, fields: { age: numeric(), job: categorical() }, missing: ['?'] };
  const train = parseFeatureTable('39, State-gov, <=50K\n50, ?, >50K\n\n', census);
  expect([...train.indices]).toEqual([0, 4, 0, 3]);
  expect([...train.labels!]).toEqual([0, 1]);
  const other = { columns, missing: ['?'], skipLines: 1, schema: train.schema! };
  const test = parseFeatureTable('|1x3 Cross validator\n44.5, Sales, >50K.\n?, State-gov, <=50K.\n', other);
  expect([...test.indices]).toEqual([0, 2, 0, 1, 4]);
  expect([...test.values]).toEqual([0, 1, 0, 1, 1]);
  expect([...test.labels!]).toEqual([1, 0]);
});

test('columns take the place of a header where there is one', () => {
  const options: ReadFeatureOptions = { columns: ['a', 'b'], header: true, fields: { b: categorical() } };
  expect(parseFeatureTable('x,y\n1,2', options).size).toBe(1);
  expect(parseFeatureTable('x,y\n1,2', { ...options, header: undefined }).size).toBe(2);
});

test('a schema finds its columns in another order, and does without labels', () => {
  const { schema } = parseFeatureTable(TEXT, { fields, label: 'y', weight: 'w' });
  const other = parseFeatureTable('hour,tags,city,age\n8,c,Rome,40', { schema: schema! });
  expect(other).toEqual(FeatureTable.encode([{ hour: 8, tags: 'c', city: 'Rome', age: 40 }], schema!));
  expect([other.labels, other.weights]).toEqual([null, null]);
});

test('ids of rows, as strings or as numbers, and left out of rows to predict', () => {
  const options: ReadFeatureOptions = { fields: { city: categorical() }, id: 'user' };
  const text = 'user,city\n07,Rome\n8,Paris\n';
  expect(parseFeatureTable(text, options).ids).toEqual(['07', '8']);
  const { ids, schema } = parseFeatureTable(text, { ...options, ids: 'number' });
  expect(ids).toEqual([7, 8]);
  expect(parseFeatureTable('city,other\nRome,1', { schema: schema!, ids: 'number' }).ids).toBeNull();
  expect(parseFeatureTable('city,user\nRome,9', { schema: schema!, ids: 'number' }).ids).toEqual([9]);
});

const plain: ReadFeatureOptions = { fields: { a: numeric() }, label: 'y' };
test.each<[string, string | Uint8Array, ReadFeatureOptions, string]>([
  ['no text', ' \n', plain, 't.csv: the file is empty'],
  ['only lines to leave out', 'a,y\n', { ...plain, skipLines: 2 }, 't.csv: the file is empty'],
  ['only a header', 'a,y\n', plain, 't.csv: there is a header but no row'],
  ['a column that is not there', 'b,y\n1,2', plain, `t.csv, line 1: there is no column "a"; the table has "b", "y"`],
  ['two columns of one name', 'a,a\n1,2', plain, 't.csv, line 1: two columns have one name'],
  [
    'too few fields',
    'a,y\n1,2\n3',
    { ...plain, separator: ',' },
    't.csv, line 3: too few fields: 1 where line 1 has 2',
  ],
  ['too many', 'a,y\n1,2\n\n3,4,5', { ...plain, separator: ',' }, 't.csv, line 4: too many fields'],
  ['fewer than columns', '1,2', { ...plain, columns: ['a', 'y', 'z'] }, 't.csv, line 1: too few fields'],
  ['no number', '#\n#\na,y\n1,2\nx,3', { ...plain, skipLines: 2 }, `t.csv, line 5, column 'a': the cell is "x"`],
  ['no label', 'a,y\n1,', plain, "t.csv, line 2, column 'y'"],
  ['no id', 'a,y\n1,\n', { ...plain, label: undefined, id: 'y' }, "t.csv, line 2, column 'y'"],
  ['an id twice', 'a,y\n1,k\n2,k', { ...plain, label: undefined, id: 'y' }, "t.csv, line 3, column 'y'"],
  [
    'no number for an id',
    'a,y\n1,k',
    { ...plain, label: undefined, id: 'y', ids: 'number' },
    `t.csv, line 2, column 'y': the id is "k"; want a number`,
  ],
  [
    'an id beyond 2^53',
    'a,y\n1,9007199254740993',
    { ...plain, label: undefined, id: 'y', ids: 'number' },
    "because ids is 'number'",
  ],
  ['another encoding', Uint8Array.of(97, 44, 121, 10, 49, 44, 0xe9), plain, 't.csv: the bytes are not utf-8'],
])('a fault of the text: %s', (_, text, options, message) => {
  const read = () => parseFeatureTable(text, { ...options, file: 't.csv' });
  expect(read).toThrow(DataError);
  expect(read).toThrow(message);
});

const { schema } = parseFeatureTable('a,y\n1,2', plain);
test.each<[string, unknown]>([
  ['fields', {}],
  ['fields', { fields: {} }],
  ['sep', { ...plain, sep: ',' }],
  ['columns', { ...plain, columns: ['a', 'a'] }],
  ['columns', { ...plain, columns: [] }],
  ['header', { ...plain, header: false }],
  ['skipLines', { ...plain, skipLines: -1 }],
  ['missing', { ...plain, missing: [null] }],
  ['schema', { schema: schema!.toJSON() }],
  ['fields', { ...plain, schema }],
  ['label', { label: 'y', schema }],
])('a bad option is named: %s', (name, options) => {
  const read = () => parseFeatureTable('a,y\n1,2', options as ReadFeatureOptions);
  expect(read).toThrow(OptionError);
  expect(read).toThrow(name);
});

test('no text at all', () => {
  expect(() => parseFeatureTable(7 as never, plain)).toThrow(OptionError);
  expect(() => parseFeatureTable('a\n1', undefined as never)).toThrow(OptionError);
});
