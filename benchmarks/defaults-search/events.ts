// Defaults on events: NDCG@20 of all items on a random fifth, for candidates of the options that the data choose, popularity
// beside them. docs/defaults.md has what came of it; benchmarks/results/defaults-21/events.json the tables of the search.
// Run: npm run bench:defaults-events [-- set,set [ItemKNN,EASE,ALS,bpr,logistic,warp,softmax]]

import { writeFileSync } from 'node:fs';
import {
  ALS,
  adam,
  cosine,
  EASE,
  evaluateRanking,
  type Interactions,
  ItemKNN,
  OverparamMF,
  Popularity,
  type Recommender,
  Interactions as Rows,
  splitRandom,
} from 'opmf';
import { loadDataset } from 'opmf/node';

const asEvents = (data: Interactions, isEvent: (value: number | undefined) => boolean = () => true) =>
  Rows.from([...data].filter(({ value }) => isEvent(value)).map(({ userId, itemId }) => [userId, itemId] as const));

const SETS: Readonly<Record<string, () => Promise<Interactions>>> = {
  'movietweetings-8k': async () => asEvents(await loadDataset('movietweetings-8k')),
  filmtrust: async () => asEvents(await loadDataset('filmtrust')),
  'ml-100k': async () => asEvents(await loadDataset('ml-100k'), (value = 0) => value >= 4),
  'ml-latest-small': async () => asEvents(await loadDataset('ml-latest-small')),
  ciaodvd: async () => asEvents(await loadDataset('ciaodvd')),
};

/** The losses of orders with a penalty, at the rate of the default. */
const orders = (loss: 'bpr' | 'logistic' | 'warp' | 'softmax', strengths: readonly number[]) => () =>
  [undefined, ...strengths].map((regularization) => {
    const negatives = loss === 'logistic' ? { negatives: 4 } : {};
    const given =
      regularization === undefined ? {} : { regularization, optimizer: adam({ learningRate: cosine(0.01) }) };
    return [String(regularization ?? 'untouched'), new OverparamMF({ loss, ...negatives, ...given })] as const;
  });

const CANDIDATES: Readonly<Record<string, () => readonly (readonly [string, Recommender])[]>> = {
  ItemKNN: () =>
    (['auto', 0, 3, 10, 30, 100, 300] as const).map((shrinkage) => [String(shrinkage), new ItemKNN({ shrinkage })]),
  EASE: () =>
    (['auto', 20, 100, 200, 500, 1000] as const).map((regularization) => [
      String(regularization),
      new EASE({ regularization }),
    ]),
  ALS: () =>
    (['auto', 0.007, 0.015, 0.03, 0.05, 0.1] as const).map((regularization) => [
      String(regularization),
      new ALS({ regularization }),
    ]),
  bpr: orders('bpr', [0.01, 0.02, 0.03, 0.05, 0.08]),
  logistic: orders('logistic', [0.01, 0.02, 0.03, 0.05, 0.08]),
  warp: orders('warp', [0.03, 0.05, 0.08, 0.15, 0.25]),
  softmax: orders('softmax', [0.003, 0.006, 0.01, 0.015, 0.03]),
};

const [sets = Object.keys(SETS).join(), models = Object.keys(CANDIDATES).join()] = process.argv.slice(2);
const rows = [];
for (const set of sets.split(',')) {
  const { train, test } = splitRandom(await SETS[set]!(), { testFraction: 0.2, seed: 1 });
  const measure = async (model: Recommender) => {
    await model.fit(train);
    return (await evaluateRanking(model, test, { train, metrics: ['ndcg@20'] })).metrics['ndcg@20']!;
  };
  const popularity = await measure(new Popularity());
  for (const model of models.split(',')) {
    // EASE is dense over items, and refuses more.
    if (model === 'EASE' && train.items.size > 5000) continue;
    const tried: Record<string, number> = {};
    for (const [name, one] of CANDIDATES[model]!()) tried[name] = Number((await measure(one)).toFixed(4));
    console.log(set, model, `popularity ${popularity.toFixed(4)}`, JSON.stringify(tried));
    rows.push({ set, model, popularity: Number(popularity.toFixed(4)), ndcg20: tried });
  }
}
writeFileSync('benchmarks/results/defaults-21/events-rerun.json', `${JSON.stringify(rows, null, 1)}\n`);
