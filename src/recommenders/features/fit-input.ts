// What a fit of a model of features is given, read: rows with labels, or interactions, whose pairs are made rows.

import { UnsupportedError } from '../../core/errors';
import type { Scheduler } from '../../core/scheduler';
import { TaskScheduler } from '../../core/scheduler';
import type { Interactions } from '../../data/interactions';
import { isInteractions } from '../../data/is-interactions';
import { sideFields } from '../../data/pair-features';
import { isRowMetric, listMetricsOf } from '../../metrics/row-metrics';
import { weigh } from '../../training/weights';
import { nothingToPredict, onlyValue } from '../choose-loss';
import { checkInteractions } from '../fit-options';
import { countCold } from '../validation';
import { checkLayout, checkRows, type LaidOutRows, type RowLayout, targetsOf } from './check-rows';
import { type FeatureFitOptions, type FilledFeatureFit, readFeatureFit } from './feature-fit-options';
import type { FilledFeatureOptions } from './feature-options';
import { type HeldOut, heldOutLists, heldOutRows } from './held-out';
import { Pairing } from './pairing';
import { candidateRows, labelledRows, type TrainingRows } from './training-rows';

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
