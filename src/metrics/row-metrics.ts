// The metrics of labelled rows by name, as the fits of models of features watch them.

import { type Check, oneOf, wrong } from '../core/options';
import { auc, logLoss } from './label-metrics';
import { isRatingMetric, type MetricName } from './metric-names';
import { rmse } from './rating-metrics';

/** The metrics of predicted rows. Of `auc` more is better, of the others less. */
export type RowMetricName = 'auc' | 'logloss' | 'rmse';

/** The metrics by name. */
export const rowMetrics: Readonly<Record<RowMetricName, typeof rmse>> = { auc, logloss: logLoss, rmse };

const known = oneOf('auc', 'logloss', 'rmse');

/** The name of a row metric. */
export const rowMetricName: Check<RowMetricName> = (value, name) => known(value, name);

/** A list of names, not empty. */
export const rowMetricList: Check<readonly RowMetricName[]> = (value, name) => {
  if (!Array.isArray(value) || value.length === 0) throw wrong(name, value, "a list of metrics, as ['auc', 'logloss']");
  return value.map((one, at) => rowMetricName(one, `${name}[${at}]`));
};

/** Whether less of a metric is better: of how far predictions are off, not of rankings. */
export function isLessBetter(name: MetricName | RowMetricName): boolean {
  return name === 'logloss' || isRatingMetric(name);
}
