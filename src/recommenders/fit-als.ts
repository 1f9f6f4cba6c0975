// From interactions to tables trained by alternating least squares: the wiring of data, solver and validation.

import { DataError } from '../core/errors';
import { forEachChunk, ROWS_A_CHUNK, type Scheduler, TaskScheduler } from '../core/scheduler';
import { findRepeats } from '../data/duplicates';
import { Interactions } from '../data/interactions';
import { MFModel } from '../models/factorization';
import type { Real } from '../optimizers/factor';
import type { FittedFactorization } from '../serving/factorization-tables';
import { forData } from '../serving/fold-in/als-fold-in';
import { countRows } from '../serving/interaction-history';
import type { RatingScale } from '../serving/rating-scale';
import { AlsSolver } from '../training/als';
import type { History } from '../training/fit';
import { type Weighed, weigh } from '../training/weights';
import { type FilledAlsOptions, ruleOf } from './als-options';
import { nothingToPredict, onlyValue } from './choose-loss';
import { drawStart } from './draw-start';
import { fitInteractions } from './fit-interactions';
import type { FilledFitOptions } from './fit-options';
import { servingOf } from './fitted';
import { chooseUnits, toTargets } from './units';

/** What a fit of ALS is made of. */
export interface AlsTask {
  readonly data: Interactions;
  readonly options: FilledAlsOptions;
  readonly fitOptions: FilledFitOptions;
  readonly install: (fitted: FittedFactorization) => void;
  /** Whether the recommender has a trained state already. */
  readonly isServing: boolean;
}

/** Scores of implicit feedback: 1 for what a user has, 0 for the rest, and not bounded by either. */
const SCORES: RatingScale = {
  link: 'identity',
  shift: 0,
  scale: 1,
  minimum: -Number.MAX_VALUE,
  maximum: Number.MAX_VALUE,
  start: 0,
};
const RATINGS = { loss: 'squared', link: 'identity', standardize: true, negatives: false } as const;

/** Trains tables and installs the result. */
export async function fitAls({ data: given, options, fitOptions, install, isServing }: AlsTask): Promise<History> {
  const { rank, seed, biases, initScale, feedback } = options;
  const scheduler = new TaskScheduler(fitOptions.signal);
  const isExplicit = feedback === 'explicit';
  const only = isExplicit ? await onlyValue(given, scheduler) : undefined;
  if (only !== undefined)
    throw nothingToPredict('ALS', "feedback 'explicit'", only, "feedback: 'implicit', which learns who has what");
  const { data, ...weighed } = await weighPairs(given, options, scheduler);
  const units = { ...(isExplicit ? await chooseUnits(data, RATINGS, scheduler) : SCORES), ...weighed };
  const { pairs = data.size } = weighed;
  const counts = await countRows(data, scheduler);
  const model = new MFModel({ users: data.users.size, items: data.items.size, rank, biases, seed, initScale: 0 });
  await drawStart(
    [model.userEmbedding, model.itemEmbedding],
    { seed, initScale: initScale / Math.sqrt(rank) },
    scheduler,
  );
  const targets = isExplicit ? await toTargets(data.values, units, scheduler) : null;
  const solver = new AlsSolver(
    tablesOf(model),
    {
      users: data.userIndex,
      items: data.itemIndex,
      targets,
      weights: await weightsOf(data, options.alpha, scheduler),
      copies: data.weights ?? null,
      total: pairs,
      counts,
    },
    ruleOf(forData(options, counts, pairs)),
  );
  return fitInteractions({
    name: 'als',
    data,
    options,
    fitOptions,
    counts,
    parameters: model.parameters,
    start: () => solver,
    slots: [],
    rmseScale: isExplicit ? units.scale : undefined,
    ...servingOf(() => model, data, units, options),
    targets,
    install,
    isServing,
    scheduler,
  });
}

function tablesOf({ userEmbedding, itemEmbedding, userBias, itemBias }: MFModel) {
  return {
    userEmbedding: userEmbedding.values,
    itemEmbedding: itemEmbedding.values,
    userBias: userBias?.values ?? null,
    itemBias: itemBias?.values ?? null,
  };
}

/**
 * Weights relative to the mean over the pairs: a pair that comes twice weighs what a row of weight 2 does. Where neither the
 * pairs without interactions nor a power in the penalty make a difference, the mean is that over the rows.
 */
async function weighPairs(
  given: Interactions,
  { feedback, regularizationExponent }: FilledAlsOptions,
  scheduler: Scheduler,
): Promise<Weighed & { readonly pairs?: number }> {
  const weighed = await weigh(given, scheduler);
  if (feedback === 'explicit' && regularizationExponent === 1) return weighed;
  const { data, meanWeight = 1 } = weighed;
  const { size, users, items, userIndex, itemIndex, values, timestamps } = data;
  let pairs = size;
  const search = findRepeats(data, users.size, items.size, () => pairs--);
  while (!search.next().done) if (scheduler.isDue(ROWS_A_CHUNK)) await scheduler.yieldNow();
  if (pairs === size) return weighed;
  const share = pairs / size;
  const weights = data.weights?.map((weight) => weight * share) ?? new Float32Array(size).fill(share);
  const columns = { users, items, userIndex, itemIndex, values, timestamps, weights };
  return { data: Interactions.ofIndices(columns), meanWeight: meanWeight / share, pairs };
}

/** What the squared error of each interaction is multiplied by: its weight (1 + alpha value); null where all are 1. */
async function weightsOf(
  { values, weights, size }: Interactions,
  alpha: number,
  scheduler: Scheduler,
): Promise<Real | null> {
  if (alpha === 0) return weights ?? null;
  const confidences = new Float32Array(size);
  let bad = -1;
  await forEachChunk(size, scheduler, (from, to) => {
    for (let k = from; k < to; k++) {
      const confidence = Math.fround((weights?.[k] ?? 1) * (1 + alpha * values[k]!));
      if (!(confidence >= 0 && confidence < Infinity)) bad = k;
      confidences[k] = confidence;
    }
  });
  if (bad >= 0) {
    throw new DataError(
      `interaction ${bad + 1} (counting from 1) has value ${values[bad]}, which at alpha ${alpha} gives it a weight that is ` +
        'negative or infinite; want values of at least 0, or alpha: 0, which does not look at them',
    );
  }
  return confidences;
}
