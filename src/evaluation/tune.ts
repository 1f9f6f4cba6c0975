// Choosing options by trying them on validation data: random search (Bergstra and Bengio 2012), or successive halving
// (Jamieson and Talwalkar, AISTATS 2016).

import { DataError, UnsupportedError } from '../core/errors';
import { field, integer, oneOf, optional, plain, readOptions, wrong } from '../core/options';
import { Stream } from '../core/random';
import { type Scheduler, TaskScheduler } from '../core/scheduler';
import { FeatureTable } from '../data/feature-table';
import type { Interactions } from '../data/interactions';
import { part, splitRandom } from '../data/splits';
import type { Id } from '../data/vocabulary';
import type { MetricName } from '../metrics/metric-names';
import { checkSuits, featureMetricName, isLessBetter, isRowMetric, usualMetrics } from '../metrics/metric-names';
import { checkInteractions } from '../recommenders/fit-options';
import type { Recommender } from '../recommenders/recommender';
import { createRecommender, RECOMMENDER_NAMES, type RecommenderName } from '../recommenders/registry';
import { checkRecommender, type EvaluationOptions, evaluationFields } from './evaluation-options';
import { mapLimited, startFitRunner } from './fit-threads';
import type { Fit, Parts } from './fits';
import { ItemsByUser } from './ranking-lists';
import { defaultSpace, kindOfValues, type SearchSpace, Space, type ValueKind } from './search-space';

/** One trial: options, and how well they did. */
export type Trial = Tuning['trials'][number];

/** Options to be tried. */
type Candidate = Pick<Trial, 'trial' | 'options'>;

/** What tune found. */
export interface Tuning {
  /** The best trial, of those trained in full length. */
  readonly best: { readonly options: Readonly<Record<string, unknown>>; readonly score: number };
  /** What `score` is. */
  readonly metric: MetricName | 'logloss';
  /** With validation data of the caller: their rows that were left out, as the pair of user and item is in the data too. */
  readonly seen?: number;
  /** Every fit, in the order they were made: with halving an option set comes once for each of its rounds. */
  readonly trials: readonly {
    /** From 1, in the order they were drawn. */
    readonly trial: number;
    readonly options: Readonly<Record<string, unknown>>;
    /** The metric on validation data; null where the fit diverged. */
    readonly score: number | null;
    /** The epochs it was trained for; absent where the options do not say. */
    readonly epochs?: number;
    readonly seconds: number;
  }[];
}

/** The options of tune. `seed` is that of the draws and of the split. */
export interface TuneOptions extends EvaluationOptions<{ readonly trial: Tuning['trials'][number] }> {
  /** How many option sets are drawn. @defaultValue 20 */
  readonly trials?: number | undefined;
  /**
   * What is to be best. Of rows of features it is one of rows: 'auc', 'logloss', 'rmse' or 'mae'.
   * @defaultValue 'rmse' where scores are ratings, else 'ndcg@10'; of rows 'logloss' where they are probabilities
   */
  readonly metric?: MetricName | 'logloss' | undefined;
  /** @defaultValue 'random' */
  readonly strategy?: 'random' | 'halving' | undefined;
  /**
   * What trials are judged by; rows whose pair of user and item is in the data too are left out.
   * @defaultValue a random part of the data, which trials then are not trained on
   */
  readonly validation?: Interactions | FeatureTable | undefined;
  /** That part. @defaultValue 0.1 */
  readonly testFraction?: number | undefined;
  /** Options that every trial has. @defaultValue none */
  readonly base?: object | undefined;
}

/**
 * Tries options drawn from a space and tells which did best on validation data.
 *
 * `strategy: 'random'`: every trial is trained in full. `'halving'`: all for few epochs, the best third for three times as
 * many, and so on; each round trains from the start, as schedules depend on the number of epochs. The same seed draws the
 * same trials, and more trials begin with the same ones. Cost: `trials` fits; halving: about log3(trials) rounds, each as
 * long as trials / 3^rounds full fits.
 *
 * The space 'default' has the options that matter most of each kind of recommender, less those of `base`; its first trial
 * takes the recommender's defaults.
 *
 * @throws OptionError for what is no space or option; DataError, also for validation data that are all in the training
 * data; UnsupportedError where every trial diverged, or for a metric of ratings where scores are none; the signal's reason.
 * @see Bergstra and Bengio, "Random Search for Hyper-Parameter Optimization" (JMLR 2012); Jamieson and Talwalkar (AISTATS 2016)
 * @example
 * ```ts
 * import { syntheticInteractions, tune } from 'opmf';
 * const data = syntheticInteractions({ users: 100, items: 80, ratings: 2000 });
 * const space = { rank: [2, 4], 'regularization.embedding': { min: 0.05, max: 0.5, scale: 'log' } } as const;
 * const { best, trials } = await tune('mf', space, data, { trials: 4, base: { epochs: 3 } });
 * console.log(trials.length, best.score === Math.min(...trials.map(({ score }) => score ?? Infinity))); // 4 true
 * ```
 */
export async function tune(
  recommender: RecommenderName | ((options: Record<string, unknown>) => Recommender),
  space: SearchSpace | 'default',
  data: Interactions | FeatureTable,
  options?: TuneOptions,
): Promise<Tuning> {
  const read = readTuneOptions(options);
  const { strategy, base, signal } = read;
  const isTable = data instanceof FeatureTable;
  const targets = isTable ? labelsOf(data, 'data') : checkInteractions(data, 'data').values;
  const isNamed = typeof recommender !== 'function';
  const make = (given: Record<string, unknown>) =>
    isNamed
      ? (createRecommender(recommender, given) as Recommender)
      : checkRecommender(recommender(given), ['fit'], 'recommender()');
  const stream = Stream.of(read.seed).fork('tune');
  const isDefault = space === 'default';
  // What learns an order looks at values as little as where all are equal.
  const values = !isTable && learnsOrder(base) ? 'equal' : kindOfValues(targets, isTable);
  const drawn = isDefault ? new Space(spaceOf(recommender, values, base), true) : new Space(space);
  // Of a kind without options there is one trial to make.
  const count = drawn.size === 0 ? 1 : read.trials;
  const candidates: readonly Candidate[] = Array.from({ length: count }, (_, at) => ({
    trial: at + 1,
    options: isDefault && at === 0 ? drawn.usual(base) : drawn.sample(stream.fork(at), base),
  }));
  const metric = read.metric ?? usualMetric(isNamed ? candidates : candidates.slice(0, 1), make, values, isTable);
  checkMetric(metric, isTable);
  if (isNamed) for (const { options: given } of candidates) checkSuits('tune', [metric], make(given).scores);
  const parts = await partsOf(data, read);
  const rungs: readonly (Pick<Rung, 'trials'> & Partial<Rung>)[] =
    strategy === 'random' ? [{ trials: count }] : halvingRungs(count, epochsOf(make(candidates[0]!.options)));
  const total = rungs.reduce((sum, rung) => sum + rung.trials, 0);
  const runner = startFitRunner(isNamed ? read.threads : 1);
  let done = 0;
  const run = async ({ trial, options: given }: Candidate, epochs?: number): Promise<Trial> => {
    const all = epochs === undefined ? given : { ...given, epochs };
    const fit: Fit = {
      recommender: isNamed ? { name: recommender, options: all } : () => make(all),
      owner: 'tune',
      metrics: [metric],
      mayDiverge: true,
    };
    const { metrics, epochCount, seconds } = await runner.run(fit, parts, signal);
    const result: Trial = {
      trial,
      options: given,
      score: metrics[metric] ?? null,
      ...(epochCount !== undefined && { epochs: epochCount }),
      seconds,
    };
    read.onProgress?.({ done: ++done, total, trial: result });
    return result;
  };

  let left = candidates;
  let ranked: Trial[] = [];
  const trials: Trial[] = [];
  try {
    for (const { trials: survivors, epochs } of rungs) {
      const round = await mapLimited(left.slice(0, survivors), runner.atOnce, (candidate) => run(candidate, epochs));
      trials.push(...round);
      // The sort is stable: of equals the one drawn first.
      const sign = isLessBetter(metric) ? 1 : -1;
      const cost = ({ score }: Trial) => (score === null ? Infinity : sign * score);
      ranked = round.sort((a, b) => (cost(a) === cost(b) ? 0 : cost(a) - cost(b)));
      left = ranked.map(({ trial }) => candidates[trial - 1]!);
    }
  } finally {
    runner.close();
  }
  const { options: found, score } = ranked[0]!;
  if (score === null) {
    throw new UnsupportedError(
      `tune: each of the ${count} trials diverged; lower the rates in the space (a tenth is a good next try)`,
    );
  }
  const seen = read.validation && { seen: read.validation.size - parts.test.size };
  return { best: { options: found, score }, metric, ...seen, trials };
}

/** The default space, less what `base` says. @throws OptionError for a recommender that is none of this library's kinds */
function spaceOf(recommender: unknown, values: ValueKind, base: object): SearchSpace {
  if (typeof recommender !== 'string')
    throw wrong('space', 'default', "a space such as { rank: [16, 32] }: 'default' is for recommenders by name");
  const space = defaultSpace(oneOf(...RECOMMENDER_NAMES)(recommender, 'recommender'), values);
  return Object.fromEntries(Object.entries(space).filter(([name]) => !says(base, name.split('.'))));
}

/** Whether nested options have one of a dotted name, or something that is no object in its way. */
function says(options: object, [name, ...path]: readonly string[]): boolean {
  if (!Object.hasOwn(options, name!)) return false;
  const value = (options as Record<string, unknown>)[name!];
  return path.length === 0 || typeof value !== 'object' || value === null || says(value, path);
}

/** Whether options say that an order is to be learned. */
function learnsOrder(options: object): boolean {
  const { loss, task, negatives = false } = options as Readonly<Record<string, unknown>>;
  return ['bpr', 'warp', 'softmax'].includes(loss as string) || task === 'ranking' || negatives !== false;
}

/** RMSE where every trial predicts ratings, and there is something to predict. */
function usualMetric(
  candidates: readonly Candidate[],
  make: (options: Record<string, unknown>) => Recommender,
  values: ValueKind,
  isTable: boolean,
): MetricName | 'logloss' {
  const areRatings = candidates.every(({ options }) => (make(options).scores ?? 'rating') === 'rating');
  if (isTable) return areRatings ? 'rmse' : 'logloss';
  return usualMetrics(areRatings && values !== 'equal' ? 'rating' : 'order')[0]!;
}

/** @throws OptionError for a metric of rows of interactions, or one of lists of rows */
function checkMetric(metric: MetricName | 'logloss', isTable: boolean): void {
  const isGood = isTable ? isRowMetric(metric) : metric !== 'logloss';
  if (isGood) return;
  throw wrong(
    'metric',
    metric,
    isTable
      ? "of rows of features 'auc', 'logloss', 'rmse' or 'mae'"
      : "of interactions 'rmse', 'mae' or one of lists, as 'ndcg@10'",
  );
}

type FilledTune = ReturnType<typeof readTuneOptions>;

/** The data that trials train on, and the data that judge them. */
async function partsOf(
  data: Interactions | FeatureTable,
  { validation, testFraction, seed, signal }: FilledTune,
): Promise<Parts> {
  if (data instanceof FeatureTable) {
    if (validation === undefined) return data.split({ testFraction, seed });
    if (!(validation instanceof FeatureTable))
      throw wrong('validation', validation, 'a FeatureTable, as data is one: encode it by the schema of data');
    labelsOf(validation, 'validation');
    return { train: data, test: validation };
  }
  if (validation === undefined) return splitRandom(data, { testFraction, seed });
  return {
    train: data,
    test: await unseenOf(checkInteractions(validation, 'validation'), data, new TaskScheduler(signal)),
  };
}

/** The labels of a table. @throws DataError where it has none */
function labelsOf({ size, labels }: FeatureTable, name: string): Float32Array {
  if (size > 0 && labels !== null) return labels;
  throw new DataError(
    `${name} has ${size === 0 ? 'no rows' : 'no labels'}; want rows with a label: FeatureTable.from(rows, { fields, label })`,
  );
}

/** The validation rows of pairs that trials are not trained on. @throws DataError where there are none */
async function unseenOf(validation: Interactions, data: Interactions, scheduler: Scheduler): Promise<Interactions> {
  const train = await ItemsByUser.of(data, scheduler);
  const has = new Map<Id, Set<Id>>();
  const unseen: number[] = [];
  let row = 0;
  for (const { userId, itemId } of validation) {
    let items = has.get(userId);
    if (items === undefined) {
      items = new Set(train.of(userId));
      has.set(userId, items);
    }
    if (!items.has(itemId)) unseen.push(row);
    row++;
  }
  if (unseen.length === row) return validation;
  if (unseen.length > 0) return validation.select(Int32Array.from(unseen));
  throw new DataError(
    `tune: each of the ${row} pairs of user and item in validation is in data too, so nothing in it is unseen; want ratings that trials are not trained on, or leave validation out`,
  );
}

/** The epochs of a full fit. @throws UnsupportedError for a recommender that has none */
function epochsOf({ name, options }: Recommender): number {
  const { epochs } = options as { epochs?: number };
  if (epochs !== undefined) return epochs;
  throw new UnsupportedError(
    `tune: '${name}' is not trained in epochs, which 'halving' shortens; use strategy: 'random'`,
  );
}

function readTuneOptions(options: TuneOptions | undefined) {
  return readOptions('tune', options, {
    trials: field(integer({ min: 1 }), 20),
    metric: optional(featureMetricName),
    strategy: field(oneOf('random', 'halving'), 'random'),
    testFraction: part(0.1),
    base: field(plainObject, {}),
    validation: optional((value, name) => (value instanceof FeatureTable ? value : checkInteractions(value, name))),
    ...evaluationFields<{ readonly trial: Trial }>(),
  });
}

function plainObject(value: unknown, name: string): object {
  return plain(value, name, 'an object with options of the recommender');
}

/** A round: how many of the trials are in it, and how long each is trained. */
export interface Rung {
  readonly trials: number;
  readonly epochs: number;
}

/** Of each round the best part goes on, to as many times the epochs. */
const PART = 3;

/** The rounds for so many trials, the last of full length. One round where halving does not pay. */
export function halvingRungs(trials: number, epochs: number): Rung[] {
  let rounds = 1;
  for (let left = trials, least = epochs; left >= PART && least >= PART; rounds++) {
    left = Math.ceil(left / PART);
    least /= PART;
  }
  let left = trials;
  return Array.from({ length: rounds }, (_, round) => {
    const rung = { trials: left, epochs: Math.max(1, Math.round(epochs / PART ** (rounds - 1 - round))) };
    left = Math.ceil(left / PART);
    return rung;
  });
}
