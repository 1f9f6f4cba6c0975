// A rating of relative weight w is trained on as w ratings would be: in several steps where one would be too large. No step
// then weighs much more than 1, whatever the weights, and with any update rule; the weights add up to the number of
// ratings, so an epoch has at most about twice as many steps as ratings.

import { forEachChunk, type Scheduler } from '../core/scheduler';
import type { RatingData } from '../models/model';
import type { Real } from '../optimizers/factor';

/** A step may weigh so much more than 1. The default rates stand a quarter more, and not twice as much. */
const EXCESS = 0.25;

/** In how many steps of equal weight a rating of a relative weight is taken. */
export function stepsFor(weight: number): number {
  return Math.max(1, Math.ceil(weight - EXCESS));
}

/** How ratings of some weights are taken: the number of the rating of each step, null where each is one, and the weights. */
export interface Copies {
  readonly rows: Int32Array | null;
  readonly weights: Float32Array;
  /** The sum of the weights, which is about the number of ratings. */
  readonly total: number;
}

/** Copies for relative weights; none where a step takes all ratings, which is a step of the whole objective. */
export async function copiesOf(given: Real, batchSize: number, scheduler: Scheduler): Promise<Copies> {
  const rounded = new Float32Array(given.length);
  let [count, total] = [0, 0];
  await forEachChunk(given.length, scheduler, (from, to) => {
    for (let k = from; k < to; k++) {
      rounded[k] = twelveBits(given[k]!);
      count += stepsFor(rounded[k]!);
      total += rounded[k]!;
    }
  });
  if (count === given.length || batchSize >= given.length) return { rows: null, weights: rounded, total };
  const rows = new Int32Array(count);
  const weights = new Float32Array(count);
  let at = 0;
  await forEachChunk(given.length, scheduler, (from, to) => {
    for (let k = from; k < to; k++) {
      const steps = stepsFor(rounded[k]!);
      for (let copy = 0; copy < steps; copy++, at++) {
        rows[at] = k;
        weights[at] = rounded[k]! / steps;
      }
    }
  });
  return { rows, weights, total };
}

/**
 * A weight to twelve bits, so that rounding of what was given, as in weights ten times as large, changes no bit of a
 * training: some rules make much of a little. Dekker 1971.
 */
function twelveBits(weight: number): number {
  const scaled = weight * (2 ** 41 + 1);
  return scaled - (scaled - weight);
}

/** Ratings of relative weights as the steps that are made of them. `counts` stay those of the ratings. */
export async function inCopies(data: RatingData, batchSize: number, scheduler: Scheduler): Promise<RatingData> {
  if (data.weights === null) return data;
  const { rows, weights, total } = await copiesOf(data.weights, batchSize, scheduler);
  if (rows === null) return { ...data, ratings: total, weights };
  const pick = async <T extends Int32Array | Real>(from: T, to: T): Promise<T> => {
    await forEachChunk(rows.length, scheduler, (start, end) => {
      for (let at = start; at < end; at++) to[at] = from[rows[at]!]!;
    });
    return to;
  };
  return {
    ...data,
    size: rows.length,
    ratings: total,
    users: await pick(data.users, new Int32Array(rows.length)),
    items: await pick(data.items, new Int32Array(rows.length)),
    targets: await pick(data.targets, new Float32Array(rows.length)),
    weights,
  };
}
