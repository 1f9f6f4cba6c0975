// From the values of interactions to what training learns. rating = shift + scale * link(score): the scale is chosen here.
// Where all values are equal there is nothing to predict, and what can be learned is who has what.

import { DataError } from '../core/errors';
import { A_LOOK, forEachChunk, type Pausable, type Scheduler } from '../core/scheduler';
import { Interactions } from '../data/interactions';
import { type HeldRatings, passesOf, type RatingPasses } from '../data/passes';
import type { RatingData } from '../models/model';
import type { Real } from '../optimizers/factor';
import type { RatingScale } from '../serving/factorization-tables';
import { countRows } from '../serving/interaction-history';
import { type Link, type LossName, type RankingLossName, sigmoidLink } from '../training/losses';
import type { NegativeSampling } from '../training/negatives';
import type { Spread } from './training-options';

/** The options that decide the scale. */
interface ScaleOptions {
  readonly loss: LossName | RankingLossName;
  readonly link: Link['name'];
  readonly standardize: boolean;
  readonly negatives: false | NegativeSampling;
}

/** Chooses the units of a fit. A rating counts in the mean and the spread as much as it weighs. */
export async function chooseUnits(
  data: HeldRatings | RatingPasses,
  options: ScaleOptions,
  scheduler: Scheduler,
): Promise<RatingScale> {
  if (options.negatives !== false) return unitsOfOrders(options.loss, options.negatives.count);
  const { mean, standardDeviation, minimum, maximum } = await describe(passesOf(data), scheduler);
  if (options.loss === 'logistic') {
    if (minimum < 0 || maximum > 1) {
      throw new DataError(
        `loss 'logistic' wants values from 0 to 1 and the data have ${minimum} to ${maximum}; map them (liked: 1, not: 0) or use loss 'squared'`,
      );
    }
    const start = sigmoidLink(0, 1).inverse(mean);
    return { link: 'sigmoid', shift: 0, scale: 1, minimum: 0, maximum: 1, start };
  }
  const scale = options.standardize ? scaleOf(standardDeviation, Math.max(maximum - mean, mean - minimum), options) : 1;
  if (options.link === 'sigmoid' && maximum > minimum) {
    const start = sigmoidLink(minimum, maximum - minimum).inverse(mean);
    return { link: 'sigmoid', shift: minimum, scale, minimum, maximum, start };
  }
  return { link: 'identity', shift: mean, scale, minimum, maximum, start: 0 };
}

/**
 * The furthest that a target may be from the mean. Ratings are within 5 standard deviations; counts and hours, 20 to 100
 * out, made training diverge: SVDpp from 25 on, MF and OverparamMF from 30 (docs/defaults.md).
 */
const FURTHEST = 10;

/** What ratings are divided by: their standard deviation, and more where the largest deviation would be too far out. */
function scaleOf(standardDeviation: number, largest: number, { loss }: ScaleOptions): number {
  // Deviations too small for float32 are none.
  if (standardDeviation < 2 ** -126) return 1;
  // Steps grow with the error of this loss alone.
  return loss === 'squared' ? Math.max(standardDeviation, largest / FURTHEST) : standardDeviation;
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
async function describe(data: RatingPasses, scheduler: Scheduler) {
  let sum = 0;
  let all = 0;
  let minimum = Infinity;
  let maximum = -Infinity;
  await data.each(scheduler, ({ values, weights }, from, to) => {
    // In variables of the loop's own: those that outlive it are objects in memory, made anew by each addition.
    let [total, least, most] = [sum, minimum, maximum];
    for (let k = from; k < to; k++) {
      const value = values[k]!;
      if (value < least) least = value;
      if (value > most) most = value;
      total += weights === undefined ? value : weights[k]! * value;
    }
    if (weights === undefined) all += to - from;
    else for (let k = from; k < to; k++) all += weights[k]!;
    [sum, minimum, maximum] = [total, least, most];
  });
  const mean = sum / all;
  let squares = 0;
  await data.each(scheduler, ({ values, weights }, from, to) => {
    let total = squares;
    if (weights === undefined) for (let k = from; k < to; k++) total += (values[k]! - mean) * (values[k]! - mean);
    else for (let k = from; k < to; k++) total += weights[k]! * ((values[k]! - mean) * (values[k]! - mean));
    squares = total;
  });
  return { mean, standardDeviation: Math.sqrt(squares / all), minimum, maximum };
}

/** The only value of interactions, where two or more have a weight and all of these the same value; else undefined. */
export function* onlyValue({
  values,
  weights,
  size,
}: Pick<Interactions, 'values' | 'weights' | 'size'>): Pausable<number | undefined> {
  let [only, count] = [Number.NaN, 0];
  for (let k = 0; k < size; k++) {
    // Ratings differ within the first few; only events are looked through.
    if (k % A_LOOK === A_LOOK - 1) yield;
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

// Weights of ratings. Only their ratios matter: training divides them by their mean, and weights that are all equal are
// none. A rating of relative weight w is trained on as w ratings would be: in several steps where one would be too large.
// No step then weighs much more than 1, whatever the weights, and with any update rule; the weights add up to the number
// of ratings, so an epoch has at most about twice as many steps as ratings.

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

/** The same of ratings that are not held. Cost: a pass, where they have weights. */
export async function weighPasses(
  data: RatingPasses,
  scheduler: Scheduler,
): Promise<{ readonly data: RatingPasses; readonly meanWeight?: number }> {
  if (!data.isWeighted) return { data };
  const { mean, areEqual } = await describeWeights(data, scheduler);
  const { size, users, items } = data;
  const relative = new Float32Array(areEqual ? 0 : WEIGHED_AT_ONCE);
  const plain: RatingPasses = {
    ...{ size, users, items, isWeighted: !areEqual },
    each: (scheduler, visit) =>
      data.each(scheduler, ({ userIndex, itemIndex, values, weights }, from, to) => {
        const chunk = { userIndex, itemIndex, values };
        if (areEqual) return visit(chunk, from, to);
        for (let start = from; start < to; start += WEIGHED_AT_ONCE) {
          const end = Math.min(to, start + WEIGHED_AT_ONCE);
          const part = <T extends Int32Array | Float32Array>(column: T) => column.subarray(start, end) as T;
          for (let k = start; k < end; k++) relative[k - start] = relativeWeight(weights![k]!, mean);
          const columns = { userIndex: part(userIndex), itemIndex: part(itemIndex), values: part(values) };
          visit({ ...columns, weights: relative }, 0, end - start);
        }
      }),
  };
  return areEqual ? { data: plain } : { data: plain, meanWeight: mean };
}

/** The most ratings to a visit. */
const WEIGHED_AT_ONCE = 2048;

/** The mean of weights, and whether all are the same. */
async function describeWeights(data: RatingPasses, scheduler: Scheduler) {
  let [sum, least, most] = [0, Infinity, 0];
  await data.each(scheduler, ({ weights }, from, to) => {
    for (let k = from; k < to; k++) {
      const weight = weights![k]!;
      sum += weight;
      least = Math.min(least, weight);
      most = Math.max(most, weight);
    }
  });
  return { mean: sum / data.size, areEqual: least === most };
}

/** Interactions that come after training: relative to its mean weight, or where it had no weights to their own. */
export async function weighAs(
  { meanWeight }: Pick<Weighed, 'meanWeight'>,
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
    for (let k = from; k < to; k++) relative[k] = relativeWeight(weights[k]!, mean);
  });
  return { relative, mean };
}

/** A weight by the mean. What is too small for float32 beside the others is the least there is. */
export function relativeWeight(weight: number, mean: number): number {
  return Math.max(weight / mean, LEAST);
}

/** The least relative weight: below it nothing would move by it, and float32 ends soon after. */
const LEAST = 1e-30;

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
export function twelveBits(weight: number): number {
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

/** How many interactions users have, and how few of them there are for so many rows. */
export async function spreadOf(all: Interactions, scheduler: Scheduler): Promise<Spread> {
  const { data } = await weigh(all, scheduler);
  const { users, items } = await countRows(data, scheduler);
  const { size } = data;
  return {
    size,
    perUser: size / rowsOf(users),
    ofOne: users.reduce((sum, count) => sum + count * count, 0) / size,
    crowding: crowdingOf(rowsOf(users), rowsOf(items), size),
  };
}

const rowsOf = (counts: Int32Array) => counts.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);

/**
 * How far the singular values that chance gives interactions, rows and columns divided by the roots of their counts, end above
 * 1, which is that of popularity: near sqrt(users / pairs) + sqrt(items / pairs); the square of it, at least 1.
 */
export function crowdingOf(users: number, items: number, pairs: number): number {
  return Math.max(1, (Math.sqrt(users) + Math.sqrt(items)) ** 2 / pairs);
}
