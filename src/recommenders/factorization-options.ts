// The defaults, as data. docs/defaults.md says where they come from.

import type { Fields, Filled } from '../core/options';
import { boolean, check, derived, field, oneOf, plain, readOptions } from '../core/options';
import { runYielding, type Scheduler } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import { adam } from '../optimizers/adam';
import { cosine } from '../optimizers/learning-rate';
import type { Optimizer, OptimizerConfig } from '../optimizers/optimizer';
import { isRule, type OptimizerName } from '../optimizers/registry';
import { sgd } from '../optimizers/sgd';
import type { Overparam, OverparamPlan, ProductSpec } from '../parameters/overparam';
import { planOverparam, tableDims } from '../parameters/overparam';
import { countRows, type RowCounts } from '../serving/interaction-history';
import type { LossName, RankingLossName } from '../training/losses';
import type { NegativeSampling } from '../training/negatives';
import { chooseBlocks } from '../training/per-rating/block-schedule';
import { type Signal, signalOf } from './signal';
import { INSTEAD, nothingToPredict, onlyValue, spreadOf, weigh } from './targets';
import {
  batchCount,
  copyOf,
  dimension,
  epochCount,
  magnitude,
  type Negatives,
  negatives,
  optimizer,
  ordersPenalty,
  penalty,
  placeFields,
  products,
  ruleApart,
  type Spread,
  type TrainingOptions,
  trainingFields,
} from './training-options';

/** The defaults in which MF and OverparamMF differ. */
export interface Preset {
  readonly overparam: Overparam;
  readonly epochs: number;
  readonly batchSize: number;
  readonly initScale: number;
  readonly regularization: {
    readonly embedding: number;
    readonly bias: number;
    readonly scaling: 'constant' | 'frequency';
  };
  /** For a number of epochs and a batch size; `shape` is what is known of the data, once a fit knows them. */
  optimizer(plan: OverparamPlan, steps: StepCounts, shape?: BatchShape): OptimizerConfig;
}

/** What rates depend on of the options, and what is known of the data once a fit knows them. */
type StepCounts = Pick<FactorizationOptionsInForce, 'epochs' | 'batchSize' | 'biasDamping'> & {
  /** See ratingsARow. */
  readonly ratingsARow?: number | undefined;
};

/** What the rates of a batch depend on. */
export interface BatchShape {
  /** The number of training ratings. */
  readonly size: number;
  /** The part of a batch that its busiest user or item has. */
  readonly busiest: number;
  /** What the penalty of embeddings is of the usual; absent: 1. */
  readonly penaltyTimes?: number | undefined;
}

/** The defaults of a recommender: for values that are to be predicted, and for orders that are learned from negatives. */
export interface Presets {
  readonly ratings: Preset;
  readonly orders: Omit<Preset, 'regularization'>;
}

/** What 'auto' is where all values are equal. */
const EVENTS = 'softmax';

/** OverparamMF: scalar per row, depth 2. */
export const OVERPARAM_PRESETS: Presets = {
  ratings: {
    overparam: { kind: 'scalar', scope: 'row', depth: 2, init: 2.6 },
    epochs: 10,
    batchSize: 1,
    initScale: 0.04,
    regularization: { embedding: 0.235, bias: 0.15, scaling: 'frequency' },
    optimizer: sgdFor,
  },
  orders: {
    overparam: { kind: 'scalar', scope: 'row', depth: 2, init: 1 },
    epochs: 20,
    batchSize: 256,
    initScale: 0.1,
    optimizer: () => adam({ learningRate: cosine(0.01) }),
  },
};

/** MF: the same recipe for plain tables, with the rates that are best for them. */
export const PLAIN_PRESETS: Presets = {
  ratings: { ...OVERPARAM_PRESETS.ratings, overparam: false, initScale: 0.0255 },
  orders: { ...OVERPARAM_PRESETS.orders, overparam: false },
};

/**
 * SVD++: the recipe of MF, with a fifth more epochs. Of eight recipes tried on a tenth of MovieLens 100K it was the best
 * (RMSE .900); it has not been searched further.
 */
export const SVDPP_PRESET: Preset = {
  ...PLAIN_PRESETS.ratings,
  epochs: 12,
  // What it pools stands no higher rate of embeddings: at 1.8 times it diverges on 3 of 8 sets.
  optimizer: (plan, steps, shape) => {
    const { bias, map } = epochScale(steps, SVDPP_PRESET.epochs);
    return sgdFor(plan, steps, shape, { bias, embedding: map, map });
  },
};

/** The rates of plain tables. */
const PLAIN_RATES = { embedding: 0.16, bias: 0.0433 };
/** That of biases which start where they belong, a quarter: more moves those of few ratings away (docs/defaults.md). */
const DAMPED_BIAS_RATE = 0.0108;
/** The rates of the preset product, at its `init`; its biases are plain. */
const PRODUCT_RATES = { embedding: 0.024, map: 0.02, init: 2.6 };

/**
 * How often the rates of a rating may be taken at once by the busiest row of a batch. A batch moves a row by the sum of
 * its ratings' steps from where the row was; a bias goes astray from some 2 / 0.0433 = 46 of them, embeddings, whose
 * curvature is less, later. Half of both ends, found by measurement: docs/defaults.md.
 */
const MOST_AT_ONCE = { bias: 20, embedding: 60 };

/**
 * What rates are multiplied by for a batch. Its gradient is the mean over its ratings, so that B times the rates move a row
 * as B single steps would, up to what its busiest row bears: min(B, most / p), p the part of the ratings that it has. Of
 * rates that are `times` the usual it bears as much less, and of a penalty that is more than usual: of 1,300 ratings with 3.5
 * times the penalty, all in a batch, MF diverged.
 */
export function batchScale(
  batchSize: number,
  shape: BatchShape | undefined,
  times = { bias: 1, embedding: 1 },
): { bias: number; embedding: number } {
  if (batchSize === 1 || shape === undefined) return { bias: 1, embedding: 1 };
  const size = Math.min(batchSize, shape.size);
  const scale = (most: number, rates: number) => Math.max(1, Math.min(size, most / shape.busiest / Math.max(1, rates)));
  const embedding = Math.max(1, times.embedding) * Math.max(1, shape.penaltyTimes ?? 1);
  return { bias: scale(MOST_AT_ONCE.bias, times.bias), embedding: scale(MOST_AT_ONCE.embedding, embedding) };
}

/** The batch that such rates are for: a smaller one, as the last of an epoch, has them in proportion. */
export function perBatch(batchSize: number, shape: BatchShape | undefined): { batch?: number } {
  return batchSize === 1 || shape === undefined ? {} : { batch: Math.min(batchSize, shape.size) };
}

/**
 * How often an epoch moves the rows of a rating: sqrt(U I), U the mean over the ratings of how many their user has, I of
 * how many their item has.
 */
export function ratingsARow({ users, items }: RowCounts): number {
  const mean = (counts: Int32Array) => {
    let [sum, squares] = [1, 1];
    for (const count of counts) {
      sum += count;
      squares += count * count;
    }
    return squares / sum;
  };
  return Math.sqrt(mean(users) * mean(items));
}

/** That of MovieLens 100K. Rows that an epoch moves more often want fewer epochs' rates: MovieLens 1M has 564. */
const USUAL_RATINGS_A_ROW = 184;

/**
 * What rates are multiplied by for a number of epochs. For fewer than usual those of embeddings by (usual / epochs)^0.35: by ^0.5
 * one of 7 sets diverges in 1 epoch. Epochs that move rows more often than usual count as that many more: at the rates of
 * small sets MF diverged in 1 epoch of a million ratings, and in 4 of 20 million. Biases that start at 0 have ^(1/2), and with them embeddings ^(1/4), as far as training is
 * stable with room: three times the rate of embeddings diverges on 5 of 8 sets. For more, usual /
 * epochs, at which rows move as far in all: at the same rates more epochs fit more of the noise (docs/defaults.md).
 */
function epochScale(
  { epochs, biasDamping, ratingsARow = 0 }: StepCounts,
  usual: number,
): { bias: number; embedding: number; map: number } {
  const ratio = usual / epochs;
  if (ratio <= 1) return { bias: ratio, embedding: ratio, map: ratio };
  const moved = Math.max(1, ratio * Math.min(1, USUAL_RATINGS_A_ROW / ratingsARow));
  if (biasDamping !== false) return { bias: 1, embedding: moved ** 0.35, map: 1 };
  return { bias: Math.sqrt(ratio), embedding: Math.sqrt(Math.sqrt(moved)), map: 1 };
}

/**
 * SGD with a cosine decay to 0, at rates that suit the products of a plan: a step on the factors moves a product by the
 * square of its maps times the rate, so the rate of the base falls with that square, to keep the product's own. Tables
 * that share a rate and are not alike get the least of theirs, at which none diverges.
 */
function sgdFor(
  plan: OverparamPlan,
  steps: StepCounts,
  shape?: BatchShape,
  byEpochs = epochScale(steps, OVERPARAM_PRESETS.ratings.epochs),
): OptimizerConfig {
  const rates = [ratesOf(plan.get('userEmbedding')), ratesOf(plan.get('itemEmbedding'))];
  const least = (list: readonly number[]) => Math.min(...list);
  const { batchSize, biasDamping } = steps;
  const scale = batchScale(batchSize, shape, byEpochs);
  const embedding = byEpochs.embedding * scale.embedding * least(rates.map((rate) => rate.embedding));
  const maps = rates.flatMap(({ map }) => (map === undefined ? [] : [byEpochs.map * scale.embedding * map]));
  const bias = byEpochs.bias * scale.bias * (biasDamping === false ? PLAIN_RATES.bias : DAMPED_BIAS_RATE);
  const rate = maps.length === 0 ? { embedding, bias } : { embedding, map: least(maps), bias };
  return sgd({ learningRate: cosine(rate, perBatch(batchSize, shape)) });
}

function ratesOf(spec: ProductSpec | undefined): { embedding: number; map?: number } {
  if (spec === undefined) return { embedding: PLAIN_RATES.embedding };
  let square = 1;
  for (let layer = 1; layer < spec.depth; layer++) square *= spec.init * spec.init;
  const terms = spec.kind === 'dense' ? 1 : spec.width;
  const { embedding, map, init } = PRODUCT_RATES;
  return {
    embedding: (embedding * init * init) / (square * terms),
    map: (map * spec.init * spec.init) / (init * init),
  };
}

// The options of MF and OverparamMF: their types, their checks, and how a caller's part of them meets the preset.

/** The strengths of the L2 penalty on embeddings and biases; what is left out is as the recommender has it by default. */
export type Regularization = Exclude<NonNullable<OverparamMFOptions['regularization']>, number>;

/** The options of OverparamMF, and of other factorizations those that they name. */
export interface OverparamMFOptions extends TrainingOptions {
  /** The length of the vectors, from 1 to 65536. @defaultValue 32 */
  readonly rank?: number | undefined;
  /**
   * How tables are written as products; `false`: plain. Fields left out of one product for all tables are those of the
   * default where its kind is. @defaultValue OverparamMF: scalar per row, depth 2, init 2.6; MF: false
   */
  readonly overparam?: Overparam | undefined;
  /**
   * 'squared', 'absolute' and 'huber' predict values, which must differ. 'bpr', 'warp' and 'softmax' learn an order from
   * what users have and a few drawn items that they do not have; values are not looked at. 'logistic' does with
   * `negatives` too, and takes values from 0 to 1 without. 'auto': 'squared' where the values of a fit differ (or there is
   * one alone), 'softmax' where all are equal: untouched it ranks best of these. After the fit `options.loss` says which. @defaultValue 'auto'
   */
  readonly loss?: LossName | RankingLossName | 'auto' | undefined;
  /**
   * Items drawn for each interaction that its user does not have: how many, from 0 to 4096, and how ('popularity': in proportion to
   * interactions^exponent). @defaultValue bpr: 1, warp: 16, softmax: 32, uniform; others: false
   */
  readonly negatives?: number | Negatives | false | undefined;
  /**
   * A name, a configuration (`adam({ learningRate: .003 })`) or an object with the Optimizer seam. A configuration with
   * fields left out, of the default's name or of none (`{ learningRate: { bias: .05 } }`), keeps the default's.
   * @defaultValue sgd with the rates of docs/defaults.md, which follow `epochs` and `batchSize`; losses of orders: adam at
   * 0.01, a cosine
   */
  readonly optimizer?: Optimizer | Partial<OptimizerConfig> | OptimizerName | undefined;
  /** Passes over the data, from 1 to 100000. @defaultValue 10; losses of orders: 20; SVDpp: 12 */
  readonly epochs?: number | undefined;
  /**
   * Ratings (or interactions, where negatives are drawn) a step, at least 1; the gradient is their mean.
   * @defaultValue 1; 256 with negatives, of softmax a 400th of the interactions from 64 on
   */
  readonly batchSize?: number | undefined;
  /** 'sigmoid': minimum + range sigmoid(score), so that predictions stay on the scale. @defaultValue 'identity' */
  readonly link?: 'identity' | 'sigmoid' | undefined;
  /**
   * lambda of 1/2 lambda (|e_u|^2 + |e_i|^2 + b_u^2 + b_i^2) per rating, at least 0; a number is constant and for all.
   * @defaultValue embeddings 0.235, biases 0.15, by frequency, times what the data say of structure and noise (docs/defaults.md);
   * losses of orders: c sqrt(n / k) by frequency, n the items of a user in the mean over users and k over interactions, c 0.05, of
   * warp 0.2; of softmax 0.023 / k^(1/4), constant; more where interactions are few for so many rows (docs/defaults.md)
   */
  readonly regularization?:
    | number
    | {
        /** lambda of embeddings, at least 0. @defaultValue 0.235; losses of orders: as above */
        readonly embedding?: number | undefined;
        /** lambda of biases, at least 0. @defaultValue 0.15; losses of orders: as above */
        readonly bias?: number | undefined;
        /** 'frequency': a row with n ratings has lambda sqrt(20 / n). @defaultValue 'frequency'; softmax: 'constant' */
        readonly scaling?: 'constant' | 'frequency' | undefined;
      }
    | undefined;
  /** Whether users and items have biases. @defaultValue true */
  readonly biases?: boolean | undefined;
  /**
   * What biases start at, with loss 'squared': that of a row with n ratings at their mean residual times n / (n + damping),
   * dampings at least 0; false: at 0. 'auto': dampings at which a rating is best predicted from the others; false where all
   * of the rates of `optimizer` or strengths of `regularization` are given. After the fit `options.biasDamping` says which.
   * @defaultValue 'auto'
   */
  readonly biasDamping?:
    | 'auto'
    | false
    | {
        /** Of users, at least 0. @defaultValue 5 */
        readonly user?: number | undefined;
        /** Of items, at least 0. @defaultValue 5 */
        readonly item?: number | undefined;
      }
    | undefined;
  /**
   * The standard deviation that the embeddings (the products) start with, at least 0.
   * @defaultValue OverparamMF: 0.04; MF, SVDpp: 0.0255; losses of orders: 0.1
   */
  readonly initScale?: number | undefined;
  /**
   * Divides ratings inside by their standard deviation, and for loss 'squared' by a tenth of the largest deviation from
   * their mean where that is more, as with play counts; predictions come back on the rating scale. @defaultValue true
   */
  readonly standardize?: boolean | undefined;
  /**
   * The threads to train on, a whole number from 1 to 256, where batchSize is 1 and every table is keyed by user or item, or
   * where items are drawn, tables are plain and interactions 262,144 or more; results never depend on it.
   * `auto`: one for each core, where there is enough to do, as 10 epochs of a million ratings at rank 128. Where threads cannot be started one does the work, which is
   * said once as a warning; a thread that ends before its time is a ThreadError. @defaultValue 'auto'
   */
  readonly threads?: number | 'auto' | undefined;
  /**
   * The most ratings of one user that a step takes where batchSize is 1: their errors are all taken from the user's
   * row as the step finds it, and their gradients are added up. 4 is another rule than 1, and a faster one. @defaultValue 1
   */
  readonly grouping?: 1 | 4 | undefined;
}

/** A loss of a factorization: of values, or of orders. */
export type FactorizationLoss = LossName | RankingLossName;

/** Every option filled in; plain JSON. Before a fit the loss may be 'auto'. */
export type FactorizationOptionsInForce = Omit<FilledOptions, 'loss'> & { readonly loss: FactorizationLoss | 'auto' };

/** Every option of a training. */
export type FilledOptions = Filled<
  OverparamMFOptions,
  {
    readonly loss: FactorizationLoss;
    readonly optimizer: OptimizerConfig;
    readonly regularization: Filled<Regularization>;
    readonly negatives: NegativeSampling | false;
  }
>;

/** The options as they are declared: with the update rule itself, which may be an object of the caller's. */
type Declared = Omit<FactorizationOptionsInForce, 'optimizer'> & { readonly optimizer: Optimizer };

/** The declarations of a kind's options. */
export type FactorizationFields = Fields<Declared, ChosenByData>;

/** What a fit knows of its data. */
export interface ChosenByData {
  readonly loss: FactorizationLoss;
  readonly shape?: BatchShape | undefined;
  readonly ratingsARow?: number | undefined;
  /** Where orders are learned. */
  readonly spread?: Spread | undefined;
  /** What the penalties of the preset are multiplied by. */
  readonly penaltyTimes?: Signal['times'] | undefined;
  /** By what biases start that are left to the data. */
  readonly biasDamping?: Signal['damping'] | false | undefined;
}

/** Reads what an option `overparam` has for the tables. */
type PlanOf = (owner: string, overparam: Overparam, options: Declared) => OverparamPlan;

/** The products of the tables; `extra`: embeddings beside those of users and items. */
export const productPlans =
  (extra: readonly string[] = []): PlanOf =>
  (owner, overparam, { rank, biases }) =>
    planOverparam(owner, overparam, tableDims(rank, biases, extra));

/**
 * The options of a factorization, each declared once, in the order that files have them in. Defaults are those of the
 * preset for what is learned: values, or orders where negatives are drawn. `planOf`: of a kind without products no plan.
 */
export function factorizationFields(presets: Presets, planOf: PlanOf): FactorizationFields {
  const presetOf = (options: Declared) => (options.negatives === false ? presets.ratings : presets.orders);
  const lossName = oneOf('auto', 'squared', 'logistic', 'absolute', 'huber', 'bpr', 'warp', 'softmax');
  const { shuffle, seed, kernels, clip } = trainingFields();
  return {
    rank: field(dimension(), 32),
    overparam: products<Overparam, Declared, ChosenByData>(
      (overparam, { owner, options }) => planOf(owner, overparam, options),
      ({ options }) => presetOf(options).overparam,
    ),
    loss: {
      wanted: lossName.wanted,
      read: (given, name, { data }) => data?.loss ?? (given === undefined ? 'auto' : lossName(given, name)),
    },
    epochs: derived(epochCount(), ({ options }) => presetOf(options).epochs),
    batchSize: derived(batchCount(), ({ options, data }) => {
      const { batchSize } = presetOf(options);
      if (options.loss !== 'softmax' || data?.spread === undefined) return batchSize;
      return Math.min(batchSize, batchOfSoftmax(data.spread.size));
    }),
    link: field(oneOf('identity', 'sigmoid'), 'identity'),
    biases: field(boolean, true),
    biasDamping: {
      wanted: "'auto', false or { user, item }, numbers of at least 0",
      read(given = 'auto', name, { owner, data }) {
        if (given === 'auto') return data?.biasDamping ?? given;
        if (given === false) return given;
        const side = field(magnitude(), 5);
        return readOptions<Signal['damping']>(owner, given, { user: side, item: side }, `${name}.`);
      },
    },
    initScale: derived(magnitude(), ({ options }) => presetOf(options).initScale),
    standardize: field(boolean, true),
    shuffle,
    seed,
    threads: placeFields().threads,
    kernels,
    grouping: field<1 | 4>(
      check('1 or 4', (value) => value === 1 || value === 4),
      1,
    ),
    clip,
    negatives: negatives(),
    optimizer: optimizer(({ owner, options, data }) => {
      const { epochs, batchSize, biasDamping } = options;
      const steps = { epochs, batchSize, biasDamping, ratingsARow: data?.ratingsARow };
      return presetOf(options).optimizer(planOf(owner, options.overparam, options), steps, data?.shape);
    }),
    regularization: penalty(
      ({ options, data }) => {
        if (options.negatives !== false) {
          const { lambda, scaling } = ordersPenalty(options.loss, data?.spread);
          return { embedding: lambda, bias: lambda, scaling };
        }
        const { regularization } = presets.ratings;
        const times = data?.penaltyTimes ?? { embedding: 1, bias: 1 };
        const digits = (value: number) => Number(value.toPrecision(12));
        const embedding = digits(regularization.embedding * times.embedding);
        return { ...regularization, embedding, bias: digits(regularization.bias * times.bias) };
      },
      (lambda) => ({ embedding: lambda, bias: lambda, scaling: 'constant' }),
    ),
  };
}

/** Of softmax the fewest interactions a step, and how many steps an epoch has in between. */
const LEAST_BATCH = 64;
const STEPS_OF_SOFTMAX = 400;

/**
 * Interactions a step of softmax, at most those of the preset. At 256 an epoch of 10,000 is 40 steps, too few: 64 brought softmax 2 to 12 % on
 * four of five sets of 6,000 to 30,000 (the fifth: -.3 %), and bpr nothing. docs/defaults.md
 */
const batchOfSoftmax = (size: number) => Math.max(LEAST_BATCH, Math.round(size / STEPS_OF_SOFTMAX));

/** A recommender's options once read. */
export interface ReadRecommender {
  /** Filled in; with loss 'auto' as for values that differ. */
  readonly options: FactorizationOptionsInForce;
  /** The update rule; it may be an object of the caller's. */
  readonly rule: Optimizer;
  /** What the caller gave, as a copy: what a fit chooses the rest by, once it knows the data. */
  readonly asked: OverparamMFOptions;
}

/** The same for some data, and where biases start, in the unit of ratings; absent: at 0. */
export interface ReadForData {
  readonly read: ReadRecommender;
  readonly biases?: Pick<Signal, 'users' | 'items'> | undefined;
  readonly counts?: Signal['counts'];
}

/** How the options of a kind are read: as they are given, and for a training on some data. */
export interface OptionsReader {
  read(given: OverparamMFOptions | undefined): ReadRecommender;
  forData(asked: OverparamMFOptions, data: Interactions, scheduler: Scheduler): Promise<ReadForData>;
  /** The same of data that are asked for no more than is needed. */
  forFacts(asked: OverparamMFOptions, facts: DataFacts): Promise<ReadForData>;
}

/** What options depend on of the data of a fit, each worked out when it is first asked for. */
export interface DataFacts {
  /** The value of all ratings; undefined where they differ. */
  only(): Promise<number | undefined>;
  shape(options: { readonly batchSize: number; readonly rank: number; readonly shuffle: boolean }): Promise<BatchShape>;
  spread(): Promise<Spread>;
  counts(): Promise<RowCounts>;
  signal(
    damping: Parameters<typeof signalOf>[1],
    options: Pick<FactorizationOptionsInForce, 'kernels'>,
  ): Promise<Signal>;
}

/** Whether rates or strengths are all the caller's own: those are for biases that start at 0. */
function isWhole(given: unknown): boolean {
  if (typeof given !== 'object' || given === null) return given !== undefined;
  const { embedding, bias } = given as { embedding?: unknown; bias?: unknown };
  return embedding !== undefined && bias !== undefined;
}

/** The same of an update rule. */
function hasOwnRates(given: OverparamMFOptions['optimizer']): boolean {
  if (typeof given !== 'object' || given === null || isRule(given)) return given !== undefined;
  const { name = 'sgd', learningRate } = given as { name?: unknown; learningRate?: unknown };
  const { rate = learningRate } = (learningRate ?? {}) as { rate?: unknown };
  return name !== 'sgd' || isWhole(rate);
}

/**
 * How the options of a kind are read.
 * @param instead what to do instead where values do not differ and the kind learns no orders
 * @param shape what the default rates of its batches depend on
 */
export function readerOf(
  owner: string,
  fields: FactorizationFields,
  instead?: string,
  shape: typeof shapeOf = shapeOf,
): OptionsReader {
  const read = (given: OverparamMFOptions | undefined, chosen?: ChosenByData): ReadRecommender => {
    const own: OverparamMFOptions =
      given === undefined ? {} : plain(given, 'options', 'an object with options such as rank', owner);
    const isOwn = own.biasDamping === undefined && (hasOwnRates(own.optimizer) || isWhole(own.regularization));
    const full = isOwn ? { ...own, biasDamping: false as const } : own;
    const { options, rule } = ruleApart(readOptions<Declared, ChosenByData>(owner, full, fields, '', chosen));
    return { options, rule, asked: copyOf(own) };
  };
  return {
    read: (given) => read(given),
    forData(asked, data, scheduler) {
      return this.forFacts(asked, {
        only: () => runYielding(onlyValue(data), scheduler),
        shape: (options) => shape(data, options, scheduler),
        spread: () => spreadOf(data, scheduler),
        counts: () => countRows(data, scheduler),
        signal: async (damping, { kernels }) =>
          signalOf((await weigh(data, scheduler)).data, damping, scheduler, kernels),
      });
    },
    /** The options of a training: the loss that 'auto' stands for, and what goes with it. */
    async forFacts(asked, facts) {
      const { options } = read(asked);
      const only = options.negatives === false ? await facts.only() : undefined;
      const isAuto = options.loss === 'auto';
      if (only !== undefined && (!isAuto || instead !== undefined)) {
        throw nothingToPredict(owner, `loss '${isAuto ? 'squared' : options.loss}'`, only, instead ?? INSTEAD);
      }
      if (only !== undefined && asked.negatives !== undefined) {
        throw nothingToPredict(
          owner,
          'negatives: false',
          only,
          `negatives left out, which has loss 'softmax' draw them`,
        );
      }
      const loss = options.loss !== 'auto' ? options.loss : only === undefined ? 'squared' : EVENTS;
      const isRated = only === undefined && options.negatives === false;
      const batch = options.batchSize > 1 && isRated ? await facts.shape(options) : undefined;
      const spread = isRated ? undefined : await facts.spread();
      // Of the penalties left to the data, and of where biases start, what is asked for.
      const { regularization: given } = asked;
      const isPenalized = typeof given === 'object' && given.embedding !== undefined && given.bias !== undefined;
      const starts = options.biasDamping !== false && options.biases && options.link === 'identity';
      const needsSignal = starts || !(isPenalized || typeof given === 'number');
      const damping = options.biasDamping === false || options.biasDamping === 'auto' ? undefined : options.biasDamping;
      const signal = isRated && loss === 'squared' && needsSignal ? await facts.signal(damping, options) : undefined;
      const counts = signal?.counts ?? (isRated ? await facts.counts() : undefined);
      const biases = starts ? signal : undefined;
      const biasDamping = biases?.damping ?? false;
      return {
        read: read(asked, {
          loss,
          shape: batch && { ...batch, penaltyTimes: signal?.times.embedding },
          ratingsARow: counts && ratingsARow(counts),
          spread,
          penaltyTimes: signal?.times,
          biasDamping,
        }),
        biases,
        counts,
      };
    },
  };
}

/**
 * How much of a batch the busiest user or item has. Batches are of a tile of some users and some items, in which each has
 * more than of all ratings; in the order of the data those of one may be a whole batch.
 */
export async function shapeOf(
  data: Interactions,
  { batchSize, rank, shuffle }: { readonly batchSize: number; readonly rank: number; readonly shuffle: boolean },
  scheduler: Scheduler,
): Promise<BatchShape> {
  const { size } = data;
  if (!shuffle) return { size, busiest: await busiestInOrder(data, Math.min(batchSize, size), scheduler) };
  const counts = await countRows(data, scheduler);
  // Plain tables of these rows, or of products of two: for others tiles may be smaller, which the bounds have room for.
  const side = ({ length: rows }: Int32Array) => ({ rows, bytes: 8 * rows * rank });
  const blocks = chooseBlocks(size, batchSize, side(counts.users), side(counts.items));
  const most = (list: Int32Array) => list.reduce((found, count) => Math.max(found, count), 1) / size;
  return { size, busiest: Math.min(1, Math.max(most(counts.users) * blocks.users, most(counts.items) * blocks.items)) };
}

/** The largest part of a batch that a user or an item has, where batches are one after another in the order of the data. */
async function busiestInOrder(
  { size, userIndex, itemIndex, users, items }: Interactions,
  batchSize: number,
  scheduler: Scheduler,
): Promise<number> {
  const counts = [new Int32Array(users.size), new Int32Array(items.size)] as const;
  let most = 1;
  for (let from = 0; from < size; from += batchSize) {
    const to = Math.min(from + batchSize, size);
    for (const [side, rows] of [userIndex, itemIndex].entries()) {
      const count = counts[side]!;
      for (let k = from; k < to; k++) most = Math.max(most, ++count[rows[k]!]!);
      for (let k = from; k < to; k++) count[rows[k]!] = 0;
    }
    if (scheduler.isDue(to - from)) await scheduler.yieldNow();
  }
  return most / batchSize;
}
