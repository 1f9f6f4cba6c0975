// The options of NMF: their types, their checks, their defaults, and what they come to as those of a factorization.

import { derived, type Fields, type Filled, field, oneOf, plain, readOptions, wrong } from '../core/options';
import { checkNonNegative } from '../models/nmf';
import type { Optimizer, OptimizerConfig } from '../optimizers/optimizer';
import { constant } from '../optimizers/schedule';
import { sgd } from '../optimizers/sgd';
import type { Overparam } from '../parameters/overparam';
import { copyOf, type FilledOptions } from './factorization-options';
import { type BatchShape, batchScale, perBatch } from './presets';
import {
  batchCount,
  dimension,
  epochCount,
  magnitude,
  type OptimizerOption,
  optimizer,
  products,
  type TrainingOptions,
  trainingFields,
} from './training-options';

/**
 * The options of NMF.
 *
 * @example
 * ```ts
 * import { NMF, type NMFOptions } from 'opmf';
 * const options: NMFOptions = { solver: 'gradient', optimizer: 'adam', overparam: { kind: 'diagonal' } };
 * console.log(new NMF(options).options.rank); // 15
 * ```
 */
export interface NMFOptions extends TrainingOptions {
  /**
   * 'multiplicative': passes without a rate, over plain tables, for squared error; 'gradient': any optimizer, what falls
   * below 0 put back. @defaultValue 'multiplicative'
   */
  readonly solver?: 'multiplicative' | 'gradient' | undefined;
  /** The length of the vectors, from 1 to 65536. @defaultValue 15 */
  readonly rank?: number | undefined;
  /** Passes over the ratings, from 1 to 100000. @defaultValue multiplicative: 50; gradient: 20 */
  readonly epochs?: number | undefined;
  /** lambda of 1/2 lambda (|p_u|^2 + |q_i|^2) per rating, at least 0. @defaultValue 0.06 */
  readonly regularization?: number | undefined;
  /** The embeddings start at uniform draws from 0 to this, at least 0. @defaultValue 1 */
  readonly initRange?: number | undefined;
  /** Scalar or diagonal products, for 'gradient' alone. @defaultValue false */
  readonly overparam?: Overparam | undefined;
  /** What predictions are held against; for 'gradient' alone, unless squared. @defaultValue 'squared' */
  readonly loss?: 'squared' | 'absolute' | 'huber' | undefined;
  /** What trains; for 'gradient' alone. @defaultValue sgd at 0.01, times about batchSize (docs/defaults.md) */
  readonly optimizer?: OptimizerOption | undefined;
  /** Ratings a step of 'gradient', at least 1. @defaultValue 1 */
  readonly batchSize?: number | undefined;
}

/** Every option filled in; an optimizer where there is one. */
export type FilledNmfOptions = Filled<Omit<NMFOptions, 'optimizer'>> & { readonly optimizer?: OptimizerConfig };

/** The options as they are declared: with a rule, that of 'gradient'. */
type Declared = Filled<NMFOptions, { readonly optimizer: Optimizer }>;

/** The declarations, in the order that files have them in. */
export function nmfFields(): Fields<Declared, BatchShape> {
  const { shuffle, seed, kernels, clip } = trainingFields();
  const choices = oneOf('squared', 'absolute', 'huber');
  const rule = optimizer<Declared, BatchShape>(({ options: { batchSize }, data }) => {
    const per = perBatch(batchSize, data);
    const rate = 0.01 * batchScale(batchSize, data).bias;
    return sgd({ learningRate: per.batch === undefined ? rate : constant(rate, per) });
  });
  return {
    solver: field(oneOf('multiplicative', 'gradient'), 'multiplicative'),
    rank: field(dimension(), 15),
    regularization: field(magnitude(), 0.06),
    initRange: field(magnitude(), 1),
    overparam: products<Overparam, Declared, BatchShape>((overparam, { owner, options }) => {
      if (overparam !== false) ofGradient(overparam, 'overparam', 'false', options);
      checkNonNegative(owner, overparam, options.rank);
    }),
    loss: {
      wanted: choices.wanted,
      read(given = 'squared', name, context) {
        const loss = choices(given, name);
        if (loss !== 'squared') ofGradient(loss, name, "'squared'", context.options);
        return loss;
      },
    },
    batchSize: field(batchCount(), 1),
    shuffle,
    seed,
    kernels,
    clip,
    epochs: derived(epochCount(), ({ options }) => (options.solver === 'gradient' ? 20 : 50)),
    optimizer: {
      wanted: rule.wanted,
      read(given, name, context) {
        if (given !== undefined) ofGradient(given, name, 'none', context.options);
        return rule.read(given, name, context);
      },
    },
  };
}

/** @throws OptionError for what the multiplicative rule does not have */
function ofGradient(value: unknown, name: string, wanted: string, { solver }: Declared): void {
  if (solver === 'gradient') return;
  throw wrong(
    name,
    value,
    `${wanted} with solver 'multiplicative', which has a rule of its own; want solver: 'gradient'`,
  );
}

/** The options of NMF once read. */
export interface ReadNmf {
  readonly options: FilledNmfOptions;
  /** The rule of 'gradient'. */
  readonly rule: Optimizer;
  /** What the caller gave, as a copy. */
  readonly asked: NMFOptions;
}

/** Reads the options of NMF; `shape` is what is known of the data, once a fit knows them. */
export function readNmfOptions(given: NMFOptions | undefined, shape?: BatchShape): ReadNmf {
  const own: NMFOptions =
    given === undefined ? {} : plain(given, 'options', 'an object with options such as rank', 'NMF');
  const read = readOptions<Declared, BatchShape>('NMF', own, nmfFields(), '', shape);
  const { optimizer: rule, ...rest } = read;
  const options = Object.freeze({ ...rest, ...(read.solver === 'gradient' && { optimizer: rule.config }) });
  return { options, rule, asked: copyOf(own, rule) };
}

/** The objective, the same by either solver, as the options of a factorization. */
export function asFactorization(options: FilledNmfOptions, rule: Optimizer): FilledOptions {
  const { solver, initRange, regularization, ...own } = options;
  return {
    ...own,
    optimizer: rule.config,
    negatives: false,
    link: 'identity',
    regularization: { embedding: regularization, bias: 0, scaling: 'constant' },
    biases: false,
    initScale: initRange,
    standardize: false,
    threads: 1,
    grouping: 1,
  };
}
