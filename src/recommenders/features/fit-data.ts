// The data of a fit of a model of features: what it is trained on, rows with labels, or pairs that users have beside some
// that they do not have; and what is held out, to be measured after every epoch.

import { naturalLog } from '../../core/elementary';
import { DataError } from '../../core/errors';
import { Stream } from '../../core/random';
import { forEachChunk, type Scheduler } from '../../core/scheduler';
import type { UnlabelledRows } from '../../data/feature-fields';
import type { Interactions } from '../../data/interactions';
import { type FeatureMetricName, isRowMetric, listMetricsOf, rowMetrics } from '../../metrics/row-metrics';
import type { FeatureBatch } from '../../models/feature-terms';
import type { Real } from '../../optimizers/factor';
import { CandidateBatcher, CandidateRows } from '../../training/candidate-batches';
import { FeatureBatcher, type FeatureData } from '../../training/feature-batches';
import type { Loss } from '../../training/loss';
import { lossNamed } from '../../training/losses';
import { type NegativeSampling, passOver } from '../../training/negatives';
import { WHOLE } from '../../training/per-rating/block-schedule';
import { type Batcher, RatingBatcher } from '../../training/rating-batches';
import { dataText, rowsText } from '../checkpoint';
import { copiesOf, inCopies, relativeWeights } from '../targets';
import { RankValidation } from '../validation';
import type { FeatureState } from './feature-answers';
import type { FilledFeatureOptions } from './feature-options';
import {
  featuresAtOnce,
  type LaidOutRows,
  layoutOf,
  ROWS_AT_ONCE,
  type RowLayout,
  RowScorer,
  targetsOf,
} from './feature-rows';
import type { NumberedPairs, Pairing } from './pairing';

/** What is measured, and what may stop a fit. */
export interface Watched {
  readonly metrics: readonly FeatureMetricName[];
  readonly earlyStopping?: { readonly metric: FeatureMetricName; readonly patience: number; readonly minDelta: number };
}

/** Rows to be trained on. */
export interface TrainingRows {
  readonly layout: RowLayout;
  /** How many there are, and what is to be learned of them. */
  readonly data: { readonly size: number; readonly ratings?: number; readonly targets: Real };
  /** Prepared already. */
  readonly batcher: Batcher<FeatureBatch>;
  /** The rows of one that is counted: itself, and its negatives. */
  readonly group: number;
  /** The most features of so many that are counted. */
  featuresIn(count: number): number;
  readonly loss: Loss;
  /** The score that is best for all alike: what the bias starts at. */
  readonly bias: number;
  /** Some of the rows of training, from first to last. */
  sample(count: number): UnlabelledRows;
  /** How much each counts; null: all alike. */
  readonly weights: Float32Array | null;
  /** How many users have every item, where negatives are drawn. */
  readonly usersPassedOver?: number;
  /** What tells them from others. */
  text(): Promise<string>;
}

/** Rows with labels. */
export async function labelledRows(
  rows: LaidOutRows,
  { task, loss, seed, shuffle, batchSize }: FilledFeatureOptions,
  scheduler: Scheduler,
  /** What messages call the rows and their labels. */
  [name, column]: readonly [string, string] = ['features', 'labels'],
): Promise<TrainingRows> {
  const all = targetsOf(rows, name, task, column);
  const data = await weighRows(rows, all, batchSize, scheduler);
  const { targets, weights } = data;
  const batcher = new FeatureBatcher(data, Stream.of(seed).fork('order'), shuffle);
  await batcher.prepare(scheduler);
  return {
    layout: layoutOf(rows),
    data,
    batcher,
    group: 1,
    featuresIn: (count) => batcher.featuresIn(count),
    loss: lossNamed(loss, 0),
    bias: startOf(targets, weights, task === 'regression'),
    sample: (count) => sampleOf(rows, placesOf(rows.size, count)),
    weights: rows.weights,
    text: () => rowsText(rows, scheduler),
  };
}

/** Pairs, each with items drawn that its user does not have. What is not drawn is not made: a row is there for its step. */
export async function candidateRows(
  pairing: Pairing,
  pairs: NumberedPairs,
  { loss, seed, shuffle, batchSize }: FilledFeatureOptions,
  negatives: NegativeSampling,
  scheduler: Scheduler,
): Promise<TrainingRows> {
  const { size, userIndex, itemIndex, values, weights = null } = pairs;
  const { users, items, seen } = pairing.people;
  const counts = { users: seen.userCounts, items: seen.itemCounts };
  const all = { size, users: userIndex, items: itemIndex, targets: values, weights, counts };
  const { data: passed, users: usersPassedOver } = await passOver(all, scheduler);
  const pulled = { ...passed, targets: passed.targets as Float32Array, weights: passed.weights as Float32Array | null };
  const data = await inCopies(pulled, batchSize, scheduler);
  const sizes = { users: users.size, items: items.size };
  const stream = Stream.of(seed).fork('order');
  const inner = new RatingBatcher(data, sizes, { stream, shuffle, blocks: WHOLE, grouping: 1 });
  const candidates = new CandidateBatcher(inner, data, sizes, negatives, stream.fork('negatives'));
  const group = 1 + negatives.count;
  const rows = pairing.among(users, items);
  const batcher = new CandidateRows(candidates, group, rows);
  await batcher.prepare(scheduler);
  const { userFeatures, itemFeatures } = pairing.side;
  const tables = [userFeatures, itemFeatures].filter((table) => table !== undefined);
  return {
    layout: { fields: pairing.fields, schema: null, pairing },
    data,
    batcher,
    group,
    usersPassedOver,
    featuresIn: (count) => count * group * rows.longest,
    loss: lossNamed(loss, items.size),
    // One of a group is what a user has; an order is the same wherever it starts.
    bias: loss === 'logistic' ? -naturalLog(negatives.count) : 0,
    sample(count) {
      const places = placesOf(size, count);
      return rows.rowsOf(
        places.map((k) => userIndex[k]!),
        places.map((k) => itemIndex[k]!),
      );
    },
    weights: data.weights as Float32Array | null,
    text: async () => {
      const texts = [await dataText({ ...pairs, users, items }, scheduler)];
      for (const table of tables) texts.push(await rowsText(table, scheduler));
      return texts.join('; ');
    },
  };
}

/** So many of `size` places, at equal distances. */
function placesOf(size: number, count: number): Int32Array {
  const most = Math.min(size, count);
  return Int32Array.from({ length: most }, (_, k) => Math.floor((k * size) / most));
}

function sampleOf({ starts, indices, values }: LaidOutRows, places: Int32Array): UnlabelledRows {
  const lengths = places.map((k) => starts[k + 1]! - starts[k]!);
  const ends = new Int32Array(places.length + 1);
  for (let k = 0; k < lengths.length; k++) ends[k + 1] = ends[k]! + lengths[k]!;
  const size = places.length;
  const sample = { size, starts: ends, indices: new Int32Array(ends[size]!), values: new Float32Array(ends[size]!) };
  for (const [k, place] of places.entries()) {
    sample.indices.set(indices.subarray(starts[place]!, starts[place + 1]!), ends[k]!);
    sample.values.set(values.subarray(starts[place]!, starts[place + 1]!), ends[k]!);
  }
  return sample;
}

/** Rows of relative weights, in copies where one would be too large a step; those of weight 0 are left out. */
async function weighRows(
  rows: LaidOutRows,
  all: Float32Array,
  batchSize: number,
  scheduler: Scheduler,
): Promise<FeatureData & { ratings?: number }> {
  const { size, starts, indices, values } = rows;
  if (rows.weights === null) return { size, starts, indices, values, weights: null, targets: all };
  const present = Int32Array.from(rows.weights.keys()).filter((row) => rows.weights![row]! > 0);
  if (present.length === 0)
    throw new DataError(`features: the weight of every one of its ${size} rows is 0; want some above 0`);
  const { relative } = await relativeWeights(
    rows.weights.filter((weight) => weight > 0),
    scheduler,
  );
  const copies = relative === null ? null : await copiesOf(relative, batchSize, scheduler);
  const { rows: order, weights, total } = copies ?? { rows: null, weights: null, total: present.length };
  if (order === null && present.length === size)
    return { size, ratings: total, starts, indices, values, weights, targets: all };
  const chosen = order === null ? present : order.map((row) => present[row]!);
  const picked = new Int32Array(chosen.length + 1);
  for (const [at, row] of chosen.entries()) picked[at + 1] = picked[at]! + starts[row + 1]! - starts[row]!;
  const features = picked[chosen.length]!;
  const data = {
    size: chosen.length,
    ratings: total,
    starts: picked,
    indices: new Int32Array(features),
    values: new Float32Array(features),
    weights,
    targets: new Float32Array(chosen.length),
  };
  await forEachChunk(chosen.length, scheduler, (from, to) => {
    for (let at = from; at < to; at++) {
      const row = chosen[at]!;
      data.targets[at] = all[row]!;
      data.indices.set(indices.subarray(starts[row]!, starts[row + 1]!), picked[at]!);
      data.values.set(values.subarray(starts[row]!, starts[row + 1]!), picked[at]!);
    }
  });
  return data;
}

/** The bias that predicts the mean target: the mean, or its log-odds. */
function startOf(targets: Real, weights: Real | null, isRegression: boolean): number {
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
  { metrics, earlyStopping }: Watched,
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
