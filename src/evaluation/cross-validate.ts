// k-fold cross-validation.

import { field, integer, optional, readOptions } from '../core/options';
import type { Interactions } from '../data/interactions';
import { kFold } from '../data/splits';
import { type MetricName, metricList } from '../metrics/metric-names';
import { checkInteractions } from '../recommenders/fit-options';
import type { Recommender } from '../recommenders/recommender';
import type { EvaluationOptions, FilledEvaluation } from './evaluation-options';
import { checkRecommender, evaluationFields } from './evaluation-options';
import { mapLimited, startFitRunner } from './fit-threads';
import { fitterOf, pick, spread } from './fits';

/** The metrics of one fold. */
export type FoldResult = CrossValidation['folds'][number];

/** The folds, and the mean and sample standard deviation of each metric over them. */
export interface CrossValidation {
  readonly folds: readonly {
    /** From 1. */
    readonly fold: number;
    readonly metrics: Readonly<Record<MetricName, number>>;
    readonly seconds: number;
  }[];
  readonly mean: Readonly<Record<MetricName, number>>;
  readonly std: Readonly<Record<MetricName, number>>;
}

/**
 * Trains on k - 1 parts of the data and tests on the k-th, k times.
 *
 * A recommender is never fitted itself: each fold has a fresh one with its options. Cost: k fits.
 *
 * @throws OptionError, DataError, or what a fit throws; UnsupportedError for metrics of ratings where scores are none; the signal's reason.
 * @example
 * ```ts
 * import { crossValidate, MF, syntheticInteractions } from 'opmf';
 * const data = syntheticInteractions({ users: 100, items: 80, ratings: 2000 });
 * const { folds, mean, std } = await crossValidate(new MF({ rank: 4 }), data, { folds: 3 });
 * console.log(folds.length, mean.rmse > 0, std.rmse > 0); // 3 true true
 * ```
 */
export async function crossValidate(
  recommender: Recommender | (() => Recommender),
  data: Interactions,
  options?: EvaluationOptions<{ readonly fold: CrossValidation['folds'][number] }> & {
    /** @defaultValue 5 */
    readonly folds?: number | undefined;
    /**
     * Of ratings, where scores are ratings, and of rankings: 'rmse', 'ndcg@10'. Rankings are of all items but the user's
     * training ones, and every test row is relevant (where scores are probabilities: those of a value above 0).
     * @defaultValue ['rmse', 'mae'] where scores are ratings, else ['ndcg@10']
     */
    readonly metrics?: readonly MetricName[] | undefined;
  },
): Promise<CrossValidation> {
  const read = readOptions<
    FilledEvaluation<{ readonly fold: FoldResult }> & { folds: number; metrics?: readonly MetricName[] }
  >('crossValidate', options, {
    folds: field(integer({ min: 2 }), 5),
    metrics: optional(metricList),
    ...evaluationFields<{ readonly fold: FoldResult }>(),
  });
  const { signal } = read;
  signal?.throwIfAborted();
  checkInteractions(data, 'data');
  const isMaker = typeof recommender === 'function';
  if (!isMaker) checkRecommender(recommender, ['fresh']);
  const fit = {
    recommender: isMaker ? () => checkRecommender(recommender(), ['fit'], 'recommender()') : fitterOf(recommender),
    owner: 'crossValidate',
    metrics: read.metrics,
  };
  const parts = kFold(data, { folds: read.folds, seed: read.seed });
  const runner = startFitRunner(isMaker ? 1 : read.threads);
  let done = 0;
  const folds = await mapLimited([...parts.keys()], runner.atOnce, async (at): Promise<FoldResult> => {
    const { metrics, seconds } = await runner.run(fit, parts[at]!, signal);
    const fold = { fold: at + 1, metrics, seconds };
    read.onProgress?.({ done: ++done, total: read.folds, fold });
    return fold;
  }).finally(() => runner.close());
  const names = Object.keys(folds[0]!.metrics) as MetricName[];
  const over = (name: MetricName) => spread(folds.map(({ metrics }) => metrics[name]!));
  return {
    folds,
    mean: pick(names, (name) => over(name).mean),
    std: pick(names, (name) => over(name).std),
  };
}
