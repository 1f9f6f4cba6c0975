// Rows with labels: AUC of untouched FM, WideDeep and DeepFM beside the best of a search over their own options, and beside
// logistic regression, an FM without embeddings, searched too. And `neural`: NDCG@20 of untouched NeuralCF beside the best of
// its search, and popularity.

import {
  auc,
  DeepFM,
  DivergenceError,
  FM,
  type FMOptions,
  type Interactions,
  NeuralCF,
  type NeuralCFOptions,
  Popularity,
  splitRandom,
  WideDeep,
} from 'opmf';
import { loadDataset } from 'opmf/node';
import type { Constant, Piece, Point, Search, Space, Untouched } from './bounds';
import { type EventSplit, ndcg } from './bounds-events';
import { FEATURE_SETS, type FeatureSet } from './feature-sets';
import { RATING_SETS } from './rating-sets';

interface Rows extends FeatureSet {
  readonly size: number;
}

/** Of three layers of 400, the default, a trial takes minutes. */
const HIDDEN = [64, 64];
/** Layers are searched on a part of Frappe, and on all of it only measured. */
const IS_SMALL = (set: string) => set !== 'frappe';
const MODELS = { fm: FM, 'wide-deep': WideDeep, 'deep-fm': DeepFM };
type Kind = keyof typeof MODELS;

/** The area under the curve on the test rows; of a training that diverges, that of chance. */
async function aucOf(kind: Kind, options: object, { train, test }: Rows): Promise<number> {
  const model = new MODELS[kind]({ ...(kind === 'fm' ? {} : { hidden: HIDDEN }), ...options });
  try {
    await model.fit(train);
  } catch (error) {
    if (error instanceof DivergenceError) return 0.5;
    throw error;
  }
  return auc(model.predictRows(test as never), (test as { labels: Float32Array }).labels);
}

/** The middle of the rates that are tried of each rule. */
const RATES = { adam: 0.01, adagrad: 0.3, adadelta: 10 } as const;

const OF_ROWS: Space = {
  rule: ['adam', 'adam', 'adagrad', 'adadelta'],
  rate: { from: 0.05, to: 20 },
  schedule: ['none', 'cosine', 'cosine'],
  lambda: { from: 0.003, to: 6 },
  linear: { from: 0.003, to: 3 },
  scaling: ['constant', 'frequency', 'frequency'],
  start: { from: 0.003, to: 0.2 },
  batchSize: [64, 128, 256, 512, 1024],
  epochs: [5, 10, 20],
};

function optionsOf(
  kind: Kind,
  { rule, rate, schedule, lambda, linear, scaling, start, dense, denseRate, init, ...own }: Point,
) {
  const embedding = RATES[rule as keyof typeof RATES] * rate;
  const rates = kind === 'fm' ? embedding : { embedding, linear: embedding, bias: embedding, dense: denseRate };
  // A row of a hundred labels of each feature is penalized alike by both.
  const strength = scaling === 'constant' ? lambda / 30 : lambda;
  return {
    ...own,
    initScale: start,
    ...(init !== undefined && { overparam: { kind: 'scalar', scope: 'row', depth: 2, init } }),
    optimizer: {
      name: rule,
      ...(rule === 'adagrad' && { per: 'row' }),
      learningRate: schedule === 'none' ? rates : { schedule, rate: rates },
    },
    regularization: { embedding: strength, linear: strength * linear, scaling, ...(kind !== 'fm' && { dense }) },
  } as FMOptions;
}

function search(kind: Kind, space: Space): Search<Rows> {
  return {
    space: { ...OF_ROWS, ...space },
    ...(kind !== 'fm' && { isFor: IS_SMALL }),
    trial: (point, rows) => aucOf(kind, optionsOf(kind, point), rows),
  };
}

/** Rules and products at the epochs and the rank of the default, on equal terms: which is to be the default? */
const arm = (rule: string, more: Space = {}): Search<Rows> => ({
  ...search('fm', {
    rule: [rule],
    schedule: ['linear', 'cosine'],
    scaling: ['frequency'],
    epochs: [10],
    rank: [16],
    ...more,
  }),
  isFor: (set) => /^(frappe-5th|adult-10th|adult|pairs)$/.test(set),
});
const ARMS = {
  adam: arm('adam'),
  adadelta: arm('adadelta'),
  'adam scalar-row-2': arm('adam', { init: { from: 0.3, to: 3 } }),
  'adadelta scalar-row-2': arm('adadelta', { init: { from: 0.3, to: 3 } }),
};

const LAYERS: Space = {
  // Adam alone: its rate is then one for the layers too.
  rule: ['adam'],
  denseRate: { from: 0.0001, to: 0.02 },
  dense: { from: 1e-6, to: 0.01 },
  dropout: [0, 0, 0.2, 0.5],
  batchNorm: [false, false, true],
};

/** At most .002 below the best of the search (as a part of 1, which asks a little more), and never below logistic regression. */
const untouched = (kind: Kind, shown: readonly string[] = []): Untouched<Rows> => ({
  run: (rows) => aucOf(kind, {}, rows),
  bounds: { [kind]: () => 0.2, logistic: () => 0, ...Object.fromEntries(shown.map((name) => [name, undefined])) },
});

/** A default of FM multiplied: its penalties, or its rates. */
function multiplied(change: (options: FM['options'], by: number) => object): Constant<Rows> {
  return {
    candidates: [0.25, 0.5, 1, 2, 4],
    chosen: 1,
    async run(rows, by) {
      const chosen = new FM({ epochs: 10 });
      const giveUp = new AbortController();
      // What the data choose is there with the first epoch.
      await chosen.fit(rows.train, { signal: giveUp.signal, onEpoch: () => giveUp.abort() }).catch(() => {});
      return aucOf('fm', change(chosen.options, by), rows);
    },
  };
}

const NAMES: Readonly<Record<string, string>> = {
  frappe: 'frappe',
  adult: 'adult',
  'frappe-5th': 'frappe / 5',
  'frappe-40th': 'frappe / 40',
  'adult-10th': 'adult / 10',
  pairs: 'pairs, 20,000 rows',
  noisy: 'noisy, 3,000 rows',
};

export const features: Piece<Rows> = {
  better: 'more',
  sets: Object.fromEntries(
    Object.entries(NAMES).map(([name, key]) => [
      name,
      async () => {
        const set = await FEATURE_SETS[key]!();
        return { ...set, size: set.train.size };
      },
    ]),
  ),
  seeds: () => [1],
  searches: {
    logistic: search('fm', { rank: [1], start: [0], rule: ['adam', 'adagrad'], linear: [1] }),
    fm: search('fm', { rank: [8, 16, 32, 64] }),
    ...ARMS,
    'wide-deep': search('wide-deep', LAYERS),
    'deep-fm': search('deep-fm', LAYERS),
  },
  untouched: {
    fm: untouched('fm', Object.keys(ARMS)),
    'wide-deep': untouched('wide-deep'),
    'deep-fm': untouched('deep-fm'),
  },
  references: {},
  constants: {
    'penalty of fm': multiplied(({ regularization }, by) => {
      const { embedding, linear, scaling } = regularization as { embedding: number; linear: number; scaling: string };
      return { regularization: { embedding: embedding * by, linear: linear * by, scaling } };
    }),
    'rate of fm': multiplied(({ optimizer }, by) => {
      const { rate } = (optimizer as unknown as { learningRate: { rate: number } }).learningRate;
      return { optimizer: { name: 'adam', learningRate: { schedule: 'cosine', rate: rate * by } } };
    }),
  },
};

/** The interactions of every so many-th user. */
function someUsers(data: Interactions, every: number): Interactions {
  return data.select(Int32Array.from(data.userIndex.keys()).filter((k) => data.userIndex[k]! % every === 0));
}

const EVENTS: Readonly<Record<string, () => Promise<Interactions>>> = {
  'ml-100k': async () => {
    const all = await loadDataset('ml-100k');
    return all.select(Int32Array.from(all.values.keys()).filter((k) => all.values[k]! >= 4));
  },
  'steam-200k': async () => someUsers(await RATING_SETS['steam-200k']!(), 3),
  filmtrust: () => loadDataset('filmtrust'),
  'movietweetings-8k': () => loadDataset('movietweetings-8k'),
};

export const neural: Piece<EventSplit> = {
  better: 'more',
  sets: Object.fromEntries(
    Object.entries(EVENTS).map(([name, load]) => [
      name,
      async (seed) => {
        const split = splitRandom(await load(), { testFraction: 0.2, seed });
        return { ...split, size: split.train.size + split.test.size };
      },
    ]),
  ),
  seeds: () => [1],
  searches: {
    'neural-cf': {
      space: {
        loss: ['logistic', 'softmax', 'bpr'],
        rate: { from: 0.0005, to: 0.1 },
        schedule: ['none', 'cosine', 'cosine'],
        lambda: { from: 1e-5, to: 0.1 },
        dense: { from: 1e-6, to: 0.01 },
        start: { from: 0.003, to: 0.3 },
        epochs: [5, 10, 20],
        rank: [16, 32, 64],
        batchSize: [256, 1024],
      },
      trial: ({ rate, schedule, lambda, dense, start, ...own }, split) =>
        ndcg(
          new NeuralCF({
            ...own,
            initScale: start,
            optimizer: { name: 'adam', learningRate: schedule === 'none' ? rate : { schedule, rate } },
            regularization: { embedding: lambda, dense },
          } as NeuralCFOptions),
          split,
        ),
    },
  },
  untouched: { 'neural-cf': { run: (split) => ndcg(new NeuralCF(), split), bounds: { 'neural-cf': () => 5 } } },
  references: { popularity: { run: (split) => ndcg(new Popularity(), split) } },
};
