// The options of the models of features: their types and their checks.

import type { Field, Fields, Filled } from '../../core/options';
import { boolean, derived, field, number, oneOf, plain, readOptions, wrong } from '../../core/options';
import { planFeatures } from '../../models/feature-models';
import { ACTIVATIONS } from '../../models/forward';
import { adam } from '../../optimizers/adam';
import { cosine } from '../../optimizers/learning-rate';
import type { Optimizer, OptimizerConfig } from '../../optimizers/optimizer';
import type { OptimizerName } from '../../optimizers/registry';
import type { Overparam } from '../../parameters/overparam';
import type { LossName, RankingLossName } from '../../training/losses';
import type { NegativeSampling } from '../../training/negatives';
import {
  batchCount,
  constantPenalty,
  copyOf,
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
  type Spread,
  type ThreadOptions,
  type TrainingOptions,
  trainingFields,
} from '../training-options';

/** The strengths of the L2 penalties of a model of features. */
export type FeatureRegularization = Exclude<NonNullable<FeatureRecommenderOptions['regularization']>, number>;

/** The options that every model of features has. */
export interface FeatureRecommenderOptions
  extends Pick<TrainingOptions, 'shuffle' | 'seed' | 'kernels'>,
    ThreadOptions {
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
  /**
   * A name, a configuration, or an object with the Optimizer seam.
   * @defaultValue adam, its learning rate falling along a cosine from one that follows `batchSize`, `epochs` and, in
   * regression, the deviation of the labels: docs/defaults.md; where negatives are drawn from 0.01
   */
  readonly optimizer?: Optimizer | Partial<OptimizerConfig> | OptimizerName | undefined;
  /** Passes over the rows, from 1 to 100000. @defaultValue 10, of FM fewer over more than 40,000 rows, at least 6; where negatives are drawn: 20 */
  readonly epochs?: number | undefined;
  /** Rows a step, at least 1; the gradient is their mean. @defaultValue a 32nd of the rows, from 32 to 1024; where negatives are drawn: 256 */
  readonly batchSize?: number | undefined;
  /**
   * Penalties, at least 0; a number is for embeddings and linear weights, and constant; what is left out of an object is 0
   * and 'constant'. @defaultValue by frequency, of the number of rows: docs/defaults.md; where negatives are drawn that of
   * MF under the same loss
   */
  readonly regularization?:
    | number
    | {
        /** lambda of embeddings, a feature and row: 1/2 lambda |v_i|^2 for each feature of each row. @defaultValue 0 */
        readonly embedding?: number | undefined;
        /** lambda of linear weights, the same way. @defaultValue 0 */
        readonly linear?: number | undefined;
        /** lambda of the weights of dense layers: 1/2 lambda |W|^2 beside the mean loss. @defaultValue 0 */
        readonly dense?: number | undefined;
        /** 'frequency': a feature of n rows has lambda sqrt(20 / n). For rows with labels. @defaultValue 'constant' */
        readonly scaling?: 'constant' | 'frequency' | undefined;
      }
    | undefined;
  /** The standard deviation that the embeddings (the products) start with, at least 0. @defaultValue 0.01; where negatives are drawn: 0.1 */
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

/** What a fit knows of its data. */
export interface FeatureSample {
  /** The rows, or interactions. */
  readonly rows: number;
  /** The features of a row, on average. */
  readonly entries: number;
  /** In regression the standard deviation of the labels; else 1. */
  readonly deviation: number;
  /** Where negatives are drawn. */
  readonly spread?: Spread | undefined;
}

// The defaults, found by benchmarks/defaults-search/features.ts; docs/defaults.md has the tables.

/** At most so many rows a step, and so many steps an epoch of fewer. */
const [MOST_ROWS, LEAST_ROWS, STEPS] = [1024, 32, 32];
/** Adam's rate for 1024 rows a step and 10 epochs: it moves an element by as much a step, so it falls with the root of their number. */
const RATE = 0.02;

function batchOf(sample: FeatureSample | undefined): number {
  if (sample === undefined) return MOST_ROWS;
  return Math.min(MOST_ROWS, Math.max(LEAST_ROWS, Math.round(sample.rows / STEPS)));
}

/** Passes over so many rows, without layers; over more, the fewer, as each has more steps: 7 over 80,000, 6 from 111,000 on. */
const [MOST_EPOCHS, LEAST_EPOCHS, FEW_ROWS] = [10, 6, 40_000];

function epochsOf(sample: FeatureSample | undefined): number {
  if (sample === undefined) return MOST_EPOCHS;
  const passes = Math.round(MOST_EPOCHS * Math.sqrt(FEW_ROWS / sample.rows));
  return Math.min(MOST_EPOCHS, Math.max(LEAST_EPOCHS, passes));
}

/** Of hidden layers: their rate, their penalty, and how much more embeddings have, as layers can make up for it. */
const LAYERS = { rate: 0.001, penalty: 1e-4, embedding: 3 };

/** lambda of embeddings by frequency; of linear weights a tenth. */
function strengthOf(
  { rows, entries, deviation }: FeatureSample,
  task: FilledFeatureOptions['task'],
  isDeep: boolean,
): number {
  // A row of M features has M^2 / 2 interactions, which are to add up to no more where there are many.
  // A few hundred rows are an example, to be learned as it is.
  const many = (isDeep ? LAYERS.embedding : Math.max(1, entries / 10)) * Math.min(1, rows / 1000);
  if (task === 'regression') return many * 0.235 * deviation * Math.max(1, 90_000 / rows) ** (1 / 3);
  return many * Math.sqrt(400 / rows);
}

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
): FeatureFields<Own> {
  const { shuffle, seed } = trainingFields();
  const { kernels, threads } = placeFields();
  const lossName = oneOf('squared', 'logistic', 'absolute', 'huber', 'bpr', 'warp', 'softmax');
  const common: Fields<Declared, FeatureSample> = {
    task: field(oneOf('classification', 'regression', 'ranking'), 'classification'),
    epochs: derived(epochCount(), ({ options, data }) =>
      options.negatives === false ? epochsOf(hasLayers(options) ? undefined : data) : ORDERS.epochs,
    ),
    batchSize: derived(batchCount(), ({ options, data }) =>
      options.negatives === false ? batchOf(data) : ORDERS.batchSize,
    ),
    initScale: derived(magnitude(), ({ options }) => (options.negatives === false ? 0.01 : ORDERS.initScale)),
    overparam: products<Overparam, Declared, FeatureSample>((overparam, { owner, options }) =>
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
    optimizer: optimizer(({ options, data }) => usualRule(options, hasLayers(options), data)),
    regularization: penalty<Filled<FeatureRegularization>, Declared, FeatureSample>(
      ({ options, data }) => {
        const { task, negatives, loss } = options;
        const isDeep = hasLayers(options);
        if (negatives !== false) {
          const lambda = constantPenalty(loss, data?.spread);
          return { embedding: lambda, linear: lambda, dense: isDeep ? LAYERS.penalty : 0, scaling: 'constant' };
        }
        const embedding = strengthOf(data ?? UNKNOWN, task, isDeep);
        return {
          embedding,
          linear: embedding / (isDeep ? 10 * LAYERS.embedding : 10),
          dense: isDeep ? LAYERS.penalty : 0,
          scaling: 'frequency',
        };
      },
      (lambda) => ({ ...NO_PENALTY, embedding: lambda, linear: lambda }),
      () => NO_PENALTY,
    ),
    threads,
  };
  return common as unknown as FeatureFields<Own>;
}

const NO_PENALTY = { embedding: 0, linear: 0, dense: 0, scaling: 'constant' } as const;
/** Of orders, what MF has of them: its tables are among those of a machine on users, items and what is known of them. */
const ORDERS = { epochs: 20, batchSize: 256, initScale: 0.1, rate: 0.01 };
/** Before a fit. */
const UNKNOWN: FeatureSample = { rows: 40_000, entries: 10, deviation: 1 };

const hasLayers = (options: object): boolean => Object.hasOwn(options, 'hidden');

function usualRule(
  { negatives, batchSize, epochs }: Declared,
  isDeep: boolean,
  { deviation, rows } = UNKNOWN,
): OptimizerConfig {
  const dense = isDeep && { dense: LAYERS.rate };
  if (negatives !== false) {
    const { rate } = ORDERS;
    return adam({ learningRate: cosine(isDeep ? { embedding: rate, linear: rate, bias: rate, ...dense } : rate) });
  }
  const rate = RATE * Math.sqrt((Math.min(batchSize, rows) / MOST_ROWS) * (10 / epochs));
  if (deviation === 1 && !isDeep) return adam({ learningRate: cosine(rate) });
  // Scores grow with the labels, and products of two embeddings with the square of theirs.
  const [linear, embedding] = [rate * deviation, rate * Math.sqrt(deviation)];
  return adam({
    learningRate: cosine({ embedding, linear, bias: linear, ...dense }),
  });
}

/** The declarations of a kind's options. */
export type FeatureFields<Own> = Fields<Declared & Own, FeatureSample>;

/** The options of a kind once read. */
export interface ReadFeatures {
  readonly options: FilledFeatureOptions;
  /** The update rule; it may be an object of the caller's. */
  readonly rule: Optimizer;
  /** What the caller gave, as a copy: what a fit chooses the rest by. */
  readonly asked: FeatureRecommenderOptions;
}

/** Reads the options of a kind; `sample` is what is known of the data, once a fit knows them. */
export function readFeatures<Own extends object>(
  owner: string,
  given: unknown,
  fields: FeatureFields<Own>,
  sample?: FeatureSample,
): ReadFeatures {
  const own: FeatureRecommenderOptions =
    given === undefined ? {} : plain(given, 'options', 'an object with options such as task', owner);
  const { options, rule } = ruleApart(readOptions<Declared & Own, FeatureSample>(owner, own, fields, '', sample));
  return { options, rule, asked: copyOf(own) };
}
