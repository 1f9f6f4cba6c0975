// What the study of products trains: models with everything pinned but the rule, its rate, the start and the product, each on
// two sets or more. Cost is what is judged, the smaller the better: RMSE, log-loss, or 1 / NDCG@10 of all items.

import {
  DeepFM,
  evaluateRanking,
  evaluateRatings,
  FeatureTable,
  FM,
  Interactions,
  logLoss,
  NeuralCF,
  NMF,
  type OptimizerConfig,
  OverparamMF,
  type ProductOptions,
  type Recommender,
  type Split,
  SVDpp,
  splitRandom,
  WideDeep,
} from 'opmf';
import { loadDataset, readInteractions } from 'opmf/node';
import { filesOf } from '../files-of';
import { loadGowalla } from '../implicit/data';
import { loadAdult } from '../models/adult-data';
import { loadFrappe } from '../models/frappe-data';

/** What differs between two fits on the same rows. `initScale`: what the embeddings start with, of NMF the range. */
export interface Setting {
  readonly optimizer: OptimizerConfig;
  readonly overparam: false | ProductOptions;
  readonly initScale: number;
  readonly epochs: number;
  readonly seed: number;
}

type Parts = Split | { readonly train: FeatureTable; readonly test: FeatureTable };

export interface Subject {
  readonly metric: 'rmse' | 'logloss' | 'ndcg@10';
  readonly sets: readonly string[];
  readonly rank: number;
  /** What it is not trained with, of 'RULE PRODUCT': FTRL is for weights that are mostly 0. */
  readonly without?: RegExp;
  make(setting: Setting): { fit(rows: never): Promise<unknown> };
}

const RANK = 16;
/** By frequency, as the presets penalize. */
const ratings = {
  rank: RANK,
  loss: 'squared',
  regularization: { embedding: 0.2, bias: 0.15, scaling: 'frequency' },
} as const;
const orders = { rank: RANK, regularization: 0.01, batchSize: 256 };
const network = { embeddingDim: RANK, hidden: [64, 64], batchSize: 128, regularization: 0 };

const RATINGS = ['filmtrust', 'movietweetings-8k', 'ml-latest-small', 'ml-100k', 'ml-1m-third'];
const CLICKS = ['lastfm-hetrec2011-third', 'steam-200k-third', 'gowalla-third'];
const FEATURES = ['frappe-fifth', 'adult'];
const FEW_FEATURES = ['frappe-fifth', 'adult-fifth'];

const ofRatings = { metric: 'rmse', sets: RATINGS, rank: RANK, without: /ftrl/ } as const;
const ofOrders = { metric: 'ndcg@10', sets: CLICKS, rank: RANK, without: /ftrl/ } as const;
const ofFeatures = { metric: 'logloss', sets: FEATURES, rank: RANK } as const;

export const SUBJECTS: Readonly<Record<string, Subject>> = {
  mf: { ...ofRatings, make: (s) => new OverparamMF({ ...ratings, ...s }) },
  fm: { ...ofFeatures, make: (s) => new FM({ rank: RANK, batchSize: 128, regularization: 0, ...s }) },
  /** With the penalty of the defaults, by frequency. */
  'fm-penalized': { ...ofFeatures, sets: FEW_FEATURES, make: (s) => new FM({ rank: RANK, batchSize: 128, ...s }) },
  bpr: { ...ofOrders, make: (s) => new OverparamMF({ ...orders, loss: 'bpr', negatives: 1, ...s }) },
  softmax: {
    ...ofOrders,
    sets: CLICKS.slice(0, 2),
    make: (s) => new OverparamMF({ ...orders, loss: 'softmax', negatives: 32, ...s }),
  },
  svdpp: { ...ofRatings, sets: RATINGS.slice(0, 2), make: (s) => new SVDpp({ ...ratings, batchSize: 32, ...s }) },
  nmf: {
    ...ofRatings,
    sets: RATINGS.slice(0, 2),
    without: /ftrl|dense/,
    make: ({ initScale: initRange, ...s }) =>
      new NMF({
        rank: RANK,
        loss: 'squared',
        regularization: 0.02,
        solver: 'gradient',
        biases: false,
        initRange,
        ...s,
      }),
  },
  'wide-deep': { ...ofFeatures, sets: FEW_FEATURES, make: (s) => new WideDeep({ ...network, ...s }) },
  'deep-fm': { ...ofFeatures, sets: FEW_FEATURES, make: (s) => new DeepFM({ ...network, ...s }) },
  'neural-cf': {
    ...ofOrders,
    sets: ['steam-200k-tenth', 'lastfm-hetrec2011-tenth'],
    rank: 8,
    make: (s) => new NeuralCF({ rank: 8, embeddingDim: 16, hidden: [16, 8], batchSize: 128, ...s }),
  },
};

/** Rows to tune on, rows to judge the settings by, and rows that took no part in that. */
export interface Rows {
  readonly tuning: Parts;
  readonly final: Parts;
}

const PART = 0.1;
/** What the name of a set ends with that is a fixed part of another: rows of features drawn with seed 1, or every n-th user. */
const PARTS: Readonly<Record<string, number>> = { third: 3, fifth: 5, tenth: 10 };

/** The rows of a set, split by a seed. */
export async function rowsOf(set: string, seed: number): Promise<Rows> {
  const end = set.slice(set.lastIndexOf('-') + 1);
  const nth = PARTS[end] ?? 1;
  const whole = nth === 1 ? set : set.slice(0, -end.length - 1);
  if (whole === 'frappe' || whole === 'adult') {
    const table = whole === 'adult' ? (await loadAdult()).train : (await loadFrappe()).train;
    const some = nth === 1 ? table : table.split({ testFraction: 1 / nth, seed: 1 }).test;
    const final = some.split({ testFraction: PART, seed });
    return { final, tuning: final.train.split({ testFraction: PART, seed }) };
  }
  const data = everyUser(nth, await (whole in COLUMNS || whole === 'gowalla' ? clicks(whole) : loadDataset(whole)));
  const final = splitRandom(data, { testFraction: PART, seed });
  return { final, tuning: splitRandom(final.train, { testFraction: PART, seed }) };
}

/** The rows of every n-th user, in the order in which users come. */
function everyUser(nth: number, data: Interactions): Interactions {
  if (nth === 1) return data;
  const some = [...data].filter((_, at) => data.userIndex[at]! % nth === 0);
  return Interactions.from(some);
}

/** Each pair once, with the value 1. */
async function clicks(set: string): Promise<Interactions> {
  if (set === 'gowalla') return (await loadGowalla()).train;
  const file = set === 'steam-200k' ? 'game_play.dat' : 'user_artists.dat';
  const read = await readInteractions(filesOf(set, undefined)(file), { columns: COLUMNS[set]!, separator: '\t' });
  return Interactions.from(
    [...read].map(({ userId, itemId }) => ({ userId, itemId, value: 1 })),
    { duplicates: 'last' },
  );
}

const COLUMNS: Readonly<Record<string, { user: string; item: string; value: string }>> = {
  'steam-200k': { user: 'User_ID', item: 'Game_ID', value: 'Hours' },
  'lastfm-hetrec2011': { user: 'userID', item: 'artistID', value: 'weight' },
};

/** Fits on the train rows and measures on the others: the metric, and the seconds of the processor that the fit took. */
export async function measure(
  subject: Subject,
  setting: Setting,
  parts: Parts,
): Promise<{ value: number; seconds: number }> {
  const before = process.cpuUsage();
  const model = subject.make(setting);
  await model.fit(parts.train as never);
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1e6;
  if (parts.test instanceof FeatureTable)
    return { seconds, value: logLoss((model as FM).predictRows(parts.test), parts.test.labels!) };
  if (subject.metric === 'rmse')
    return { seconds, value: (await evaluateRatings(model as OverparamMF, parts.test)).rmse };
  const { train, test } = parts as Split;
  const { metrics } = await evaluateRanking(model as unknown as Recommender, test, { train, metrics: ['ndcg@10'] });
  return { seconds, value: metrics['ndcg@10']! };
}

/** A metric as something to be small, of which 1 % is 1 %. */
export function costOf({ metric }: Pick<Subject, 'metric'>, value: number | null): number {
  if (value === null || Number.isNaN(value)) return Infinity;
  return metric === 'ndcg@10' ? 1 / value : value;
}
