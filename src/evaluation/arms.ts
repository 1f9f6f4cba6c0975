// The arms of a comparison: what each runs with under the terms. paper: the same
// constants for all. matched: plain at the rate at which its first step is as long as the product's. tuned: each arm at
// the best of a grid, on validation ratings.

import { Stream } from '../core/random';
import type { Interactions } from '../data/interactions';
import { splitRandom } from '../data/splits';
import { isSchedule, type LearningRate, type Schedule } from '../optimizers/learning-rate';
import type { Optimizer, OptimizerConfig } from '../optimizers/optimizer';
import { type OptimizerName, resolveOptimizer } from '../optimizers/registry';
import { createParameter, type ProductOptions, type ProductSpec, readProduct } from '../parameters/overparam';
import type { EpochRecord } from '../training/fit';
import { OptimizerSink } from '../training/optimizer-sink';
import type { ComparisonEpoch } from './comparison';
import type { FitRunner } from './fit-threads';
import type { Fit } from './fits';

/** One arm as it runs. */
export interface Arm {
  readonly overparam: false | ProductOptions;
  readonly optimizer: OptimizerConfig;
  readonly initScale: number;
  /** lambda, constant, of every table. */
  readonly regularization: number;
  /** For the plain twin of matched terms: the product whose first step it matches. */
  readonly matches?: ProductOptions;
}

/** What the runs of a comparison have in common, but for the seed. */
export interface ArmBase {
  readonly rank: number;
  readonly epochs: number;
  readonly seed: number;
}

/** The run of an arm, followed on the test ratings. */
export function armFit({ overparam, optimizer, initScale, regularization }: Arm, base: ArmBase): Fit {
  // Ratings and predictions as they are: clipping would hide how far a memorising arm is off on unseen ratings.
  // `overparam: false` makes this the plain model.
  const options = {
    ...base,
    // Fields left out are those of a product, and not those of the default of OverparamMF. Values that are all equal are
    // refused: there is nothing to compare by.
    overparam: overparam && filledProduct(overparam),
    loss: 'squared',
    optimizer,
    initScale,
    regularization,
    standardize: false,
    clip: false,
  };
  return { recommender: { name: 'overparam-mf', options }, owner: 'compare', mayDiverge: true, isFollowed: true };
}

/** A product with every field; a width that is not given is that of the table. */
function filledProduct(given: ProductOptions): ProductOptions {
  const { width, ...product } = readProduct('compare', given);
  return width === 0 ? product : { ...product, width };
}

/** The report of a run, epoch by epoch. */
export function comparisonEpoch({ epoch, trainLoss, metrics, seconds }: EpochRecord): ComparisonEpoch {
  return { epoch, trainLoss, testRmse: metrics.rmse!, testMae: metrics.mae!, seconds };
}

/** The five rules that the paper compares. */
export const PAPER_OPTIMIZERS: readonly OptimizerName[] = ['sgd', 'adagrad', 'adadelta', 'rmsprop', 'adam'];

/** The constants under paper-like terms (PyTorch's defaults where the paper's first page names none). */
export const PAPER_CONSTANTS: Readonly<Partial<Record<OptimizerName, OptimizerConfig>>> = {
  sgd: { name: 'sgd', learningRate: 0.005 },
  momentum: { name: 'momentum', learningRate: 0.0005 },
  nesterov: { name: 'nesterov', learningRate: 0.0005 },
  adagrad: { name: 'adagrad', learningRate: 0.05 },
  adadelta: { name: 'adadelta', learningRate: 1, rho: 0.95 },
  rmsprop: { name: 'rmsprop', learningRate: 0.001, alpha: 0.9 },
  adam: { name: 'adam', learningRate: 0.001 },
};

/** The start of embeddings under paper-like terms, N(0, 1), and the penalty, constant, on every table. */
const PAPER = { initScale: 1, regularization: 0.02 } as const;

/** The arms under paper terms: plain, then the products, all with the same constants. */
export function paperArms(optimizer: OptimizerConfig, overparams: readonly ProductOptions[]): Arm[] {
  return [false as const, ...overparams].map((overparam) => ({ overparam, optimizer, ...PAPER }));
}

/** The arms under matched terms: each product behind a plain twin with the same initial effective rate. */
export function matchedArms(optimizer: OptimizerConfig, overparams: readonly ProductOptions[], rank: number): Arm[] {
  const rule = resolveOptimizer(optimizer);
  const plain = firstStepLength(undefined, rule, rank, PAPER.initScale);
  return overparams.flatMap((overparam): Arm[] => {
    const ratio = firstStepLength(readProduct('compare', overparam), rule, rank, PAPER.initScale) / plain;
    const learningRate = scaleEmbedding(rule.config.learningRate as LearningRate, ratio);
    return [
      { overparam: false, optimizer: { ...rule.config, learningRate }, ...PAPER, matches: overparam },
      { overparam, optimizer, ...PAPER },
    ];
  });
}

/** The grid of tuned terms: rates as multiples of the paper's, starts and penalties. */
const TUNED_RATES = [0.1, 0.3, 1, 3, 10, 30] as const;
const TUNED_STARTS = [1, 0.1] as const;
const TUNED_PENALTIES = [0.02, 0.1] as const;
/** The part of the training ratings that the grid is judged on. */
const VALIDATION_FRACTION = 0.1;

/** The rates of the quick look at fair terms, as multiples of the paper's, from the start and at the penalty that tuning mostly ends at. */
const FAIR_RATES = [0.3, 1, 3, 10, 30, 100] as const;
const FAIR = { initScale: 0.1, regularization: 0.1 } as const;

/** An arm at the setting whose last epoch is best on validation ratings taken from the training set, and what it comes to there. */
export async function tunedArm(
  arm: Arm,
  train: Interactions,
  base: ArmBase,
  runner: FitRunner,
  signal: AbortSignal | undefined,
  candidates = settings(arm),
): Promise<{ arm: Arm; rmse: number }> {
  const split = splitRandom(train, { testFraction: VALIDATION_FRACTION, seed: base.seed });
  let best = { arm, rmse: Infinity };
  for (const candidate of candidates) {
    const { epochs, diverged } = await runner.run(armFit(candidate, base), split, signal);
    const rmse = diverged ? Infinity : epochs.at(-1)!.metrics.rmse!;
    if (rmse < best.rmse) best = { arm: candidate, rmse };
  }
  return best;
}

/** The arm at each of the rates of the quick look. */
export function fairSettings(arm: Arm): Arm[] {
  return FAIR_RATES.map((multiple) => ({ ...arm, ...FAIR, optimizer: atRate(arm.optimizer, multiple) }));
}

/** The arm at every point of the grid. */
function settings(arm: Arm): Arm[] {
  return TUNED_RATES.flatMap((multiple) => {
    const optimizer = atRate(arm.optimizer, multiple);
    return TUNED_STARTS.flatMap((initScale) =>
      TUNED_PENALTIES.map((regularization) => ({ ...arm, initScale, regularization, optimizer })),
    );
  });
}

/** A rule with its rates multiplied. */
function atRate(optimizer: OptimizerConfig, multiple: number): OptimizerConfig {
  return { ...optimizer, learningRate: scaleAll(optimizer.learningRate as LearningRate, multiple) };
}

/** Multiplies the rate of embeddings and leaves that of biases; a schedule keeps its curve. */
function scaleEmbedding(rate: LearningRate, by: number): LearningRate {
  if (isSchedule(rate)) return { ...rate, rate: scaleEmbedding(rate.rate, by) } as Schedule;
  if (typeof rate === 'number') return { embedding: rate * by, bias: rate };
  const { embedding = 0.01, bias = embedding } = rate;
  return { ...rate, embedding: embedding * by, bias };
}

/** Multiplies every rate; a schedule keeps its curve. */
function scaleAll(rate: LearningRate, by: number): LearningRate {
  if (isSchedule(rate)) return { ...rate, rate: scaleAll(rate.rate, by) } as Schedule;
  if (typeof rate === 'number') return rate * by;
  return Object.fromEntries(Object.entries(rate).map(([group, value]) => [group, value * by]));
}

/** Rows that are tried: the mean length is then known to a few per cent. */
const ROWS = 64;

/**
 * The mean length of the first step of a row, over rows that start at N(0, sigma^2) and gradients drawn from N(0, 1).
 * Plain SGD with rate eta: eta times the mean length of a gradient.
 */
export function firstStepLength(spec: ProductSpec | undefined, rule: Optimizer, dim: number, sigma: number): number {
  let total = 0;
  for (let row = 0; row < ROWS; row++) {
    const stream = Stream.of('first step').fork(row);
    // One table a row: the step of one row must not change the maps that the next would share.
    const shape = { name: 'row', group: 'embedding', rows: 1, dim, precision: 'float64' } as const;
    const parameter = createParameter(shape, spec, sigma, stream);
    const sink = new OptimizerSink([{ optimizer: rule, parameters: [parameter] }]);
    sink.begin(1, 0);
    const before = parameter.collapse();
    parameter.select(Int32Array.of(0), 1);
    const draws = stream.fork('gradient');
    for (let k = 0; k < dim; k++) parameter.grads[k] = draws.normal();
    parameter.pullback(sink);
    const after = parameter.collapse();
    let square = 0;
    for (let k = 0; k < dim; k++) square += (after[k]! - before[k]!) * (after[k]! - before[k]!);
    total += Math.sqrt(square);
  }
  return total / ROWS;
}
