// From interactions to a trained neural model: the wiring of negatives, loss, penalties and trainer.

import { Stream } from '../../core/random';
import type { Scheduler } from '../../core/scheduler';
import type { Interactions } from '../../interactions/interactions';
import type { NeuralCFModel } from '../../models/neural-cf';
import type { Optimizer } from '../../optimizers/optimizer';
import { Penalty } from '../../parameters/penalty';
import { countRows, type Seen } from '../../serving/seen';
import { inCopies } from '../../training/copies';
import { lossNamed } from '../../training/group-losses';
import type { History } from '../../training/history';
import { passOver } from '../../training/negatives/pass-over';
import { WHOLE } from '../../training/per-rating/block-schedule';
import { RatingBatcher } from '../../training/rating-batches';
import { Trainer } from '../../training/trainer';
import type { FilledFitOptions } from '../fit-options';
import { weigh } from '../relative-weights';
import { runFit } from '../run-fit';
import type { FittedNeural } from './fitted-neural';
import { NeuralAnswers } from './neural-answers';
import type { FilledNeuralOptions } from './neural-options';
import { NeuralScorer } from './neural-scorer';
import { neuralTablesOf } from './neural-tables';

/** What a fit is made of. */
export interface NeuralTask {
  readonly data: Interactions;
  readonly options: FilledNeuralOptions;
  readonly rule: Optimizer;
  readonly fitOptions: FilledFitOptions;
  readonly model: NeuralCFModel;
  readonly scheduler: Scheduler;
  readonly install: (fitted: FittedNeural) => void;
  /** Whether the recommender has a trained state already. */
  readonly isServing: boolean;
}

/** Trains the model and installs the result. */
export async function fitNeural(task: NeuralTask): Promise<History> {
  const { options, rule, fitOptions, model, scheduler, install, isServing } = task;
  const { data } = await weigh(task.data, scheduler);
  const counts = await countRows(data, scheduler);
  const { epochs, batchSize, shuffle, kernels, negatives, seed, loss, activation } = options;
  const one = {
    size: data.size,
    users: data.userIndex,
    items: data.itemIndex,
    // What users have counts as 1, whatever its value: batches of candidates say so.
    targets: data.values,
    weights: data.weights ?? null,
    counts,
  };
  const { data: passed, users: usersPassedOver } = await passOver(one, scheduler);
  const ratings = await inCopies(passed, batchSize, scheduler);
  const stream = Stream.of(seed).fork('order');
  const penalties = penaltiesOf(model, options);
  const trainer = new Trainer(model, lossNamed(loss, data.items.size), rule, penalties, ratings, {
    epochs,
    batchSize,
    shuffle,
    stream,
    kernels,
    negatives,
    // All items in every batch: layers and their bias would follow the tile at hand, where negatives are of all items.
    batches: (data, order) => new RatingBatcher(data, model, { ...order, blocks: WHOLE }),
  });
  await scheduler.yieldNow();
  const stateOf = async (seen: Seen, scheduler: Scheduler): Promise<FittedNeural> => {
    const scorer = await NeuralScorer.of(await neuralTablesOf(model, scheduler), activation, scheduler);
    return { model, users: data.users, items: data.items, seen, scorer };
  };
  return runFit({
    name: 'neural-cf',
    data,
    options,
    fitOptions,
    counts,
    training: trainer,
    parameters: model.parameters,
    slots: rule.slots,
    usersPassedOver,
    rmseScale: undefined,
    judge: async (seen, scheduler) => {
      const fitted = await stateOf(seen, scheduler);
      const answers = new NeuralAnswers(fitted, options);
      return {
        predictor: (pairs, out) => answers.predictor(pairs, out),
        best: (users, request) => answers.best(users, request),
        scoreCost: fitted.scorer.cost,
      };
    },
    finish: stateOf,
    tooLarge: ({ scorer }, scheduler) => scorer.tooLarge(scheduler),
    targets: null,
    install,
    isServing,
    scheduler,
  });
}

function penaltiesOf(model: NeuralCFModel, { regularization }: FilledNeuralOptions): Penalty[] {
  const { users, items } = model.sides;
  const embeddings = [...users, ...items];
  const dense = model.parameters.filter(({ factors }) => factors[0]!.group === 'dense');
  return [
    ...embeddings.map((table) => new Penalty(table, regularization.embedding, null)),
    ...dense.map((weights) => new Penalty(weights, regularization.dense, null, true)),
  ];
}
