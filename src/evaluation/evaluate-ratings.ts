// How well a recommender predicts held-out ratings.

import type { Interactions } from '../interactions/interactions';
import { mae, RATING_METRICS, rmse } from '../metrics/rating-metrics';
import { checkSuits } from '../metrics/scores';
import { checkInteractions } from '../recommenders/fit-options';
import type { Recommender } from '../recommenders/recommender';
import { checkRecommender } from './check-recommender';

/** The errors of predicted ratings, pooled over all ratings. */
export interface RatingEvaluation {
  /** sqrt(mean (prediction - rating)^2), on the rating scale. */
  readonly rmse: number;
  /** mean |prediction - rating|, on the rating scale. */
  readonly mae: number;
  /** The ratings evaluated, cold ones included. */
  readonly count: number;
  /** Of them, those whose user or item training never saw: predicted by the baseline. */
  readonly cold: number;
  /** Of them, those whose pair of user and item is in the training data: how well they are predicted says little of others. */
  readonly seen: number;
}

/**
 * RMSE and MAE of a recommender on test ratings.
 *
 * Every rating counts once (not every user), cold ones too. Cost: O(ratings x rank).
 *
 * @throws NotFittedError before `fit`; DataError for an empty test set; UnsupportedError where scores are no ratings, as of
 * losses that learn an order: use evaluateRanking.
 * @example
 * ```ts
 * import { evaluateRatings, MF, splitRandom, syntheticInteractions } from 'opmf';
 * const { train, test } = splitRandom(syntheticInteractions({ users: 100, items: 80, ratings: 2000 }));
 * const model = new MF({ rank: 4 });
 * await model.fit(train);
 * console.log(evaluateRatings(model, test).count); // 400
 * ```
 */
export function evaluateRatings(
  recommender: Pick<Recommender, 'predictMany' | 'knows'> & Partial<Pick<Recommender, 'familiarity' | 'scores'>>,
  test: Interactions,
): RatingEvaluation {
  checkRecommender(recommender, ['predictMany']);
  checkInteractions(test, 'test');
  checkSuits('evaluateRatings', RATING_METRICS, recommender.scores);
  const predictions = recommender.predictMany(test);
  const found =
    recommender.familiarity?.(test) ?? Array.from(test, ({ userId, itemId }) => +recommender.knows(userId, itemId));
  let [cold, seen] = [0, 0];
  for (let k = 0; k < test.size; k++) {
    if (found[k] === 0) cold++;
    else if (found[k] === 2) seen++;
  }
  return { rmse: rmse(predictions, test.values), mae: mae(predictions, test.values), count: test.size, cold, seen };
}
