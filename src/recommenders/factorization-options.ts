// The options of MF and OverparamMF: their types, their checks, and how a caller's part of them meets the preset.

import {
  boolean,
  seed as checkSeed,
  type Filled,
  field,
  integer,
  number,
  oneOf,
  optional,
  readOptions,
  wrong,
} from '../core/options';
import type { Seed } from '../core/random';
import { MAX_RANK, tableDims } from '../models/factorization-tables';
import type { Optimizer, OptimizerConfig } from '../optimizers/optimizer';
import { type OptimizerName, resolveOptimizer } from '../optimizers/registry';
import { type Overparam, planOverparam } from '../parameters/overparam';
import type { KernelChoice } from '../training/engine-options';
import type { GroupLossName } from '../training/group-losses';
import type { LossName } from '../training/losses';
import type { NegativeSampling } from '../training/negatives/item-sampler';
import { type Negatives, readNegatives } from './negatives-option';
import type { Preset, Presets } from './presets';

/** The strengths of the L2 penalty on embeddings and biases. */
export interface Regularization {
  /** lambda of embeddings. @defaultValue the default of the recommender */
  readonly embedding?: number | undefined;
  /** lambda of biases. @defaultValue `embedding` */
  readonly bias?: number | undefined;
  /** 'frequency': a row with n ratings has lambda sqrt(20 / n). @defaultValue 'constant' */
  readonly scaling?: 'constant' | 'frequency' | undefined;
}

/** The options of a matrix-factorization recommender. */
export interface FactorizationRecommenderOptions {
  /** The length of the vectors. @defaultValue 32 */
  readonly rank?: number | undefined;
  /** How tables are written as products; `false`: plain. @defaultValue OverparamMF: scalar per row, depth 2, init 2.6; MF: false */
  readonly overparam?: Overparam | undefined;
  /**
   * 'bpr', 'warp' and 'softmax' learn an order from what users have and a few drawn items that they do not have; values
   * are not looked at. 'logistic' does with `negatives` too, and takes values from 0 to 1 without. @defaultValue 'squared'
   */
  readonly loss?: LossName | GroupLossName | undefined;
  /**
   * Items drawn for each interaction that its user does not have: how many, how ('popularity': in proportion to
   * interactions^exponent). @defaultValue bpr: 1, warp: 16, softmax: 32, uniform; others: none
   */
  readonly negatives?: number | Negatives | false | undefined;
  /** A name, a configuration (`adam({ learningRate: .003 })`) or an object with the Optimizer seam. @defaultValue sgd with the rates of docs/defaults.md */
  readonly optimizer?: Optimizer | OptimizerConfig | OptimizerName | undefined;
  /** @defaultValue 10 */
  readonly epochs?: number | undefined;
  /** Ratings (or interactions, where negatives are drawn) a step; the gradient is their mean. @defaultValue 1; 256 with negatives */
  readonly batchSize?: number | undefined;
  /** 'sigmoid': minimum + range sigmoid(score), so that predictions stay on the scale. @defaultValue 'identity' */
  readonly link?: 'identity' | 'sigmoid' | undefined;
  /** lambda of 1/2 lambda (|e_u|^2 + |e_i|^2 + b_u^2 + b_i^2) per rating; a number is constant and for all. */
  readonly regularization?: number | Regularization | undefined;
  /** Whether users and items have biases. @defaultValue true */
  readonly biases?: boolean | undefined;
  /** The standard deviation that the embeddings (the products) start with. */
  readonly initScale?: number | undefined;
  /** Divides ratings by their standard deviation inside; predictions come back on the rating scale. @defaultValue true */
  readonly standardize?: boolean | undefined;
  /** A new order of the ratings each epoch. @defaultValue true */
  readonly shuffle?: boolean | undefined;
  /** @defaultValue 1 */
  readonly seed?: Seed | undefined;
  /**
   * The threads to train on, where batchSize is 1 and every table is keyed by user or item; results never depend on it.
   * `auto`: one for each core, where there is enough to do. Where threads cannot be started one does the work, which is
   * said once as a warning; a thread that ends before its time is a ThreadError. @defaultValue 1
   */
  readonly threads?: number | 'auto' | undefined;
  /**
   * What does the arithmetic; results never depend on it. `auto`: WebAssembly where it and its memory can be had, else
   * JavaScript; `wasm`: else an UnsupportedError, in answers too. @defaultValue 'auto'
   */
  readonly kernels?: KernelChoice | undefined;
  /**
   * The most ratings of one user that a step takes where batchSize is 1: their errors are all taken from the user's
   * row as the step finds it, and their gradients are added up. 4 is another rule than 1, and a faster one. @defaultValue 1
   */
  readonly grouping?: 1 | 4 | undefined;
  /** Clips predictions to the range of the training ratings. @defaultValue true */
  readonly clip?: boolean | undefined;
}

/** The options whose default depends on others, or that are read by their own rules. */
type ReadLater = 'regularization' | 'optimizer' | 'negatives';

/** Every option filled in; plain JSON, but for an optimizer of the caller's own. */
export type FilledOptions = Readonly<
  Filled<Omit<FactorizationRecommenderOptions, ReadLater>> & {
    readonly optimizer: OptimizerConfig;
    readonly regularization: Filled<Regularization>;
    readonly negatives: NegativeSampling | false;
  }
>;

const threadCount = (value: unknown, name: string): number | 'auto' => {
  if (value === 'auto') return value;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 256) return value;
  throw wrong(name, value, "a whole number from 1 to 256, or 'auto'");
};

const groupSize = (value: unknown, name: string): 1 | 4 => {
  if (value === 1 || value === 4) return value;
  throw wrong(name, value, '1 or 4');
};

/** Reads a recommender's options over its preset. The rule is returned beside the options: it may be an object. */
export function readRecommenderOptions(
  owner: string,
  given: FactorizationRecommenderOptions | undefined,
  presets: Presets,
  /** Embeddings beside those of users and items. */
  extra: readonly string[] = [],
): { options: FilledOptions; rule: Optimizer } {
  // Read twice: what the other defaults are depends on the loss and on whether negatives are drawn.
  const lossName = oneOf('squared', 'logistic', 'absolute', 'huber', 'bpr', 'warp', 'softmax');
  const isObject = typeof given === 'object' && given !== null;
  const loss = isObject && given.loss !== undefined ? lossName(given.loss, 'loss') : 'squared';
  const negatives = readNegatives(owner, isObject ? given.negatives : undefined, loss);
  const preset = negatives === false ? presets.ratings : presets.orders;
  const read = readOptions<
    Filled<Omit<FactorizationRecommenderOptions, ReadLater>> & Pick<FactorizationRecommenderOptions, ReadLater>
  >(owner, given, {
    rank: field(integer({ min: 1, max: MAX_RANK }), 32),
    overparam: field((value) => value as Overparam, preset.overparam),
    loss: field<LossName | GroupLossName>(lossName, 'squared'),
    negatives: optional((value) => value as Negatives),
    optimizer: optional((value) => value as OptimizerConfig),
    epochs: field(integer({ min: 1 }), preset.epochs),
    batchSize: field(integer({ min: 1 }), preset.batchSize),
    link: field(oneOf('identity', 'sigmoid'), 'identity'),
    regularization: optional((value) => value as number | Regularization),
    biases: field(boolean, true),
    initScale: field(number({ min: 0 }), preset.initScale),
    standardize: field(boolean, true),
    shuffle: field(boolean, true),
    seed: field(checkSeed, 1),
    threads: field<number | 'auto'>(threadCount, 1),
    kernels: field(oneOf('auto', 'wasm', 'js'), 'auto'),
    grouping: field(groupSize, 1),
    clip: field(boolean, true),
  });
  // The model reads it again, once it knows its tables: from a copy, which the caller cannot change meanwhile.
  const plan = planOverparam(owner, read.overparam, tableDims(read.rank, read.biases, extra));
  const overparam = freezeCopy(read.overparam);
  const rule = resolveOptimizer(read.optimizer ?? preset.optimizer(plan));
  const regularization = Object.freeze({ ...readRegularization(owner, read.regularization, preset) });
  return { options: Object.freeze({ ...read, negatives, overparam, optimizer: rule.config, regularization }), rule };
}

/** A copy of plain JSON of two levels that nobody can change. */
export function freezeCopy(overparam: Overparam): Overparam {
  if (overparam === false) return false;
  const entries = Object.entries(overparam).map(([name, value]) => [name, Object.freeze(structuredClone(value))]);
  return Object.freeze(Object.fromEntries(entries));
}

function readRegularization(
  owner: string,
  given: number | Regularization | undefined,
  preset: Preset,
): Filled<Regularization> {
  const strength = number({ min: 0 });
  if (given === undefined) return preset.regularization;
  if (typeof given === 'number') {
    const lambda = strength(given, 'regularization');
    return { embedding: lambda, bias: lambda, scaling: 'constant' };
  }
  if (typeof given !== 'object' || given === null) {
    throw wrong('regularization', given, 'a number of at least 0, or { embedding, bias, scaling }');
  }
  const embedding = given.embedding ?? preset.regularization.embedding;
  return readOptions<Filled<Regularization>>(
    owner,
    given,
    {
      embedding: field(strength, embedding),
      bias: field(strength, embedding),
      scaling: field(oneOf('constant', 'frequency'), 'constant'),
    },
    'regularization.',
  );
}
