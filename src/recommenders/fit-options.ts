// Reading the options of a fit.

import { DataError, isNamed, UnsupportedError } from '../core/errors';
import type { Check } from '../core/options';
import { abortSignal, callable, check, field, integer, number, optional, readOptions, wrong } from '../core/options';
import type { Interactions } from '../data/interactions';
import type { MetricName, Scores } from '../metrics/metric-names';
import { checkSuits, metricList, metricName, usuallyRelevant, usualMetrics } from '../metrics/metric-names';
import type { EpochRecord } from '../training/fit';
import type { FitOptions } from './recommender';

/** The options of a fit, filled in. */
export interface FilledFitOptions {
  readonly validation?: Interactions;
  readonly metrics: readonly MetricName[];
  /** Which values of the validation are of what should be listed; absent: all. */
  readonly relevant?: ((value: number) => boolean) | undefined;
  readonly earlyStopping?: { readonly metric: MetricName; readonly patience: number; readonly minDelta: number };
  readonly onEpoch?: (epoch: EpochRecord) => unknown;
  readonly signal?: AbortSignal;
  readonly checkpoint?: { readonly every: number; readonly write: CheckpointWriter };
  readonly resume?: Uint8Array;
}

type CheckpointWriter = NonNullable<FitOptions['checkpoint']>['write'];

/**
 * Checks the options of a fit of a recommender with such scores.
 * @throws OptionError; UnsupportedError for metrics of ratings where scores are none
 */
export function readFitOptions(owner: string, given: FitOptions | undefined, scores: Scores): FilledFitOptions {
  const read = readOptions<Omit<FilledFitOptions, 'relevant'>>(owner, given, {
    validation: optional((value, name) => checkInteractions(value, name)),
    metrics: field(metricList, usualMetrics(scores)),
    earlyStopping: optional((value) => value as NonNullable<FilledFitOptions['earlyStopping']>),
    onEpoch: optional(callable<(epoch: EpochRecord) => unknown>()),
    signal: optional(abortSignal),
    ...checkpointFields(owner),
  });
  const watched = withEarlyStopping(owner, read, metricName, 'Interactions');
  checkSuits(owner, watched.metrics, scores);
  return { ...watched, relevant: usuallyRelevant(scores) };
}

/** Options whose `earlyStopping` is read by its own fields, its metric among those that are measured. */
export function withEarlyStopping<Metric extends string, Read extends Watching<Metric>>(
  owner: string,
  read: Read,
  metricName: Check<Metric>,
  data: string,
): Read {
  if (read.earlyStopping === undefined) return read;
  if (read.validation === undefined)
    throw wrong('validation', undefined, `${data}: earlyStopping needs validation data to watch`);
  const earlyStopping = readOptions<NonNullable<Watching<Metric>['earlyStopping']>>(
    owner,
    read.earlyStopping,
    {
      metric: field(metricName, read.metrics[0]!),
      patience: field(integer({ min: 1 }), 3),
      minDelta: field(number({ min: 0 }), 0),
    },
    'earlyStopping.',
  );
  const metrics = read.metrics.includes(earlyStopping.metric) ? read.metrics : [...read.metrics, earlyStopping.metric];
  return { ...read, metrics, earlyStopping };
}

/** What early stopping is about. */
interface Watching<Metric> {
  readonly validation?: unknown;
  readonly metrics: readonly Metric[];
  readonly earlyStopping?: { readonly metric: Metric; readonly patience: number; readonly minDelta: number };
}

/** The fields of the options that every fit with epochs has for its checkpoints. */
export function checkpointFields(owner: string) {
  return {
    checkpoint: optional((value) => {
      const read = readOptions<NonNullable<FilledFitOptions['checkpoint']>>(
        owner,
        value,
        { every: field(integer({ min: 1 }), 1), write: field(callable<CheckpointWriter>(), noWriter) },
        'checkpoint.',
      );
      if (read.write !== noWriter) return read;
      throw wrong('checkpoint.write', undefined, 'a function that keeps the bytes, such as checkpointFile(path).write');
    }),
    resume: optional(fileBytes),
  };
}

/** @throws UnsupportedError where a training of one step is to be kept */
export function refuseCheckpoints(
  owner: string,
  { checkpoint, resume }: Pick<FilledFitOptions, 'checkpoint' | 'resume'>,
): void {
  if (checkpoint === undefined && resume === undefined) return;
  throw new UnsupportedError(
    `${owner} has no epochs to stop between: leave out checkpoint and resume, and save the result`,
  );
}

const noWriter: CheckpointWriter = () => undefined;

const fileBytes = check<Uint8Array>(
  'the bytes that checkpoint.write was given, a Uint8Array',
  (value) => value instanceof Uint8Array,
);

/** Interactions with at least one rating. */
export function checkInteractions(value: unknown, name: string): Interactions {
  if (!isNamed<Interactions>('Interactions', value))
    throw wrong(name, value, 'Interactions: make them with Interactions.from(rows)');
  if (value.size === 0) throw new DataError(`${name} has no ratings; want at least one, of a weight above 0`);
  return value;
}
