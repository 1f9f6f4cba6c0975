// A fit on interactions, whatever trains: its validation and checkpoints, wired to the loop.

import { forEachChunk, type Scheduler } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import { backendOf } from '../kernels/backend';
import { MOST } from '../kernels/kernels';
import type { Factorization } from '../models/factorization';
import type { Real } from '../optimizers/factor';
import type { SlotSpec } from '../optimizers/optimizer';
import type { Parameter } from '../parameters/parameter';
import type { FittedFactorization, RatingScale, Tables } from '../serving/factorization-tables';
import { FactorizationLists, ServedTables, tablesOf } from '../serving/factorization-tables';
import { InteractionHistory, type RowCounts } from '../serving/interaction-history';
import { type FitTask, fit, type History, largestOf } from '../training/fit';
import type { KernelChoice } from '../wasm/host';
import { checkpointing, dataText } from './checkpoint';
import type { FilledFitOptions } from './fit-options';
import { type Evaluable, Validation } from './validation';

/** Ratings that are not held, as far as a fit asks for them. */
export interface ElsewhereData extends Pick<Interactions, 'size' | 'users' | 'items'> {
  /** What tells them from others, for checkpoints. */
  readonly text: string;
  /** Who has what; of a training that keeps no history its counts. */
  history(scheduler: Scheduler): Promise<InteractionHistory>;
}

/** From data to a training, to what is evaluated of it, to its result. `State` is the trained state. */
export interface InteractionsFit<State>
  extends Pick<
    FitTask<State>,
    'parameters' | 'start' | 'rmseScale' | 'usersPassedOver' | 'isServing' | 'install' | 'scheduler'
  > {
  /** The kind of the recommender. */
  readonly name: string;
  /** Its weights, where it has some, are relative: of mean 1. */
  readonly data: Interactions | ElsewhereData;
  readonly counts: RowCounts;
  /** What training learns of the ratings; null where it does not look at values. */
  readonly targets: Real | null;
  readonly options: { readonly epochs: number };
  readonly fitOptions: FilledFitOptions;
  /** What the update rule keeps of each factor. */
  readonly slots: readonly SlotSpec[];
  /** The trained state as it is now, for what is measured. */
  snapshotForEvaluation(seen: InteractionHistory, scheduler: Scheduler): Promise<Evaluable>;
  /** The trained state at the end. @see FitTask.finish */
  finish(seen: InteractionHistory, scheduler: Scheduler, unservable: (parameter: string) => Error): Promise<State>;
}

/** Trains and installs the result. */
export async function fitInteractions<State>(given: InteractionsFit<State>): Promise<History> {
  const { name, data, counts, options, fitOptions, parameters, slots, scheduler } = given;
  const { validation, checkpoint, resume } = fitOptions;
  const { users, items } = data;
  const historyOf = (scheduler: Scheduler) =>
    'history' in data ? data.history(scheduler) : InteractionHistory.of(data, counts, scheduler);
  const known = { users, items, counts, history: () => historyOf(scheduler) };
  const validated = validation && (await Validation.of(validation, fitOptions, known, scheduler));
  const kept = {
    recommender: name,
    options,
    data: async () => ('history' in data ? data.text : dataText(data, scheduler)),
    validation: validation && (() => dataText(validation, scheduler)),
    parameters,
    slotsOf: () => slots,
  };
  return fit({
    ...given,
    ...(checkpoint === undefined && resume === undefined ? {} : await checkpointing(kept, fitOptions)),
    epochs: options.epochs,
    ratings: data.size,
    options: fitOptions,
    suspects: { targets: given.targets, weights: 'history' in data ? null : data.weights },
    validation: validated && {
      cold: validated.cold,
      measure: async () => validated.measure(await given.snapshotForEvaluation(validated.seen, scheduler), scheduler),
    },
    finish: async (scheduler, unservable) => given.finish(await historyOf(scheduler), scheduler, unservable),
  });
}

// A factorization that training has left: evaluated, served, and checked for numbers with which answers would overflow.

/** The options that answers of a factorization depend on. */
export interface AnswerOptions {
  readonly clip: boolean;
  readonly kernels: KernelChoice;
}

/** How tables in training are evaluated, and how they are served when nothing trains on. */
export function servingOf(
  /** The factorization that has the model's scores of the data's users. */
  plainOf: (scheduler: Scheduler) => Factorization | Promise<Factorization>,
  data: Pick<Interactions, 'users' | 'items'>,
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
  const serving = new FactorizationLists(tables, served, seen, backendOf(kernels));
  return {
    predictor: (data, out) => served.predictor(users, items, data, clip, out),
    best: (rows, request) => serving.best(rows, request),
    scoreCost: 1,
  };
}

/** Folds the units into the tables, where the link allows: the scores of the model are then ratings. */
async function finish(
  model: Factorization,
  data: Pick<Interactions, 'users' | 'items'>,
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
  data: Pick<Interactions, 'users' | 'items'>,
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
