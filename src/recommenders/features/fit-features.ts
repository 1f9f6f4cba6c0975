// From rows of features to a trained model: the wiring of loss, penalties, trainer and validation.

import { naturalLog } from '../../core/elementary';
import { DataError } from '../../core/errors';
import { Stream } from '../../core/random';
import type { FeatureRows } from '../../interactions/features';
import { rowMetrics } from '../../metrics/row-metrics';
import { FeatureBatcher } from '../../models/feature-batcher';
import type { FeatureModel } from '../../models/feature-model';
import { Penalty } from '../../parameters/penalty';
import { BatchTrainer } from '../../training/batch-trainer';
import { Breather } from '../../training/breather';
import type { History } from '../../training/history';
import { LOSSES } from '../../training/losses';
import type { RuleOf } from '../../training/split-sink';
import { train } from '../../training/train';
import { checkpointPlan } from '../checkpoints';
import { rowsText } from '../fingerprint';
import { checkLayout, type LaidOutRows, targetsOf } from './check-rows';
import type { FilledFeatureFit } from './feature-fit-options';
import type { FilledFeatureOptions } from './feature-options';
import { featuresAtOnce, ROWS_AT_ONCE, RowScorer } from './score-rows';

/** What a fit is made of. */
export interface FeatureFitTask {
  /** The kind of the recommender. */
  readonly name: string;
  readonly model: FeatureModel;
  readonly rows: LaidOutRows;
  readonly options: FilledFeatureOptions;
  readonly rules: readonly [RuleOf, ...RuleOf[]];
  readonly fit: FilledFeatureFit;
  /** Called once the model is trained; after an abort too, when a whole epoch was done. */
  readonly install: () => void;
}

/** Trains the model. */
export async function fitFeatures({
  name,
  model,
  rows,
  options,
  rules,
  fit,
  install,
}: FeatureFitTask): Promise<History> {
  const { validation, metrics, earlyStopping, onEpoch, signal } = fit;
  const turns = new Breather(signal);
  const targets = targetsOf(rows, 'features', options.task);
  const isRegression = options.task === 'regression';
  if (validation !== undefined) checkLayout(validation, rows, 'validation');
  if (validation !== undefined && earlyStopping?.metric === 'auc') checkBothLabels(validation, options.task);
  const { epochs, batchSize, shuffle, kernels } = options;
  const { size, starts, indices, values, weights } = rows;
  const data = { size, starts, indices, values, weights, targets };
  model.bias.assign(Float32Array.of(startOf(targets, weights, isRegression)));
  const batcher = new FeatureBatcher(data, Stream.of(options.seed).fork('order'), shuffle);
  await batcher.prepare(turns);
  const batch = Math.min(batchSize, size);
  // Validation runs through the same arrays, between the epochs.
  const [rowsAtOnce, features] = validation === undefined ? [0, 0] : [ROWS_AT_ONCE, featuresAtOnce(validation)];
  model.reserve(Math.max(batch, rowsAtOnce), Math.max(batcher.featuresIn(batch), features));
  const trainer = new BatchTrainer(model, LOSSES[options.loss], rules, penaltiesOf(model, options), batcher, data, {
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
    const kept = await checkpointPlan(
      {
        recommender: name,
        options,
        data: () => rowsText(rows, turns),
        validation: validation && (() => rowsText(validation, turns)),
        parameters: model.parameters,
        slotsOf: (factor) => trainer.slotsOf(factor),
        resume: (state) => trainer.resume(state),
        readState: () => trainer.readState(),
      },
      fit,
      turns,
    );
    wholeEpochs = kept.resume?.epochs.length ?? 0;
    const history = await train(model, trainer, {
      ...kept,
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

/** @throws DataError where nothing is to be ranked above anything else: the area under the curve is no number then */
function checkBothLabels(validation: LaidOutRows, task: FilledFeatureOptions['task']): void {
  const positives = targetsOf(validation, 'validation', task).filter((target) => target > 0).length;
  if (positives > 0 && positives < validation.size) return;
  throw new DataError(
    `validation has ${positives} rows of label 1 among ${validation.size}; earlyStopping by auc wants both labels, or another metric`,
  );
}

/** The bias that predicts the mean target: the mean, or its log-odds. */
function startOf(targets: Float32Array, weights: Float32Array | null, isRegression: boolean): number {
  let [sum, total] = [0, 0];
  for (let s = 0; s < targets.length; s++) {
    const weight = weights === null ? 1 : weights[s]!;
    sum += weight * targets[s]!;
    total += weight;
  }
  const mean = total > 0 ? sum / total : 0;
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
