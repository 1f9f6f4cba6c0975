// How far predictions are from ratings: pure functions of numbers, so that training can monitor them.

/** The metrics of predicted ratings. Lower is better. */
export type RatingMetricName = 'rmse' | 'mae';

/** Every rating metric, for messages and checks. */
export const RATING_METRICS: readonly RatingMetricName[] = ['rmse', 'mae'];

/** sqrt(mean (prediction - rating)^2), in double. */
export function rmse(predictions: ArrayLike<number>, ratings: ArrayLike<number>): number {
  let sum = 0;
  for (let s = 0; s < ratings.length; s++) {
    const error = predictions[s]! - ratings[s]!;
    sum += error * error;
  }
  return Math.sqrt(sum / ratings.length);
}

/** mean |prediction - rating|, in double. */
export function mae(predictions: ArrayLike<number>, ratings: ArrayLike<number>): number {
  let sum = 0;
  for (let s = 0; s < ratings.length; s++) sum += Math.abs(predictions[s]! - ratings[s]!);
  return sum / ratings.length;
}

/** The rating metrics by name. */
export const ratingMetrics: Readonly<Record<RatingMetricName, typeof rmse>> = { rmse, mae };
