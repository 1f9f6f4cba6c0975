// `opmf export`: what a saved model has, for other systems: vectors for approximate nearest-neighbour search, the lists of all
// users, a model of Spark's.

import { UnsupportedError } from '../../core/errors';
import { encodeNpy, encodeVectorCsv } from '../../io/files/vectors';
import { TableRecommender } from '../../recommenders/table-recommender';
import type { VectorIndex, VectorTable } from '../../recommenders/vector-table';
import { loadModel } from '../model-file';
import { ModelStripes } from '../model-stripes';
import { requireWritable, writeFileAtomically } from '../output-file';
import { writeRecommendations } from '../recommendations-file';
import { exportSparkAls } from '../spark-als';
import { type Arguments, type Command, type Io, UsageError } from './command';
import { counted, startProgress } from './printing';

const INDEXES: readonly string[] = ['inner-product', 'cosine'] satisfies VectorIndex[];

/** The command. */
export const exportCommand: Command = {
  usage: {
    name: 'export',
    about:
      'Writes what a saved model has: vectors for an index of approximate search (pgvector, faiss, hnswlib), the lists of all users, a model of Spark.',
    form: 'MODEL [--items FILE] [--users FILE] [--index inner-product|cosine] [--recommendations FILE] [--n 10] [--part 2/8] [--spark DIR] [--ids number|index] [--json]',
    example: 'opmf export model.safetensors --items items.csv --users users.csv --index cosine',
    flags: {
      items: {
        value: 'FILE',
        about: 'where item vectors go: .csv (id,embedding; for pgvector) or .npy, with FILE.ids.json',
      },
      users: { value: 'FILE', about: 'where user vectors go, the queries of the index' },
      index: { value: 'NAME', about: 'inner-product (default), or cosine: a column more makes it order items alike' },
      recommendations: {
        value: 'FILE',
        about:
          'where the best items of all users go: .ndjson (a user a line) or .csv; the same command goes on where it was stopped',
      },
      n: { value: 'N', about: 'with --recommendations: how many items per user; default 10' },
      part: {
        value: 'K/N',
        about:
          'with --recommendations: part K of N of the users; the files of all parts, one after another, are that of all users',
      },
      spark: { value: 'DIR', about: 'a new folder for ALSModel.load of Spark; needs hyparquet-writer' },
      ids: {
        value: 'number|index',
        about: 'with --spark: ids as they are, 32-bit integers (default), or numbered, with their names beside',
      },
      json: { about: 'print one JSON document and nothing else' },
    },
    positionals: [1, 1],
  },
  run: runExport,
};

async function runExport(given: Arguments, io: Io): Promise<void> {
  const index = given.text('index') ?? 'inner-product';
  if (!INDEXES.includes(index)) throw new UsageError(`--index is '${index}'; want ${INDEXES.join(' or ')}`);
  const outputs = (['items', 'users'] as const).flatMap((side) => {
    const path = given.text(side);
    if (path !== undefined && !/\.(csv|npy)$/.test(path))
      throw new UsageError(`--${side} is '${path}'; want a name that ends in .csv or .npy`);
    return path === undefined ? [] : [{ side, path }];
  });
  const lists = given.text('recommendations');
  const spark = given.text('spark');
  const n = given.count('n') ?? 10;
  if (lists !== undefined) await checkListFile('recommendations', lists);
  const ids = given.text('ids') ?? 'number';
  if (ids !== 'number' && ids !== 'index') throw new UsageError(`--ids is '${ids}'; want number or index`);
  if (outputs.length === 0 && lists === undefined && spark === undefined)
    throw new UsageError('nothing to write: give --items FILE, --users FILE, --recommendations FILE or --spark DIR');
  for (const { path } of outputs) await requireWritable(path);
  const part = partOf(given.text('part'));
  if (part !== undefined && lists === undefined) throw new UsageError('--part is for --recommendations FILE');
  const model = given.positionals[0]!;
  // For lists alone a model need not be loaded.
  const stripes = outputs.length === 0 && spark === undefined ? await ModelStripes.open(model) : undefined;
  await stripes?.close();
  const recommender = stripes === undefined ? await loadModel(model) : undefined;
  const files: object[] = [];
  const said: string[] = [];
  if (outputs.length > 0) {
    const written = await writeVectors(recommender!, outputs, index as VectorIndex);
    files.push(...written);
    for (const { side, path, vectors, dim } of written) said.push(`${vectors} ${side} x ${dim} to ${path}`);
  }
  if (lists !== undefined) {
    const written = await writeLists(lists, recommender ?? model, { n, part }, io);
    files.push(written.file);
    said.push(written.said);
  }
  if (spark !== undefined) {
    await exportSparkAls(spark, recommender!, { ids });
    files.push({ path: spark, ids });
    said.push(`a model of Spark to ${spark}`);
  }
  if (given.has('json'))
    io.stdout.write(`${JSON.stringify({ model: (recommender ?? stripes)!.name, index, files })}\n`);
  else io.stdout.write(`${said.join('\n')}\n`);
}

/** A file of lists, as --recommendations here and --out of recommend --all name it. @throws UsageError; DataError */
export async function checkListFile(flag: string, path: string): Promise<void> {
  if (!/\.(csv|ndjson|jsonl)$/i.test(path))
    throw new UsageError(`--${flag} is '${path}'; want a name that ends in .ndjson, .jsonl or .csv`);
  await requireWritable(path);
}

/** Writes the lists of all users, and says so. */
export async function writeLists(
  path: string,
  model: Parameters<typeof writeRecommendations>[1],
  options: Pick<NonNullable<Parameters<typeof writeRecommendations>[2]>, 'n' | 'part'>,
  io: Io,
) {
  const progress = startProgress(io);
  const onProgress = (done: number, all: number) => progress.update(done / Math.max(1, all), `${done} of ${all} users`);
  const writing = writeRecommendations(path, model, { ...options, onProgress });
  const { users, resumed } = await writing.finally(() => progress.done());
  const before = resumed > 0 ? `, ${resumed} of them from before` : '';
  const { n, part } = options;
  return {
    file: { path, users, resumed, n, ...(part && { part }) },
    said: `lists of ${counted(users, 'user')}${before} to ${path}`,
  };
}

/** `2/8`: part 2 of 8. */
export function partOf(text: string | undefined): { index: number; of: number } | undefined {
  if (text === undefined) return undefined;
  const [index = 0, of = 0] = /^\d{1,9}\/\d{1,9}$/.test(text) ? text.split('/').map(Number) : [];
  if (index >= 1 && index <= of) return { index, of };
  throw new UsageError(`--part is '${text}'; want K/N, such as 2/8: K from 1 to N`);
}

async function writeVectors(
  recommender: Awaited<ReturnType<typeof loadModel>>,
  outputs: readonly { readonly side: 'items' | 'users'; readonly path: string }[],
  index: VectorIndex,
) {
  if (!(recommender instanceof TableRecommender))
    throw new UnsupportedError(
      `a '${(recommender as { name: string }).name}' has no vectors; export wants a factorization`,
    );
  const vectors = recommender.exportVectors({ index });
  const files = [];
  for (const { side, path } of outputs) {
    await write(path, vectors[side]);
    const { ids, dim } = vectors[side];
    files.push({ side, path, vectors: ids.length, dim });
  }
  return files;
}

async function write(path: string, { ids, dim, values }: VectorTable): Promise<void> {
  if (path.endsWith('.csv')) return writeFileAtomically(path, encodeVectorCsv(ids, values, dim));
  await writeFileAtomically(path, encodeNpy(values, ids.length, dim));
  await writeFileAtomically(`${path}.ids.json`, `${JSON.stringify(ids)}\n`);
}
