// How well a recommender puts first what users turned out to like.

import { DataError } from '../core/errors';
import type { Interactions } from '../interactions/interactions';
import { runThrough } from '../interactions/steps';
import type { Id } from '../interactions/vocabulary';
import type { RankingMetricName } from '../metrics/metric-names';
import { RankingMeter } from '../metrics/ranking-meter';
import { relevantUsers } from '../metrics/relevant-items';
import { checkInteractions } from '../recommenders/fit-options';
import { type Ranker, rankAll, rankAmongNegatives } from './ranking-lists';
import { type EvaluateRankingOptions, readRankingOptions } from './ranking-options';
import { TrainItems } from './train-items';

/** Ranking metrics, means over users. */
export interface RankingEvaluation {
  /** The test users with at least one relevant item: those that the means are over. */
  readonly users: number;
  /** The test users without one, who do not count. */
  readonly skipped: number;
  /** Of `users`, those that training never saw: their lists are of popular items. */
  readonly cold: number;
  /** By name and cut: `ndcg@10`. */
  readonly metrics: Readonly<Record<RankingMetricName, number>>;
  /** With `perUser`: the metrics of each user that counts. */
  readonly perUser?: ReadonlyMap<Id, Readonly<Record<RankingMetricName, number>>>;
}

/**
 * Ranking metrics of a recommender on test interactions: precision, recall, hr (hit rate), ndcg, map, mrr and auc.
 *
 * metric = mean over users with at least one relevant item of the metric of the user's list. recall@k = hits / relevant;
 * ndcg@k = sum_r gain_r / log2(r + 1), over the same of the best list of k, gains of 1 unless `graded`; map@k divides by
 * min(k, relevant); auc@k takes what is behind rank k to be in random order. Equal scores rank by the smaller item number.
 *
 * Every trained item is ranked, but for those that the user has in `train` (a test row of such a pair does not count); a
 * relevant item that training never saw is missed. With `negatives` a user's relevant items are ranked among those alone,
 * as a set: an item that is given as negative too, or twice, counts once. Published figures of such samples cannot be
 * compared with full rankings, nor between samples of other sizes (Krichene and Rendle 2020).
 *
 * Cost: users x items x rank, and lists of 64 users in memory; with auc, which needs whole lists, also a sort of the items a
 * user. The event loop waits.
 *
 * @throws NotFittedError before `fit`; OptionError; DataError for a test set without relevant items, a user without an
 * entry in `negatives`, or values that are no grades.
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
  checkInteractions(test, 'test');
  const { metrics, negatives, relevant, graded, perUser, ...read } = readRankingOptions(options);
  const train = read.train && new TrainItems(read.train);
  const seen = train && ((user: number) => train.of(test.users.idOf(user)).map((id) => test.items.indexOf(id)));
  const { users, skipped } = runThrough(relevantUsers(test, { relevant, graded, seen }));
  if (users.length === 0) {
    throw new DataError(
      `test: none of the ${skipped} users has a relevant item (one for which 'relevant' holds, and which is not in train)`,
    );
  }
  const meter = new RankingMeter(metrics);
  const lists =
    negatives === undefined
      ? rankAll(recommender, test, users, train, meter.depth)
      : rankAmongNegatives(recommender, test, users, train, negatives, meter.depth);
  const values = new Map<Id, Readonly<Record<RankingMetricName, number>>>();
  let cold = 0;
  let at = 0;
  for (const list of lists) {
    const user = users[at++]!;
    if (list.basis === 'popularity') cold++;
    const one = meter.add(
      user,
      list.map(({ itemId }) => test.items.indexOf(itemId)),
    );
    if (perUser) values.set(test.users.idOf(user.user), one);
  }
  return { users: users.length, skipped, cold, metrics: meter.means(), ...(perUser && { perUser: values }) };
}
