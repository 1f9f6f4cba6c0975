// The defaults, as data. Those for ratings need no tuning, and docs/defaults.md says where they come from; those for orders
// are a plain start that nobody has tuned.

import { adam } from '../optimizers/adam';
import type { OptimizerConfig } from '../optimizers/optimizer';
import { cosine } from '../optimizers/schedule';
import { sgd } from '../optimizers/sgd';
import type { Overparam, OverparamPlan, ProductSpec } from '../parameters/overparam';

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
  /** For a batch size; `shape` is what is known of the data, once a fit knows them. */
  optimizer(plan: OverparamPlan, batchSize: number, shape?: BatchShape): OptimizerConfig;
}

/** What the rates of a batch depend on. */
export interface BatchShape {
  /** The number of training ratings. */
  readonly size: number;
  /** The part of a batch that its busiest user or item has. */
  readonly busiest: number;
}

/** The defaults of a recommender: for values that are to be predicted, and for orders that are learned from negatives. */
export interface Presets {
  readonly ratings: Preset;
  readonly orders: Preset;
}

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
    regularization: { embedding: 0.01, bias: 0.01, scaling: 'constant' },
    optimizer: () => adam({ learningRate: 0.005 }),
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
export const SVDPP_PRESET: Preset = { ...PLAIN_PRESETS.ratings, epochs: 12 };

/** The rates of plain tables. */
const PLAIN_RATES = { embedding: 0.16, bias: 0.0433 };
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
 * as B single steps would, up to what its busiest row bears: min(B, most / p), p the part of the ratings that it has.
 */
export function batchScale(batchSize: number, shape: BatchShape | undefined): { bias: number; embedding: number } {
  if (batchSize === 1 || shape === undefined) return { bias: 1, embedding: 1 };
  const size = Math.min(batchSize, shape.size);
  const scale = (most: number) => Math.max(1, Math.min(size, most / shape.busiest));
  return { bias: scale(MOST_AT_ONCE.bias), embedding: scale(MOST_AT_ONCE.embedding) };
}

/** The batch that such rates are for: a smaller one, as the last of an epoch, has them in proportion. */
export function perBatch(batchSize: number, shape: BatchShape | undefined): { batch?: number } {
  return batchSize === 1 || shape === undefined ? {} : { batch: Math.min(batchSize, shape.size) };
}

/**
 * SGD with a cosine decay to 0, at rates that suit the products of a plan: a step on the factors moves a product by the
 * square of its maps times the rate, so the rate of the base falls with that square, to keep the product's own. Tables
 * that share a rate and are not alike get the least of theirs, at which none diverges.
 */
function sgdFor(plan: OverparamPlan, batchSize: number, shape?: BatchShape): OptimizerConfig {
  const rates = [ratesOf(plan.get('userEmbedding')), ratesOf(plan.get('itemEmbedding'))];
  const least = (list: readonly number[]) => Math.min(...list);
  const scale = batchScale(batchSize, shape);
  const embedding = scale.embedding * least(rates.map((rate) => rate.embedding));
  const maps = rates.flatMap(({ map }) => (map === undefined ? [] : [scale.embedding * map]));
  const bias = scale.bias * PLAIN_RATES.bias;
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
