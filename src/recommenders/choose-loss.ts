// The loss of a fit where the options leave it to the data: values that differ are to be predicted; where all are equal
// there is nothing to predict, and what can be learned is who has what.

import { DataError } from '../core/errors';
import type { Scheduler } from '../core/scheduler';
import type { Interactions } from '../data/interactions';

/** The only value of interactions, where two or more have a weight and all of these the same value; else undefined. */
export async function onlyValue(
  { values, weights, size }: Pick<Interactions, 'values' | 'weights' | 'size'>,
  scheduler: Scheduler,
): Promise<number | undefined> {
  let [only, count] = [Number.NaN, 0];
  for (let k = 0; k < size; k++) {
    if (weights !== undefined && weights[k] === 0) continue;
    if (count++ === 0) only = values[k]!;
    else if (values[k] !== only) return undefined;
    // Ratings differ within the first few; only events are looked through.
    if (k % 65_536 === 65_535 && scheduler.isDue(65_536)) await scheduler.yieldNow();
  }
  return count > 1 ? only : undefined;
}

/** The same at once. */
export function onlyValueNow({
  values,
  weights,
  size,
}: Pick<Interactions, 'values' | 'weights' | 'size'>): number | undefined {
  let [only, count] = [Number.NaN, 0];
  for (let k = 0; k < size; k++) {
    if (weights !== undefined && weights[k] === 0) continue;
    if (count++ === 0) only = values[k]!;
    else if (values[k] !== only) return undefined;
  }
  return count > 1 ? only : undefined;
}

/** The error of a training on values that do not differ. */
export function nothingToPredict(owner: string, training: string, value: number, instead: string): DataError {
  return new DataError(
    `${owner}: every value is ${value}, as of events without ratings, and ${training} would learn to say ${value} of everything; want values that differ, or ${instead}`,
  );
}

/** What learns from who has what, for messages of factorizations. */
export const INSTEAD =
  "a loss that learns who has what: 'bpr', 'warp' or 'softmax', 'logistic' with negatives: 4, or loss 'auto'; or ALS, NeuralCF, EASE, ItemKNN";

/** The same where the kind predicts values alone. */
export const INSTEAD_OF_KIND =
  "a recommender that learns who has what: MF or OverparamMF with loss 'bpr', 'warp' or 'softmax', or 'logistic' with negatives: 4; or ALS, NeuralCF, EASE, ItemKNN";
