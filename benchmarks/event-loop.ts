// How long work holds the event loop, the longest time in milliseconds, with one thread and with two: fits of every kind, answers,
// evaluations. Bounds: 50 with one thread, 20 with two. Run: npm run bench:event-loop [-- part of a name]

import { writeFileSync } from 'node:fs';
import {
  ALS,
  crossValidate,
  DeepFM,
  EASE,
  evaluateRanking,
  evaluateRatings,
  FM,
  Interactions,
  ItemKNN,
  MF,
  NeuralCF,
  NMF,
  OverparamMF,
  Popularity,
  SVDpp,
  splitRandom,
  tune,
  WideDeep,
} from 'opmf';
import { loadDataset } from 'opmf/node';
import { measured } from './held';
import { everyItemOnce, loadGowalla } from './implicit/data';
import { machine } from './machine';
import { loadFrappe } from './models/frappe-data';

const THREADS = [1, 2] as const;
const BOUNDS = { 1: 50, 2: 20 } as const;
/** The least of so many runs, the first of which compiles what it runs. */
const RUNS = 2;

type Work = (threads: 1 | 2) => Promise<unknown>;

/** What is made once, when it is first asked for. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const hundred = once(() => loadDataset('ml-100k'));
const million = once(() => loadDataset('ml-1m'));
const likes = once(async () => liked(await hundred()));
const manyLikes = once(async () => liked(await million()));
const gowalla = once(() => loadGowalla());
const frappe = once(() => loadFrappe({ negatives: 0 }));

function liked(data: Interactions): Interactions {
  const columns = { userIds: [] as (string | number)[], itemIds: [] as (string | number)[] };
  for (const { userId, itemId, value } of data) {
    if ((value ?? 1) < 4) continue;
    columns.userIds.push(userId);
    columns.itemIds.push(itemId);
  }
  return Interactions.fromColumns(columns);
}

const wide = once(async () => everyItemOnce(10_000, 1_000_000));

const fitted = once(async () => {
  const model = new MF({ rank: 32, epochs: 2 });
  await model.fit(await million());
  return model;
});
const fittedOrders = once(async () => {
  const model = new MF({ rank: 64, epochs: 2, biases: false });
  await model.fit((await gowalla()).train);
  return model;
});

const KINDS: readonly (readonly [string, (threads: 1 | 2) => Pick<MF, 'fit'>])[] = [
  ['MF', (threads) => new MF({ threads })],
  ['OverparamMF', (threads) => new OverparamMF({ threads })],
  ['ALS', (threads) => new ALS({ threads })],
  ['NMF', () => new NMF({ epochs: 10 })],
  ['SVDpp', () => new SVDpp({ epochs: 2 })],
];

/** By name. */
const WORKS: readonly (readonly [string, Work])[] = [
  ...KINDS.flatMap(([name, make]): [string, Work][] => [
    [`fit ${name}, ml-100k`, async (threads) => make(threads).fit(await hundred())],
    [`fit ${name}, ml-1m`, async (threads) => make(threads).fit(await million())],
  ]),
  ['fit MF bpr, ml-1m likes', async (threads) => new MF({ threads }).fit(await manyLikes())],
  ['fit ALS, ml-1m likes', async (threads) => new ALS({ threads }).fit(await manyLikes())],
  ['fit ItemKNN, ml-1m likes', async () => new ItemKNN().fit(await manyLikes())],
  ['fit EASE, ml-1m likes', async () => new EASE().fit(await manyLikes())],
  ['fit Popularity, ml-1m likes', async () => new Popularity().fit(await manyLikes())],
  ['fit NeuralCF, ml-100k likes', async () => new NeuralCF({ epochs: 2 }).fit(await likes())],
  ['fit FM, ml-100k', async () => new FM({ task: 'regression', epochs: 2 }).fit(await hundred())],
  ['fit FM, a third of Frappe', async () => new FM({ epochs: 3 }).fit((await frappe()).train)],
  ['fit WideDeep, a third of Frappe', async () => new WideDeep({ epochs: 1 }).fit((await frappe()).train)],
  ['fit DeepFM, a third of Frappe', async () => new DeepFM({ epochs: 1 }).fit((await frappe()).train)],
  ['fit DeepFM, batches of 1e6', async () => new DeepFM({ epochs: 1, batchSize: 1e6 }).fit((await frappe()).train)],
  ['fit MF, ml-1m, batches of 1e6', async () => new MF({ epochs: 2, batchSize: 1e6 }).fit(await million())],
  ['fit MF, a million items', async (threads) => new MF({ rank: 64, epochs: 1, threads }).fit(await wide())],
  [
    'recommendMany, 6,040 users of ml-1m',
    async (threads) => {
      const model = await fitted();
      return model.recommendMany(model.users, { n: 20, threads });
    },
  ],
  [
    'recommendMany, 29,858 users of Gowalla',
    async (threads) => {
      const model = await fittedOrders();
      return model.recommendMany(model.users, { n: 20, threads });
    },
  ],
  [
    'evaluateRanking, Gowalla',
    async (threads) => {
      const { train, test } = await gowalla();
      return evaluateRanking(await fittedOrders(), test, { train, k: 20, threads });
    },
  ],
  ['evaluateRatings, ml-1m', async () => evaluateRatings(await fitted(), await million())],
  [
    'similarItems, each of ml-1m',
    async () => {
      const model = await fitted();
      for (const id of model.items) {
        model.similarItems(id);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  ],
  [
    'foldInUser, 500 of ml-1m',
    async () => {
      const model = await fitted();
      const all = await million();
      for (let user = 0; user < 500; user++) {
        const history: [string | number, number][] = [];
        for (let k = user; k < user + 100; k++) history.push([all.items.idOf(all.itemIndex[k]!), all.values[k]!]);
        model.foldInUser(history).recommend();
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  ],
  [
    'partialFit, 20,000 of ml-1m',
    async () => {
      const { train, test } = splitRandom(await million(), { testFraction: 0.02 });
      const model = new MF({ epochs: 1 });
      await model.fit(train);
      await model.partialFit(test);
    },
  ],
  ['crossValidate MF, ml-100k', async (threads) => crossValidate(new MF({ epochs: 2 }), await hundred(), { threads })],
  [
    'crossValidate MF, ml-1m',
    async (threads) => crossValidate(new MF({ epochs: 2 }), await million(), { threads, folds: 3 }),
  ],
  ['tune MF, ml-100k', async (threads) => tune('mf', { rank: [8, 16] }, await hundred(), { trials: 2, threads })],
  ['tune EASE, ml-100k likes', async (threads) => tune('ease', 'default', await likes(), { trials: 2, threads })],
];

const [, , part = ''] = process.argv;
const rows: { name: string; threads: number; held: number; seconds: number; clock: number; bound: number }[] = [];
for (const [name, work] of WORKS) {
  if (!name.includes(part)) continue;
  // Data and models are made before.
  for (const threads of THREADS) {
    const runs = [];
    try {
      for (let run = 0; run < RUNS; run++) {
        await Promise.all([hundred(), million(), likes(), manyLikes()]);
        if (name.includes('Frappe') || name.includes('DeepFM')) await frappe();
        if (name.includes('Gowalla')) await fittedOrders();
        if (name.includes('million items')) await wide();
        if (/recommendMany|evaluateRatings|similar|foldIn/.test(name)) await fitted();
        runs.push(await measured(() => work(threads)));
      }
    } catch (error) {
      console.log(name, error);
      break;
    }
    const { held, seconds, clock } = runs.sort((a, b) => a.held - b.held)[0]!;
    const bound = BOUNDS[threads];
    rows.push({ name, threads, held, seconds, clock, bound });
    const digits = (value: number, after: number) => value.toFixed(after).padStart(8);
    console.log(
      `${name.padEnd(42)} ${threads} thread${threads > 1 ? 's' : ' '} held ${digits(held, 1)} ms${held > bound ? ` > ${bound}` : '     '} ${digits(seconds, 2)} CPU s ${digits(clock, 2)} s`,
    );
  }
}
if (part === '')
  writeFileSync(
    'benchmarks/results/event-loop.json',
    `${JSON.stringify({ machine: machine(), bounds: BOUNDS, rows }, null, 2)}\n`,
  );
