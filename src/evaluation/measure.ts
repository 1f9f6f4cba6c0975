// Any metrics of a fitted recommender on held-out data, and the mean and standard deviation of a few repetitions.

import type { Split } from '../data/splits';
import { isRatingMetric, type MetricName, rankingMetricsOf } from '../metrics/metric-names';
import type { Recommender } from '../recommenders/recommender';
import { evaluateRanking } from './evaluate-ranking';
import { evaluateRatings } from './evaluate-ratings';

/** The metrics by name. Lists hide what train has. */
export async function measure(
  model: Recommender,
  { train, test }: Split,
  names: readonly MetricName[],
  signal?: AbortSignal,
): Promise<Record<MetricName, number>> {
  const rankings = rankingMetricsOf(names).map(({ name }) => name);
  const values = {
    ...(names.some(isRatingMetric) && (await evaluateRatings(model, test, { signal }))),
    ...(rankings.length > 0 && (await evaluateRanking(model, test, { train, metrics: rankings, signal })).metrics),
  } as Record<MetricName, number>;
  return pick(names, (name) => values[name]!);
}

/** An object with a value for each name. */
export function pick(names: readonly MetricName[], value: (name: MetricName) => number): Record<MetricName, number> {
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Record<MetricName, number>;
}

/** The mean and the sample standard deviation (n - 1; 0 for one value); NaN for none. */
export function spread(values: readonly number[]): { mean: number; std: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
  return { mean, std: values.length > 1 ? Math.sqrt(square / (values.length - 1)) : 0 };
}
