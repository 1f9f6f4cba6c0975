// From rows of features to a trained model: the wiring of loss, penalties, trainer and validation.

import { naturalLog } from '../../core/elementary';
import { callable, field, integer, number, optional, readOptions, wrong } from '../../core/options';
import { Stream } from '../../core/random';
import type { FeatureRows } from '../../interactions/features';
import { type RowMetricName, rowMetricList, rowMetricName, rowMetrics } from '../../metrics/row-metrics';
import { FeatureBatcher } from '../../models/feature-batcher';
import type { FeatureModel } from '../../models/feature-model';
import { Penalty } from '../../parameters/penalty';
import { BatchTrainer } from '../../training/batch-trainer';
import { Breather } from '../../training/breather';
import type { EpochRecord, History } from '../../training/history';
import { logistic, squared } from '../../training/losses';
import type { RuleOf } from '../../training/split-sink';
import { train } from '../../training/train';
import { abortSignal } from '../fit-options';
import { checkLayout, checkRows, type LaidOutRows, targetsOf } from './check-rows';
import type { FilledFeatureOptions } from './feature-options';
import { featuresAtOnce, ROWS_AT_ONCE, RowScorer } from './score-rows';

/** The options of a fit on rows of features. */
export interface FeatureFitOptions {
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
  readonly onEpoch?: ((epoch: EpochRecord) => unknown) | undefined;
  /** Stops the fit; the model keeps the last whole epoch. */
  readonly signal?: AbortSignal | undefined;
}

/** Read. */
export interface FilledFeatureFit {
  readonly validation?: LaidOutRows;
  readonly metrics: readonly RowMetricName[];
  readonly earlyStopping?: { readonly metric: RowMetricName; readonly patience: number; readonly minDelta: number };
  readonly onEpoch?: (epoch: EpochRecord) => unknown;
  readonly signal?: AbortSignal;
}

/** Checks the options of a fit. */
export function readFeatureFit(owner: string, given: unknown, task: FilledFeatureOptions['task']): FilledFeatureFit {
  const read = readOptions<FilledFeatureFit>(owner, given, {
    validation: optional((value, name) => checkRows(value, name)),
    metrics: field(rowMetricList, task === 'regression' ? ['rmse'] : ['auc', 'logloss']),
    earlyStopping: optional((value) => value as NonNullable<FilledFeatureFit['earlyStopping']>),
    onEpoch: optional(callable<(epoch: EpochRecord) => unknown>()),
    signal: optional(abortSignal),
  });
  if (read.validation !== undefined) targetsOf(read.validation, 'validation', task);
  if (read.earlyStopping === undefined) return read;
  if (read.validation === undefined)
    throw wrong('validation', undefined, 'rows with labels: earlyStopping needs validation data to watch');
  const earlyStopping = readOptions<NonNullable<FilledFeatureFit['earlyStopping']>>(
    owner,
    read.earlyStopping,
    {
      metric: field(rowMetricName, read.metrics[0]!),
      patience: field(integer({ min: 1 }), 3),
      minDelta: field(number({ min: 0 }), 0),
    },
    'earlyStopping.',
  );
  const metrics = read.metrics.includes(earlyStopping.metric) ? read.metrics : [...read.metrics, earlyStopping.metric];
  return { ...read, metrics, earlyStopping };
}

/** What a fit is made of. */
export interface FeatureFitTask {
  readonly model: FeatureModel;
  readonly rows: LaidOutRows;
  readonly options: FilledFeatureOptions;
  readonly rules: readonly [RuleOf, ...RuleOf[]];
  readonly fit: FilledFeatureFit;
  /** Called once the model is trained; after an abort too, when a whole epoch was done. */
  readonly install: () => void;
}

/** Trains the model. */
export async function fitFeatures({ model, rows, options, rules, fit, install }: FeatureFitTask): Promise<History> {
  const { validation, metrics, earlyStopping, onEpoch, signal } = fit;
  const turns = new Breather(signal);
  const targets = targetsOf(rows, 'features', options.task);
  const isRegression = options.task === 'regression';
  if (validation !== undefined) checkLayout(validation, rows, 'validation');
  const { epochs, batchSize, shuffle, kernels } = options;
  const { size, starts, indices, values, weights } = rows;
  const data = { size, starts, indices, values, weights, targets };
  model.bias.assign(Float32Array.of(startOf(targets, isRegression)));
  const batcher = new FeatureBatcher(data, Stream.of(options.seed).fork('order'), shuffle);
  await batcher.prepare(turns);
  const batch = Math.min(batchSize, size);
  // Validation runs through the same arrays, between the epochs.
  const [rowsAtOnce, features] = validation === undefined ? [0, 0] : [ROWS_AT_ONCE, featuresAtOnce(validation)];
  model.reserve(Math.max(batch, rowsAtOnce), Math.max(batcher.featuresIn(batch), features));
  const loss = isRegression ? squared : logistic;
  const trainer = new BatchTrainer(model, loss, rules, penaltiesOf(model, options), batcher, data, {
    epochs,
    batchSize,
    kernels,
  });
  const scorer = new RowScorer(model, !isRegression);
  const measure = async (of: FeatureRows) => {
    const predictions = await scorer.allInTurns(of, turns);
    return Object.fromEntries(metrics.map((name) => [name, rowMetrics[name](predictions, of.labels!)]));
  };
  let wholeEpochs = 0;
  try {
    const history = await train(model, trainer, {
      epochs,
      ratings: size,
      validate: validation && (() => measure(validation)),
      earlyStopping,
      onEpoch: (record) => {
        wholeEpochs++;
        return onEpoch?.(record);
      },
      signal,
      turns,
    });
    trainer.dispose();
    install();
    return history;
  } catch (error) {
    trainer.dispose();
    // An abort leaves the last whole epoch in the model, which is as good a model as one of fewer epochs.
    if (signal?.aborted && wholeEpochs > 0) install();
    throw error;
  }
}

/** The bias that predicts the mean target: the mean, or its log-odds. */
function startOf(targets: Float32Array, isRegression: boolean): number {
  let sum = 0;
  for (let s = 0; s < targets.length; s++) sum += targets[s]!;
  const mean = sum / targets.length;
  if (isRegression) return mean;
  // A mean at an end has no finite log-odds: stay a thousandth away from both.
  const part = Math.min(Math.max(mean, 0.001), 0.999);
  return naturalLog(part / (1 - part));
}

function penaltiesOf(model: FeatureModel, { regularization }: FilledFeatureOptions): Penalty[] {
  const dense = model.parameters.filter(({ factors }) => factors[0]!.group === 'dense');
  return [
    new Penalty(model.embedding, regularization.embedding, null),
    new Penalty(model.linear, regularization.linear, null),
    ...dense.map((weights) => new Penalty(weights, regularization.dense, null, true)),
  ];
}
