// Only the ratios of weights matter: training divides them by their mean, and weights that are all equal are none.

import { DataError } from '../core/errors';
import { forEachChunk, type Scheduler } from '../core/scheduler';
import { Interactions } from '../data/interactions';
import type { RatingScale } from '../serving/rating-scale';

/** Interactions as training takes them. */
export interface Weighed {
  /** With weights of mean 1, or with none where all were equal. */
  readonly data: Interactions;
  /** What the weights were divided by; absent where there are none. */
  readonly meanWeight?: number;
}

/** Interactions with relative weights. @throws DataError where a weight was changed to what is no positive number */
export async function weigh(given: Interactions, scheduler: Scheduler): Promise<Weighed> {
  const { weights, users, items, userIndex, itemIndex, values, timestamps } = given;
  if (weights === undefined) return { data: given };
  const { relative, mean } = await relativeWeights(weights, scheduler);
  const columns = { users, items, userIndex, itemIndex, values, timestamps };
  if (relative === null) return { data: Interactions.ofIndices(columns) };
  return { data: Interactions.ofIndices({ ...columns, weights: relative }), meanWeight: mean };
}

/** Interactions that come after training: relative to its mean weight, or where it had no weights to their own. */
export async function weighAs(
  { meanWeight }: RatingScale,
  data: Interactions,
  scheduler: Scheduler,
): Promise<Interactions> {
  if (meanWeight === undefined) return (await weigh(data, scheduler)).data;
  const { users, items, userIndex, itemIndex, values, timestamps } = data;
  const given = data.weights ?? new Float32Array(data.size).fill(1);
  const weights = given.map((weight) => weight / meanWeight);
  return Interactions.ofIndices({ users, items, userIndex, itemIndex, values, timestamps, weights });
}

/** Weights above 0 by their mean; null where all are equal. Cost: two passes. */
export async function relativeWeights(
  weights: Float32Array,
  scheduler: Scheduler,
): Promise<{ relative: Float32Array | null; mean: number }> {
  let [sum, least, most, bad] = [0, Infinity, 0, -1];
  await forEachChunk(weights.length, scheduler, (from, to) => {
    for (let k = from; k < to; k++) {
      const weight = weights[k]!;
      if (!(weight > 0 && weight < Infinity)) bad = k;
      sum += weight;
      least = Math.min(least, weight);
      most = Math.max(most, weight);
    }
  });
  if (bad >= 0) {
    throw new DataError(
      `weights[${bad}] is ${weights[bad]}; want finite numbers above 0: rows of weight 0 are left out when they are read, ` +
        'by Interactions.from(rows)',
    );
  }
  const mean = sum / weights.length;
  if (least === most) return { relative: null, mean };
  const relative = new Float32Array(weights.length);
  await forEachChunk(weights.length, scheduler, (from, to) => {
    // What is too small for float32 beside the others is the least there is.
    for (let k = from; k < to; k++) relative[k] = Math.max(weights[k]! / mean, LEAST);
  });
  return { relative, mean };
}

/** The least relative weight: below it nothing would move by it, and float32 ends soon after. */
const LEAST = 1e-30;
