// From rows of features to a trained model: the wiring of loss, penalties, trainer and validation.

import { DataError, DivergenceError } from '../../core/errors';
import type { FeatureModel } from '../../models/feature-models';
import type { ActivationName } from '../../models/layers';
import { Penalty } from '../../parameters/penalty';
import { BatchTrainer } from '../../training/batch-trainer';
import type { EpochRecord, History } from '../../training/history';
import type { RuleOf } from '../../training/split-sink';
import { train } from '../../training/train';
import { checkpointPlan } from '../checkpoints';
import { installWhole } from '../run-fit';
import { explained, largestOf, MOST, UNSERVABLE } from '../too-large';
import type { FeatureAnswers } from './feature-answers';
import type { FilledFeatureOptions } from './feature-options';
import type { FitInput } from './fit-input';
import { overflowing, type TableSize, widestOf } from './score-bound';
import { ROWS_AT_ONCE } from './score-rows';

/** Numbers of a table that are multiplied out at once. */
const PART = 1 << 14;
/** Rows at least that a trained model is tried on before it is installed. */
const LEAST_SAMPLE = 256;

/** What a fit is made of. */
export interface FeatureFitTask extends FitInput {
  /** The kind of the recommender. */
  readonly name: string;
  readonly options: FilledFeatureOptions;
  readonly rules: readonly [RuleOf, ...RuleOf[]];
  /** To be trained. */
  readonly model: FeatureModel;
  /** What it answers as it is: it is asked where its kernels work, and not to be moved. */
  readonly answersNow: () => FeatureAnswers;
  /** Whether the recommender has a trained model already. */
  readonly isServing: boolean;
  readonly install: () => void;
}

/** Trains the model. */
export async function fitFeatures(task: FeatureFitTask): Promise<History> {
  const { name, options, rows, model, rules, heldOut, answersNow, isServing, install, scheduler } = task;
  const { earlyStopping, onEpoch, signal } = task.fit;
  const { epochs, batchSize, kernels } = options;
  const { data, batcher, group, loss } = rows;
  model.bias.assign(Float32Array.of(rows.bias));
  const batch = Math.min(batchSize, data.size);
  // What is measured runs through the same arrays, between the epochs.
  const atOnce = heldOut.length === 0 ? 0 : ROWS_AT_ONCE;
  const features = [rows.featuresIn(batch), ...heldOut.map((one) => one.features)];
  model.reserve(Math.max(batch * group, atOnce), Math.max(...features));
  const steps = { epochs, batchSize, kernels, group };
  const trainer = new BatchTrainer(model, loss, rules, penaltiesOf(model, options), batcher, data, steps);
  const measure = async () => {
    const values = {};
    for (const one of heldOut) Object.assign(values, await one.measure(answersNow(), scheduler));
    return values;
  };
  let last: EpochRecord | undefined;
  const suspects = { targets: options.task === 'regression' ? data.targets : null, weights: rows.weights };
  const unservable = (table: string) => {
    const { epoch = epochs, learningRate = 0 } = last ?? {};
    return explained(new DivergenceError(epoch, table, learningRate), suspects, UNSERVABLE);
  };
  return installWhole({
    signal,
    suspects,
    isServing,
    scheduler,
    async train(tell) {
      const kept = await checkpointPlan(
        {
          recommender: name,
          options,
          data: () => rows.text(),
          // Whatever is measured of it, it is one set.
          validation: heldOut[0] && (() => heldOut[0]!.text(scheduler)),
          parameters: model.parameters,
          slotsOf: (factor) => trainer.slotsOf(factor),
          resume: (state) => trainer.resume(state),
          readState: () => trainer.readState(),
        },
        task.fit,
        scheduler,
      );
      if (kept.resume !== undefined) tell(kept.resume.epochs.length, true);
      return train(model, trainer, {
        ...kept,
        epochs,
        ratings: data.ratings ?? data.size,
        cold: task.cold,
        usersPassedOver: rows.usersPassedOver,
        validate: heldOut.length === 0 ? undefined : measure,
        earlyStopping,
        onEpoch: (record) => {
          tell(1);
          last = record;
          return onEpoch?.(record);
        },
        signal,
        keepsWholeEpochs: !isServing,
        scheduler,
      });
    },
    async finish(scheduler) {
      trainer.dispose();
      const tables = new Map<string, TableSize>();
      for (const parameter of model.parameters) {
        // What products multiply out to, a part at a time.
        const { rows: count, dim, name: table } = parameter;
        const part = Math.max(1, Math.floor(PART / dim));
        let most = 0;
        for (let from = 0; from < count; from += part) {
          const values = parameter.collapse(from, Math.min(from + part, count));
          most = Math.max(most, await largestOf(values, scheduler));
        }
        if (!(dim * most ** 2 <= MOST)) throw unservable(table);
        tables.set(table, { rows: count, dim, most });
      }
      const answers = answersNow();
      const sample = rows.sample(Math.max(LEAST_SAMPLE, data.size >> 6));
      // What is asked later may have a user of one row and an item of another.
      const { activation = 'relu' } = options as { readonly activation?: ActivationName };
      const table = overflowing(tables, activation, 2 * widestOf(sample));
      if (table !== undefined) throw unservable(table);
      try {
        answers.check(sample);
      } catch (error) {
        throw error instanceof DataError ? unservable('embedding') : error;
      }
    },
    install,
  }).finally(() => trainer.dispose());
}

function penaltiesOf(model: FeatureModel, { regularization }: FilledFeatureOptions): Penalty[] {
  const dense = model.parameters.filter(({ factors }) => factors[0]!.group === 'dense');
  return [
    new Penalty(model.embedding, regularization.embedding, null),
    new Penalty(model.linear, regularization.linear, null),
    ...dense.map((weights) => new Penalty(weights, regularization.dense, null, true)),
  ];
}
