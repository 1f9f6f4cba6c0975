// A factorization that training has left: evaluated, served, and checked for numbers with which answers would overflow.

import { forEachChunk, type Scheduler } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import { backendOf } from '../kernels/backend';
import { MOST } from '../kernels/rounding';
import type { Factorization } from '../models/factorization';
import type { Real } from '../optimizers/factor';
import type { Parameter } from '../parameters/parameter';
import { Serving } from '../serving/factorization-lists';
import { type FittedFactorization, ServedTables, type Tables, tablesOf } from '../serving/factorization-tables';
import type { InteractionHistory } from '../serving/interaction-history';
import type { RatingScale } from '../serving/rating-scale';
import { largestOf } from '../training/fit';
import type { KernelChoice } from '../wasm/host';
import type { InteractionsFit } from './fit-interactions';
import type { Evaluable } from './validation';

/** The options that answers of a factorization depend on. */
export interface AnswerOptions {
  readonly clip: boolean;
  readonly kernels: KernelChoice;
}

/** How tables in training are evaluated, and how they are served when nothing trains on. */
export function servingOf(
  /** The factorization that has the model's scores of the data's users. */
  plainOf: (scheduler: Scheduler) => Factorization | Promise<Factorization>,
  data: Interactions,
  units: RatingScale,
  options: AnswerOptions,
): Pick<InteractionsFit<FittedFactorization>, 'snapshotForEvaluation' | 'finish'> {
  return {
    snapshotForEvaluation: async (seen, scheduler) =>
      evaluable(await serve(await plainOf(scheduler), data, seen, units, scheduler), options),
    async finish(seen, scheduler, unservable) {
      const fitted = await finish(await plainOf(scheduler), data, seen, units, scheduler);
      const name = await tooLarge(fitted.tables, scheduler);
      if (name !== undefined) throw unservable(name);
      return fitted;
    },
  };
}

/** A factorization as measuring asks it. */
export function evaluable(
  { tables, served, seen, users, items }: FittedFactorization,
  { clip, kernels }: AnswerOptions,
): Evaluable {
  const serving = new Serving(tables, served, seen, backendOf(kernels));
  return {
    predictor: (data, out) => served.predictor(users, items, data, clip, out),
    best: (rows, request) => serving.recommend(rows, request),
    scoreCost: 1,
  };
}

/** Folds the units into the tables, where the link allows: the scores of the model are then ratings. */
async function finish(
  model: Factorization,
  data: Interactions,
  seen: InteractionHistory,
  units: RatingScale,
  scheduler: Scheduler,
): Promise<FittedFactorization> {
  if (units.link !== 'identity') return serve(model, data, seen, units, scheduler);
  const { userEmbedding, itemEmbedding, userBias, itemBias } = model;
  model.globalMean = units.shift;
  userEmbedding.rescale(Math.sqrt(units.scale));
  await scheduler.yieldNow();
  itemEmbedding.rescale(Math.sqrt(units.scale));
  userBias?.rescale(units.scale);
  itemBias?.rescale(units.scale);
  await scheduler.yieldNow();
  return serve(model, data, seen, { ...units, shift: 0, scale: 1, folded: units.scale }, scheduler);
}

/** The trained state as it is now. Tables that are products are multiplied out. */
async function serve(
  model: Factorization,
  data: Interactions,
  seen: InteractionHistory,
  units: RatingScale,
  scheduler: Scheduler,
): Promise<FittedFactorization> {
  const { userEmbedding, itemEmbedding } = model;
  const tables = tablesOf(model, await collapse(userEmbedding, scheduler), await collapse(itemEmbedding, scheduler));
  const { users, items } = data;
  return { model, users, items, seen, units, tables, served: new ServedTables(tables, units, seen) };
}

/** A table's product, worked out in parts; its own memory where it is plain. */
export async function collapse(parameter: Parameter, scheduler: Scheduler): Promise<Real> {
  if (parameter.factors.length === 1) return parameter.values;
  const { rows, dim } = parameter;
  const product = new Float32Array(rows * dim);
  await forEachChunk(rows, scheduler, (from, to) => product.set(parameter.collapse(from, to), from * dim));
  return product;
}

/**
 * The name of the table of a factorization with which a score, or the length of a vector, might overflow; undefined where
 * none can: |mu| + max |b_u| + max |b_i| + rank max |p| max |q| and rank max |p|^2 are at most MOST.
 */
async function tooLarge({ rank, globalMean, ...tables }: Tables, scheduler: Scheduler): Promise<string | undefined> {
  const { userEmbedding, itemEmbedding, userBias, itemBias } = tables;
  const user = await largestOf(userEmbedding, scheduler);
  const item = await largestOf(itemEmbedding, scheduler);
  const users = await largestOf(userBias, scheduler);
  const items = await largestOf(itemBias, scheduler);
  if (Math.abs(globalMean) + users + items + rank * Math.max(user, item) ** 2 <= MOST) return undefined;
  if (Math.max(user, item) ** 2 * rank >= users + items) return user >= item ? 'userEmbedding' : 'itemEmbedding';
  return users >= items ? 'userBias' : 'itemBias';
}
