// From the values of interactions to what training learns. rating = shift + scale * link(score): the scale is chosen here.
// Where all values are equal there is nothing to predict, and what can be learned is who has what.

import { DataError } from '../core/errors';
import { forEachChunk, type Scheduler } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import type { RatingScale } from '../serving/rating-scale';
import { type Link, type LossName, sigmoidLink } from '../training/losses';
import type { NegativeSampling } from '../training/negatives';
import type { RankingLossName } from '../training/ranking-losses';

/** The options that decide the scale. */
interface ScaleOptions {
  readonly loss: LossName | RankingLossName;
  readonly link: Link['name'];
  readonly standardize: boolean;
  readonly negatives: false | NegativeSampling;
}

/** Chooses the units of a fit. A rating counts in the mean and the spread as much as it weighs. */
export async function chooseUnits(
  { values, weights }: Interactions,
  options: ScaleOptions,
  scheduler: Scheduler,
): Promise<RatingScale> {
  if (options.negatives !== false) return unitsOfOrders(options.loss, options.negatives.count);
  const { mean, standardDeviation, minimum, maximum } = await describe(values, weights, scheduler);
  if (options.loss === 'logistic') {
    if (minimum < 0 || maximum > 1) {
      throw new DataError(
        `loss 'logistic' wants values from 0 to 1 and the data have ${minimum} to ${maximum}; map them (liked: 1, not: 0) or use loss 'squared'`,
      );
    }
    const start = sigmoidLink(0, 1).inverse(mean);
    return { link: 'sigmoid', shift: 0, scale: 1, minimum: 0, maximum: 1, start };
  }
  // Deviations too small for float32 are none.
  const scale = options.standardize && standardDeviation >= 2 ** -126 ? standardDeviation : 1;
  if (options.link === 'sigmoid' && maximum > minimum) {
    const start = sigmoidLink(minimum, maximum - minimum).inverse(mean);
    return { link: 'sigmoid', shift: minimum, scale, minimum, maximum, start };
  }
  return { link: 'identity', shift: mean, scale, minimum, maximum, start: 0 };
}

/** Where what users have is told from what they do not have: log-odds, or scores that mean nothing but their order. */
function unitsOfOrders(loss: ScaleOptions['loss'], negatives: number): RatingScale {
  const own = { shift: 0, scale: 1 };
  if (loss === 'logistic') {
    const start = sigmoidLink(0, 1).inverse(1 / (1 + negatives));
    return { ...own, link: 'sigmoid', minimum: 0, maximum: 1, start };
  }
  return { ...own, link: 'identity', minimum: -Number.MAX_VALUE, maximum: Number.MAX_VALUE, start: 0 };
}

/** The ratings as training sees them. */
export async function toTargets(
  values: Float32Array,
  { shift, scale }: RatingScale,
  scheduler: Scheduler,
): Promise<Float32Array> {
  const targets = new Float32Array(values.length);
  await forEachChunk(values.length, scheduler, (from, to) => {
    for (let k = from; k < to; k++) targets[k] = (values[k]! - shift) / scale;
  });
  return targets;
}

/** Mean, spread and range, in double; without weights as Interactions.stats() has them. */
async function describe(values: Float32Array, weights: Float32Array | undefined, scheduler: Scheduler) {
  let sum = 0;
  let all = weights === undefined ? values.length : 0;
  let minimum = Infinity;
  let maximum = -Infinity;
  await forEachChunk(values.length, scheduler, (from, to) => {
    // In variables of the loop's own: those that outlive it are objects in memory, made anew by each addition.
    let [total, least, most] = [sum, minimum, maximum];
    for (let k = from; k < to; k++) {
      const value = values[k]!;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    if (weights === undefined) for (let k = from; k < to; k++) total += values[k]!;
    else {
      for (let k = from; k < to; k++) total += weights[k]! * values[k]!;
      for (let k = from; k < to; k++) all += weights[k]!;
    }
    [sum, minimum, maximum] = [total, least, most];
  });
  const mean = sum / all;
  let squares = 0;
  await forEachChunk(values.length, scheduler, (from, to) => {
    let total = squares;
    if (weights === undefined) for (let k = from; k < to; k++) total += (values[k]! - mean) * (values[k]! - mean);
    else for (let k = from; k < to; k++) total += weights[k]! * ((values[k]! - mean) * (values[k]! - mean));
    squares = total;
  });
  return { mean, standardDeviation: Math.sqrt(squares / all), minimum, maximum };
}

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
