// The document of a comparison: what `compare()` returns, what `opmf compare --json` prints, and what the reports
// are made from. Plain JSON. A number that is not finite (a run that diverged) is null. The summary is computed here.

import type { MetricName } from '../metrics/metric-names';
import type { LearningRate } from '../optimizers/learning-rate';
import type { OptimizerConfig } from '../optimizers/optimizer';
import { pick, spread } from './fits';

/** The terms under which arms compete. */
export type ComparisonTerms = Comparison['terms'];

/** The parameterization of an arm as it ran, every constant filled in; `false` is plain. */
export type ComparisonArm = Comparison['runs'][number]['overparam'];

/** One epoch of a run. */
export type ComparisonEpoch = ComparisonRun['epochs'][number];

/** One training run: an optimizer, an arm and a seed. */
export type ComparisonRun = Comparison['runs'][number];

/** One fit of a model. */
export type ModelRun = ComparisonModel['runs'][number];

/** A model beside others: its runs, and their summary. */
export type ComparisonModel = NonNullable<Comparison['models']>[number];

/** Mean and standard deviation over the seeds. */
export interface Spread {
  readonly mean: number | null;
  readonly std: number | null;
}

/** When an arm reached one of plain's two targets under the same optimizer, on the mean over the seeds. */
export type ComparisonSummary = Comparison['summary'][number];

/**
 * Plain against overparameterized matrix factorization under each optimizer: every epoch of every run, and a summary
 * with one entry for each arm and each of the two targets. Test and training targets are different matters.
 *
 * @example
 * ```ts
 * import { compare, syntheticInteractions, type Comparison } from 'opmf';
 * const data = syntheticInteractions({ users: 60, items: 50, ratings: 900 });
 * const comparison: Comparison = await compare(data, {
 *   optimizers: ['sgd'],
 *   overparams: [{ kind: 'scalar', scope: 'row', depth: 2 }],
 *   seeds: [1],
 *   epochs: 2,
 *   rank: 4,
 * });
 * console.log(comparison.runs.length, comparison.summary.length); // 2 4
 * ```
 */
export interface Comparison {
  /** The version of this library. */
  readonly opmf: string;
  readonly terms: 'paper' | 'matched' | 'tuned';
  readonly dataset: {
    readonly name: string;
    readonly users: number;
    readonly items: number;
    readonly train: number;
    readonly test: number;
  };
  readonly rank: number;
  readonly epochs: number;
  readonly seeds: readonly number[];
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string };
  /** The full configuration of every optimizer, by its name. */
  readonly constants: Readonly<Record<string, OptimizerConfig>>;
  /** One a training run: an optimizer, an arm and a seed. */
  readonly runs: readonly {
    readonly optimizer: string;
    /** As it ran, every constant filled in; `false` is plain. */
    readonly overparam:
      | false
      | {
          readonly kind: 'scalar' | 'diagonal' | 'dense';
          /** Absent for `dense`, which is always shared. */
          readonly scope?: 'row' | 'shared';
          readonly depth: number;
          readonly width: number;
          readonly init: number;
        };
    /** One rate for all factors, or one for each group of them; a schedule where the caller gave one. */
    readonly learningRate: LearningRate;
    /** The standard deviation that the embeddings start with. */
    readonly initScale: number;
    /** The strength of the penalty, constant, on every table. */
    readonly regularization: number;
    /** Matched terms, plain only: the product whose first step this rate matches. */
    readonly matches?: Comparison['runs'][number]['overparam'];
    readonly seed: number;
    /** Training left the finite numbers; `epochs` then ends with the last good one. */
    readonly diverged: boolean;
    /** Losses are 1/2 error^2 per rating, RMSE and MAE are on the rating scale, seconds are the epoch's own. */
    readonly epochs: readonly {
      /** Counted from 1. */
      readonly epoch: number;
      readonly trainLoss: number;
      readonly testRmse: number;
      readonly testMae: number;
      readonly seconds: number;
    }[];
  }[];
  /** When each arm reached plain's two targets under the same optimizer, on the mean over the seeds. */
  readonly summary: readonly {
    readonly optimizer: string;
    readonly overparam: Comparison['runs'][number]['overparam'];
    /** Matched terms, plain only: the product whose first step its rate matches. */
    readonly matches?: Comparison['runs'][number]['overparam'];
    /** Plain's best mean test RMSE within its epochs, or its mean training loss after its last epoch. */
    readonly target: { readonly on: 'testRmse' | 'trainLoss'; readonly value: number | null };
    /** The first epoch at or below the target; null if never. */
    readonly epochsToTarget: number | null;
    readonly secondsToTarget: number | null;
    /** After the last epoch. */
    readonly testRmse: { readonly mean: number | null; readonly std: number | null };
    /** After the last epoch. */
    readonly trainLoss: { readonly mean: number | null; readonly std: number | null };
  }[];
  /** Where asked for: what remains when each arm has the best of some rates, judged on a tenth of the training ratings. */
  readonly fair?: {
    /** The rates that each arm tried. */
    readonly trials: number;
    /** Of the search and the runs after it. */
    readonly seconds: number;
    readonly arms: readonly {
      readonly optimizer: string;
      readonly overparam: Comparison['runs'][number]['overparam'];
      readonly learningRate: LearningRate;
      /** At that rate; null where every rate diverged. */
      readonly validationRmse: number | null;
      /** After the last epoch. */
      readonly testRmse: { readonly mean: number | null; readonly std: number | null };
    }[];
  };
  /** Where models were given. */
  readonly models?: readonly {
    /** The name of the recommender. */
    readonly model: string;
    readonly options: object;
    readonly runs: readonly {
      readonly seed: number;
      readonly diverged: boolean;
      /** Empty where it diverged. */
      readonly metrics: Readonly<Record<MetricName, number>>;
      /** Of the fit and its measurement. */
      readonly seconds: number;
    }[];
    /** Over the seeds; null where a run diverged. */
    readonly metrics: Readonly<Record<MetricName, { readonly mean: number | null; readonly std: number | null }>>;
    readonly seconds: { readonly mean: number | null; readonly std: number | null };
  }[];
}

/** The runs of one arm, one a seed, and of the plain arm that sets its targets. */
export interface ArmRuns {
  readonly runs: readonly ComparisonRun[];
  readonly plain: readonly ComparisonRun[];
}

/** Two entries for each arm: the test target and the training target. */
export function summarize(arms: readonly ArmRuns[]): ComparisonSummary[] {
  return arms.flatMap(({ runs, plain }) => {
    const { optimizer, overparam, matches } = runs[0]!;
    const plainRmse = meanCurve(plain, ({ testRmse }) => testRmse);
    const plainLoss = meanCurve(plain, ({ trainLoss }) => trainLoss);
    const best = plainRmse.length > 0 ? Math.min(...plainRmse) : null;
    const last = isWhole(plain) ? (plainLoss.at(-1) ?? null) : null;
    const seconds = meanCurve(runs, (epoch) => epoch.seconds);
    const entry = (on: 'testRmse' | 'trainLoss', value: number | null): ComparisonSummary => {
      const curve = meanCurve(runs, (epoch) => epoch[on]);
      const at = value === null ? -1 : curve.findIndex((mean) => mean <= value);
      return {
        optimizer,
        overparam,
        ...(matches === undefined ? {} : { matches }),
        target: { on, value },
        epochsToTarget: at < 0 ? null : at + 1,
        secondsToTarget: at < 0 ? null : seconds.slice(0, at + 1).reduce((sum, s) => sum + s, 0),
        testRmse: lastSpread(runs, ({ testRmse }) => testRmse),
        trainLoss: lastSpread(runs, ({ trainLoss }) => trainLoss),
      };
    };
    return [entry('testRmse', best), entry('trainLoss', last)];
  });
}

function isWhole(runs: readonly Pick<ComparisonRun, 'diverged'>[]): boolean {
  return runs.every(({ diverged }) => !diverged);
}

/** The spread after the last epoch; null where a run diverged. */
export function lastSpread(runs: readonly ComparisonRun[], read: (epoch: ComparisonEpoch) => number) {
  return isWhole(runs) ? spread(runs.map(({ epochs }) => read(epochs.at(-1)!))) : NO_SPREAD;
}

/** Means by epoch, as far as every run got: a mean over the runs that are left would jump. */
export function meanCurve(runs: readonly ComparisonRun[], read: (epoch: ComparisonEpoch) => number): number[] {
  const shortest = Math.min(...runs.map(({ epochs }) => epochs.length));
  return Array.from({ length: shortest }, (_, at) => {
    return runs.reduce((sum, { epochs }) => sum + read(epochs[at]!), 0) / runs.length;
  });
}

/** The summary of a model's runs. */
export function summarizeModel(runs: readonly ModelRun[], names: readonly MetricName[]) {
  return {
    metrics: pick(names, (name) => (isWhole(runs) ? spread(runs.map(({ metrics }) => metrics[name]!)) : NO_SPREAD)),
    seconds: spread(runs.map(({ seconds }) => seconds)),
  };
}

const NO_SPREAD: Spread = { mean: null, std: null };
