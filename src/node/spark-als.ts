// Models of Apache Spark's ALS, in the folder that ALSModel.save writes and ALSModel.load reads: metadata/ with a line of JSON,
// userFactors/ and itemFactors/ with Parquet of id and features. Learned from Spark's source (ALS.scala, ReadWrite.scala).

import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { DataError, FormatError, UnsupportedError } from '../core/errors';
import { field, number, oneOf, readOptions, show, string, wrong } from '../core/options';
import { type Id, Vocabulary } from '../data/vocabulary';
import { checkRecommender } from '../evaluation/evaluation-options';
import { ALS } from '../recommenders/als';
import type { Recommender } from '../recommenders/recommender';
import { InteractionHistory } from '../serving/interaction-history';
import { decodeFile, decodeFitted, decodeModel, type SavedFactorization } from '../serving/saved-model';
import { readSource } from './file-chunks';
import { writeFolderAtomically } from './output-file';
import { loadPeer, ParquetFile, partsOf } from './parquet';

/** What Spark writes as the class. */
const CLASS = 'org.apache.spark.ml.recommendation.ALSModel';
/** The first version whose metadata have this form: `defaultParamMap` apart. */
const SPARK = '2.4.0';
const LARGEST_INT = 2 ** 31 - 1;
const SIDES = ['user', 'item'] as const;
type Side = (typeof SIDES)[number];

/**
 * What Spark's files do not say of a model.
 *
 * @example
 * ```ts
 * import type { SparkAlsOptions } from 'opmf/node';
 * const options: SparkAlsOptions = { feedback: 'implicit', alpha: 40, ids: 'number' };
 * console.log(options.feedback); // implicit
 * ```
 */
export interface SparkAlsOptions {
  /** Spark's implicitPrefs: whether predictions are ratings or orders. @defaultValue 'explicit' */
  readonly feedback?: 'explicit' | 'implicit' | undefined;
  /** Spark's regParam, above 0, for `foldInUser` and `foldInItem`. @defaultValue 0.1 */
  readonly regularization?: number | undefined;
  /** Spark's alpha, at least 0, for rows folded in of implicit feedback. @defaultValue 1 */
  readonly alpha?: number | undefined;
  /** What Spark's ids, 32-bit integers, become: strings, as those that files are read with, or numbers. @defaultValue 'string' */
  readonly ids?: 'string' | 'number' | undefined;
}

/**
 * Reads a model that Spark's `ALSModel.save` wrote, as an `ALS` that answers and can be saved.
 *
 * prediction = <p_u, q_i>, as in Spark, without a mean, biases or clipping. Spark's `coldStartStrategy` is not followed: an id
 * that the model does not have is predicted the mean <mean p, mean q> of explicit feedback, 0 of implicit, where Spark
 * has NaN or no row; `knows` tells such ids. Who has rated what is not in Spark's files: nothing is filtered as seen, and
 * lists of unknown users have items by their ids; hand over `exclude`, or fold users in. A user folded in is, for explicit
 * feedback, the row that Spark's next half-epoch would solve for; for implicit feedback one of this library's objective, with
 * weight 1 + alpha value and the penalty `regularization` whatever its number of interactions.
 *
 * Rows are ordered by id. Memory: the tables, and the vectors of one row group. Cost: two passes over the factors.
 *
 * @param folder - with metadata/, userFactors/ and itemFactors/ in it. Where `exportSparkAls` wrote userIds/ and itemIds/, ids
 * are the names in them.
 * @throws DataError for a folder that cannot be read; FormatError if it is no whole ALSModel, or damaged; OptionError;
 * UnsupportedError if hyparquet is not installed.
 * @see https://github.com/apache/spark, mllib/src/main/scala/org/apache/spark/ml/recommendation/ALS.scala
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { ALS, syntheticInteractions } from 'opmf';
 * import { exportSparkAls, importSparkAls } from 'opmf/node';
 * const model = new ALS({ feedback: 'explicit', rank: 4, epochs: 2, clip: false });
 * await model.fit(syntheticInteractions({ users: 50, items: 40, ratings: 500 }));
 * const folder = join(await mkdtemp(join(tmpdir(), 'opmf-')), 'als-model');
 * await exportSparkAls(folder, model);
 * const imported = await importSparkAls(folder);
 * console.log(Math.abs(imported.predict('1', '2') - model.predict('1', '2')) < 1e-4); // true
 * ```
 */
export async function importSparkAls(folder: string, options?: SparkAlsOptions): Promise<ALS> {
  const owner = 'importSparkAls';
  string(folder, 'folder');
  const { feedback, regularization, alpha, ids } = readOptions(owner, options, {
    feedback: field(oneOf('explicit', 'implicit'), 'explicit'),
    regularization: field(number({ min: 0, above: true }), 0.1),
    alpha: field(number({ min: 0 }), 1),
    ids: field(oneOf('string', 'number'), 'string'),
  });
  const rank = await rankOf(folder);
  const isExplicit = feedback === 'explicit';
  const given = isExplicit
    ? { unobservedWeight: 0, regularizationExponent: 1 }
    : { unobservedWeight: 1, regularizationExponent: 0, alpha };
  const filled = new ALS({ feedback, rank, regularization, biases: false, clip: false, ...given });
  const user = await readFactors(folder, 'user', rank);
  const item = await readFactors(folder, 'item', rank);
  const baseline = isExplicit ? meanProduct(user.values, item.values, rank) : undefined;
  return ALS.of({
    options: filled.options,
    users: await vocabularyOf(folder, 'user', user.ids, ids),
    items: await vocabularyOf(folder, 'item', item.ids, ids),
    seen: InteractionHistory.counted(evenCounts(user.ids.length, item.ids.length)),
    units: {
      link: 'identity',
      shift: 0,
      scale: 1,
      minimum: -Number.MAX_VALUE,
      maximum: Number.MAX_VALUE,
      start: 0,
      ...(baseline !== undefined && { baseline }),
    },
    tables: {
      rank,
      globalMean: 0,
      userEmbedding: user.values,
      itemEmbedding: item.values,
      userBias: new Float32Array(0),
      itemBias: new Float32Array(0),
    },
  });
}

/** The rank, of the metadata. */
async function rankOf(folder: string): Promise<number> {
  const [file] = await partsOf(join(folder, 'metadata'), '');
  const damaged = (what: string) => new FormatError(`'${file}' ${what}; want the metadata of an ALSModel of Spark`);
  let metadata: { readonly class?: unknown; readonly rank?: unknown };
  try {
    metadata = JSON.parse((await readFile(file!, 'utf8')).split('\n')[0]!);
  } catch (error) {
    const { syscall, message } = error as NodeJS.ErrnoException;
    if (syscall !== undefined) throw new DataError(`cannot read '${file}': ${message}`, { file });
    throw damaged('has no line of JSON');
  }
  const { class: found, rank } = Object(metadata);
  if (found !== CLASS) {
    const isPipeline = typeof found === 'string' && found.endsWith('PipelineModel');
    throw damaged(`has the class ${show(found)}${isPipeline ? '; its ALSModel is a folder in stages/' : ''}`);
  }
  if (!Number.isSafeInteger(rank) || rank < 1) throw damaged(`has rank ${show(rank)}`);
  return rank;
}

/** The factors of a side, by ascending id. */
async function readFactors(
  folder: string,
  side: Side,
  rank: number,
): Promise<{ readonly ids: Int32Array; readonly values: Float32Array }> {
  const files = await partsOf(join(folder, `${side}Factors`), '.parquet');
  const unordered: number[] = [];
  for (const file of files) {
    await eachRow(file, 'id', (id, row) => {
      if (typeof id !== 'number' || (id | 0) !== id) throw unexpected(file, row, 'id', id, 'a 32-bit integer');
      unordered.push(id);
    });
  }
  const ids = Int32Array.from(unordered).sort();
  const twice = ids.find((id, at) => at > 0 && ids[at - 1] === id);
  if (twice !== undefined)
    throw new FormatError(`'${join(folder, `${side}Factors`)}' has id ${twice} twice; save the model again`);
  if (ids.length === 0) throw new FormatError(`'${join(folder, `${side}Factors`)}' has no row; want one or more`);
  const rows = new Map<number, number>();
  ids.forEach((id, at) => {
    rows.set(id, at);
  });
  const values = new Float32Array(ids.length * rank);
  let next = 0;
  for (const file of files) {
    await eachRow(file, 'features', (features, row) => {
      const vector = features as ArrayLike<unknown> | null;
      if (!Array.isArray(vector) || vector.length !== rank)
        throw unexpected(file, row, 'features', features, `an array of ${rank} numbers, the rank in the metadata`);
      const start = rows.get(unordered[next++]!)! * rank;
      for (let k = 0; k < rank; k++) {
        const value: unknown = vector[k];
        if (typeof value !== 'number' || !Number.isFinite(Math.fround(value)))
          throw unexpected(file, row, 'features', value, 'finite numbers');
        values[start + k] = value;
      }
    });
  }
  return { ids, values };
}

/** Goes over a column of a file, rows from 1. */
async function eachRow(path: string, column: string, take: (cell: unknown, row: number) => void): Promise<void> {
  await readSource('importSparkAls', path, async ({ ranges }) => {
    const file = await ParquetFile.open(path, ranges!);
    if (!file.columns.some(({ name }) => name === column)) {
      const names = file.columns.map(({ name }) => show(name)).join(', ');
      throw new FormatError(
        `'${path}' has no column '${column}'; its columns are ${names}; want the factors of an ALSModel`,
      );
    }
    for await (const { start, rows, cells } of file.blocks([column])) {
      const found = cells.get(column)!;
      for (let k = 0; k < rows; k++) take(found[k], start + k + 1);
    }
  });
}

function unexpected(path: string, row: number, column: string, found: unknown, wanted: string): FormatError {
  return new FormatError(
    `'${path}', row ${row}, column '${column}': ${show(found)}; want ${wanted}; the file is damaged`,
  );
}

/** The ids of a side, by the names that `exportSparkAls` wrote beside, if it did. */
async function vocabularyOf(
  folder: string,
  side: Side,
  ids: Int32Array,
  kind: 'string' | 'number',
): Promise<Vocabulary> {
  const names = new Map<number, string>();
  if ((await readdir(folder)).includes(`${side}Ids`)) {
    for (const file of await partsOf(join(folder, `${side}Ids`), '.parquet')) {
      const numbers: number[] = [];
      await eachRow(file, 'id', (id) => numbers.push(id as number));
      await eachRow(file, 'name', (name, row) => names.set(numbers[row - 1]!, String(name)));
    }
  }
  return Vocabulary.from(
    Array.from(ids, (id) => {
      const name = names.get(id) ?? String(id);
      if (kind === 'string') return name;
      if (String(Number(name)) === name) return Number(name);
      throw wrong('ids', kind, `'string': ${side} ${show(name)} is no number`);
    }),
  );
}

/** Counts, at least 1 a row, that add up to the same on both sides: a row counts as trained by them. */
function evenCounts(users: number, items: number): { readonly users: Int32Array; readonly items: Int32Array } {
  const total = Math.max(users, items);
  const even = (rows: number) =>
    Int32Array.from({ length: rows }, (_, row) => Math.floor((total - 1 - row) / rows) + 1);
  return { users: even(users), items: even(items) };
}

/** The mean of all inner products: that of the mean rows. */
function meanProduct(a: Float32Array, b: Float32Array, rank: number): number {
  const mean = (values: Float32Array) => {
    const sums = new Float64Array(rank);
    for (let k = 0; k < values.length; k++) sums[k % rank]! += values[k]!;
    return sums.map((sum) => (sum * rank) / values.length);
  };
  const [p, q] = [mean(a), mean(b)];
  return Math.fround(p.reduce((sum, value, k) => sum + value * q[k]!, 0));
}

// Writing.

/** Numbers in a row group: the writer holds some 40 bytes for each. */
const NUMBERS_A_GROUP = 1 << 18;

/** The columns of factors, as Spark declares them. */
const FACTORS = [
  { name: 'spark_schema', num_children: 2 },
  { name: 'id', type: 'INT32', repetition_type: 'REQUIRED' },
  { name: 'features', repetition_type: 'OPTIONAL', converted_type: 'LIST', num_children: 1 },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' },
] satisfies ConstructorParameters<typeof ParquetWriter>[0]['schema'];
const NAMES = [
  { name: 'spark_schema', num_children: 2 },
  { name: 'id', type: 'INT32', repetition_type: 'REQUIRED' },
  { name: 'name', type: 'BYTE_ARRAY', repetition_type: 'REQUIRED', converted_type: 'UTF8' },
] satisfies ConstructorParameters<typeof ParquetWriter>[0]['schema'];

/** Spark's own schema of them, which its reader prefers to that of Parquet. */
const schemaOf = (type: unknown, name: string) =>
  JSON.stringify({
    type: 'struct',
    fields: [
      { name: 'id', type: 'integer', nullable: false, metadata: {} },
      { name, type, nullable: true, metadata: {} },
    ],
  });
const SCHEMAS = {
  features: schemaOf({ type: 'array', elementType: 'float', containsNull: false }, 'features'),
  name: schemaOf('string', 'name'),
};

/**
 * Writes a trained factorization as the folder of an `ALSModel`, for `ALSModel.load` of Spark 2.4 and later.
 *
 * Spark predicts <p_u, q_i> alone: a mean and biases become two numbers more a vector, (s p_u, s (mu + b_u) + m, 1) and
 * (q_i, 1, s b_i), so that Spark's predictions are the unclipped ones of this model, in float32; its rank is then two
 * more. Rows that training never saw are left out: Spark has NaN for them, or no row (`coldStartStrategy`, 'nan' in
 * what is written). Written by Spark's source and read back by `importSparkAls`; Spark itself was not run.
 *
 * Shapes: userFactors and itemFactors have a row of id (int) and features (array of float) a user or item. The folder appears
 * when it is whole. Memory: beside the bytes of the model some 10 MB.
 *
 * @param folder - must not be there yet, or be empty.
 * @param recommender - a trained MF, OverparamMF, ALS, SVDpp or NMF without a sigmoid link.
 * @param options - `ids`: 'number' takes ids that are 32-bit integers, or spell them; 'index' numbers users and items from 0,
 * and writes userIds/ and itemIds/ beside the factors: Parquet of id and name, to join with.
 * @throws DataError if an id is no such integer, or the folder cannot be written; UnsupportedError for other models, and if
 * hyparquet-writer is not installed; NotFittedError; OptionError.
 * @example
 * ```ts
 * import { mkdtemp, readdir } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { Interactions, MF } from 'opmf';
 * import { exportSparkAls } from 'opmf/node';
 * const model = new MF({ rank: 2, epochs: 2 });
 * await model.fit(Interactions.from([['ann', 'tea', 4], ['ann', 'milk', 2], ['bob', 'tea', 3]]));
 * const folder = join(await mkdtemp(join(tmpdir(), 'opmf-')), 'als-model');
 * await exportSparkAls(folder, model, { ids: 'index' });
 * console.log((await readdir(folder)).join(' ')); // itemFactors itemIds metadata userFactors userIds
 * ```
 */
export async function exportSparkAls(
  folder: string,
  recommender: Pick<Recommender, 'save'>,
  options?: {
    /** @defaultValue 'number' */
    readonly ids?: 'number' | 'index' | undefined;
  },
): Promise<void> {
  string(folder, 'folder');
  const { ids } = readOptions('exportSparkAls', options, { ids: field(oneOf('number', 'index'), 'number') });
  const saved = savedOf(checkRecommender(recommender, ['save']).save({ history: false }));
  const writer = await loadPeer('hyparquet-writer', 'writing Parquet', () => import('hyparquet-writer'));
  const { tables, units, seen } = saved;
  const [hasMean, scale] = [tables.userBias.length > 0 || tables.globalMean !== 0 || units.shift !== 0, units.scale];
  const rank = tables.rank + (hasMean ? 2 : 0);
  const vectorOf = {
    user: (row: number) => {
      const p = Array.from(tables.userEmbedding.subarray(row * tables.rank, (row + 1) * tables.rank), (x) => scale * x);
      return hasMean ? [...p, units.shift + scale * (tables.globalMean + (tables.userBias[row] ?? 0)), 1] : p;
    },
    item: (row: number) => {
      const q = Array.from(tables.itemEmbedding.subarray(row * tables.rank, (row + 1) * tables.rank));
      return hasMean ? [...q, 1, scale * (tables.itemBias[row] ?? 0)] : q;
    },
  };
  const sides = SIDES.map((side) => {
    const [vocabulary, counts] = side === 'user' ? [saved.users, seen.userCounts] : [saved.items, seen.itemCounts];
    const rows = Int32Array.from(counts.keys()).filter((row) => counts[row]! > 0);
    return { side, rows, vocabulary, numbers: ids === 'index' ? rows : sparkIds(vocabulary, rows, side) };
  });
  await writeFolderAtomically(folder, async (temporary, write) => {
    await part(temporary, 'metadata', async (path) => write(join(path, 'part-00000'), `${metadataOf(rank)}\n`));
    for (const { side, rows, vocabulary, numbers } of sides) {
      const each = async (name: string, column: 'features' | 'name', width: number, cell: (row: number) => unknown) =>
        part(temporary, name, (path) => writeRows(writer, path, numbers, column, width, (k) => cell(rows[k]!)));
      await each(`${side}Factors`, 'features', rank, vectorOf[side]);
      if (ids === 'index') await each(`${side}Ids`, 'name', 1, (row) => String(vocabulary.idOf(row)));
    }

    /** A folder as Spark's committer leaves it. */
    async function part(parent: string, name: string, fill: (path: string) => Promise<void>): Promise<void> {
      const path = join(parent, name);
      await mkdir(path);
      await fill(path);
      await write(join(path, '_SUCCESS'), '');
    }
  });
}

function savedOf(bytes: Uint8Array): SavedFactorization {
  const file = decodeFile(bytes);
  if (!['mf', 'overparam-mf', 'als', 'svdpp', 'nmf'].includes(file.recommender))
    throw new UnsupportedError(
      `exportSparkAls: a '${file.recommender}' predicts no inner products; want one of mf, overparam-mf, als, svdpp, nmf`,
    );
  const saved = decodeFitted(decodeModel(file));
  if (saved.units.link !== 'identity')
    throw new UnsupportedError(
      "exportSparkAls: the model has link: 'sigmoid', which Spark's does not know; fit without it",
    );
  return saved;
}

/** The ids as Spark's. @throws DataError naming the first that is none */
function sparkIds(vocabulary: Vocabulary, rows: Int32Array, side: Side): Int32Array {
  const taken = new Map<number, Id>();
  return rows.map((row) => {
    const id = vocabulary.idOf(row);
    const value = Number(id);
    const advice = "or set ids: 'index', which numbers them and writes their names beside";
    if (String(value) !== String(id) || (value | 0) !== value)
      throw new DataError(
        `${side} id ${show(id)} is no whole number from ${-LARGEST_INT - 1} to ${LARGEST_INT}, as Spark's ids are; give such ids, ${advice}`,
      );
    if (taken.has(value))
      throw new DataError(`${side} ids ${value} and "${value}" are one number; rename one, ${advice}`);
    taken.set(value, id);
    return value;
  });
}

function metadataOf(rank: number): string {
  const defaults = { coldStartStrategy: 'nan', itemCol: 'item', predictionCol: 'prediction', userCol: 'user' };
  return JSON.stringify({
    class: CLASS,
    timestamp: Date.now(),
    sparkVersion: SPARK,
    uid: `als_${randomUUID().slice(-12)}`,
    paramMap: {},
    defaultParamMap: defaults,
    rank,
  });
}

/** Writes a file of ids and one column more. */
async function writeRows(
  { ByteWriter: Bytes, ParquetWriter: Writer }: typeof import('hyparquet-writer'),
  folder: string,
  ids: Int32Array,
  column: 'features' | 'name',
  width: number,
  cell: (k: number) => unknown,
): Promise<void> {
  const file = await open(join(folder, `part-00000-${randomUUID()}-c000.parquet`), 'wx');
  try {
    const writer: ByteWriter = new Bytes();
    const flush = async () => {
      await file.writeFile(writer.getBytes());
      writer.index = 0;
    };
    const parquet = new Writer({
      writer,
      schema: column === 'features' ? FACTORS : NAMES,
      codec: 'UNCOMPRESSED',
      statistics: false,
      kvMetadata: [{ key: 'org.apache.spark.sql.parquet.row.metadata', value: SCHEMAS[column] }],
      createdBy: 'opmf',
    });
    const size = Math.max(1, Math.floor(NUMBERS_A_GROUP / width));
    for (let from = 0; from < ids.length; from += size) {
      const some = ids.slice(from, from + size);
      const cells = Array.from(some, (_, k) => cell(from + k));
      const columnData = [
        { name: 'id', data: some, encoding: 'PLAIN' as const },
        { name: column, data: cells, encoding: 'PLAIN' as const },
      ];
      await parquet.write({ columnData, rowGroupSize: some.length });
      await flush();
    }
    await parquet.finish();
    await flush();
    await file.sync();
  } finally {
    await file.close();
  }
}
