// What a fit of a model of features is given, read: options, and rows with labels, or interactions, whose pairs are made
// rows.

import { UnsupportedError } from '../../core/errors';
import {
  abortSignal,
  type Check,
  callable,
  type Fields,
  field,
  optional,
  readOptions,
  wrong,
} from '../../core/options';
import { type Scheduler, TaskScheduler } from '../../core/scheduler';
import type { FeatureRows } from '../../data/feature-fields';
import type { Interactions } from '../../data/interactions';
import { isInteractions } from '../../data/is-interactions';
import { type SideFeatures, sideFields } from '../../data/pair-features';
import {
  type FeatureMetricName,
  featureMetricList,
  featureMetricName,
  isRowMetric,
  listMetricsOf,
} from '../../metrics/row-metrics';
import { checkSuits, scoresOf } from '../../metrics/scores';
import type { EpochRecord } from '../../training/fit';
import { checkInteractions, checkpointFields, type FilledFitOptions, withEarlyStopping } from '../fit-options';
import type { FitOptions } from '../recommender';
import { nothingToPredict, onlyValue, weigh } from '../targets';
import { countCold } from '../validation';
import type { FilledFeatureOptions } from './feature-options';
import { checkLayout, checkRows, type LaidOutRows, type RowLayout, targetsOf } from './feature-rows';
import {
  candidateRows,
  type HeldOut,
  heldOutLists,
  heldOutRows,
  labelledRows,
  type TrainingRows,
  type Watched,
} from './fit-data';
import { Pairing } from './pairing';

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
    SideFeatures,
    Watched {
  readonly validation?: V;
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

/** A fit whose arguments have been checked, and that may have to wait for its turn. */
export interface CheckedFit {
  readonly signal: AbortSignal | undefined;
  /** Makes the rows. */
  load(): Promise<FitInput>;
}

/** All that a fit needs but a model. */
export interface FitInput {
  readonly rows: TrainingRows;
  readonly heldOut: readonly HeldOut[];
  readonly fit: Omit<FilledFeatureFit, 'validation'>;
  readonly scheduler: Scheduler;
  /** The validation rows of a user or an item that training never saw; absent where they are no interactions. */
  readonly cold?: number | undefined;
}

/** Of rows of features. */
export function readRows(
  owner: string,
  features: unknown,
  given: FeatureFitOptions | undefined,
  options: FilledFeatureOptions,
): CheckedFit {
  const rows = checkRows(features, 'features');
  if (options.negatives !== false) {
    throw new UnsupportedError(
      `${owner}: loss '${options.loss}' with negatives learns what users have from what not: fit it on Interactions; rows have labels instead (negatives: false)`,
    );
  }
  const { validation, ...fit } = readFeatureFit(owner, given, options, (value, name) => labelled(value, name, options));
  const heldOut = validation === undefined ? [] : [heldOutOf(validation, rows, fit, options)];
  return {
    signal: fit.signal,
    async load() {
      const scheduler = new TaskScheduler(fit.signal);
      return { rows: await labelledRows(rows, options, scheduler), heldOut, fit, scheduler };
    },
  };
}

/** Of interactions. */
export function readPairs(
  owner: string,
  data: Interactions,
  given: FeatureFitOptions | undefined,
  options: FilledFeatureOptions,
): CheckedFit {
  const { negatives } = options;
  const readValidation = (value: unknown, name: string) =>
    isInteractions(value) || negatives !== false ? checkInteractions(value, name) : labelled(value, name, options);
  const { validation, ...fit } = readFeatureFit(owner, given, options, readValidation, sideFields);
  checkInteractions(data, 'data');
  const checked = { data, validation, fit };
  return { signal: fit.signal, load: () => loadPairs(owner, checked, options) };
}

async function loadPairs(
  owner: string,
  checked: { data: Interactions; validation: Interactions | LaidOutRows | undefined; fit: FitInput['fit'] },
  options: FilledFeatureOptions,
): Promise<FitInput> {
  const { validation, fit } = checked;
  const { negatives } = options;
  const scheduler = new TaskScheduler(fit.signal);
  const { data } = await weigh(checked.data, scheduler);
  const { pairing, pairs } = await Pairing.of(owner, data, fit, scheduler);
  const only = negatives === false ? await onlyValue(data, scheduler) : undefined;
  if (only !== undefined) throw nothingToPredict(owner, `task '${options.task}'`, only, INSTEAD);
  // Labels say yes or no; ratings, and what users have, are all of what should be listed.
  const relevant = options.task === 'classification' && negatives === false ? (value: number) => value > 0 : undefined;
  const heldOut: HeldOut[] = [];
  let cold: number | undefined;
  if (isInteractions(validation)) {
    const { users, items, seen } = pairing.known;
    cold = await countCold(
      validation,
      { users, items, counts: { users: seen.userCounts, items: seen.itemCounts } },
      scheduler,
      true,
    );
    if (fit.metrics.some(isRowMetric)) {
      const rows = await pairing.rowsInTurns(validation, scheduler);
      targetsOf(rows, 'validation', options.task);
      heldOut.push(heldOutRows(rows, fit, options.task));
    }
    if (listMetricsOf(fit.metrics).length > 0)
      heldOut.push(await heldOutLists(validation, fit.metrics, pairing, relevant, scheduler));
  } else if (validation !== undefined) {
    heldOut.push(heldOutOf(validation, { fields: pairing.fields, schema: null }, fit, options));
  }
  const rows =
    negatives === false
      ? await labelledRows(await pairing.rowsInTurns(data, scheduler), options, scheduler, ['data', 'values'])
      : await candidateRows(pairing, pairs, options, negatives, scheduler);
  return { rows, heldOut, fit, scheduler, cold };
}

/** What learns from clicks, in which nothing is 0. */
const INSTEAD = "negatives: 4, items drawn that users do not have, or task: 'ranking'";

/** Rows whose labels are what the task has. */
function labelled(value: unknown, name: string, { task }: FilledFeatureOptions): LaidOutRows {
  const rows = checkRows(value, name);
  targetsOf(rows, name, task);
  return rows;
}

function heldOutOf(
  rows: LaidOutRows,
  layout: RowLayout,
  fit: Pick<FilledFeatureFit, 'metrics' | 'earlyStopping'>,
  { task }: FilledFeatureOptions,
): HeldOut {
  checkLayout(rows, layout, 'validation');
  return heldOutRows(rows, fit, task);
}
