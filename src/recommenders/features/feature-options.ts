// The options of the models of features: their types and their checks.

import { boolean, type Field, type Fields, type Filled, field, number, oneOf, wrong } from '../../core/options';
import { planFeatures } from '../../models/feature-models';
import { ACTIVATIONS } from '../../models/forward';
import { adam } from '../../optimizers/adam';
import type { Optimizer, OptimizerConfig } from '../../optimizers/optimizer';
import type { OptimizerName } from '../../optimizers/registry';
import type { Overparam } from '../../parameters/overparam';
import type { LossName, RankingLossName } from '../../training/losses';
import type { NegativeSampling } from '../../training/negatives';
import {
  batchCount,
  dimension,
  epochCount,
  layers,
  magnitude,
  type Negatives,
  negatives,
  optimizer,
  penalty,
  products,
  type TrainingOptions,
  trainingFields,
} from '../training-options';

/** The strengths of the L2 penalties of a model of features. */
export type FeatureRegularization = Exclude<NonNullable<FeatureRecommenderOptions['regularization']>, number>;

/** The options that every model of features has. */
export interface FeatureRecommenderOptions extends Pick<TrainingOptions, 'shuffle' | 'seed' | 'kernels'> {
  /**
   * 'classification': labels 0 and 1, predictions are probabilities. 'regression': numbers. 'ranking': the order of items
   * for users, learned of interactions; predictions are scores. @defaultValue 'classification'
   */
  readonly task?: 'classification' | 'regression' | 'ranking' | undefined;
  /**
   * In regression 'squared', 'absolute' or 'huber'; in classification 'logistic'; in ranking 'bpr', 'warp' or 'softmax'.
   * @defaultValue the first of its task: 'logistic', 'squared', 'bpr'
   */
  readonly loss?: LossName | RankingLossName | undefined;
  /**
   * Items drawn for each interaction that its user does not have, from 0 to 4096: values are then of no account, what users have says yes,
   * and what is drawn no. In classification and ranking, for fits on interactions. @defaultValue false; ranking: that of
   * the loss (bpr 1, warp 16, softmax 32)
   */
  readonly negatives?: number | Negatives | false | undefined;
  /** A name, a configuration, or an object with the Optimizer seam. @defaultValue adam, learning rate 0.001 */
  readonly optimizer?: Optimizer | Partial<OptimizerConfig> | OptimizerName | undefined;
  /** Passes over the rows, from 1 to 100000. @defaultValue 10 */
  readonly epochs?: number | undefined;
  /** Rows a step, at least 1; the gradient is their mean. @defaultValue 1024 */
  readonly batchSize?: number | undefined;
  /** Penalties, at least 0; a number is for embeddings and linear weights. @defaultValue 0 */
  readonly regularization?:
    | number
    | {
        /** lambda of embeddings, a feature and row: 1/2 lambda |v_i|^2 for each feature of each row. @defaultValue 0 */
        readonly embedding?: number | undefined;
        /** lambda of linear weights, the same way. @defaultValue 0 */
        readonly linear?: number | undefined;
        /** lambda of the weights of dense layers: 1/2 lambda |W|^2 beside the mean loss. @defaultValue 0 */
        readonly dense?: number | undefined;
      }
    | undefined;
  /** The standard deviation that the embeddings (the products) start with, at least 0. @defaultValue 0.01 */
  readonly initScale?: number | undefined;
  /**
   * How tables are written as products: one for the embeddings (and, where it is dense, for every dense layer; with `biases` for the linear weights), or
   * products by name: `embedding`, `linear`, `deep1`, `deep2`, ..., `deepOutput`. @defaultValue false
   */
  readonly overparam?: Overparam<string> | undefined;
}

/** The options of models with hidden layers. */
export interface DeepFMOptions extends FeatureRecommenderOptions {
  /** The length of an embedding, from 1 to 65536. @defaultValue 10 */
  readonly embeddingDim?: number | undefined;
  /** The outputs of each hidden layer. @defaultValue [400, 400, 400] */
  readonly hidden?: readonly number[] | undefined;
  /** What hidden layers end in. @defaultValue 'relu' */
  readonly activation?: 'relu' | 'sigmoid' | 'tanh' | undefined;
  /** The probability that an output of a hidden layer is dropped in training, at least 0 and below 1. @defaultValue 0 */
  readonly dropout?: number | undefined;
  /** Whether hidden layers are normalized over the batch. @defaultValue false */
  readonly batchNorm?: boolean | undefined;
  /** How several features of one field enter the layers. @defaultValue 'mean' */
  readonly pooling?: 'sum' | 'mean' | undefined;
}

/** The common options, filled in. */
export type FilledFeatureOptions = Filled<
  FeatureRecommenderOptions,
  {
    readonly loss: LossName | RankingLossName;
    readonly negatives: NegativeSampling | false;
    readonly optimizer: OptimizerConfig;
    readonly regularization: Filled<FeatureRegularization>;
  }
>;

/** What a kind has of its own, read. */
type OwnDeep = Filled<Omit<DeepFMOptions, keyof FeatureRecommenderOptions>>;

/** Those of models with layers, filled in. */
export type FilledDeepOptions = FilledFeatureOptions & OwnDeep;

/** The options as they are declared: with the update rule itself. */
type Declared = Omit<FilledFeatureOptions, 'optimizer'> & { readonly optimizer: Optimizer };

type AnyLoss = FilledFeatureOptions['loss'];

/** The losses of each task, the default first. */
const LOSSES_OF: Readonly<Record<FilledFeatureOptions['task'], readonly [AnyLoss, ...AnyLoss[]]>> = {
  classification: ['logistic'],
  regression: ['squared', 'absolute', 'huber'],
  ranking: ['bpr', 'warp', 'softmax'],
};

/** The declarations of what models of layers have of their own. */
export function deepFields() {
  return {
    embeddingDim: field(dimension(), 10),
    hidden: layers([400, 400, 400]),
    activation: field(oneOf(...ACTIVATIONS), 'relu'),
    dropout: field(number({ min: 0, max: 1, below: true }), 0),
    batchNorm: field(boolean, false),
    pooling: field(oneOf('sum', 'mean'), 'mean'),
  } satisfies Fields<OwnDeep>;
}

/** The dimension and the layers of a model of layers. */
export const deepForm = ({ embeddingDim, hidden }: OwnDeep) => [embeddingDim, hidden] as const;

/**
 * The declarations of a kind's options, in the order that files have them in. `own`: those that it alone has; `formOf`: the
 * dimension of its embeddings, and its layers.
 */
export function featureFields<Own extends object>(
  own: { readonly [K in keyof Own]: Field<Own[K]> },
  formOf: (options: NoInfer<Own>) => readonly [dim: number, hidden: readonly number[] | null],
): Fields<Declared & Own> {
  const { shuffle, seed, kernels } = trainingFields();
  const lossName = oneOf('squared', 'logistic', 'absolute', 'huber', 'bpr', 'warp', 'softmax');
  const common: Fields<Declared> = {
    task: field(oneOf('classification', 'regression', 'ranking'), 'classification'),
    epochs: field(epochCount(), 10),
    batchSize: field(batchCount(), 1024),
    initScale: field(magnitude(), 0.01),
    overparam: products<Overparam, Declared, unknown>((overparam, { owner, options }) =>
      planFeatures(owner, overparam, ...formOf(options as unknown as Own)),
    ),
    shuffle,
    seed,
    kernels,
    ...own,
    loss: {
      wanted: lossName.wanted,
      read(given, name, { options: { task } }) {
        const losses = LOSSES_OF[task];
        const loss = given === undefined ? losses[0] : lossName(given, name);
        if (losses.includes(loss)) return loss;
        throw wrong(name, loss, `${losses.join(', ')}, as task is '${task}'`);
      },
    },
    negatives: negatives(),
    optimizer: optimizer(() => adam()),
    regularization: penalty(
      () => ({ embedding: 0, linear: 0, dense: 0 }),
      (lambda) => ({ embedding: lambda, linear: lambda, dense: 0 }),
    ),
  };
  return common as Fields<Declared & Own>;
}
