// Do threads and engines change what is learned? Trains every recommender with each number of threads in each engine and
// compares SHA-256 of the losses and of every trained tensor, and then of the lists for all users. Exit code 1 where
// they differ. npm run bench:states -- [words of a case]; without words it writes benchmarks/results/states.json.

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import {
  categorical,
  createRecommender,
  FeatureTable,
  Interactions,
  OptionError,
  syntheticInteractions,
  UnsupportedError,
} from 'opmf';
import { decodeFile } from '../../src/serving/saved-model';
import { machine } from '../machine';

const THREADS = [1, 2, 3, 4];
const KERNELS = ['wasm', 'js'] as const;
const words = process.argv.slice(2);

const ratings = syntheticInteractions({ users: 900, items: 500, ratings: 24_000, seed: 3 });
const rows = [...ratings].map((row) => ({ ...row, value: row.value ?? 0 }));
const likes = Interactions.from(
  rows.filter(({ value }) => value > 3).map(({ userId, itemId }) => ({ userId, itemId })),
);
const labels = Interactions.from(rows.map((row) => ({ ...row, value: row.value > 3 ? 1 : 0 })));
const table = FeatureTable.from(
  rows.slice(0, 6000).map(({ userId, itemId, value }) => ({ user: userId, item: itemId, clicked: value > 3 ? 1 : 0 })),
  { fields: { user: categorical(), item: categorical() }, label: 'clicked' },
);
// Enough for threads where items are drawn.
const many = Interactions.from(
  [...syntheticInteractions({ users: 3000, items: 1200, ratings: 600_000, seed: 4 })]
    .filter(({ value }) => value! > 3)
    .map(({ userId, itemId }) => ({ userId, itemId })),
);
const data = { ratings, likes, labels, table, many };

/** The kind, the data, and options. */
type Case = readonly [kind: string, on: keyof typeof data, options?: Record<string, unknown>];
const quick = { rank: 10, epochs: 2 };
const CASES: readonly Case[] = [
  ...(['cosine', 'dot'] as const).map((similarity): Case => ['item-knn', 'likes', { similarity, neighbors: 20 }]),
  ['ease', 'likes'],
  ...(['implicit', 'explicit'] as const).flatMap((feedback) =>
    (['cholesky', 'conjugate-gradient'] as const).map((solver): Case => {
      return ['als', feedback === 'implicit' ? 'likes' : 'ratings', { ...quick, feedback, solver }];
    }),
  ),
  ['nmf', 'ratings', quick],
  ['nmf', 'ratings', { ...quick, solver: 'gradient' }],
  ['svdpp', 'ratings', quick],
  ['svdpp', 'ratings', { ...quick, batchSize: 64 }],
  ...(['mf', 'overparam-mf'] as const).flatMap((kind) => [
    ...['sgd', 'momentum', 'adagrad', 'adadelta', 'rmsprop', 'adam', 'ftrl'].map((optimizer): Case => {
      return [kind, 'ratings', { ...quick, optimizer, batchSize: 1 }];
    }),
    ...(['bpr', 'warp', 'softmax', 'logistic'] as const).flatMap((loss) =>
      [1, 64].map((batchSize): Case => {
        return [kind, 'likes', { ...quick, loss, batchSize, ...(loss === 'logistic' && { negatives: 4 }) }];
      }),
    ),
    [kind, 'labels', { ...quick, loss: 'logistic' }] as Case,
    [kind, 'ratings', { ...quick, batchSize: 128 }] as Case,
  ]),
  ...['diagonal', 'dense'].map((kind): Case => ['overparam-mf', 'ratings', { ...quick, overparam: { kind } }]),
  ['neural-cf', 'likes', { epochs: 1 }],
  ...(['fm', 'wide-deep', 'deep-fm'] as const).map((kind): Case => [kind, 'table', { epochs: 1 }]),
  ...(['sgd', 'adagrad'] as const).map((optimizer): Case => ['fm', 'table', { epochs: 1, batchSize: 1, optimizer }]),
  ['fm', 'likes', { epochs: 1, task: 'ranking', loss: 'softmax' }],
  ...['bpr', 'warp', 'softmax'].map((loss): Case => ['mf', 'many', { rank: 10, epochs: 2, loss }]),
  ['mf', 'many', { rank: 10, epochs: 2, loss: 'logistic', negatives: 4 }],
];

/** The hash of what a case learns, and of what it answers; undefined where the kind has no such option. */
async function statesOf([kind, on, options]: Case, choice: object) {
  const hash = createHash('sha256');
  try {
    const model = createRecommender(kind as 'mf', { ...options, ...choice } as object);
    const history = await model.fit(data[on] as Interactions);
    hash.update(JSON.stringify(history.epochs.map(({ trainLoss }) => trainLoss)));
    const { tensors } = decodeFile(await model.save());
    for (const [name, { data: numbers }] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1)))
      hash.update(name).update(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
    return { hash: hash.digest('hex'), model };
  } catch (error) {
    const isRefused = error instanceof OptionError && ['threads', 'kernels'].includes(error.option);
    if (isRefused || (error instanceof UnsupportedError && error.message.includes('threads'))) return undefined;
    throw error;
  }
}

/** The lists of all users, as text. */
const listsOf = async (model: NonNullable<Awaited<ReturnType<typeof statesOf>>>['model'], choice: object) => {
  const lists = await model.recommendMany(likes.users, { n: 10, ...choice });
  return createHash('sha256')
    .update(JSON.stringify([...lists].map(([id, list]) => [id, [...list]])))
    .digest('hex');
};

const results = [];
for (const one of CASES) {
  const [kind, on, options] = one;
  const name = [
    kind,
    on,
    ...Object.values(options ?? {}).map((value) => `${(value as { kind?: unknown }).kind ?? value}`),
  ].join(' ');
  if (!words.every((word) => name.split(' ').includes(word))) continue;
  const found: Record<string, string> = {};
  for (const kernels of KERNELS) {
    for (const threads of THREADS) {
      const state = await statesOf(one, { kernels, threads });
      if (state !== undefined) found[`${kernels} ${threads}`] = state.hash;
      if (state === undefined || on === 'table') continue;
      found[`lists ${kernels} ${threads}`] = await listsOf(state.model, { threads });
    }
  }
  const alone =
    Object.keys(found).length > 0
      ? []
      : [...THREADS.map((threads) => ({ threads })), ...KERNELS.map((kernels) => ({ kernels }))];
  for (const choice of alone) {
    const state = await statesOf(one, choice);
    if (state !== undefined) found[JSON.stringify(choice)] = state.hash;
  }
  const states = new Set(Object.keys(found).flatMap((key) => (key.startsWith('lists') ? [] : [found[key]!])));
  const lists = new Set(Object.keys(found).flatMap((key) => (key.startsWith('lists') ? [found[key]!] : [])));
  const ways = Object.keys(found).filter((key) => !key.startsWith('lists')).length;
  // Without either option there is one way only.
  const same = states.size <= 1 && lists.size <= 1;
  results.push({ name, ways, same, sha256: [...states] });
  console.log(same ? 'same     ' : 'DIFFERENT', `${ways} ways`.padStart(8), name, same ? '' : found);
}
const different = results.filter(({ same }) => !same).length;
console.log(`${results.length} cases, ${different} different`);
if (words.length === 0)
  writeFileSync('benchmarks/results/states.json', `${JSON.stringify({ machine: machine(), results }, null, 2)}\n`);
process.exitCode = different > 0 ? 1 : 0;
