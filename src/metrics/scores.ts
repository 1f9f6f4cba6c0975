// What the scores of a recommender are, and which metrics suit them.

import { UnsupportedError } from '../core/errors';
import { isRatingMetric, type MetricName } from './metric-names';
import { RATING_METRICS, type RatingMetricName } from './rating-metrics';

/**
 * What predictions are: ratings, on the scale of the training values; probabilities that a value is 1; or numbers that mean
 * nothing but their order. RMSE and MAE are for ratings alone.
 *
 * @example
 * ```ts
 * import { ALS, MF, type Scores } from 'opmf';
 * const kinds: Scores[] = [new MF().scores, new MF({ loss: 'logistic' }).scores, new ALS().scores];
 * console.log(kinds.join(' ')); // rating probability order
 * ```
 */
export type Scores = 'rating' | 'probability' | 'order';

/** What scores are of a loss, with items drawn as negatives or without. */
export function scoresOf(loss: string, hasNegatives: boolean): Scores {
  if (hasNegatives) return 'order';
  return loss === 'logistic' ? 'probability' : 'rating';
}

/** What is measured where nothing is said. */
export function usualMetrics(scores: Scores): readonly MetricName[] {
  return scores === 'rating' ? RATING_METRICS : ['ndcg@10'];
}

/** Which values are of what should be listed, where nothing is said: labels say yes or no, and the rest is what users have. */
export function usuallyRelevant(scores: Scores | undefined): ((value: number) => boolean) | undefined {
  return scores === 'probability' ? (value) => value > 0 : undefined;
}

/** @throws UnsupportedError for rating metrics of scores that are no ratings, which names what to ask for */
export function checkSuits(owner: string, names: readonly string[], scores: Scores | undefined): void {
  if (scores === undefined || scores === 'rating') return;
  const wrong = names.find((name): name is RatingMetricName => isRatingMetric(name as MetricName));
  if (wrong === undefined) return;
  const are = scores === 'order' ? 'mean nothing but their order' : 'are probabilities';
  throw new UnsupportedError(
    `${owner}: ${wrong} compares predictions with ratings, and the scores of this recommender ${are} (scores: '${scores}'); ask for a ranking metric, as 'ndcg@10' (evaluateRanking)`,
  );
}
