// What a fit of a model of features is given: its data, which are rows with labels, or pairs that users have beside some that
// they do not have; what is held out, to be measured after every epoch; and the options, read.

import { naturalLog } from '../../core/elementary';
import { DataError, isNamed, UnsupportedError } from '../../core/errors';
import type { Check, Fields } from '../../core/options';
import { abortSignal, callable, field, optional, readOptions, show, wrong } from '../../core/options';
import { Stream } from '../../core/random';
import { forEachChunk, runYielding, type Scheduler, type TaskScheduler } from '../../core/scheduler';
import type { FeatureRows, UnlabelledRows } from '../../data/feature-fields';
import type { Interactions } from '../../data/interactions';
import { type interactionFeatures, type SideFeatures, sideFields } from '../../data/pair-features';
import {
  checkSuits,
  type FeatureMetricName,
  featureMetricList,
  featureMetricName,
  isRowMetric,
  listMetricsOf,
  type MetricName,
  rowMetrics,
  scoresOf,
} from '../../metrics/metric-names';
import type { FeatureBatch } from '../../models/feature-models';
import type { Real } from '../../optimizers/factor';
import type { LaidOutRows, RowLayout } from '../../serving/features/feature-rows';
import { checkLayout, checkRows, featuresAtOnce, ROWS_AT_ONCE, RowScorer } from '../../serving/features/feature-rows';
import type { FeatureState } from '../../serving/features/feature-state';
import { type NumberedPairs, type Pairing, pairingOf, rowsInTurns } from '../../serving/features/pairing';
import { CandidateBatcher, CandidateRows } from '../../training/candidate-batches';
import { FeatureBatcher, type FeatureData } from '../../training/feature-batches';
import type { EpochRecord } from '../../training/fit';
import { type Loss, lossNamed } from '../../training/losses';
import { type NegativeSampling, passOver } from '../../training/negatives';
import { WHOLE } from '../../training/per-rating/block-schedule';
import { type Batcher, RatingBatcher } from '../../training/rating-batches';
import { dataText, rowsText } from '../checkpoint';
import { checkInteractions, checkpointFields, type FilledFitOptions, withEarlyStopping } from '../fit-options';
import type { FitOptions } from '../recommender';
import { copiesOf, inCopies, nothingToPredict, onlyValue, relativeWeights, spreadOf, weigh } from '../targets';
import { countCold, RankValidation } from '../validation';
import type { FeatureSample, FilledFeatureOptions } from './feature-options';

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
  /** In how many of them each of so many features is. */
  countsOf(features: number): Int32Array;
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

/** What stays of rows in a model. */
function layoutOf({ fields, schema, pairing }: LaidOutRows): RowLayout {
  return pairing === undefined ? { fields, schema } : { fields, schema, pairing };
}

/**
 * What a loss is to make of the labels of rows: themselves in regression; else 1 and 0, where -1 is 0.
 * @throws DataError without any, or where one is not what the task has
 */
function targetsOf(
  rows: FeatureRows,
  name: string,
  task: FilledFeatureOptions['task'],
  column = 'labels',
): Float32Array {
  const { labels, size } = rows;
  if (size === 0) throw new DataError(`${name} has no rows; want at least one`);
  if (labels === null) throw new DataError(`${name} has no labels; want one for each of its ${size} rows`);
  if (task === 'regression') return labels;
  return labels.map((label, s) => {
    if (label === 1 || label === 0 || label === -1) return label > 0 ? 1 : 0;
    const wanted = "0 or 1, or -1 or 1 (for other numbers use task: 'regression')";
    throw new DataError(`${name}.${column}[${s}] is ${show(label)}; want ${wanted}`);
  });
}

/** Rows with labels. */
async function labelledRows(
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
    countsOf: (features) => countOf(data.indices, features),
    featuresIn: (count) => batcher.featuresIn(count),
    loss: lossNamed(loss, 0),
    bias: startOf(targets, weights, task === 'regression'),
    sample: (count) => sampleOf(rows, placesOf(rows.size, count)),
    weights: rows.weights,
    text: () => rowsText(rows, scheduler),
  };
}

/** Pairs, each with items drawn that its user does not have. What is not drawn is not made: a row is there for its step. */
async function candidateRows(
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
    // What is drawn anew each epoch has no counts of its own: those of the pairs that are there, and of each pair drawn alike.
    countsOf(features) {
      const counts = new Int32Array(features);
      const [indices, values] = [new Int32Array(rows.longest), new Float32Array(rows.longest)];
      for (let k = 0; k < data.size; k++) {
        const end = rows.write(data.users[k]!, data.items[k]!, indices, values, 0);
        for (let p = 0; p < end; p++) counts[indices[p]!]!++;
      }
      return counts;
    },
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

function countOf(indices: Int32Array, features: number): Int32Array {
  const counts = new Int32Array(features);
  for (let p = 0; p < indices.length; p++) counts[indices[p]!]!++;
  return counts;
}

/** The features of a row, on average. */
function entriesOf(rows: UnlabelledRows | undefined): number {
  return rows === undefined || rows.size === 0 ? 0 : rows.indices.length / rows.size;
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
function heldOutRows(
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
async function heldOutLists(
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
      // A detached method would lose its `this`.
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

/** The options of a fit on rows of features, or on interactions; on rows there are no tables of users and items. */
export interface FeatureFitOptions
  extends Pick<FitOptions, 'onEpoch' | 'signal' | 'checkpoint' | 'resume'>,
    Pick<NonNullable<Parameters<typeof interactionFeatures>[1]>, 'userFeatures' | 'itemFeatures'> {
  /** Rows with labels, encoded by the schema of the training rows; interactions where the fit is on those. */
  readonly validation?: FeatureRows | Interactions | undefined;
  /**
   * The validation metrics to report each epoch. Ranking metrics such as 'ndcg@10' need interactions; `auc` is of labels.
   * @defaultValue ['auc', 'logloss']; regression: ['rmse']; with negatives: ['ndcg@10']
   */
  readonly metrics?: readonly (MetricName | 'logloss')[] | undefined;
  /** Stops when a metric has not got better for `patience` epochs; the best epoch's parameters are put back. */
  readonly earlyStopping?:
    | {
        readonly metric?: MetricName | 'logloss' | undefined;
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
  if (
    lists.length === 0 ||
    watched.validation === undefined ||
    isNamed<Interactions>('Interactions', watched.validation)
  )
    return watched;
  throw wrong(
    'metrics',
    watched.metrics,
    `none of lists for rows: ${lists[0]!.name} ranks items for users, and wants Interactions`,
  );
}

/** A fit whose arguments have been checked, and that may have to wait for its turn. */
export interface CheckedFit {
  readonly signal: AbortSignal | undefined;
  /** What the options are chosen by. */
  sample(scheduler: TaskScheduler): Promise<FeatureSample>;
  /** Makes the rows. */
  load(options: FilledFeatureOptions, scheduler: TaskScheduler): Promise<FitInput>;
}

/** What the defaults of a fit depend on, of labelled rows of positive weight. */
async function sampleOfLabels(
  { labels, weights, size }: { labels: Float32Array | null; weights: Float32Array | null; size: number },
  entriesOf: (row: number) => number,
  { task }: FilledFeatureOptions,
  scheduler: Scheduler,
): Promise<FeatureSample> {
  let [rows, entries, mean, squares] = [0, 0, 0, 0];
  await forEachChunk(size, scheduler, (from, to) => {
    for (let row = from; row < to; row++) {
      if (weights !== null && !(weights[row]! > 0)) continue;
      rows++;
      entries += entriesOf(row);
      if (labels === null) continue;
      const apart = labels[row]! - mean;
      mean += apart / rows;
      squares += apart * (labels[row]! - mean);
    }
  });
  // Without a row the fit says so, later.
  const all = Math.max(rows, 1);
  const deviation = task === 'regression' ? Math.sqrt(squares / all) : 1;
  return { rows: all, entries: entries / all, deviation: deviation > 0 && Number.isFinite(deviation) ? deviation : 1 };
}

/** All that a fit needs but a model. */
export interface FitInput {
  readonly rows: TrainingRows;
  readonly heldOut: readonly HeldOut[];
  readonly fit: Omit<FilledFeatureFit, 'validation'>;
  readonly scheduler: TaskScheduler;
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
    sample: (scheduler) => sampleOfLabels(rows, (row) => rows.starts[row + 1]! - rows.starts[row]!, options, scheduler),
    async load(options, scheduler) {
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
    isNamed<Interactions>('Interactions', value) || negatives !== false
      ? checkInteractions(value, name)
      : labelled(value, name, options);
  const { validation, ...fit } = readFeatureFit(owner, given, options, readValidation, sideFields);
  checkInteractions(data, 'data');
  const checked = { data, validation, fit };
  return {
    signal: fit.signal,
    async sample(scheduler) {
      const { size, values: labels, weights = null } = data;
      const entries = 2 + entriesOf(fit.userFeatures) + entriesOf(fit.itemFeatures);
      const sample = await sampleOfLabels({ size, labels, weights }, () => entries, options, scheduler);
      return negatives === false ? sample : { ...sample, spread: await spreadOf(data, scheduler) };
    },
    load: (options, scheduler) => loadPairs(owner, checked, options, scheduler),
  };
}

async function loadPairs(
  owner: string,
  checked: { data: Interactions; validation: Interactions | LaidOutRows | undefined; fit: FitInput['fit'] },
  options: FilledFeatureOptions,
  scheduler: TaskScheduler,
): Promise<FitInput> {
  const { validation, fit } = checked;
  const { negatives } = options;
  const { data } = await weigh(checked.data, scheduler);
  const { pairing, pairs } = await pairingOf(owner, data, fit, scheduler);
  const only = negatives === false ? await runYielding(onlyValue(data), scheduler) : undefined;
  if (only !== undefined) throw nothingToPredict(owner, `task '${options.task}'`, only, INSTEAD);
  // Labels say yes or no; ratings, and what users have, are all of what should be listed.
  const relevant = options.task === 'classification' && negatives === false ? (value: number) => value > 0 : undefined;
  const heldOut: HeldOut[] = [];
  let cold: number | undefined;
  if (isNamed<Interactions>('Interactions', validation)) {
    const { users, items, seen } = pairing.known;
    cold = await countCold(
      validation,
      { users, items, counts: { users: seen.userCounts, items: seen.itemCounts } },
      scheduler,
      true,
    );
    if (fit.metrics.some(isRowMetric)) {
      const rows = await rowsInTurns(pairing, validation, scheduler);
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
      ? await labelledRows(await rowsInTurns(pairing, data, scheduler), options, scheduler, ['data', 'values'])
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
