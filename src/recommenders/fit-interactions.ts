// A fit on interactions, whatever trains: its validation and checkpoints, wired to the loop.

import type { Scheduler } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import type { Real } from '../optimizers/factor';
import type { SlotSpec } from '../optimizers/optimizer';
import { InteractionHistory, type RowCounts } from '../serving/interaction-history';
import { type FitTask, fit, type History } from '../training/fit';
import { checkpointing, dataText } from './checkpoint';
import type { FilledFitOptions } from './fit-options';
import { type Evaluable, Validation } from './validation';

/** From data to a training, to what is evaluated of it, to its result. `State` is the trained state. */
export interface InteractionsFit<State>
  extends Pick<
    FitTask<State>,
    'parameters' | 'start' | 'rmseScale' | 'usersPassedOver' | 'isServing' | 'install' | 'scheduler'
  > {
  /** The kind of the recommender. */
  readonly name: string;
  /** Its weights, where it has some, are relative: of mean 1. */
  readonly data: Interactions;
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
  const known = { users, items, counts, history: () => InteractionHistory.of(data, counts, scheduler) };
  const validated = validation && (await Validation.of(validation, fitOptions, known, scheduler));
  const kept = {
    recommender: name,
    options,
    data: () => dataText(data, scheduler),
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
    suspects: { targets: given.targets, weights: data.weights },
    validation: validated && {
      cold: validated.cold,
      measure: async () => validated.measure(await given.snapshotForEvaluation(validated.seen, scheduler), scheduler),
    },
    finish: async (scheduler, unservable) =>
      given.finish(await InteractionHistory.of(data, counts, scheduler), scheduler, unservable),
  });
}
