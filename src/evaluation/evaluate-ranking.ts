// How well a recommender puts first what users turned out to like.

import { DataError } from '../core/errors';
import { show } from '../core/options';
import type { Interactions } from '../interactions/interactions';
import { runThrough } from '../interactions/steps';
import type { Id } from '../interactions/vocabulary';
import type { RankingMetricName } from '../metrics/metric-names';
import { RankingMeter } from '../metrics/ranking-meter';
import { relevantUsers } from '../metrics/relevant-items';
import { usuallyRelevant } from '../metrics/scores';
import { checkInteractions } from '../recommenders/fit-options';
import { checkRecommender } from './check-recommender';
import { type Ranker, rankAll, rankAmongNegatives } from './ranking-lists';
import { type EvaluateRankingOptions, readRankingOptions } from './ranking-options';
import { TrainItems } from './train-items';

/** Ranking metrics, means over users. */
export interface RankingEvaluation {
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
}

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
 * Cost: users x items x rank, and lists of 64 users in memory; with auc, which needs whole lists, also a sort of the items a
 * user. The event loop waits.
 *
 * @throws NotFittedError before `fit`; OptionError; DataError for a test set without relevant items or all of it in the
 * training data, a test set or `train` of whose items the recommender knows none, a user without an entry in `negatives` or
 * with none that the recommender knows, values that are no gains, or a score that is no finite number.
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
 * const { users, metrics } = evaluateRanking(model, test, { train, k: [5, 20], metrics: ['ndcg', 'hr'] });
 * console.log(users, Object.keys(metrics).join(' ')); // 100 ndcg@5 ndcg@20 hr@5 hr@20
 * ```
 */
export function evaluateRanking(
  recommender: Ranker,
  test: Interactions,
  options?: EvaluateRankingOptions,
): RankingEvaluation {
  checkRecommender(recommender, ['recommend', 'recommendMany']);
  checkInteractions(test, 'test');
  const { metrics, negatives, gains, perUser, ...read } = readRankingOptions(options);
  checkItems(recommender, test, 'test');
  if (read.train !== undefined) checkItems(recommender, read.train, 'train');
  const relevant = read.relevant ?? usuallyRelevant(recommender.scores);
  const train = read.train && new TrainItems(read.train);
  const trained = trainedPairs(recommender, test);
  const seen = (user: number) => {
    const has = train?.of(test.users.idOf(user)).map((itemId) => test.items.indexOf(itemId)) ?? [];
    return has.concat(trained.get(user) ?? []);
  };
  const { users, skipped, seen: dropped } = runThrough(relevantUsers(test, { relevant, gains, seen }));
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
      ? rankAll(recommender, test, users, train, meter.depth)
      : rankAmongNegatives(recommender, test, users, train, negatives);
  const values = new Map<Id, Readonly<Record<RankingMetricName, number>>>();
  let [cold, unknown, short, at] = [0, 0, 0, 0];
  for (const { list, basis, ...counts } of lists) {
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

/** The items of the test pairs that the recommender says it was trained on, by user. */
function trainedPairs(recommender: Ranker, test: Interactions): Map<number, number[]> {
  const found = recommender.familiarity?.(test) ?? [];
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
