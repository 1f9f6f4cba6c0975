// The metrics of validation data as a fit goes on: errors of predictions, and rankings of all items that were not trained on.

import { inTurns, type Turns } from '../core/turns';
import type { Interactions } from '../interactions/interactions';
import { isRatingMetric, type MetricName, rankingMetricsOf } from '../metrics/metric-names';
import { ratingMetrics } from '../metrics/rating-metrics';
import type { ItemRequest } from './answers';
import type { FilledOptions } from './factorization-options';
import type { Fitted } from './fitted';
import { rankValidation } from './rank-validation';
import { Serving } from './serving';

/** The metrics of some validation data. */
export async function measure(
  fitted: Fitted,
  validation: Interactions,
  names: readonly MetricName[],
  { clip, kernels }: Pick<FilledOptions, 'clip' | 'kernels'>,
  turns: Turns,
): Promise<Partial<Record<MetricName, number>>> {
  const values: Partial<Record<MetricName, number>> = {};
  if (names.some(isRatingMetric)) {
    const predictions = new Float32Array(validation.size);
    const { served, users, items } = fitted;
    await inTurns(validation.size, turns, served.predictor(users, items, validation, clip, predictions));
    for (const name of names.filter(isRatingMetric)) values[name] = ratingMetrics[name](predictions, validation.values);
  }
  const rankings = rankingMetricsOf(names);
  if (rankings.length === 0) return values;
  const serving = new Serving(fitted.tables, fitted.served, fitted.seen, kernels);
  const lists = {
    ...fitted,
    best: (rows: readonly number[], request: ItemRequest) => serving.bestItems.of(rows, request),
  };
  return Object.assign(values, await rankValidation(lists, validation, rankings, turns));
}
