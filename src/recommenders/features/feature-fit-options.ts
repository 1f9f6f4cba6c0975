// Reading the options of a fit on features.

import { type Check, callable, type Fields, field, optional, readOptions, wrong } from '../../core/options';
import type { FeatureRows } from '../../data/feature-fields';
import type { Interactions } from '../../data/interactions';
import { isInteractions } from '../../data/is-interactions';
import type { SideFeatures, sideFields } from '../../data/pair-features';
import {
  type FeatureMetricName,
  featureMetricList,
  featureMetricName,
  isRowMetric,
  listMetricsOf,
} from '../../metrics/row-metrics';
import { checkSuits, scoresOf } from '../../metrics/scores';
import type { EpochRecord } from '../../training/fit';
import { abortSignal, checkpointFields, type FilledFitOptions, withEarlyStopping } from '../fit-options';
import type { FitOptions } from '../recommender';
import type { LaidOutRows } from './check-rows';
import type { FilledFeatureOptions } from './feature-options';

/** The options of a fit on rows of features, or on interactions; on rows there are no tables of users and items. */
export interface FeatureFitOptions
  extends Pick<FitOptions, 'onEpoch' | 'signal' | 'checkpoint' | 'resume'>,
    SideFeatures {
  /** Rows with labels, encoded by the schema of the training rows; interactions where the fit is on those. */
  readonly validation?: FeatureRows | Interactions | undefined;
  /**
   * What of the validation is told each epoch. Metrics of lists, as 'ndcg@10', want interactions; `auc` is that of labels.
   * @defaultValue ['auc', 'logloss']; regression: ['rmse']; with negatives: ['ndcg@10']
   */
  readonly metrics?: readonly FeatureMetricName[] | undefined;
  /** Stops when a metric has not got better for `patience` epochs; the best epoch's parameters are put back. */
  readonly earlyStopping?:
    | {
        readonly metric?: FeatureMetricName | undefined;
        readonly patience?: number | undefined;
        readonly minDelta?: number | undefined;
      }
    | undefined;
}

/** Read; side features are those of a fit on interactions. */
export interface FilledFeatureFit<V = LaidOutRows>
  extends Pick<FilledFitOptions, 'onEpoch' | 'signal' | 'checkpoint' | 'resume'>,
    SideFeatures {
  readonly validation?: V;
  readonly metrics: readonly FeatureMetricName[];
  readonly earlyStopping?: { readonly metric: FeatureMetricName; readonly patience: number; readonly minDelta: number };
}

const USUAL_METRICS: Readonly<Record<FilledFeatureOptions['task'], readonly FeatureMetricName[]>> = {
  classification: ['auc', 'logloss'],
  regression: ['rmse'],
  ranking: ['ndcg@10'],
};

/** Checks the options of a fit: `validation` is read by who knows what may be given for it; `side` are the tables' fields. */
export function readFeatureFit<V>(
  owner: string,
  given: unknown,
  { task, loss, negatives }: Pick<FilledFeatureOptions, 'task' | 'loss' | 'negatives'>,
  validation: Check<V>,
  side: Partial<typeof sideFields> = {},
): FilledFeatureFit<V> {
  const fields = {
    ...side,
    validation: optional(validation),
    metrics: field(featureMetricList, negatives !== false ? ['ndcg@10'] : USUAL_METRICS[task]),
    earlyStopping: optional((value) => value as NonNullable<FilledFeatureFit['earlyStopping']>),
    onEpoch: optional(callable<(epoch: EpochRecord) => unknown>()),
    signal: optional(abortSignal),
    ...checkpointFields(owner),
  };
  const read = readOptions<FilledFeatureFit<V>>(owner, given, fields as Fields<FilledFeatureFit<V>>);
  const watched = withEarlyStopping(owner, read, featureMetricName, 'rows with labels');
  checkSuits(owner, watched.metrics, scoresOf(loss, negatives !== false));
  const ofRows = watched.metrics.find(isRowMetric);
  if (negatives !== false && ofRows !== undefined) {
    const wanted = `metrics of lists, as 'ndcg@10': what users have says yes alone, and ${ofRows} wants values`;
    throw wrong('metrics', watched.metrics, wanted);
  }
  const lists = listMetricsOf(watched.metrics);
  if (lists.length === 0 || watched.validation === undefined || isInteractions(watched.validation)) return watched;
  throw wrong(
    'metrics',
    watched.metrics,
    `none of lists for rows: ${lists[0]!.name} ranks items for users, and wants Interactions`,
  );
}
