// How well a recommender puts first what users turned out to like.

import { DataError, OptionError } from '../core/errors';
import {
  boolean,
  type Check,
  callable,
  seed as checkSeed,
  field,
  integer,
  oneOf,
  optional,
  readOptions,
  show,
  threadCount,
  wrong,
} from '../core/options';
import type { Seed } from '../core/random';
import { runYielding, TaskScheduler } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import type { Id } from '../data/vocabulary';
import type { RankingMetric, RankingMetricName } from '../metrics/metric-names';
import { findRankingMetrics, RANKING_NAMES, slip, usuallyRelevant } from '../metrics/metric-names';
import { RankingMeter } from '../metrics/ranking-meter';
import { GAINS, type GainName, ROWS_A_STEP, relevantUsers } from '../metrics/relevant-items';
import { checkInteractions } from '../recommenders/fit-options';
import type { EvaluationOptions, FilledEvaluation } from './evaluation-options';
import { checkRecommender, evaluationFields, familiarityOf } from './evaluation-options';
import { type Draw, ItemsByUser, type Ranker, rankAll, rankAmongNegatives } from './ranking-lists';

/** The options of evaluateRanking. */
export interface EvaluateRankingOptions extends Omit<EvaluationOptions, 'threads'> {
  /** On how many threads lists of all items are made, as by `recommendMany`; results never depend on it. @defaultValue 'auto' */
  readonly threads?: number | 'auto' | undefined;
  /**
   * What the model was trained on: its items are hidden from the lists of users who have them, and negatives are drawn
   * beside them. Absent: what the model itself keeps of its history is hidden.
   */
  readonly train?: Interactions | undefined;
  /** Where lists are cut. @defaultValue 10 */
  readonly k?: number | readonly number[] | undefined;
  /**
   * Ranks a user's relevant items among these alone: given by user, or `count` of them drawn from the items of `train`
   * that the user has neither in train nor in test. Absent: every item is ranked.
   */
  readonly negatives?:
    | ReadonlyMap<Id, Iterable<Id>>
    | {
        /** How many a user; all there are where they are fewer. */
        readonly count: number;
        /** @defaultValue that of the evaluation */
        readonly seed?: number | string | undefined;
      }
    | undefined;
  /** Which test values are relevant. @defaultValue all; where scores are probabilities, values above 0 */
  readonly relevant?: ((value: number) => boolean) | undefined;
  /**
   * What a relevant item gains in NDCG: 1, its value ('linear'), or 2^value - 1 ('exponential'); what gains 0 is not
   * relevant. @defaultValue 'binary'
   */
  readonly gains?: 'binary' | 'linear' | 'exponential' | undefined;
  /**
   * `ndcg@10`; `ndcg` is cut at each of `k`. `auc` has no cut unless it is written: `auc@10`.
   * @defaultValue ['precision', 'recall', 'hr', 'ndcg', 'map', 'mrr']
   */
  readonly metrics?:
    | readonly (RankingMetricName | 'precision' | 'recall' | 'hr' | 'ndcg' | 'map' | 'mrr')[]
    | undefined;
  /** Also gives the metrics of each user. @defaultValue false */
  readonly perUser?: boolean | undefined;
}

/** Ranking metrics, means over users. */
export type RankingEvaluation = Awaited<ReturnType<typeof evaluateRanking>>;

/**
 * Ranking metrics of a recommender on test interactions: precision, recall, hr (hit rate), ndcg, map, mrr and auc.
 *
 * metric = mean over users with at least one relevant item of the metric of the user's list. recall@k = hits / relevant;
 * ndcg@k = sum_r gain_r / log2(r + 1), over the same of the best list of k, gains as `gains` says; map@k divides by
 * min(k, relevant); auc@k takes what is behind rank k to be in random order. Items of equal scores have no order: every metric
 * is its expected value over the orders of ties, so that constant scores give what chance gives, and the order of the
 * rows of the data changes nothing.
 *
 * Every trained item is ranked, except those that the user has in `train` or in the training that the model remembers. Test
 * rows of such pairs do not count (`seen`). A relevant item that training never saw is missed.
 *
 * With `negatives` a user's relevant items are ranked among those alone, as a set: an item that is also given as a negative,
 * or twice, counts once. Negatives that the recommender does not know are no rivals, and are counted (`unknown`). An item that
 * is in the vocabulary of the training without a row there takes part with the score that the model gives it. Figures of such
 * samples cannot be compared with full rankings, nor between samples of other sizes (Krichene and Rendle 2020).
 *
 * Cost: users x items x rank, and lists of 64 users in memory, or of 256 a thread; with auc, which needs whole lists, also a sort of the items a
 * user. Other tasks get their turn every few users.
 *
 * @throws NotFittedError before `fit`; OptionError; DataError for a test set without relevant items or all of it in the
 * training data, a test set or `train` of whose items the recommender knows none, a user without an entry in `negatives` or
 * with none that the recommender knows, values that are no gains, or a score that is no finite number; the signal's reason.
 * @see McSherry, Najork, "Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied Scores"
 * (ECIR 2008)
 * @see Jarvelin, Kekalainen, "Cumulated gain-based evaluation of IR techniques" (TOIS 2002), for NDCG
 * @see Krichene, Rendle, "On Sampled Metrics for Item Recommendation" (KDD 2020), for negatives
 * @example
 * ```ts
 * import { evaluateRanking, MF, splitLeaveOneOut, syntheticInteractions } from 'opmf';
 * const data = syntheticInteractions({ users: 100, items: 80, ratings: 2000 });
 * const { train, test } = splitLeaveOneOut(data, { by: 'random' });
 * const model = new MF({ rank: 4, loss: 'bpr' });
 * await model.fit(train);
 * const { users, metrics } = await evaluateRanking(model, test, { train, k: [5, 20], metrics: ['ndcg', 'hr'] });
 * console.log(users, Object.keys(metrics).join(' ')); // 100 ndcg@5 ndcg@20 hr@5 hr@20
 * ```
 */
export async function evaluateRanking(
  recommender: Ranker,
  test: Interactions,
  options?: EvaluateRankingOptions,
): Promise<{
  /** The test users with at least one relevant item: those that the means are over. */
  readonly users: number;
  /** The test users without one, who do not count. */
  readonly skipped: number;
  /** Of `users`, those that training never saw. */
  readonly cold: number;
  /** Pairs of the test set that would be relevant, but are in the training data (or `train`): they do not count. */
  readonly seen: number;
  /** Negatives that the recommender does not know, over all users: they are no rivals. 0 without `negatives`. */
  readonly unknown: number;
  /** With drawn negatives: of `users`, those who lack fewer items than were to be drawn. */
  readonly short?: number;
  /** By name and cut: `ndcg@10`. */
  readonly metrics: Readonly<Record<RankingMetricName, number>>;
  /** With `perUser`: the metrics of each user that counts. */
  readonly perUser?: ReadonlyMap<Id, Readonly<Record<RankingMetricName, number>>>;
}> {
  checkRecommender(recommender, ['recommend', 'recommendMany']);
  checkInteractions(test, 'test');
  const { metrics, negatives, gains, perUser, signal, onProgress, threads, ...read } = readRankingOptions(options);
  const scheduler = new TaskScheduler(signal);
  checkItems(recommender, test, 'test');
  if (read.train !== undefined) checkItems(recommender, read.train, 'train');
  const relevant = read.relevant ?? usuallyRelevant(recommender.scores);
  const train = read.train && (await ItemsByUser.of(read.train, scheduler));
  const trained = pairsOf(test, await familiarityOf(recommender, test, scheduler));
  const seen = (user: number) => {
    const has = train?.of(test.users.idOf(user)).map((itemId) => test.items.indexOf(itemId)) ?? [];
    return has.concat(trained.get(user) ?? []);
  };
  const steps = relevantUsers(test, { relevant, gains, seen });
  const { users, skipped, seen: dropped } = await runYielding(steps, scheduler, ROWS_A_STEP);
  if (users.length === 0) {
    throw new DataError(
      dropped > 0
        ? `test: all ${dropped} pairs of user and item that are relevant are in the training data, so nothing in it is unseen; want data that were held out (splitRandom, splitLeaveOneOut)`
        : `test: none of the ${skipped} users has a relevant item (one for which 'relevant' holds, and whose gain is above 0)`,
    );
  }
  const meter = new RankingMeter(metrics);
  const lists =
    negatives === undefined
      ? rankAll(recommender, test, users, train, meter.depth, { threads, signal })
      : rankAmongNegatives(recommender, test, users, train, negatives, scheduler);
  const values = new Map<Id, Readonly<Record<RankingMetricName, number>>>();
  let [cold, unknown, short, at] = [0, 0, 0, 0];
  for await (const { list, basis, ...counts } of lists) {
    const user = users[at++]!;
    const id = test.users.idOf(user.user);
    if (recommender.knows === undefined ? basis === 'popularity' : !recommender.knows(id)) cold++;
    unknown += counts.unknown;
    if (counts.isShort) short++;
    const items = list.map(({ itemId }) => test.items.indexOf(itemId));
    const one = measured(id, () =>
      meter.add(
        user,
        items,
        list.map(({ score }) => score),
      ),
    );
    if (perUser) values.set(id, one);
    onProgress?.({ done: at, total: users.length });
    if (scheduler.isDue(WORK_A_LIST)) await scheduler.yieldNow();
  }
  return {
    users: users.length,
    skipped,
    cold,
    seen: dropped,
    unknown,
    ...(negatives !== undefined && !(negatives instanceof Map) && { short }),
    metrics: meter.means(),
    ...(perUser && { perUser: values }),
  };
}

/** @throws DataError where the recommender has heard of none of the items, as with ids of another type */
function checkItems({ items }: Ranker, data: Interactions, name: string): void {
  if (items === undefined || items === data.items) return;
  for (const id of data.items) if (items.has(id)) return;
  const [one] = data.items;
  throw new DataError(
    `${name}: the recommender knows none of its ${data.items.size} items, such as ${show(one)}, a ${typeof one}; want ids as in training (they are compared with their type: 1 and "1" differ)`,
  );
}

/** Of what a list costs, in the unit of Turns: enough for a look at the clock. */
const WORK_A_LIST = 512;

/** The items of the test pairs that training saw together (`found` is 2), by user. */
function pairsOf(test: Interactions, found: ArrayLike<number> = []): Map<number, number[]> {
  const pairs = new Map<number, number[]>();
  for (let k = 0; k < found.length; k++) {
    if (found[k] !== 2) continue;
    const user = test.userIndex[k]!;
    const items = pairs.get(user);
    if (items === undefined) pairs.set(user, [test.itemIndex[k]!]);
    else items.push(test.itemIndex[k]!);
  }
  return pairs;
}

/** What `measure` gives; a fault of the list is one of this user's. */
function measured<T>(userId: Id, measure: () => T): T {
  try {
    return measure();
  } catch (error) {
    if (error instanceof DataError) throw new DataError(`recommendations of user ${show(userId)}: ${error.message}`);
    throw error;
  }
}

/** The options, filled in. */
interface FilledRankingOptions extends FilledEvaluation {
  readonly train?: Interactions;
  readonly negatives?: ReadonlyMap<Id, Iterable<Id>> | Draw;
  readonly relevant?: (value: number) => boolean;
  readonly gains: GainName;
  readonly metrics: readonly RankingMetric[];
  readonly perUser: boolean;
}

const MEASURES = ['precision', 'recall', 'hr', 'ndcg', 'map', 'mrr'] as const;

/** Checks the options of evaluateRanking. */
function readRankingOptions(given: EvaluateRankingOptions | undefined): FilledRankingOptions {
  const { k, metrics, negatives, ...read } = readOptions<
    Omit<FilledRankingOptions, 'metrics' | 'negatives'> & {
      k: readonly number[];
      metrics: readonly string[];
      negatives?: NonNullable<EvaluateRankingOptions['negatives']>;
    }
  >('evaluateRanking', given, {
    train: optional(checkInteractions),
    k: field(cuts, [10]),
    negatives: optional(checkNegatives),
    relevant: optional(callable<(value: number) => boolean>()),
    gains: field(oneOf(...GAINS), 'binary'),
    metrics: field(names, MEASURES),
    perUser: field(boolean, false),
    ...evaluationFields(),
    threads: field(threadCount, 'auto'),
  });
  const found = metrics.flatMap((name, at) => readMetric(name, `metrics[${at}]`, k));
  const byName = new Map(found.map((metric) => [metric.name, metric]));
  if (read.train === undefined && needsTrain(negatives, found)) {
    throw new OptionError(
      'train',
      undefined,
      'evaluateRanking: train is undefined; want the training Interactions: negatives are drawn from their items, and auc ranks all of them',
    );
  }
  return { ...read, ...(negatives && { negatives: withSeed(negatives, read.seed) }), metrics: [...byName.values()] };
}

function needsTrain(negatives: EvaluateRankingOptions['negatives'], metrics: readonly RankingMetric[]): boolean {
  if (negatives === undefined) return metrics.some(({ needsCandidates }) => needsCandidates);
  return !(negatives instanceof Map);
}

/** Negatives to be drawn have the seed of the evaluation where they have none. */
function withSeed(
  negatives: NonNullable<EvaluateRankingOptions['negatives']>,
  seed: Seed,
): NonNullable<FilledRankingOptions['negatives']> {
  return 'count' in negatives ? { ...negatives, seed: negatives.seed ?? seed } : negatives;
}

function readMetric(value: string, name: string, k: readonly number[]): readonly RankingMetric[] {
  const found = typeof value === 'string' ? findRankingMetrics(value, k) : undefined;
  if (found !== undefined) return found;
  throw wrong(name, value, `${RANKING_NAMES} (ratings: evaluateRatings)${slip(value)}`);
}

const names: Check<readonly string[]> = (value, name) => {
  if (Array.isArray(value) && value.length > 0) return value;
  throw wrong(name, value, "a list of metrics, as ['ndcg', 'recall@20']");
};

const cuts: Check<readonly number[]> = (value, name) => {
  const cut = integer({ min: 1 });
  if (!Array.isArray(value)) return [cut(value, name)];
  if (value.length > 0) return value.map((one, at) => cut(one, `${name}[${at}]`));
  throw wrong(name, value, 'a whole number of at least 1, or a list of them');
};

const checkNegatives: Check<NonNullable<EvaluateRankingOptions['negatives']>> = (value, name) => {
  if (value instanceof Map) return value;
  if (typeof value !== 'object' || value === null || !('count' in value)) {
    throw wrong(name, value, 'a Map of item ids by user id, or { count, seed }');
  }
  return readOptions<Partial<Draw> & Pick<Draw, 'count'>>(
    'evaluateRanking',
    value,
    { count: field(integer({ min: 1 }), 99), seed: optional<Seed>(checkSeed) },
    `${name}.`,
  );
};
