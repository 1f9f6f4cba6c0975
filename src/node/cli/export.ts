// `opmf export`: writes the vectors of a saved model for approximate nearest-neighbour search.

import { UnsupportedError } from '../../core/errors';
import { encodeNpy, encodeVectorCsv } from '../../io/files/vectors';
import { TableRecommender } from '../../recommenders/table-recommender';
import type { VectorIndex, VectorTable } from '../../recommenders/vector-table';
import { loadModel } from '../model-file';
import { requireWritable, writeFileAtomically } from '../output-file';
import { type Arguments, type Command, type Io, UsageError } from './command';

const INDEXES: readonly string[] = ['inner-product', 'cosine'] satisfies VectorIndex[];

/** The command. */
export const exportCommand: Command = {
  usage: {
    name: 'export',
    about: 'Writes the vectors of a saved model for an index of approximate search: pgvector, faiss, hnswlib.',
    form: 'MODEL [--items FILE] [--users FILE] [--index inner-product|cosine] [--json]',
    example: 'opmf export model.safetensors --items items.csv --users users.csv --index cosine',
    flags: {
      items: {
        value: 'FILE',
        about: 'where item vectors go: .csv (id,embedding; for pgvector) or .npy, with FILE.ids.json',
      },
      users: { value: 'FILE', about: 'where user vectors go, the queries of the index' },
      index: { value: 'NAME', about: 'inner-product (default), or cosine: a column more makes it order items alike' },
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
  if (outputs.length === 0) throw new UsageError('nothing to write: give --items FILE, --users FILE, or both');
  for (const { path } of outputs) await requireWritable(path);
  const recommender = await loadModel(given.positionals[0]!);
  if (!(recommender instanceof TableRecommender))
    throw new UnsupportedError(
      `a '${(recommender as { name: string }).name}' has no vectors; export wants a factorization`,
    );
  const vectors = recommender.exportVectors({ index: index as VectorIndex });
  const files = [];
  for (const { side, path } of outputs) {
    await write(path, vectors[side]);
    const { ids, dim } = vectors[side];
    files.push({ side, path, vectors: ids.length, dim });
  }
  if (given.has('json')) io.stdout.write(`${JSON.stringify({ model: recommender.name, index, files })}\n`);
  else
    for (const { side, path, vectors: count, dim } of files) io.stdout.write(`${count} ${side} x ${dim} to ${path}\n`);
}

async function write(path: string, { ids, dim, values }: VectorTable): Promise<void> {
  if (path.endsWith('.csv')) return writeFileAtomically(path, encodeVectorCsv(ids, values, dim));
  await writeFileAtomically(path, encodeNpy(values, ids.length, dim));
  await writeFileAtomically(`${path}.ids.json`, `${JSON.stringify(ids)}\n`);
}
