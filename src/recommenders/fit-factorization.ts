// From interactions to a trained state: the wiring of data, units, loss, penalties, trainer and validation.

import { Stream } from '../core/random';
import type { Scheduler, TaskScheduler } from '../core/scheduler';
import type { Interactions } from '../interactions/interactions';
import type { Factorization, FactorizationTables } from '../models/factorization';
import type { Batch, Model, RatingData } from '../models/model';
import type { Optimizer } from '../optimizers/optimizer';
import { Penalty } from '../parameters/penalty';
import { countRows, type RowCounts } from '../serving/seen';
import { inCopies } from '../training/copies';
import { threadsOf } from '../training/engine-options';
import { lossNamed } from '../training/group-losses';
import type { History } from '../training/history';
import type { Link } from '../training/link';
import type { Loss } from '../training/loss';
import { passOver } from '../training/negatives/pass-over';
import type { StepEngine } from '../training/step-engine';
import { Trainer, type TrainerOptions } from '../training/trainer';
import type { FilledOptions } from './factorization-options';
import type { FilledFitOptions } from './fit-options';
import { type Fitted, finish, serve } from './fitted';
import { weigh } from './relative-weights';
import { runFit } from './run-fit';
import { tooLarge } from './too-large';
import { chooseUnits, linkOf, toTargets, type Units } from './units';
import { judged } from './validation';

/** What the steps of a fit are made of. */
export interface StepParts {
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly penalties: readonly Penalty[];
  readonly data: RatingData;
  readonly options: TrainerOptions;
}

/** What a fit is made of. */
export interface FitTask {
  /** The kind of the recommender. */
  readonly name: string;
  readonly data: Interactions;
  readonly options: FilledOptions;
  readonly rule: Optimizer;
  readonly fitOptions: FilledFitOptions;
  readonly model: Model<Batch> & FactorizationTables & { globalMean: number };
  /** The factorization that has the model's scores of the data's users. */
  plainOf(scheduler: Scheduler): Factorization | Promise<Factorization>;
  /** Who makes the steps, where the model has a way of its own; null where its way is not for these. */
  readonly engineOf?: (parts: StepParts) => StepEngine | null;
  /** As TrainerOptions.batches. */
  readonly batches?: TrainerOptions['batches'];
  /** How ratings become targets, where the options do not say. */
  readonly unitsOf?: (units: Units) => Units;
  /** Gives way to other tasks between the passes over the data. */
  readonly scheduler: TaskScheduler;
  readonly install: (fitted: Fitted) => void;
  /** Whether the recommender has a trained state already. */
  readonly isServing: boolean;
}

/** Trains the model and installs the result. */
export async function fitFactorization({
  name,
  data: given,
  options,
  rule,
  fitOptions,
  model,
  plainOf,
  engineOf,
  batches,
  unitsOf = (units) => units,
  scheduler,
  install,
  isServing,
}: FitTask): Promise<History> {
  const { data, ...weighed } = await weigh(given, scheduler);
  const units = { ...unitsOf(await chooseUnits(data, options, scheduler)), ...weighed };
  const link = linkOf(units);
  const counts = await countRows(data, scheduler);
  const one: RatingData = {
    size: data.size,
    users: data.userIndex,
    items: data.itemIndex,
    targets: await toTargets(data.values, units, scheduler),
    weights: data.weights ?? null,
    counts,
  };
  const passed = options.negatives === false ? undefined : await passOver(one, scheduler);
  const ratings = await inCopies(passed?.data ?? one, options.batchSize, scheduler);
  model.globalMean = units.start;
  const loss = lossOf(options.loss, link, data.items.size);
  const stream = Stream.of(options.seed).fork('order');
  const { epochs, batchSize, shuffle, grouping, kernels, negatives } = options;
  const threads = threadsOf(options.threads, ratings.size);
  const shrinkage = penalties(model, options, counts);
  await scheduler.yieldNow();
  const steps: TrainerOptions = {
    epochs,
    batchSize,
    shuffle,
    stream,
    grouping,
    kernels,
    threads,
    negatives: negatives === false ? undefined : negatives,
    batches,
  };
  const engine = engineOf?.({ loss, optimizer: rule, penalties: shrinkage, data: ratings, options: steps }) ?? null;
  const trainer = new Trainer(model, loss, rule, shrinkage, ratings, { ...steps, engine });
  await scheduler.yieldNow();
  return runFit({
    name,
    data,
    options,
    fitOptions,
    counts,
    training: trainer,
    parameters: model.parameters,
    slots: rule.slots,
    usersPassedOver: passed?.users,
    rmseScale: options.loss === 'squared' ? units.scale : undefined,
    judge: async (seen, scheduler) =>
      judged(await serve(await plainOf(scheduler), data, seen, units, scheduler), options),
    finish: async (seen, scheduler) => finish(await plainOf(scheduler), data, seen, units, scheduler),
    tooLarge: ({ tables }, scheduler) => tooLarge(tables, scheduler),
    targets: negatives === false ? ratings.targets : null,
    install,
    isServing,
    scheduler: scheduler,
  });
}

function lossOf(name: FilledOptions['loss'], link: Link, items: number): Loss {
  const loss = lossNamed(name, items);
  // Of ratings, on their scale; the others are of scores already, the sigmoid of the logistic loss part of it.
  return name === 'squared' || name === 'absolute' || name === 'huber' ? link.compose(loss) : loss;
}

function penalties(model: FitTask['model'], { regularization }: FilledOptions, counts: RowCounts): Penalty[] {
  const byFrequency = regularization.scaling === 'frequency';
  const users = byFrequency ? counts.users : null;
  const items = byFrequency ? counts.items : null;
  const { userEmbedding, itemEmbedding, userBias, itemBias } = model;
  const penalties = [
    new Penalty(userEmbedding, regularization.embedding, users),
    new Penalty(itemEmbedding, regularization.embedding, items),
  ];
  if (userBias !== null) penalties.push(new Penalty(userBias, regularization.bias, users));
  if (itemBias !== null) penalties.push(new Penalty(itemBias, regularization.bias, items));
  // How often its items are rated says little of an embedding that whole sets share.
  const others = model.parameters.filter((one) => !penalties.some(({ parameter }) => parameter === one));
  for (const other of others) penalties.push(new Penalty(other, regularization.embedding, null));
  return penalties;
}
