// The options of NeuralCF: their types and their checks.

import {
  boolean,
  type Check,
  seed as checkSeed,
  type Fields,
  type Filled,
  field,
  integer,
  number,
  oneOf,
  optional,
  readOptions,
  wrong,
} from '../../core/options';
import { plainCopy } from '../../core/plain-copy';
import type { Seed } from '../../core/random';
import { ACTIVATIONS, type ActivationName } from '../../models/layers';
import { type NeuralVariant, planNeural } from '../../models/neural-cf';
import { adam } from '../../optimizers/adam';
import type { Optimizer, OptimizerConfig } from '../../optimizers/optimizer';
import { type OptimizerName, resolveOver } from '../../optimizers/registry';
import type { ProductOptions } from '../../parameters/overparam';
import type { KernelChoice } from '../../training/engine-options';
import type { GroupLossName } from '../../training/group-losses';
import type { NegativeSampling } from '../../training/negatives/item-sampler';
import { MAX_EPOCHS } from '../factorization-options';
import { dimField, layers } from '../features/feature-options';
import { type Negatives, readNegatives } from '../negatives-option';

/**
 * One product for the embeddings (and, where it is dense, for every dense layer), or products by name: `gmfUser`,
 * `gmfItem`, `mlpUser`, `mlpItem`, `mlp1`, `mlp2`, ..., `output`.
 *
 * @example
 * ```ts
 * import { NeuralCF, type NeuralOverparam } from 'opmf';
 * const overparam: NeuralOverparam = { gmfUser: { kind: 'scalar' }, mlp1: { kind: 'dense' } };
 * console.log(new NeuralCF({ overparam }).isFitted); // false
 * ```
 */
export type NeuralOverparam = false | ProductOptions | Readonly<Record<string, false | ProductOptions | undefined>>;

/** The strengths of the L2 penalties of a neural model. */
export interface NeuralRegularization {
  /** lambda of embeddings, an occurrence: 1/2 lambda |e|^2 for each pair that a row is in. @defaultValue 0 */
  readonly embedding?: number | undefined;
  /** lambda of the weights of dense layers: 1/2 lambda |W|^2 beside the mean loss. @defaultValue 0 */
  readonly dense?: number | undefined;
}

/** The options of NeuralCF. */
export interface NeuralCFOptions {
  /** 'gmf': weighted products; 'mlp': hidden layers; 'neumf': both under one output layer. @defaultValue 'neumf' */
  readonly variant?: NeuralVariant | undefined;
  /** The length of the vectors that GMF multiplies. @defaultValue 32 */
  readonly rank?: number | undefined;
  /** The length of each of the two vectors that enter the MLP side by side. @defaultValue 32 */
  readonly embeddingDim?: number | undefined;
  /** The outputs of each hidden layer of the MLP, of one at least. @defaultValue [32, 16, 8] */
  readonly hidden?: readonly number[] | undefined;
  /** @defaultValue 'relu' */
  readonly activation?: ActivationName | undefined;
  /** The probability that an output of a hidden layer is dropped in training. @defaultValue 0 */
  readonly dropout?: number | undefined;
  /** 'logistic': predictions are probabilities. The others learn an order, and predictions are scores. @defaultValue 'logistic' */
  readonly loss?: 'logistic' | GroupLossName | undefined;
  /** Items drawn for each interaction that its user does not have. @defaultValue 4; bpr: 1, warp: 16, softmax: 32 */
  readonly negatives?: number | Negatives | undefined;
  /** A name, a configuration, or an object with the Optimizer seam. @defaultValue adam, learning rate 0.001 */
  readonly optimizer?: Optimizer | OptimizerConfig | Partial<OptimizerConfig> | OptimizerName | undefined;
  /** @defaultValue 20 */
  readonly epochs?: number | undefined;
  /** Interactions a step, each with its negatives; the gradient is their mean. @defaultValue 256 */
  readonly batchSize?: number | undefined;
  /** A number is for embeddings. @defaultValue 0 */
  readonly regularization?: number | NeuralRegularization | undefined;
  /** The standard deviation that the embeddings (the products) start with. @defaultValue 0.01 */
  readonly initScale?: number | undefined;
  /** How tables are written as products. @defaultValue false */
  readonly overparam?: NeuralOverparam | undefined;
  /** A new order of the interactions each epoch. @defaultValue true */
  readonly shuffle?: boolean | undefined;
  /** @defaultValue 1 */
  readonly seed?: Seed | undefined;
  /** What does the arithmetic; results never depend on it. @defaultValue 'auto' */
  readonly kernels?: KernelChoice | undefined;
}

/** What is read by rules of its own. */
type ReadLater = 'optimizer' | 'regularization' | 'negatives';

/** Every option filled in; plain JSON, but for an optimizer of the caller's own. */
export type FilledNeuralOptions = Readonly<
  Filled<Omit<NeuralCFOptions, ReadLater>> & {
    readonly optimizer: OptimizerConfig;
    readonly regularization: Filled<NeuralRegularization>;
    readonly negatives: NegativeSampling;
  }
>;

/** What options were called in 0.1. */
const RENAMED = {
  factors: 'rank',
  layers: 'embeddingDim (half of layers[0]) and hidden (the rest of layers)',
};

const hiddenSizes: Check<readonly number[]> = (value, name) => {
  if (Array.isArray(value) && value.length > 0) return layers(value, name);
  throw wrong(name, value, 'a list of the outputs of each hidden layer, as [32, 16, 8]');
};

/** Reads the options. The rule is returned beside them: it may be an object. */
export function readNeuralOptions(given: unknown): { options: FilledNeuralOptions; rule: Optimizer } {
  const owner = 'NeuralCF';
  type Read = Filled<Omit<NeuralCFOptions, ReadLater>> & Pick<NeuralCFOptions, ReadLater>;
  const fields: Fields<Read> = {
    variant: field(oneOf('neumf', 'gmf', 'mlp'), 'neumf'),
    rank: dimField(32),
    embeddingDim: dimField(32),
    hidden: field(hiddenSizes, Object.freeze([32, 16, 8])),
    activation: field(oneOf(...ACTIVATIONS), 'relu'),
    dropout: field(number({ min: 0, max: 1, below: true }), 0),
    loss: field(oneOf('logistic', 'bpr', 'warp', 'softmax'), 'logistic'),
    negatives: optional((value) => value as Negatives),
    optimizer: optional((value) => value as OptimizerConfig),
    epochs: field(integer({ min: 1, max: MAX_EPOCHS }), 20),
    batchSize: field(integer({ min: 1 }), 256),
    regularization: optional((value) => value as number | NeuralRegularization),
    initScale: field(number({ min: 0 }), 0.01),
    overparam: field((value) => plainCopy(value) as NeuralOverparam, false),
    shuffle: field(boolean, true),
    seed: field(checkSeed, 1),
    kernels: field(oneOf('auto', 'wasm', 'js'), 'auto'),
  };
  const read = readOptions<Read>(owner, given, fields, '', RENAMED);
  layers(read.hidden, 'hidden', 2 * read.embeddingDim);
  planNeural(owner, read.overparam, read);
  const negatives = readNegatives(owner, read.negatives ?? (read.loss === 'logistic' ? {} : undefined), read.loss);
  if (negatives === false)
    throw wrong('negatives', read.negatives, 'at least 1: it learns what users have from what not');
  const rule = resolveOver(read.optimizer, adam());
  const regularization = Object.freeze(readStrengths(owner, read.regularization));
  return { options: Object.freeze({ ...read, negatives, optimizer: rule.config, regularization }), rule };
}

function readStrengths(owner: string, given: number | NeuralRegularization | undefined): Filled<NeuralRegularization> {
  const strength = number({ min: 0 });
  if (typeof given === 'number') return { embedding: strength(given, 'regularization'), dense: 0 };
  return readOptions<Filled<NeuralRegularization>>(
    owner,
    given,
    { embedding: field(strength, 0), dense: field(strength, 0) },
    'regularization.',
  );
}
