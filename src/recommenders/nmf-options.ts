// The options of NMF: their types, their checks, their defaults, and what they come to as those of a factorization.

import {
  boolean,
  seed as checkSeed,
  type Filled,
  field,
  integer,
  number,
  oneOf,
  optional,
  plain,
  readOptions,
  wrong,
} from '../core/options';
import type { Seed } from '../core/random';
import { MAX_RANK } from '../models/factorization';
import { checkNonNegative } from '../models/nmf';
import type { Optimizer, OptimizerConfig } from '../optimizers/optimizer';
import { type OptimizerName, resolveOver } from '../optimizers/registry';
import { constant } from '../optimizers/schedule';
import { sgd } from '../optimizers/sgd';
import type { Overparam } from '../parameters/overparam';
import type { KernelChoice } from '../training/engine-options';
import { copyOf, type FilledOptions, freezeCopy, MAX_EPOCHS } from './factorization-options';
import { type BatchShape, batchScale, perBatch } from './presets';

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
export interface NMFOptions {
  /**
   * 'multiplicative': passes without a rate, over plain tables, for squared error; 'gradient': any optimizer, what falls
   * below 0 put back. @defaultValue 'multiplicative'
   */
  readonly solver?: 'multiplicative' | 'gradient' | undefined;
  /** The length of the vectors. @defaultValue 15 */
  readonly rank?: number | undefined;
  /** @defaultValue multiplicative: 50; gradient: 20 */
  readonly epochs?: number | undefined;
  /** lambda of 1/2 lambda (|p_u|^2 + |q_i|^2) per rating. @defaultValue 0.06 */
  readonly regularization?: number | undefined;
  /** The embeddings start at uniform draws from 0 to this. @defaultValue 1 */
  readonly initRange?: number | undefined;
  /** Scalar or diagonal products, for 'gradient' alone. @defaultValue false */
  readonly overparam?: Overparam | undefined;
  /** For 'gradient' alone, unless squared. @defaultValue 'squared' */
  readonly loss?: 'squared' | 'absolute' | 'huber' | undefined;
  /** For 'gradient' alone. @defaultValue sgd at 0.01, times about batchSize (docs/defaults.md) */
  readonly optimizer?: Optimizer | OptimizerConfig | Partial<OptimizerConfig> | OptimizerName | undefined;
  /** Ratings a step of 'gradient'. @defaultValue 1 */
  readonly batchSize?: number | undefined;
  /** A new order of the ratings each epoch of 'gradient'. @defaultValue true */
  readonly shuffle?: boolean | undefined;
  /** @defaultValue 1 */
  readonly seed?: Seed | undefined;
  /** What does the arithmetic; results never depend on it. @defaultValue 'auto' */
  readonly kernels?: KernelChoice | undefined;
  /** Clips predictions to the range of the training ratings. @defaultValue true */
  readonly clip?: boolean | undefined;
}

/** Every option filled in; an optimizer where there is one. */
export type FilledNmfOptions = Readonly<
  Filled<Omit<NMFOptions, 'optimizer' | 'epochs'>> & {
    readonly epochs: number;
    readonly optimizer?: OptimizerConfig | undefined;
  }
>;

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
  const { optimizer, epochs, ...read } = readOptions<
    Filled<Omit<NMFOptions, 'optimizer' | 'epochs'>> & Pick<NMFOptions, 'optimizer' | 'epochs'>
  >('NMF', own, {
    solver: field(oneOf('multiplicative', 'gradient'), 'multiplicative'),
    rank: field(integer({ min: 1, max: MAX_RANK }), 15),
    epochs: optional(integer({ min: 1, max: MAX_EPOCHS })),
    regularization: field(number({ min: 0 }), 0.06),
    initRange: field(number({ min: 0 }), 1),
    overparam: field((value) => value as Overparam, false),
    loss: field(oneOf('squared', 'absolute', 'huber'), 'squared'),
    optimizer: optional((value) => value as OptimizerConfig),
    batchSize: field(integer({ min: 1 }), 1),
    shuffle: field(boolean, true),
    seed: field(checkSeed, 1),
    kernels: field(oneOf('auto', 'wasm', 'js'), 'auto'),
    clip: field(boolean, true),
  });
  const isGradient = read.solver === 'gradient';
  const needs = "with solver 'multiplicative', which has a rule of its own; want solver: 'gradient'";
  if (!isGradient && read.overparam !== false) throw wrong('overparam', read.overparam, `false ${needs}`);
  if (!isGradient && read.loss !== 'squared') throw wrong('loss', read.loss, `'squared' ${needs}`);
  if (!isGradient && optimizer !== undefined) throw wrong('optimizer', optimizer, `none ${needs}`);
  checkNonNegative('NMF', read.overparam, read.rank);
  const scale = batchScale(read.batchSize, shape).bias;
  const per = perBatch(read.batchSize, shape);
  const rate = 0.01 * scale;
  const rule = resolveOver(optimizer, sgd({ learningRate: per.batch === undefined ? rate : constant(rate, per) }));
  const options: FilledNmfOptions = Object.freeze({
    ...read,
    overparam: freezeCopy(read.overparam),
    epochs: epochs ?? (isGradient ? 20 : 50),
    ...(isGradient && { optimizer: rule.config }),
  });
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
