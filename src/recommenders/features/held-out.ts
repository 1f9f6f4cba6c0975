// What is measured of a model of features after every epoch, on data that it is not trained on.

import { DataError } from '../../core/errors';
import type { Scheduler } from '../../core/scheduler';
import type { Interactions } from '../../data/interactions';
import { type FeatureMetricName, isRowMetric, listMetricsOf, rowMetrics } from '../../metrics/row-metrics';
import { dataText, rowsText } from '../checkpoint';
import { RankValidation } from '../rank-validation';
import { type LaidOutRows, targetsOf } from './check-rows';
import type { FeatureState } from './feature-answers';
import type { FilledFeatureFit } from './feature-fit-options';
import type { FilledFeatureOptions } from './feature-options';
import type { Pairing } from './pairing';
import { featuresAtOnce, ROWS_AT_ONCE, RowScorer } from './score-rows';

type Values = Partial<Record<FeatureMetricName, number>>;

/** Data to measure on. */
export interface HeldOut {
  /** The features of the largest batch of rows that is made of them. */
  readonly features: number;
  /** The metrics of a model as it is. */
  measure(model: FeatureState, scheduler: Scheduler): Promise<Values>;
  /** What tells them from others. */
  text(scheduler: Scheduler): Promise<string>;
}

/** The predictions of rows with labels. @throws DataError where early stopping watches an area that is no number */
export function heldOutRows(
  rows: LaidOutRows,
  { metrics, earlyStopping }: Pick<FilledFeatureFit, 'metrics' | 'earlyStopping'>,
  task: FilledFeatureOptions['task'],
): HeldOut {
  if (earlyStopping?.metric === 'auc') checkBothLabels(targetsOf(rows, 'validation', task));
  const names = metrics.filter(isRowMetric);
  const { weights } = rows;
  // Rows of weight 0 are absent.
  const present = (numbers: Float32Array) =>
    weights === null ? numbers : numbers.filter((_, row) => weights[row]! > 0);
  const labels = present(rows.labels!);
  return {
    features: featuresAtOnce(rows),
    async measure({ model }, scheduler) {
      const predictions = await new RowScorer(model, task === 'classification').allInTurns(rows, scheduler);
      return Object.fromEntries(names.map((name) => [name, rowMetrics[name](present(predictions), labels)]));
    },
    text: (scheduler) => rowsText(rows, scheduler),
  };
}

/** The lists of the users of some interactions. `relevant`: which values are of what should be listed; absent: all. */
export async function heldOutLists(
  data: Interactions,
  metrics: readonly FeatureMetricName[],
  { known }: Pairing,
  relevant: ((value: number) => boolean) | undefined,
  scheduler: Scheduler,
): Promise<HeldOut> {
  const ranking = await RankValidation.of(data, listMetricsOf(metrics), known, scheduler, relevant);
  return {
    features: ROWS_AT_ONCE * known.rows.longest,
    measure: (model, scheduler) => {
      // A method by itself would not know its model.
      const best: FeatureState['best'] = (users, request) => model.best(users, request);
      return ranking.measure({ best, scoreCost: model.scoreCost }, scheduler);
    },
    text: (scheduler) => dataText(data, scheduler),
  };
}

/** @throws DataError where nothing is to be ranked above anything else */
function checkBothLabels(targets: Float32Array): void {
  const positives = targets.filter((target) => target > 0).length;
  if (positives > 0 && positives < targets.length) return;
  throw new DataError(
    `validation has ${positives} rows of label 1 among ${targets.length}; earlyStopping by auc wants both labels, or another metric`,
  );
}
