// The models that the benchmark overparameterizes, each with the data it is trained and judged on.

import {
  DeepFM,
  type EpochRecord,
  type FeatureTable,
  FM,
  type Interactions,
  MF,
  NeuralCF,
  NMF,
  type OptimizerConfig,
  OverparamMF,
  type ProductOptions,
  SVDpp,
  splitLeaveOneOut,
  splitRandom,
  WideDeep,
} from 'opmf';
import { loadDataset } from 'opmf/node';
import { loadFrappe } from '../frappe-data';

/** What differs between two runs on the same data. */
export interface Setting {
  readonly optimizer: OptimizerConfig;
  readonly overparam: false | ProductOptions;
  readonly seed: number;
}

/** Epochs of a run: the metric on unseen data, and the seconds of training up to there. */
export type Curve = readonly { readonly metric: number; readonly seconds: number }[];

/** A way to train and judge: `seed` draws the parts. */
export interface Task {
  run(setting: Setting): Promise<Curve>;
}

export interface Subject {
  readonly name: string;
  /** What the model is given beside the setting, for the page. */
  readonly about: string;
  readonly metric: 'rmse' | 'logloss' | 'ndcg@10';
  /** Whether a step takes many rows, whose gradients it averages. */
  readonly isBatched: boolean;
  /** The products that it has not. */
  readonly without?: readonly string[];
  /** The parts of a seed: train on one, judge on another; `tuning` ones leave out what the others judge on. */
  task(seed: number, part: 'test' | 'tuning'): Promise<Task>;
}

export const EPOCHS = 15;
const [RANK, RATING_BATCH, FEATURE_BATCH] = [15, 1, 128];
/** Products have no closed form for what a user's items pool: a step reads and writes the whole set. */
const USER_BATCH = 32;
/** The part of the rows of Frappe that is used. */
const FRAPPE_PART = 0.2;
const TEST_PART = 0.1;

const PENALTY = 0.02;

/** Rating models, on MovieLens 100K: 90 % to train on, RMSE of the rest, not clipped. */
const ratings = (
  name: string,
  about: string,
  create: (setting: Setting) => { fit: MF['fit'] },
  isBatched = false,
): Subject => ({
  name,
  about: `ml-100k; ${about}`,
  metric: 'rmse',
  isBatched,
  async task(seed, part) {
    const outer = splitRandom(await loadDataset('ml-100k'), { testFraction: TEST_PART, seed });
    const { train, test } = part === 'test' ? outer : splitRandom(outer.train, { testFraction: TEST_PART, seed });
    return { run: (setting) => curve('rmse', (onEpoch) => create(setting).fit(train, { validation: test, onEpoch })) };
  },
});

/** Feature models, on a part of Frappe: log-loss of rows that are not trained on. */
const features = (name: string, about: string, create: (setting: Setting) => { fit: FM['fit'] }): Subject => ({
  name,
  about: `a fifth of Frappe; batches of ${FEATURE_BATCH}; ${about}`,
  metric: 'logloss',
  isBatched: true,
  async task(seed, part) {
    const { train: all } = await loadFrappe();
    const { test: some } = all.split({ testFraction: FRAPPE_PART, seed });
    const outer = some.split({ testFraction: TEST_PART, seed });
    const { train, test } = part === 'test' ? outer : outer.train.split({ testFraction: TEST_PART, seed });
    return {
      run: (setting) =>
        curve('logloss', (onEpoch) =>
          create(setting).fit(train as FeatureTable, { validation: test, metrics: ['logloss'], onEpoch }),
        ),
    };
  },
});

const common = ({ optimizer, overparam, seed }: Setting) => ({ optimizer, overparam, seed, epochs: EPOCHS });
const rating = (setting: Setting) => ({
  ...common(setting),
  rank: RANK,
  regularization: PENALTY,
  batchSize: RATING_BATCH,
});
const feature = (setting: Setting) => ({ ...common(setting), batchSize: FEATURE_BATCH });
const HIDDEN = [64, 64];

export const SUBJECTS: readonly Subject[] = [
  ratings('MF', 'rank 15, one rating a step', ({ overparam, ...setting }) => {
    const { overparam: _, ...options } = { ...rating({ overparam: false, ...setting }), clip: false };
    return overparam === false ? new MF(options) : new OverparamMF({ ...options, overparam });
  }),
  ratings(
    'SVDpp',
    `rank 15, steps of up to ${USER_BATCH} ratings of a user`,
    (setting) => new SVDpp({ ...rating(setting), batchSize: USER_BATCH, clip: false }),
    true,
  ),
  {
    ...ratings(
      'NMF',
      'rank 15, one rating a step, by gradients with projection; no dense product is non-negative',
      (setting) => new NMF({ ...rating(setting), solver: 'gradient', biases: false, clip: false }),
    ),
    without: ['dense-2'],
  },
  {
    name: 'NeuralCF',
    about: 'ml-100k as likes, the last of each user left out, all items ranked; NeuMF of 8 and 32-16-8, batches of 128',
    metric: 'ndcg@10',
    isBatched: true,
    async task(seed, part) {
      const outer = splitLeaveOneOut(await loadDataset('ml-100k'), { by: 'random', seed });
      const { train, test } = part === 'test' ? outer : splitLeaveOneOut(outer.train, { by: 'random', seed });
      return { run: (setting) => curve('ndcg@10', (onEpoch) => neural(setting, train, test, onEpoch)) };
    },
  },
  features('FM', 'rank 10', (setting) => new FM({ ...feature(setting), rank: 10 })),
  features(
    'WideDeep',
    'embeddings of 10, hidden 64-64; the wide side by ftrl throughout',
    (setting) => new WideDeep({ ...feature(setting), embeddingDim: 10, hidden: HIDDEN }),
  ),
  features(
    'DeepFM',
    'embeddings of 10, hidden 64-64',
    (setting) => new DeepFM({ ...feature(setting), embeddingDim: 10, hidden: HIDDEN }),
  ),
];

function neural(setting: Setting, train: Interactions, test: Interactions, onEpoch: (record: EpochRecord) => void) {
  const model = new NeuralCF({
    ...common(setting),
    variant: 'neumf',
    rank: 8,
    embeddingDim: 16,
    hidden: [16, 8],
    batchSize: FEATURE_BATCH,
  });
  return model.fit(train, { validation: test, metrics: ['ndcg@10'], onEpoch });
}

/** Runs a fit and keeps what it tells. */
async function curve(
  metric: Subject['metric'],
  fit: (onEpoch: (record: EpochRecord) => void) => Promise<unknown>,
): Promise<Curve> {
  const points: { metric: number; seconds: number }[] = [];
  let seconds = 0;
  await fit((record) => {
    seconds += record.seconds;
    points.push({ metric: record.metrics[metric]!, seconds });
  });
  return points;
}
