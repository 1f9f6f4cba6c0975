// Reading the options of a fit on features.

import { type Check, callable, type Fields, field, optional, readOptions } from '../../core/options';
import type { FeatureRows } from '../../interactions/features';
import type { SideFeatures, sideFields } from '../../interactions/interaction-features';
import { type RowMetricName, rowMetricList, rowMetricName } from '../../metrics/row-metrics';
import type { EpochRecord } from '../../training/history';
import { abortSignal, checkpointFields, type FilledFitOptions, withEarlyStopping } from '../fit-options';
import type { FitOptions } from '../recommender';
import type { LaidOutRows } from './check-rows';
import type { FilledFeatureOptions } from './feature-options';

/** The options of a fit on rows of features. */
export interface FeatureFitOptions extends Pick<FitOptions, 'onEpoch' | 'signal' | 'checkpoint' | 'resume'> {
  /** Rows with labels, encoded alike: by the schema of the training rows. */
  readonly validation?: FeatureRows | undefined;
  /** What of the validation rows is told each epoch. @defaultValue ['auc', 'logloss']; regression: ['rmse'] */
  readonly metrics?: readonly RowMetricName[] | undefined;
  /** Stops when a metric has not got better for `patience` epochs; the best epoch's parameters are put back. */
  readonly earlyStopping?:
    | {
        readonly metric?: RowMetricName | undefined;
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
  readonly metrics: readonly RowMetricName[];
  readonly earlyStopping?: { readonly metric: RowMetricName; readonly patience: number; readonly minDelta: number };
}

/** Checks the options of a fit: `validation` is read by who knows what may be given for it; `side` are the tables' fields. */
export function readFeatureFit<V>(
  owner: string,
  given: unknown,
  task: FilledFeatureOptions['task'],
  validation: Check<V>,
  side: Partial<typeof sideFields> = {},
): FilledFeatureFit<V> {
  const fields = {
    ...side,
    validation: optional(validation),
    metrics: field(rowMetricList, task === 'regression' ? ['rmse'] : ['auc', 'logloss']),
    earlyStopping: optional((value) => value as NonNullable<FilledFeatureFit['earlyStopping']>),
    onEpoch: optional(callable<(epoch: EpochRecord) => unknown>()),
    signal: optional(abortSignal),
    ...checkpointFields(owner),
  };
  const read = readOptions<FilledFeatureFit<V>>(owner, given, fields as Fields<FilledFeatureFit<V>>);
  return withEarlyStopping(owner, read, rowMetricName, 'rows with labels');
}
