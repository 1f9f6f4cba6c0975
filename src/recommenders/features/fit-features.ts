// From rows of features to a trained model: the wiring of loss, penalties and data to the loop, and whether the trained
// model can answer with what is no finite number.

import { DataError } from '../../core/errors';
import type { UnlabelledRows } from '../../data/feature-fields';
import { MOST } from '../../kernels/rounding';
import type { FeatureModel } from '../../models/feature-models';
import type { ActivationName } from '../../models/layers';
import type { Factor } from '../../optimizers/factor';
import { Penalty } from '../../parameters/penalty';
import { fit, type History, largestOf } from '../../training/fit';
import { OptimizerSink, type RuleOf } from '../../training/optimizer-sink';
import { Stepper } from '../../training/stepper';
import { checkpointing } from '../checkpoint';
import type { FeatureState } from './feature-answers';
import type { FilledFeatureOptions } from './feature-options';
import { ROWS_AT_ONCE } from './feature-rows';
import type { FitInput } from './fit-input';

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
  readonly answersNow: () => FeatureState;
  /** Whether the recommender has a trained model already. */
  readonly isServing: boolean;
  readonly install: () => void;
}

/** Trains the model. */
export async function fitFeatures(task: FeatureFitTask): Promise<History> {
  const { name, options, rows, model, rules, heldOut, answersNow, isServing, install, scheduler } = task;
  const { epochs, batchSize, kernels } = options;
  const { checkpoint, resume } = task.fit;
  const { data, batcher, group, loss } = rows;
  const { parameters } = model;
  model.bias.assign(Float32Array.of(rows.bias));
  const batch = Math.min(batchSize, data.size);
  // What is measured runs through the same arrays, between the epochs.
  const atOnce = heldOut.length === 0 ? 0 : ROWS_AT_ONCE;
  const features = [rows.featuresIn(batch), ...heldOut.map((one) => one.features)];
  model.reserve(Math.max(batch * group, atOnce), Math.max(...features));
  const kept = {
    recommender: name,
    options,
    data: () => rows.text(),
    // Whatever is measured of it, it is one set.
    validation: heldOut[0] && (() => heldOut[0]!.text(scheduler)),
    parameters,
    slotsOf: (factor: Factor) =>
      rules.find((rule) => rule.parameters.some((one) => one.factors.includes(factor)))!.optimizer.slots,
  };
  return fit({
    ...(checkpoint === undefined && resume === undefined ? {} : await checkpointing(kept, task.fit)),
    epochs,
    ratings: data.ratings ?? data.size,
    parameters,
    start() {
      const sink = new OptimizerSink(rules);
      const steps = { epochs, batchSize, group };
      return new Stepper(model, loss, penaltiesOf(model, options), batcher, sink, data, 1, steps, kernels);
    },
    usersPassedOver: rows.usersPassedOver,
    validation: {
      cold: task.cold,
      async measure() {
        const values = {};
        for (const one of heldOut) Object.assign(values, await one.measure(answersNow(), scheduler));
        return values;
      },
    },
    options: task.fit,
    suspects: { targets: options.task === 'regression' ? data.targets : null, weights: rows.weights },
    isServing,
    scheduler,
    async finish(scheduler, unservable) {
      const tables = new Map<string, TableSize>();
      for (const parameter of parameters) {
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
  });
}

function penaltiesOf(model: FeatureModel, { regularization }: FilledFeatureOptions): Penalty[] {
  const dense = model.parameters.filter(({ factors }) => factors[0]!.group === 'dense');
  return [
    new Penalty(model.embedding, regularization.embedding, null),
    new Penalty(model.linear, regularization.linear, null),
    ...dense.map((weights) => new Penalty(weights, regularization.dense, null, true)),
  ];
}

/** A table of a model: its shape, and the largest size of its values. */
export interface TableSize {
  readonly rows: number;
  readonly dim: number;
  readonly most: number;
}

/** Added to variances by models/layers.ts. */
const DEVIATION = Math.sqrt(1e-5);

/** The largest sum of the sizes of a row's values. */
export function widestOf({ size, starts, values }: UnlabelledRows): number {
  let widest = 0;
  for (let row = 0; row < size; row++) {
    let sum = 0;
    for (let p = starts[row]!; p < starts[row + 1]!; p++) sum += Math.abs(values[p]!);
    widest = Math.max(widest, sum);
  }
  return widest;
}

/**
 * The name of the table with which a score might overflow, for a row whose values add up to `width` in size; undefined
 * where none can: the largest sizes go through the sums and layers in place of numbers.
 */
export function overflowing(
  tables: ReadonlyMap<string, TableSize>,
  activation: ActivationName,
  width: number,
): string | undefined {
  const mostOf = (name: string) => tables.get(name)?.most ?? 0;
  let size = width * mostOf('embedding');
  const pairs = (tables.get('embedding')?.dim ?? 0) * size ** 2;
  if (!(pairs <= MOST)) return 'embedding';
  let score = mostOf('bias') + width * mostOf('linear') + pairs;
  if (!(score <= MOST)) return 'linear';
  for (let l = 1; tables.has(`deep${l}`); l++) {
    const name = `deep${l}`;
    let sum = tables.get(name)!.rows * mostOf(name) * size + mostOf(`${name}Bias`);
    if (tables.has(`${name}Scale`))
      sum = ((sum + mostOf(`${name}Statistics`)) / DEVIATION) * mostOf(`${name}Scale`) + mostOf(`${name}Shift`);
    if (!(sum <= MOST)) return name;
    size = activation === 'relu' ? sum : Math.min(sum, 1);
  }
  score += (tables.get('deepOutput')?.rows ?? 0) * mostOf('deepOutput') * size;
  return score <= MOST ? undefined : 'deepOutput';
}
