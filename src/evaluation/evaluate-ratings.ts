// How well a recommender predicts held-out ratings.

import { readOptions } from '../core/options';
import { TaskScheduler } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import type { Vocabulary } from '../data/vocabulary';
import { checkSuits } from '../metrics/metric-names';
import { mae, RATING_METRICS, rmse } from '../metrics/rating-metrics';
import { checkInteractions } from '../recommenders/fit-options';
import type { Recommender } from '../recommenders/recommender';
import type { EvaluationOptions, FilledEvaluation } from './evaluation-options';
import { checkRecommender, evaluationFields, familiarityOf } from './evaluation-options';

/** The errors of predicted ratings, pooled over all ratings. */
export type RatingEvaluation = Awaited<ReturnType<typeof evaluateRatings>>;

/** What predicts ratings, at once or later: a recommender, or what has these methods of one. */
export interface RatingPredictor extends Pick<Recommender, 'knows'>, Partial<Pick<Recommender, 'scores'>> {
  predictMany(pairs: Interactions): ArrayLike<number> | Promise<ArrayLike<number>>;
  familiarity?(data: Interactions): ArrayLike<number> | Promise<ArrayLike<number>>;
  readonly users?: Vocabulary;
  readonly items?: Vocabulary;
}

/** The ratings of one call, where their ids need not be looked up: some milliseconds. */
const ROWS_A_CALL = 4096;

/**
 * RMSE and MAE of a recommender on test ratings.
 *
 * Every rating counts once (not every user), cold ones too. Cost: O(ratings x rank), with pauses for other tasks.
 *
 * @throws NotFittedError before `fit`; DataError for an empty test set; UnsupportedError where scores are no ratings, as of
 * losses that learn an order: use evaluateRanking; the signal's reason.
 * @example
 * ```ts
 * import { evaluateRatings, MF, splitRandom, syntheticInteractions } from 'opmf';
 * const { train, test } = splitRandom(syntheticInteractions({ users: 100, items: 80, ratings: 2000 }));
 * const model = new MF({ rank: 4 });
 * await model.fit(train);
 * const { rmse, mae, count } = await evaluateRatings(model, test);
 * console.log(rmse > mae, count); // true 400
 * ```
 */
export async function evaluateRatings(
  recommender: RatingPredictor,
  test: Interactions,
  options?: EvaluationOptions,
): Promise<{
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
}> {
  const { signal, onProgress } = readOptions<FilledEvaluation>('evaluateRatings', options, evaluationFields());
  checkRecommender(recommender, ['predictMany']);
  checkInteractions(test, 'test');
  checkSuits('evaluateRatings', RATING_METRICS, recommender.scores);
  const scheduler = new TaskScheduler(signal);
  // Double, as a recommender of the caller's may give more than single precision.
  const predictions = new Float64Array(test.size);
  let part = ROWS_A_CALL;
  for (let from = 0, rows = 0; from < test.size; from += rows) {
    rows = Math.min(part, test.size - from);
    const data = rows === test.size ? test : test.select(Int32Array.from({ length: rows }, (_, at) => from + at));
    predictions.set(await recommender.predictMany(data), from);
    // Where ids have to be looked up, each call does so for all of them.
    if (recommender.users !== test.users || recommender.items !== test.items)
      part = Math.max(ROWS_A_CALL, test.users.size + test.items.size);
    onProgress?.({ done: from + rows, total: test.size });
    if (scheduler.isDue(rows)) await scheduler.yieldNow();
  }
  const found =
    (await familiarityOf(recommender, test, scheduler)) ??
    Array.from(test, ({ userId, itemId }) => +recommender.knows(userId, itemId));
  let [cold, seen] = [0, 0];
  for (let k = 0; k < test.size; k++) {
    if (found[k] === 0) cold++;
    else if (found[k] === 2) seen++;
  }
  return { rmse: rmse(predictions, test.values), mae: mae(predictions, test.values), count: test.size, cold, seen };
}
