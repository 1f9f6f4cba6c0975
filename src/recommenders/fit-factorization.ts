// From interactions to a trained state: the wiring of data, units, loss, penalties, trainer and validation.

import { Stream } from '../core/random';
import type { Interactions } from '../interactions/interactions';
import type { Vocabulary } from '../interactions/vocabulary';
import { ratingMetrics } from '../metrics/rating-metrics';
import type { Factorization } from '../models/factorization';
import type { RatingData } from '../models/model';
import type { Optimizer } from '../optimizers/optimizer';
import { Penalty } from '../parameters/penalty';
import type { Breather } from '../training/breather';
import { threadsOf } from '../training/engine-options';
import type { History, MetricName } from '../training/history';
import { LOSSES } from '../training/losses';
import { type FitPlan, train } from '../training/train';
import { Trainer } from '../training/trainer';
import type { FilledOptions } from './factorization-options';
import type { FilledFitOptions } from './fit-options';
import { Seen } from './seen';
import { ServedTables, type Tables, tablesOf } from './served-tables';
import { chooseUnits, linkOf, toTargets, type Units } from './units';

/** A trained factorization and all that answering questions needs. */
export interface Fitted {
  readonly model: Factorization;
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  readonly seen: Seen;
  readonly units: Units;
  readonly tables: Tables;
  readonly served: ServedTables;
}

/** What a fit is made of. */
export interface FitTask {
  readonly data: Interactions;
  readonly options: FilledOptions;
  readonly rule: Optimizer;
  readonly fitOptions: FilledFitOptions;
  readonly model: Factorization;
  /** Gives way to other tasks between the passes over the data. */
  readonly breather: Breather;
  /** Called once with the trained state; after an abort too, when a whole epoch was done. */
  readonly install: (fitted: Fitted) => void;
}

/** Trains the model and installs the result. */
export async function fitFactorization({
  data,
  options,
  rule,
  fitOptions,
  model,
  breather,
  install,
}: FitTask): Promise<History> {
  const units = chooseUnits(data, options);
  const link = linkOf(units);
  await breather.breathe();
  const seen = Seen.of(data);
  await breather.breathe();
  const ratings: RatingData = {
    size: data.size,
    users: data.userIndex,
    items: data.itemIndex,
    targets: toTargets(data.values, units),
    weights: data.weights ?? null,
  };
  model.globalMean = units.start;
  // The logistic loss is one of scores already: its sigmoid is part of it.
  const loss = options.loss === 'logistic' ? LOSSES.logistic : link.compose(LOSSES[options.loss]);
  const stream = Stream.of(options.seed).fork('order');
  const { epochs, batchSize, shuffle, grouping, kernels } = options;
  const threads = threadsOf(options.threads, data.size);
  const trainer = new Trainer(model, loss, rule, penalties(model, options, seen), ratings, {
    epochs,
    batchSize,
    shuffle,
    stream,
    grouping,
    kernels,
    threads,
  });
  const { validation, metrics, onEpoch, earlyStopping, signal } = fitOptions;
  const weight = meanWeight(data);
  let wholeEpochs = 0;
  const plan: FitPlan = {
    epochs,
    ratings: data.size,
    rmseOf: options.loss === 'squared' ? (mean) => units.scale * Math.sqrt((2 * mean) / weight) : undefined,
    validate:
      validation === undefined
        ? undefined
        : () => measure(serve(model, data, seen, units), validation, metrics, options.clip),
    earlyStopping,
    onEpoch: (record) => {
      wholeEpochs++;
      return onEpoch?.(record);
    },
    signal,
    turns: breather,
  };
  try {
    const history = await train(model, trainer, plan);
    install(finish(model, data, seen, units));
    return history;
  } catch (error) {
    // An abort leaves the last whole epoch in the model, which is as good a model as one of fewer epochs.
    if (signal?.aborted && wholeEpochs > 0) install(finish(model, data, seen, units));
    throw error;
  } finally {
    trainer.dispose();
  }
}

/** Folds the units into the tables, where the link allows: the scores of the model are then ratings. */
function finish(model: Factorization, data: Interactions, seen: Seen, units: Units): Fitted {
  if (units.link !== 'identity') return serve(model, data, seen, units);
  const { userEmbedding, itemEmbedding, userBias, itemBias } = model;
  model.globalMean = units.shift;
  userEmbedding.rescale(Math.sqrt(units.scale));
  itemEmbedding.rescale(Math.sqrt(units.scale));
  userBias?.rescale(units.scale);
  itemBias?.rescale(units.scale);
  return serve(model, data, seen, { ...units, shift: 0, scale: 1 });
}

/** The trained state as it is now. Tables that are products are multiplied out. */
function serve(model: Factorization, data: Interactions, seen: Seen, units: Units): Fitted {
  const tables = tablesOf(model);
  return {
    model,
    users: data.users,
    items: data.items,
    seen,
    units,
    tables,
    served: new ServedTables(tables, units, seen),
  };
}

function penalties(model: Factorization, { regularization }: FilledOptions, seen: Seen): Penalty[] {
  const byFrequency = regularization.scaling === 'frequency';
  const users = byFrequency ? seen.userCounts : null;
  const items = byFrequency ? seen.itemCounts : null;
  const { userEmbedding, itemEmbedding, userBias, itemBias } = model;
  const penalties = [
    new Penalty(userEmbedding, regularization.embedding, users),
    new Penalty(itemEmbedding, regularization.embedding, items),
  ];
  if (userBias !== null) penalties.push(new Penalty(userBias, regularization.bias, users));
  if (itemBias !== null) penalties.push(new Penalty(itemBias, regularization.bias, items));
  return penalties;
}

/** The mean loss is of weighted errors; a root mean squared error is not. */
function meanWeight({ weights, size }: Interactions): number {
  if (weights === undefined) return 1;
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return sum > 0 ? sum / size : 1;
}

function measure(fitted: Fitted, validation: Interactions, metrics: readonly MetricName[], clip: boolean) {
  const { served, users, items } = fitted;
  const predictions = served.predictAll(users, items, validation, clip);
  return Object.fromEntries(metrics.map((name) => [name, ratingMetrics[name](predictions, validation.values)]));
}
