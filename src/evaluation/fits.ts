// A fit and its measurement: what folds, trials and arms are made of. Named recommenders make it plain data, which any
// thread can carry out.

import { DivergenceError } from '../core/errors';
import { now } from '../core/scheduler';
import { FeatureTable } from '../data/feature-table';
import type { Split } from '../data/splits';
import type { MetricName, RowMetricName } from '../metrics/metric-names';
import { checkSuits, isRatingMetric, rankingMetricsOf, rowMetrics, usualMetrics } from '../metrics/metric-names';
import type { FM } from '../recommenders/features/fm';
import type { Recommender } from '../recommenders/recommender';
import { createRecommender, RECOMMENDER_NAMES, type RecommenderName } from '../recommenders/registry';
import type { EpochRecord } from '../training/fit';
import { evaluateRanking } from './evaluate-ranking';
import { evaluateRatings } from './evaluate-ratings';
import { checkRecommender } from './evaluation-options';

/** A recommender of this library as plain data. */
export interface NamedRecommender {
  readonly name: RecommenderName;
  readonly options: Readonly<Record<string, unknown>>;
}

/** A fit, and what to measure afterwards. */
export interface Fit {
  /** Called where it is no plain data. */
  readonly recommender: NamedRecommender | (() => Recommender);
  /** The function that was called, for messages. */
  readonly owner: string;
  /** What is measured after the fit. Absent: what suits the scores. */
  readonly metrics?: readonly (MetricName | 'logloss')[] | undefined;
  /** A fit that diverges is a result, and no error. */
  readonly mayDiverge?: boolean;
  /** Measures RMSE and MAE after every epoch instead. */
  readonly isFollowed?: boolean;
}

/** The training data and the test data. */
export type Parts = Split | { readonly train: FeatureTable; readonly test: FeatureTable };

/** What came of a fit. */
export interface FitResult {
  /** Training left the finite numbers. */
  readonly diverged: boolean;
  /** Empty where it diverged, or was followed. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Of a fit that is followed: up to the last good one. */
  readonly epochs: readonly EpochRecord[];
  /** What the recommender's options say, where they do. */
  readonly epochCount: number | undefined;
  readonly seconds: number;
}

/** Fits and measures on this thread. */
export async function runFit(fit: Fit, parts: Parts, signal: AbortSignal | undefined): Promise<FitResult> {
  signal?.throwIfAborted();
  const { recommender, owner, isFollowed = false, mayDiverge = false } = fit;
  const started = now();
  const model =
    typeof recommender === 'function'
      ? recommender()
      : (createRecommender(recommender.name, recommender.options) as Recommender);
  if (!model.isFitted) checkSuits(owner, fit.metrics ?? [], model.scores);
  const epochs: EpochRecord[] = [];
  const watched = { validation: parts.test as Split['test'], onEpoch: (record: EpochRecord) => epochs.push(record) };
  let metrics = {};
  let diverged = false;
  try {
    await model.fit(parts.train as Split['train'], { signal, ...(isFollowed && watched) });
  } catch (error) {
    if (!mayDiverge || !(error instanceof DivergenceError)) throw error;
    diverged = true;
  }
  if (!diverged && !isFollowed) {
    // What the loss is may depend on the data: known after the fit.
    const names = fit.metrics ?? usualMetrics(model.scores ?? 'rating');
    checkSuits(owner, names, model.scores);
    metrics =
      parts.test instanceof FeatureTable
        ? measureRows(model as unknown as FM, parts.test, names as readonly RowMetricName[])
        : await measure(model, parts as Split, names as readonly MetricName[], signal);
  }
  const { epochs: epochCount } = model.options as { epochs?: number };
  return { diverged, metrics, epochs, epochCount, seconds: (now() - started) / 1000 };
}

/** The metrics by name. Lists hide what train has. */
async function measure(
  model: Recommender,
  { train, test }: Split,
  names: readonly MetricName[],
  signal: AbortSignal | undefined,
): Promise<Record<string, number>> {
  const rankings = rankingMetricsOf(names).map(({ name }) => name);
  const values = {
    ...(names.some(isRatingMetric) && (await evaluateRatings(model, test, { signal }))),
    ...(rankings.length > 0 && (await evaluateRanking(model, test, { train, metrics: rankings, signal })).metrics),
  } as Record<MetricName, number>;
  return pick(names, (name) => values[name]!);
}

/** The metrics of labelled rows by name; rows of weight 0 are absent. */
function measureRows(model: FM, test: FeatureTable, names: readonly RowMetricName[]): Record<string, number> {
  const { weights, labels } = test;
  const present = (numbers: Float32Array) =>
    weights === null ? numbers : numbers.filter((_, row) => weights[row]! > 0);
  const predictions = present(model.predictRows(test));
  return pick(names, (name) => rowMetrics[name](predictions, present(labels!)));
}

/** An object with a value for each name. */
export function pick<Name extends string, V>(names: readonly Name[], value: (name: Name) => V): Record<Name, V> {
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Record<Name, V>;
}

/** The mean and the sample standard deviation (n - 1; 0 for one value); NaN for none. */
export function spread(values: readonly number[]): { mean: number; std: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
  return { mean, std: values.length > 1 ? Math.sqrt(square / (values.length - 1)) : 0 };
}

/** A fresh recommender as plain data, where it is exactly of a class of this library with a rule of its own; else how to make one. */
export function fitterOf(recommender: Recommender): Fit['recommender'] {
  const fresh = checkRecommender(recommender.fresh(), ['fit']);
  const known = RECOMMENDER_NAMES.find((one) => one === fresh.name);
  try {
    if (known !== undefined && createRecommender(known, fresh.options).constructor === fresh.constructor)
      return { name: known, options: askedOf(fresh) };
  } catch {
    // The rule is the caller's: options do not say what it does.
  }
  return () => recommender.fresh();
}

/** What the caller asked for, so that each fit chooses the rest by its own data; and the seed, which comparisons replace. */
function askedOf(fresh: Recommender): NamedRecommender['options'] {
  const { options, askedOptions = options } = fresh as Recommender<{ seed?: unknown }> & { askedOptions?: object };
  return 'seed' in options ? { ...askedOptions, seed: options.seed } : { ...askedOptions };
}
