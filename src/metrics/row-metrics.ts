// The metrics that the fits of models of features watch: those of labelled rows, and those of lists.

import { type Check, nearest, wrong } from '../core/options';
import { auc, logLoss } from './label-metrics';
import {
  findRankingMetrics,
  isRatingMetric,
  type MetricName,
  RANKING_NAMES,
  type RankingMetric,
  type RankingMetricName,
  slip,
} from './metric-names';
import { mae, type RatingMetricName, rmse } from './rating-metrics';

/** The metrics of predicted rows. Of `auc` more is better, of the others less. */
export type RowMetricName = 'auc' | 'logloss' | RatingMetricName;

/** Those, and those of the lists of users: `ndcg@10`. `auc` is that of rows. */
export type FeatureMetricName = RowMetricName | Exclude<RankingMetricName, 'auc'>;

/** The metrics of rows by name. */
export const rowMetrics: Readonly<Record<RowMetricName, typeof rmse>> = { auc, logloss: logLoss, rmse, mae };

/** Whether a metric is one of predicted rows. */
export function isRowMetric(name: FeatureMetricName): name is RowMetricName {
  return Object.hasOwn(rowMetrics, name);
}

/** Those that are of lists. */
export function listMetricsOf(names: readonly FeatureMetricName[]): readonly RankingMetric[] {
  return names.flatMap((name) => (isRowMetric(name) ? [] : (findRankingMetrics(name) ?? [])));
}

/** The name of a metric. */
export const featureMetricName: Check<FeatureMetricName> = (value, name) => {
  const known = value as FeatureMetricName;
  if (typeof value === 'string' && (isRowMetric(known) || findRankingMetrics(value) !== undefined)) return known;
  const names = Object.keys(rowMetrics);
  const close = typeof value === 'string' ? nearest(value, names) : undefined;
  const meant = close === undefined ? slip(value) : ` (did you mean '${close}'?)`;
  throw wrong(name, value, `one of ${names.join(', ')}, or of lists ${RANKING_NAMES}${meant}`);
};

/** A list of names, not empty. */
export const featureMetricList: Check<readonly FeatureMetricName[]> = (value, name) => {
  if (!Array.isArray(value) || value.length === 0) throw wrong(name, value, "a list of metrics, as ['auc', 'logloss']");
  return value.map((one, at) => featureMetricName(one, `${name}[${at}]`));
};

/** Whether less of a metric is better: of how far predictions are off, not of rankings. */
export function isLessBetter(name: MetricName | RowMetricName): boolean {
  return name === 'logloss' || isRatingMetric(name);
}
