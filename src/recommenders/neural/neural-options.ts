// The options of NeuralCF: their types and their checks.

import { type Field, type Fields, type Filled, field, number, oneOf, readOptions } from '../../core/options';
import { ACTIVATIONS } from '../../models/forward';
import { planNeural } from '../../models/neural-cf';
import { adam } from '../../optimizers/adam';
import { cosine } from '../../optimizers/learning-rate';
import type { Optimizer, OptimizerConfig } from '../../optimizers/optimizer';
import type { OptimizerName } from '../../optimizers/registry';
import type { Overparam } from '../../parameters/overparam';
import type { RankingLossName } from '../../training/losses';
import type { NegativeSampling } from '../../training/negatives';
import {
  batchCount,
  constantPenalty,
  dimension,
  epochCount,
  layers,
  magnitude,
  type Negatives,
  negatives,
  optimizer,
  penalty,
  placeFields,
  products,
  ruleApart,
  type ThreadOptions,
  type TrainingOptions,
  trainingFields,
} from '../training-options';

/** The strengths of the L2 penalties of a neural model. */
export type NeuralRegularization = Exclude<NonNullable<NeuralCFOptions['regularization']>, number>;

/** The options of NeuralCF. */
export interface NeuralCFOptions extends Pick<TrainingOptions, 'shuffle' | 'seed' | 'kernels'>, ThreadOptions {
  /** 'gmf': weighted products; 'mlp': hidden layers; 'neumf': both under one output layer. @defaultValue 'neumf' */
  readonly variant?: 'neumf' | 'gmf' | 'mlp' | undefined;
  /** The length of the vectors that GMF multiplies, from 1 to 65536. @defaultValue 32 */
  readonly rank?: number | undefined;
  /** The length of each of the two vectors that enter the MLP side by side, from 1 to 65536. @defaultValue 32 */
  readonly embeddingDim?: number | undefined;
  /** The outputs of each hidden layer of the MLP, of one at least. @defaultValue [32, 16, 8] */
  readonly hidden?: readonly number[] | undefined;
  /** What hidden layers end in. @defaultValue 'relu' */
  readonly activation?: 'relu' | 'sigmoid' | 'tanh' | undefined;
  /** The probability that an output of a hidden layer is dropped in training, at least 0 and below 1. @defaultValue 0 */
  readonly dropout?: number | undefined;
  /** 'logistic': predictions are probabilities. The others learn an order, and predictions are scores. @defaultValue 'logistic' */
  readonly loss?: 'logistic' | RankingLossName | undefined;
  /** Items drawn for each interaction that its user does not have, from 1 to 4096. @defaultValue 4; bpr: 1, warp: 16, softmax: 32 */
  readonly negatives?: number | Negatives | undefined;
  /** A name, a configuration, or an object with the Optimizer seam. @defaultValue adam, from 0.003 along a cosine */
  readonly optimizer?: Optimizer | Partial<OptimizerConfig> | OptimizerName | undefined;
  /** Passes over the interactions, from 1 to 100000. @defaultValue 20 */
  readonly epochs?: number | undefined;
  /** Interactions a step, at least 1, each with its negatives; the gradient is their mean. @defaultValue 256 */
  readonly batchSize?: number | undefined;
  /**
   * Penalties, at least 0; a number is for embeddings; what is left out of an object is 0.
   * @defaultValue embeddings 0.0298, warp 0.0994, softmax 0.00915
   */
  readonly regularization?:
    | number
    | {
        /** lambda of embeddings, an occurrence: 1/2 lambda |e|^2 for each pair that a row is in. @defaultValue 0 */
        readonly embedding?: number | undefined;
        /** lambda of the weights of dense layers: 1/2 lambda |W|^2 beside the mean loss. @defaultValue 0 */
        readonly dense?: number | undefined;
      }
    | undefined;
  /** The standard deviation that the embeddings (the products) start with, at least 0. @defaultValue 0.01 */
  readonly initScale?: number | undefined;
  /**
   * How tables are written as products: one for the embeddings (and, where it is dense, for every dense layer), or products by name: `gmfUser`,
   * `gmfItem`, `mlpUser`, `mlpItem`, `mlp1`, `mlp2`, ..., `output`. @defaultValue false
   */
  readonly overparam?: Overparam<string> | undefined;
}

/** Every option filled in; plain JSON, but for an optimizer of the caller's own. */
export type FilledNeuralOptions = Filled<
  NeuralCFOptions,
  {
    readonly optimizer: OptimizerConfig;
    readonly regularization: Filled<NeuralRegularization>;
    readonly negatives: NegativeSampling;
  }
>;

/** The options as they are declared: with the update rule itself. */
type Declared = Omit<FilledNeuralOptions, 'optimizer'> & { readonly optimizer: Optimizer };

/** The declarations, in the order that files have them in. */
export function neuralFields(): Fields<Declared> {
  const { shuffle, seed } = trainingFields();
  const { kernels, threads } = placeFields();
  return {
    variant: field(oneOf('neumf', 'gmf', 'mlp'), 'neumf'),
    rank: field(dimension(), 32),
    embeddingDim: field(dimension(), 32),
    hidden: layers([32, 16, 8], ({ embeddingDim }: Declared) => 2 * embeddingDim, 1),
    activation: field(oneOf(...ACTIVATIONS), 'relu'),
    dropout: field(number({ min: 0, max: 1, below: true }), 0),
    loss: field(oneOf('logistic', 'bpr', 'warp', 'softmax'), 'logistic'),
    epochs: field(epochCount(), 20),
    batchSize: field(batchCount(), 256),
    initScale: field(magnitude(), 0.01),
    overparam: products<Overparam, Declared, unknown>((overparam, { owner, options }) =>
      planNeural(owner, overparam, options),
    ),
    shuffle,
    seed,
    kernels,
    negatives: negatives(true) as Field<NegativeSampling, Declared>,
    // Of four sets of events: docs/defaults.md.
    optimizer: optimizer(() => adam({ learningRate: cosine(0.003) })),
    regularization: penalty(
      ({ options }) => ({ embedding: constantPenalty(options.loss), dense: 0 }),
      (lambda) => ({ embedding: lambda, dense: 0 }),
      () => ({ embedding: 0, dense: 0 }),
    ),
    threads,
  };
}

/** What options were called in 0.1. */
const RENAMED = {
  factors: 'rank',
  layers: 'embeddingDim (half of layers[0]) and hidden (the rest of layers)',
};

/** Reads the options. The rule is returned beside them: it may be an object. */
export function readNeuralOptions(given: unknown): { options: FilledNeuralOptions; rule: Optimizer } {
  return ruleApart(readOptions<Declared>('NeuralCF', given, neuralFields(), '', undefined, RENAMED));
}
