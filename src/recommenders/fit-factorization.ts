// From interactions to a trained state: the wiring of data, units, loss, penalties, trainer and validation.

import { Stream } from '../core/random';
import type { Scheduler, TaskScheduler } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import type { Factorization, FactorizationTables } from '../models/factorization';
import type { Batch, Model, RatingData } from '../models/model';
import type { Optimizer } from '../optimizers/optimizer';
import { Penalty } from '../parameters/penalty';
import type { FittedFactorization } from '../serving/factorization-tables';
import { countRows, type RowCounts } from '../serving/interaction-history';
import { linkOf, type RatingScale } from '../serving/rating-scale';
import type { History, Training } from '../training/fit';
import type { Loss } from '../training/loss';
import type { Link } from '../training/losses';
import { lossNamed } from '../training/losses';
import { passOver } from '../training/negatives';
import { type StepOptions, type StepTask, startTraining } from '../training/start-training';
import { inCopies, weigh } from '../training/weights';
import type { FilledOptions } from './factorization-options';
import { fitInteractions } from './fit-interactions';
import type { FilledFitOptions } from './fit-options';
import { servingOf } from './fitted';
import { chooseUnits, toTargets } from './units';

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
  /** What trains, where the model has a way of its own; null where its way is not for these steps. */
  readonly trainingOf?: (task: StepTask) => Training | null;
  /** As StepOptions.batches. */
  readonly batches?: StepOptions['batches'];
  /** How ratings become targets, where the options do not say. */
  readonly unitsOf?: (units: RatingScale) => RatingScale;
  /** Gives way to other tasks between the passes over the data. */
  readonly scheduler: TaskScheduler;
  readonly install: (fitted: FittedFactorization) => void;
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
  trainingOf,
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
  const { epochs, batchSize, shuffle, grouping, kernels, threads, negatives } = options;
  const drawn = negatives === false ? undefined : negatives;
  const task: StepTask = {
    model,
    loss,
    optimizer: rule,
    penalties: penalties(model, options, counts),
    data: ratings,
    options: { epochs, batchSize, shuffle, stream, grouping, kernels, threads, negatives: drawn, batches },
  };
  await scheduler.yieldNow();
  return fitInteractions({
    name,
    data,
    options,
    fitOptions,
    counts,
    parameters: model.parameters,
    start: (scheduler) => trainingOf?.(task) ?? startTraining(task, scheduler),
    slots: rule.slots,
    usersPassedOver: passed?.users,
    rmseScale: options.loss === 'squared' ? units.scale : undefined,
    ...servingOf(plainOf, data, units, options),
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
