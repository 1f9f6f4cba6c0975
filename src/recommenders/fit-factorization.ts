// From interactions to a trained state: the wiring of data, units, loss, penalties, trainer and validation.

import { Stream } from '../core/random';
import type { Turns } from '../core/turns';
import type { Interactions } from '../interactions/interactions';
import type { Factorization } from '../models/factorization';
import type { RatingData } from '../models/model';
import type { Optimizer } from '../optimizers/optimizer';
import { Penalty } from '../parameters/penalty';
import { Breather } from '../training/breather';
import { threadsOf } from '../training/engine-options';
import { bpr, softmax, warp } from '../training/group-losses';
import type { History } from '../training/history';
import type { Link } from '../training/link';
import type { Loss } from '../training/loss';
import { LOSSES } from '../training/losses';
import { type FitPlan, train } from '../training/train';
import { Trainer } from '../training/trainer';
import { checkpointPlan } from './checkpoints';
import type { FilledOptions } from './factorization-options';
import type { FilledFitOptions } from './fit-options';
import { type Fitted, finish, serve } from './fitted';
import { countRows, type RowCounts, Seen } from './seen';
import { chooseUnits, linkOf, toTargets } from './units';
import { Validation } from './validation';

/** What a fit is made of. */
export interface FitTask {
  /** The kind of the recommender. */
  readonly name: string;
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
  name,
  data,
  options,
  rule,
  fitOptions,
  model,
  breather,
  install,
}: FitTask): Promise<History> {
  const units = await chooseUnits(data, options, breather);
  const link = linkOf(units);
  const counts = await countRows(data, breather);
  const ratings: RatingData = {
    size: data.size,
    users: data.userIndex,
    items: data.itemIndex,
    targets: await toTargets(data.values, units, breather),
    weights: data.weights ?? null,
    counts,
  };
  model.globalMean = units.start;
  const loss = lossOf(options.loss, link, data.items.size);
  const stream = Stream.of(options.seed).fork('order');
  const { epochs, batchSize, shuffle, grouping, kernels, negatives } = options;
  const threads = threadsOf(options.threads, data.size);
  const shrinkage = penalties(model, options, counts);
  await breather.breathe();
  const trainer = new Trainer(model, loss, rule, shrinkage, ratings, {
    epochs,
    batchSize,
    shuffle,
    stream,
    grouping,
    kernels,
    threads,
    negatives: negatives === false ? undefined : negatives,
  });
  await breather.breathe();
  const { validation, metrics, onEpoch, earlyStopping, signal } = fitOptions;
  const weight = meanWeight(data);
  const { users, items } = data;
  const known = { users, items, counts, history: () => Seen.of(data, counts, breather) };
  const validated = validation && (await Validation.of(validation, metrics, known, options, breather));
  const kept = await checkpointPlan(
    {
      recommender: name,
      options,
      data,
      parameters: model.parameters,
      slots: rule.slots,
      resume: (state) => trainer.resume(state),
      readState: (turns) => trainer.readState(turns),
    },
    fitOptions,
    breather,
  );
  let wholeEpochs = kept.resume?.epochs.length ?? 0;
  const plan: FitPlan = {
    ...kept,
    epochs,
    ratings: data.size,
    rmseOf: options.loss === 'squared' ? (mean) => units.scale * Math.sqrt((2 * mean) / weight) : undefined,
    validate:
      validated && (async () => validated.measure(await serve(model, data, validated.seen, units, breather), breather)),
    earlyStopping,
    onEpoch: (record) => {
      wholeEpochs++;
      return onEpoch?.(record);
    },
    signal,
    turns: breather,
  };
  // The ratings of the trainer are given back before the history is laid out.
  const complete = async (turns: Turns) => {
    trainer.dispose();
    await turns.breathe();
    install(await finish(model, data, await Seen.of(data, counts, turns), units, turns));
  };
  try {
    const history = await train(model, trainer, plan);
    await complete(breather);
    return history;
  } catch (error) {
    // An abort leaves the last whole epoch in the model, which is as good a model as one of fewer epochs.
    if (signal?.aborted && wholeEpochs > 0) await complete(new Breather(undefined));
    throw error;
  } finally {
    trainer.dispose();
  }
}

function lossOf(name: FilledOptions['loss'], link: Link, items: number): Loss {
  if (name === 'warp') return warp(items);
  if (name === 'bpr') return bpr;
  if (name === 'softmax') return softmax;
  // The logistic loss is one of scores already: its sigmoid is part of it.
  return name === 'logistic' ? LOSSES.logistic : link.compose(LOSSES[name]);
}

function penalties(model: Factorization, { regularization }: FilledOptions, counts: RowCounts): Penalty[] {
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
  return penalties;
}

/** The mean loss is of weighted errors; a root mean squared error is not. */
export function meanWeight({ weights, size }: Interactions): number {
  if (weights === undefined) return 1;
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return sum > 0 ? sum / size : 1;
}
