// From interactions to a trained neural model: the wiring of negatives, loss, penalties and trainer.

import { Stream } from '../../core/random';
import type { Scheduler } from '../../core/scheduler';
import type { Interactions } from '../../data/interactions';
import type { NeuralCFModel } from '../../models/neural-cf';
import type { Optimizer } from '../../optimizers/optimizer';
import { Penalty } from '../../parameters/penalty';
import { countRows, type InteractionHistory } from '../../serving/interaction-history';
import type { History } from '../../training/fit';
import { lossNamed } from '../../training/losses';
import { passOver } from '../../training/negatives';
import { WHOLE } from '../../training/per-rating/block-schedule';
import { RatingBatcher } from '../../training/rating-batches';
import { type StepTask, startTraining } from '../../training/start-training';
import { inCopies, weigh } from '../../training/weights';
import { fitInteractions } from '../fit-interactions';
import type { FilledFitOptions } from '../fit-options';
import type { FittedNeural } from './fitted-neural';
import { NeuralState } from './neural-answers';
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
export async function fitNeural(given: NeuralTask): Promise<History> {
  const { options, rule, fitOptions, model, scheduler, install, isServing } = given;
  const { data } = await weigh(given.data, scheduler);
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
  const task: StepTask = {
    model,
    loss: lossNamed(loss, data.items.size),
    optimizer: rule,
    penalties: penaltiesOf(model, options),
    data: ratings,
    options: {
      epochs,
      batchSize,
      shuffle,
      stream,
      kernels,
      negatives,
      // All items in every batch: layers and their bias would follow the tile at hand, where negatives are of all items.
      batches: (data, order) => new RatingBatcher(data, model, { ...order, blocks: WHOLE }),
    },
  };
  await scheduler.yieldNow();
  const stateOf = async (seen: InteractionHistory, scheduler: Scheduler): Promise<FittedNeural> => {
    const scorer = await NeuralScorer.of(await neuralTablesOf(model, scheduler), activation, scheduler);
    return { model, users: data.users, items: data.items, seen, scorer };
  };
  return fitInteractions({
    name: 'neural-cf',
    data,
    options,
    fitOptions,
    counts,
    parameters: model.parameters,
    start: (scheduler) => startTraining(task, scheduler),
    slots: rule.slots,
    usersPassedOver,
    snapshotForEvaluation: async (seen, scheduler) => {
      const fitted = await stateOf(seen, scheduler);
      const answers = new NeuralState(fitted, options);
      return {
        predictor: (pairs, out) => answers.predictor(pairs, out),
        best: (users, request) => answers.best(users, request),
        scoreCost: fitted.scorer.cost,
      };
    },
    async finish(seen, scheduler, unservable) {
      const fitted = await stateOf(seen, scheduler);
      const name = await fitted.scorer.tooLarge(scheduler);
      if (name !== undefined) throw unservable(name);
      return fitted;
    },
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
