// How good predictions of labelled rows are, row by row: pure functions of numbers, so that training may watch them.

import { naturalLog } from '../core/elementary';
import { type Check, oneOf, wrong } from '../core/options';
import { isRatingMetric, type MetricName } from './metric-names';
import { rmse } from './rating-metrics';

/** The metrics of predicted rows. Of `auc` more is better, of the others less. */
export type RowMetricName = 'auc' | 'logloss' | 'rmse';

/** Predictions of 0 and 1 would cost an infinity where they are wrong: they count as this near to them. */
const NEAREST = 1e-7;

/**
 * The area under the ROC curve: the chance that a row of label 1 is predicted higher than one of label 0, ties counting
 * half (Mann and Whitney 1947). A label above 1/2 is a 1. NaN where all labels are alike.
 */
export function rowAuc(predictions: ArrayLike<number>, labels: ArrayLike<number>): number {
  const order = Uint32Array.from({ length: labels.length }, (_, s) => s);
  order.sort((a, b) => predictions[a]! - predictions[b]!);
  let ranks = 0;
  let positives = 0;
  for (let from = 0; from < order.length; ) {
    let to = from;
    let among = 0;
    for (; to < order.length && predictions[order[to]!] === predictions[order[from]!]; to++)
      if (labels[order[to]!]! > 0.5) among++;
    // Rows that are tied share the mean of their ranks, which count from 1.
    ranks += among * ((from + 1 + to) / 2);
    positives += among;
    from = to;
  }
  const negatives = order.length - positives;
  return (ranks - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** The mean of -(t log p + (1 - t) log(1 - p)), p kept 1e-7 away from 0 and 1. */
export function logloss(predictions: ArrayLike<number>, labels: ArrayLike<number>): number {
  let sum = 0;
  for (let s = 0; s < labels.length; s++) {
    const p = Math.min(Math.max(predictions[s]!, NEAREST), 1 - NEAREST);
    const label = labels[s]!;
    sum -= label * naturalLog(p) + (1 - label) * naturalLog(1 - p);
  }
  return sum / labels.length;
}

/** The metrics by name. */
export const rowMetrics: Readonly<Record<RowMetricName, typeof logloss>> = { auc: rowAuc, logloss, rmse };

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
