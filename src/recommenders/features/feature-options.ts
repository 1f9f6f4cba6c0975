// The options of the models of features: their types and their checks.

import {
  boolean,
  seed as checkSeed,
  type Field,
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
import { MAX_RANK } from '../../models/factorization';
import type { Pooling } from '../../models/feature-terms';
import { ACTIVATIONS, type ActivationName } from '../../models/layers';
import { adam } from '../../optimizers/adam';
import type { Optimizer, OptimizerConfig } from '../../optimizers/optimizer';
import { type OptimizerName, resolveOver } from '../../optimizers/registry';
import type { ProductOptions } from '../../parameters/overparam';
import type { KernelChoice } from '../../training/engine-options';
import type { GroupLossName } from '../../training/group-losses';
import type { LossName } from '../../training/losses';
import type { NegativeSampling } from '../../training/negatives/item-sampler';
import { MAX_EPOCHS } from '../factorization-options';
import { type Negatives, readNegatives } from '../negatives-option';

/**
 * One product for the embeddings (and, where it is dense, for every dense layer; with `biases` for the linear weights), or
 * products by name: `embedding`, `linear`, `deep1`, `deep2`, ..., `deepOutput`.
 *
 * @example
 * ```ts
 * import { DeepFM, type FeatureOverparam } from 'opmf';
 * const overparam: FeatureOverparam = { embedding: { kind: 'scalar' }, deep1: { kind: 'dense' } };
 * console.log(new DeepFM({ overparam }).isFitted); // false
 * ```
 */
export type FeatureOverparam = false | ProductOptions | Readonly<Record<string, false | ProductOptions | undefined>>;

/** The strengths of the L2 penalties of a model of features. */
export interface FeatureRegularization {
  /** lambda of embeddings, a feature and row: 1/2 lambda |v_i|^2 for each feature of each row. @defaultValue 0 */
  readonly embedding?: number | undefined;
  /** lambda of linear weights, the same way. @defaultValue 0 */
  readonly linear?: number | undefined;
  /** lambda of the weights of dense layers: 1/2 lambda |W|^2 beside the mean loss. @defaultValue 0 */
  readonly dense?: number | undefined;
}

/** The options that every model of features has. */
export interface FeatureRecommenderOptions {
  /**
   * 'classification': labels 0 and 1, predictions are probabilities. 'regression': numbers. 'ranking': the order of items
   * for users, learned of interactions; predictions are scores. @defaultValue 'classification'
   */
  readonly task?: 'classification' | 'regression' | 'ranking' | undefined;
  /**
   * In regression 'squared', 'absolute' or 'huber'; in classification 'logistic'; in ranking 'bpr', 'warp' or 'softmax'.
   * @defaultValue the first of its task
   */
  readonly loss?: LossName | GroupLossName | undefined;
  /**
   * Items drawn for each interaction that its user does not have: values are then of no account, what users have says yes,
   * and what is drawn no. In classification and ranking, for fits on interactions. @defaultValue false; ranking: that of
   * the loss (bpr 1, warp 16, softmax 32)
   */
  readonly negatives?: number | Negatives | false | undefined;
  /** A name, a configuration, or an object with the Optimizer seam. @defaultValue adam, learning rate 0.001 */
  readonly optimizer?: Optimizer | OptimizerConfig | Partial<OptimizerConfig> | OptimizerName | undefined;
  /** @defaultValue 10 */
  readonly epochs?: number | undefined;
  /** Rows a step; the gradient is their mean. @defaultValue 1024 */
  readonly batchSize?: number | undefined;
  /** A number is for embeddings and linear weights. @defaultValue 0 */
  readonly regularization?: number | FeatureRegularization | undefined;
  /** The standard deviation that the embeddings (the products) start with. @defaultValue 0.01 */
  readonly initScale?: number | undefined;
  /** How tables are written as products. @defaultValue false */
  readonly overparam?: FeatureOverparam | undefined;
  /** A new order of the rows each epoch. @defaultValue true */
  readonly shuffle?: boolean | undefined;
  /** @defaultValue 1 */
  readonly seed?: Seed | undefined;
  /** What does the arithmetic; results never depend on it. @defaultValue 'auto' */
  readonly kernels?: KernelChoice | undefined;
}

/** The options of models with hidden layers. */
export interface DeepRecommenderOptions extends FeatureRecommenderOptions {
  /** The length of an embedding. @defaultValue 10 */
  readonly embeddingDim?: number | undefined;
  /** The outputs of each hidden layer. @defaultValue [400, 400, 400] */
  readonly hidden?: readonly number[] | undefined;
  /** @defaultValue 'relu' */
  readonly activation?: ActivationName | undefined;
  /** The probability that an output of a hidden layer is dropped in training. @defaultValue 0 */
  readonly dropout?: number | undefined;
  /** Whether hidden layers are normalized over the batch. @defaultValue false */
  readonly batchNorm?: boolean | undefined;
  /** How several features of one field enter the layers. @defaultValue 'mean' */
  readonly pooling?: Pooling | undefined;
}

/** What is read by rules of its own. */
type ReadLater = 'loss' | 'negatives' | 'optimizer' | 'regularization';

/** The common options, filled in. */
export type FilledFeatureOptions = Readonly<
  Filled<Omit<FeatureRecommenderOptions, ReadLater>> & {
    readonly loss: LossName | GroupLossName;
    readonly negatives: NegativeSampling | false;
    readonly optimizer: OptimizerConfig;
    readonly regularization: Filled<FeatureRegularization>;
  }
>;

/** Those of models with layers, filled in. */
export type FilledDeepOptions = FilledFeatureOptions &
  Readonly<Filled<Omit<DeepRecommenderOptions, keyof FeatureRecommenderOptions>>>;

type AnyLoss = FilledFeatureOptions['loss'];

/** The losses of each task, the default first. */
const LOSSES_OF: Readonly<Record<FilledFeatureOptions['task'], readonly [AnyLoss, ...AnyLoss[]]>> = {
  classification: ['logistic'],
  regression: ['squared', 'absolute', 'huber'],
  ranking: ['bpr', 'warp', 'softmax'],
};

const size = integer({ min: 1, max: MAX_RANK });

/** More numbers between two layers than anybody trains, and more layers: told before memory is asked for. */
const MOST_WEIGHTS = 2 ** 26;
const MOST_LAYERS = 64;

/** The outputs of layers, one after another, the first of so many inputs (0: not known yet). @throws OptionError where there are too many, or they are too large */
export function layers(value: readonly unknown[], name: string, inputs = 0): readonly number[] {
  if (value.length > MOST_LAYERS) throw wrong(name, value, `at most ${MOST_LAYERS} layers`);
  const outputs = value.map((one, l) => size(one, `${name}[${l}]`));
  const weights = outputs.reduce((sum, one, l) => sum + one * (outputs[l - 1] ?? inputs), 0);
  if (weights > MOST_WEIGHTS)
    throw wrong(
      name,
      value,
      `smaller layers: these have ${weights} weights between them, and ${MOST_WEIGHTS} is the most`,
    );
  return Object.freeze(outputs);
}

/** The length of an embedding. */
export const dimField = (fallback: number): Field<number> => field(size, fallback);

/** The fields of the options of layers. */
export const deepFields = {
  embeddingDim: dimField(10),
  hidden: field<readonly number[]>(
    (value, name) => {
      if (!Array.isArray(value)) throw wrong(name, value, 'a list of the outputs of each hidden layer, as [400, 400]');
      return layers(value, name);
    },
    [400, 400, 400],
  ),
  activation: field(oneOf(...ACTIVATIONS), 'relu'),
  dropout: field(number({ min: 0, max: 1, below: true }), 0),
  batchNorm: field(boolean, false),
  pooling: field(oneOf('sum', 'mean'), 'mean'),
} satisfies Fields<Filled<Omit<DeepRecommenderOptions, keyof FeatureRecommenderOptions>>>;

/** Reads the options of a model of features; `own` are the fields that only it has. */
export function readFeatureOptions<Own extends object>(
  owner: string,
  given: unknown,
  own: Fields<Own>,
): { options: FilledFeatureOptions & Readonly<Own>; rule: Optimizer } {
  type Common = Filled<Omit<FeatureRecommenderOptions, ReadLater>> & Pick<FeatureRecommenderOptions, ReadLater>;
  const common: Fields<Common> = {
    task: field(oneOf('classification', 'regression', 'ranking'), 'classification'),
    loss: optional(oneOf('squared', 'logistic', 'absolute', 'huber', 'bpr', 'warp', 'softmax')),
    negatives: optional((value) => value as Negatives),
    optimizer: optional((value) => value as OptimizerConfig),
    epochs: field(integer({ min: 1, max: MAX_EPOCHS }), 10),
    batchSize: field(integer({ min: 1 }), 1024),
    regularization: optional((value) => value as number | FeatureRegularization),
    initScale: field(number({ min: 0 }), 0.01),
    overparam: field((value) => plainCopy(value) as FeatureOverparam, false),
    shuffle: field(boolean, true),
    seed: field(checkSeed, 1),
    kernels: field(oneOf('auto', 'wasm', 'js'), 'auto'),
  };
  const read = readOptions<Common & Own>(owner, given, { ...common, ...own } as Fields<Common & Own>);
  // In the same order whoever gave them, so that files are the same.
  const { loss = LOSSES_OF[read.task][0], negatives: drawn, optimizer, regularization, ...rest } = read;
  if (!LOSSES_OF[read.task].includes(loss))
    throw wrong('loss', loss, `${LOSSES_OF[read.task].join(', ')}, as task is '${read.task}'`);
  const rule = resolveOver(optimizer, adam());
  const strengths = Object.freeze(readStrengths(owner, regularization));
  const negatives = readNegatives(owner, drawn, loss);
  const options = { ...rest, loss, negatives, optimizer: rule.config, regularization: strengths };
  return { options: Object.freeze(options) as unknown as FilledFeatureOptions & Readonly<Own>, rule };
}

function readStrengths(
  owner: string,
  given: number | FeatureRegularization | undefined,
): Filled<FeatureRegularization> {
  const strength = number({ min: 0 });
  if (typeof given === 'number') {
    const lambda = strength(given, 'regularization');
    return { embedding: lambda, linear: lambda, dense: 0 };
  }
  return readOptions<Filled<FeatureRegularization>>(
    owner,
    given,
    { embedding: field(strength, 0), linear: field(strength, 0), dense: field(strength, 0) },
    'regularization.',
  );
}
