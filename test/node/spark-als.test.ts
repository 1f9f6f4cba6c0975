// Spark's ALSModel folders. Fixtures are made here by Spark's own source: its schema, its names of files, its metadata.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import {
  ALS,
  Interactions,
  loadRecommender,
  MF,
  NMF,
  OverparamMF,
  Popularity,
  SVDpp,
  syntheticInteractions,
} from '../../src';
import { exportSparkAls, importSparkAls } from '../../src/node/spark-als';

const base = mkdtempSync(join(tmpdir(), 'opmf-spark-'));
afterAll(() => rmSync(base, { recursive: true }));
let made = 0;
const fresh = () => join(base, `model-${made++}`);

/** What ALSModelWriter leaves: `message spark_schema { required int32 id; optional group features (LIST) { repeated group list
 * { required float element } } }`. */
const SCHEMA = [
  { name: 'spark_schema', num_children: 2 },
  { name: 'id', type: 'INT32', repetition_type: 'REQUIRED' },
  { name: 'features', repetition_type: 'OPTIONAL', converted_type: 'LIST', num_children: 1 },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' },
] as const;
/** What a table whose arrays may hold nulls has. */
const NULLABLE = [
  { name: 'spark_schema', num_children: 2 },
  { name: 'id', type: 'INT32', repetition_type: 'REQUIRED' },
  { name: 'features', repetition_type: 'OPTIONAL', converted_type: 'LIST', num_children: 1 },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', type: 'FLOAT', repetition_type: 'OPTIONAL' },
] as const;

type Rows = readonly (readonly [id: number, features: readonly number[]])[];

function parquet(rows: Rows, schema: readonly object[] = SCHEMA): Uint8Array {
  const columnData = [
    { name: 'id', data: Int32Array.from(rows, ([id]) => id) },
    { name: 'features', data: rows.map(([, features]) => [...features]) },
  ];
  return new Uint8Array(parquetWriteBuffer({ schema: schema as never, columnData, rowGroupSize: 3 }));
}

const METADATA = {
  class: 'org.apache.spark.ml.recommendation.ALSModel',
  timestamp: 1700000000000,
  sparkVersion: '3.5.1',
  uid: 'als_0123456789ab',
  paramMap: { userCol: 'userId', itemCol: 'movieId', ratingCol: 'rating', coldStartStrategy: 'drop' },
  defaultParamMap: {
    userCol: 'user',
    itemCol: 'item',
    predictionCol: 'prediction',
    coldStartStrategy: 'nan',
    blockSize: 4096,
  },
  rank: 2,
};

/** A folder with several parts a side, checksums and marks of success, as Spark's file committer leaves them. */
function fixture(
  users: readonly Rows[],
  items: readonly Rows[],
  metadata: object | string = METADATA,
  schema = SCHEMA as readonly object[],
) {
  const folder = fresh();
  const part = (name: string, files: readonly (readonly [string, string | Uint8Array])[]) => {
    mkdirSync(join(folder, name), { recursive: true });
    for (const [file, content] of [
      ...files,
      ['_SUCCESS', ''],
      ['._SUCCESS.crc', 'crc'],
      [`.${files[0]![0]}.crc`, 'crc'],
    ] as const)
      writeFileSync(join(folder, name, file), content);
  };
  part('metadata', [['part-00000', typeof metadata === 'string' ? metadata : `${JSON.stringify(metadata)}\n`]]);
  const data = (parts: readonly Rows[]) =>
    parts.map((rows, k) => [`part-0000${k}-4f3c-c000.snappy.parquet`, parquet(rows, schema)] as const);
  part('userFactors', data(users));
  part('itemFactors', data(items));
  return folder;
}

const USERS: readonly Rows[] = [
  [
    [20, [1, 2]],
    [10, [0.5, -1]],
    [0, [3, 0]],
    [40, [1, 1]],
  ],
  [],
  [
    [30, [0, 1]],
    [-5, [2, 2]],
  ],
];
const ITEMS: readonly Rows[] = [
  [
    [7, [1, 0]],
    [3, [0.1, 0.2]],
  ],
  [[5, [-1, 2]]],
];

test.each([
  ['the layout of today', SCHEMA],
  ['elements that may be null', NULLABLE],
])('a model of Spark predicts what Spark does: %s', async (_, schema) => {
  const model = await importSparkAls(fixture(USERS, ITEMS, METADATA, schema));
  expect([...model.users]).toEqual(['-5', '0', '10', '20', '30', '40']);
  expect([...model.items]).toEqual(['3', '5', '7']);
  for (const [user, p] of USERS.flat())
    for (const [item, q] of ITEMS.flat()) {
      const product = Math.fround(p[0]! * q[0]!) + p[1]! * Math.fround(q[1]!);
      expect(model.predict(`${user}`, `${item}`)).toBeCloseTo(product, 5);
      expect(model.knows(`${user}`, `${item}`)).toBe(true);
    }
  const best = model.recommend('20', { n: 2 });
  expect([best.basis, ...best.map(({ itemId }) => itemId)]).toEqual(['model', '5', '7']);
  expect(model.similarItems('7', { n: 1 })[0]!.itemId).toBe('3');
});

test('ids that Spark would predict NaN for, or leave out, are predicted the mean, and known as such', async () => {
  const model = await importSparkAls(fixture(USERS, ITEMS));
  const products = USERS.flat().flatMap(([, p]) => ITEMS.flat().map(([, q]) => p[0]! * q[0]! + p[1]! * q[1]!));
  const mean = products.reduce((sum, product) => sum + product, 0) / products.length;
  for (const [user, item] of [
    ['99', '7'],
    ['20', '99'],
    ['99', '99'],
  ] as const) {
    expect(model.predict(user, item)).toBeCloseTo(mean, 5);
    expect(model.knows(user, item)).toBe(false);
  }
  expect((await importSparkAls(fixture(USERS, ITEMS), { feedback: 'implicit' })).predict('99', '7')).toBe(0);
});

test('it is an ALS: saved, loaded and folded in as by the next half-epoch of Spark', async () => {
  const model = await importSparkAls(fixture(USERS, ITEMS), { ids: 'number', regularization: 0.5 });
  expect(model).toBeInstanceOf(ALS);
  expect(model.options).toMatchObject({
    feedback: 'explicit',
    rank: 2,
    regularization: 0.5,
    biases: false,
    clip: false,
  });
  const loaded = loadRecommender(model.save());
  expect(loaded.predict(20, 5)).toBe(model.predict(20, 5));
  expect(loaded.predict(99, 5)).toBe(model.predict(99, 5));
  // A p = b with A = sum of q q^T + regParam n I, b = sum of r q.
  const { vector } = model.foldInUser([
    [7, 3],
    [5, 4],
  ]) as unknown as { vector: Float32Array };
  const [a, b, c] = [1 + 1 + 1, -2, 4 + 1];
  const [x, y] = [3 - 4, 8];
  const det = a * c - b * b;
  expect(vector[0]).toBeCloseTo((c * x - b * y) / det, 5);
  expect(vector[1]).toBeCloseTo((a * y - b * x) / det, 5);
  await expect(model.partialFit(Interactions.from([[20, 5, 1]]))).rejects.toThrow(/saved without|history/);
});

const broken: readonly (readonly [string, () => string, RegExp])[] = [
  ['no folder', () => fresh(), /metadata': there is no such folder/],
  ['metadata that are no JSON', () => fixture(USERS, ITEMS, 'x'), /part-00000' has no line of JSON/],
  [
    'a pipeline',
    () => fixture(USERS, ITEMS, { ...METADATA, class: 'org.apache.spark.ml.PipelineModel' }),
    /PipelineModel"; its ALSModel is a folder in stages/,
  ],
  ['no rank', () => fixture(USERS, ITEMS, { ...METADATA, rank: 0 }), /has rank 0/],
  [
    'another rank',
    () => fixture(USERS, ITEMS, { ...METADATA, rank: 3 }),
    /row 1, column 'features': an array of 2; want an array of 3 numbers/,
  ],
  ['an id twice', () => fixture([...USERS, [[0, [1, 1]]]], ITEMS), /userFactors' has id 0 twice/],
  ['no number', () => fixture(USERS, [[[7, [1, Number.NaN]]]]), /row 1, column 'features': NaN; want finite numbers/],
  ['no rows', () => fixture([[]], ITEMS), /userFactors' has no row/],
  ['a side that is missing', () => without('itemFactors'), /itemFactors': there is no such folder/],
  ['a side of no files', () => emptied(), /itemFactors' has no file that ends in .parquet/],
  ['a write that was killed', () => unfinished(), /was not written to its end/],
  ['a file that is cut', () => cut(), /damaged Parquet data|names the bytes|no Parquet/],
];

function without(part: string): string {
  const folder = fixture(USERS, ITEMS);
  rmSync(join(folder, part), { recursive: true });
  return folder;
}
function emptied(): string {
  const folder = without('itemFactors');
  mkdirSync(join(folder, 'itemFactors'));
  return folder;
}
function unfinished(): string {
  const folder = fixture(USERS, ITEMS);
  mkdirSync(join(folder, 'userFactors', '_temporary'));
  return folder;
}
function cut(): string {
  const folder = fixture(USERS, ITEMS);
  const file = join(folder, 'itemFactors', 'part-00000-4f3c-c000.snappy.parquet');
  writeFileSync(file, readFileSync(file).subarray(0, -9));
  return folder;
}

test.each(broken)('%s is an error that names the file', async (_, make, message) => {
  await expect(importSparkAls(make())).rejects.toThrow(message);
});

test('a part that is cut anywhere is an error of the library', async () => {
  const folder = fixture(USERS, ITEMS);
  const file = join(folder, 'itemFactors', 'part-00000-4f3c-c000.snappy.parquet');
  const whole = readFileSync(file);
  const length = fc.nat(whole.length - 1);
  await fc.assert(
    fc.asyncProperty(length, async (end) => {
      writeFileSync(file, whole.subarray(0, end));
      await expect(importSparkAls(folder)).rejects.toMatchObject({ name: 'FormatError' });
    }),
    { numRuns: 50 },
  );
});

const data = syntheticInteractions({ users: 40, items: 30, ratings: 400, seed: 3 });

test.each([
  ['MF', new MF({ rank: 3, epochs: 2, clip: false })],
  ['OverparamMF', new OverparamMF({ rank: 3, epochs: 2, clip: false })],
  ['MF without biases', new MF({ rank: 3, epochs: 2, biases: false, clip: false })],
  ['ALS of ratings', new ALS({ feedback: 'explicit', rank: 3, epochs: 2, clip: false })],
  ['ALS of events', new ALS({ rank: 3, epochs: 2 })],
  ['SVDpp', new SVDpp({ rank: 3, epochs: 2, clip: false })],
  ['NMF', new NMF({ rank: 3, epochs: 2, clip: false })],
])('%s: what is written predicts the same when it is read', async (_, model) => {
  await model.fit(data);
  const folder = fresh();
  await exportSparkAls(folder, model);
  const back = await importSparkAls(folder, { feedback: model.scores === 'rating' ? 'explicit' : 'implicit' });
  expect(back.users.size).toBe(new Set(data.userIndex).size);
  for (const { userId, itemId } of data)
    expect(back.predict(userId, itemId)).toBeCloseTo(model.predict(userId, itemId), 4);
  const best = (one: MF | ALS) => one.recommend('1', { n: 5, filterSeen: false });
  expect(best(back).basis).toBe('model');
  best(back).forEach(({ score }, k) => {
    expect(score).toBeCloseTo(best(model as MF)[k]!.score, 4);
  });
});

test('what is written has the columns, types and metadata of Spark', async () => {
  const model = new ALS({ rank: 3, epochs: 1 });
  await model.fit(
    Interactions.from([
      [5, 7],
      [5, -9],
      ['11', 7],
    ]),
  );
  const folder = fresh();
  await exportSparkAls(folder, model);
  expect(readdirSync(folder)).toEqual(['itemFactors', 'metadata', 'userFactors']);
  expect(readdirSync(join(folder, 'metadata'))).toEqual(['_SUCCESS', 'part-00000']);
  const metadata = JSON.parse(readFileSync(join(folder, 'metadata', 'part-00000'), 'utf8'));
  expect(metadata).toMatchObject({
    class: METADATA.class,
    rank: 3,
    paramMap: {},
    sparkVersion: expect.stringMatching(/^\d+\.\d+/),
  });
  expect(metadata.uid).toMatch(/^als_[0-9a-f]{12}$/);
  // All that the class of the model declares in every version since 2.4: an unknown one would be refused.
  expect(Object.keys(metadata.defaultParamMap).sort()).toEqual([
    'coldStartStrategy',
    'itemCol',
    'predictionCol',
    'userCol',
  ]);
  const [mark, part] = readdirSync(join(folder, 'userFactors'));
  expect([mark, part]).toEqual(['_SUCCESS', expect.stringMatching(/^part-00000-[0-9a-f-]+-c000\.parquet$/)]);
  const bytes = Uint8Array.from(readFileSync(join(folder, 'userFactors', part!)));
  const { schema, key_value_metadata: keys } = parquetMetadata(bytes.buffer);
  const plain = schema.map(({ name, type, repetition_type, converted_type, num_children }) =>
    Object.fromEntries(
      Object.entries({ name, type, repetition_type, converted_type, num_children }).filter(([, v]) => v !== undefined),
    ),
  );
  expect(plain).toMatchObject(SCHEMA);
  expect(JSON.parse(keys![0]!.value!)).toEqual({
    type: 'struct',
    fields: [
      { name: 'id', type: 'integer', nullable: false, metadata: {} },
      {
        name: 'features',
        type: { type: 'array', elementType: 'float', containsNull: false },
        nullable: true,
        metadata: {},
      },
    ],
  });
  const rows = await parquetReadObjects({ file: bytes.buffer });
  expect(rows.map(({ id, features }) => [id, features.length])).toEqual([
    [5, 3],
    [11, 3],
  ]);
});

test('ids that Spark cannot have are refused, or numbered with their names beside', async () => {
  const model = new MF({ rank: 2, epochs: 2, clip: false });
  await model.fit(
    Interactions.from([
      ['ann', 'tea', 4],
      ['ann', '7.5', 2],
      ['bob', 'tea', 3],
    ]),
  );
  const folder = fresh();
  await expect(exportSparkAls(folder, model)).rejects.toThrow(/user id "ann" is no whole number.*set ids: 'index'/);
  expect(readdirSync(base)).not.toContain(folder.split('/').at(-1));
  await exportSparkAls(folder, model, { ids: 'index' });
  const back = await importSparkAls(folder);
  expect([...back.users, ...back.items]).toEqual(['ann', 'bob', 'tea', '7.5']);
  expect(back.predict('bob', '7.5')).toBeCloseTo(model.predict('bob', '7.5'), 4);
  await expect(importSparkAls(folder, { ids: 'number' })).rejects.toThrow(/user "ann" is no number/);
  await expect(exportSparkAls(folder, model, { ids: 'index' })).rejects.toThrow(/there is something already/);
  const both = new MF({ rank: 2, epochs: 1 });
  await both.fit(
    Interactions.from([
      [1, 'tea', 4],
      ['1', 'tea', 2],
    ]),
  );
  await expect(exportSparkAls(fresh(), both)).rejects.toThrow(/user ids 1 and "1" are one number/);
});

test('other models are refused, and a folder that cannot be written leaves nothing', async () => {
  const popularity = new Popularity();
  await popularity.fit(data);
  await expect(exportSparkAls(fresh(), popularity)).rejects.toThrow(/a 'popularity' predicts no inner products/);
  await expect(exportSparkAls(fresh(), new MF())).rejects.toThrow(/fit/);
  const model = new MF({ rank: 2, epochs: 1 });
  await model.fit(data);
  await expect(exportSparkAls(join(fresh(), 'deeper'), model)).rejects.toThrow(/want a path in a folder that exists/);
  const sigmoid = new MF({ rank: 2, epochs: 1, link: 'sigmoid' });
  await sigmoid.fit(data);
  await expect(exportSparkAls(fresh(), sigmoid)).rejects.toThrow(/sigmoid/);
  expect(readdirSync(base).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});
