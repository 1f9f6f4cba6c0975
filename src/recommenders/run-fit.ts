// The run of a fit, whatever trains: epochs with validation and checkpoints, and what is installed at its end or after an
// abort.

import { DivergenceError } from '../core/errors';
import type { Scheduler } from '../core/scheduler';
import { TaskScheduler } from '../core/scheduler';
import type { Interactions } from '../interactions/interactions';
import type { Real } from '../optimizers/factor';
import type { SlotSpec } from '../optimizers/optimizer';
import type { Parameter } from '../parameters/parameter';
import { type RowCounts, Seen } from '../serving/seen';
import type { EpochRecord, History } from '../training/history';
import { type Training, train } from '../training/train';
import { checkpointPlan } from './checkpoints';
import { dataText } from './fingerprint';
import type { FilledFitOptions } from './fit-options';
import { explained, type Suspects, UNSERVABLE } from './too-large';
import { type Judged, Validation } from './validation';

/** A training that is set up; `Fitted` is the trained state. */
export interface FitRun<Fitted> {
  /** The kind of the recommender. */
  readonly name: string;
  /** Its weights, where it has some, are relative: of mean 1. */
  readonly data: Interactions;
  readonly options: { readonly epochs: number };
  readonly fitOptions: FilledFitOptions;
  readonly counts: RowCounts;
  readonly training: Training;
  readonly parameters: readonly Parameter[];
  /** What the update rule keeps of each factor. */
  readonly slots: readonly SlotSpec[];
  /** What a root mean squared error of training is multiplied by to be one of ratings; absent where the loss is not squared. */
  readonly rmseScale: number | undefined;
  /** How many users have every item, where negatives are drawn. */
  readonly usersPassedOver?: number | undefined;
  /** The trained state as it is now, for what is measured. */
  judge(seen: Seen, scheduler: Scheduler): Promise<Judged>;
  /** The trained state at the end, when nothing trains on. */
  finish(seen: Seen, scheduler: Scheduler): Promise<Fitted>;
  /** The name of a parameter with which answers would not be finite; undefined where all are. */
  tooLarge(fitted: Fitted, scheduler: Scheduler): Promise<string | undefined>;
  /** What training learns of the ratings; null where it does not look at values. */
  readonly targets: Real | null;
  /** Called once with the trained state; after an abort or an error see `installWhole`. */
  install(fitted: Fitted): void;
  /** Whether the recommender has a trained state already. */
  readonly isServing: boolean;
  /** Gives way to other tasks between the passes over the data. */
  readonly scheduler: Scheduler;
}

/** Trains and installs the result. */
export async function runFit<Fitted>(run: FitRun<Fitted>): Promise<History> {
  const {
    name,
    data,
    options,
    fitOptions,
    counts,
    training,
    parameters,
    slots,
    rmseScale,
    usersPassedOver,
    isServing,
    scheduler,
  } = run;
  const { validation, onEpoch, earlyStopping, signal } = fitOptions;
  const { users, items } = data;
  const suspects = { targets: run.targets, weights: data.weights };
  let last: EpochRecord | undefined;
  return installWhole({
    signal,
    suspects,
    isServing,
    scheduler,
    async train(tell) {
      const known = { users, items, counts, history: () => Seen.of(data, counts, scheduler) };
      const validated = validation && (await Validation.of(validation, fitOptions, known, scheduler));
      const kept = await checkpointPlan(
        {
          recommender: name,
          options,
          data: () => dataText(data, scheduler),
          validation: validation && (() => dataText(validation, scheduler)),
          parameters,
          slotsOf: () => slots,
          resume: (state) => training.resume(state),
          readState: (scheduler) => training.readState(scheduler),
        },
        fitOptions,
        scheduler,
      );
      if (kept.resume !== undefined) tell(kept.resume.epochs.length, true);
      return train({ parameters }, training, {
        ...kept,
        epochs: options.epochs,
        ratings: data.size,
        usersPassedOver,
        rmseOf: rmseScale === undefined ? undefined : (mean) => rmseScale * Math.sqrt(2 * mean),
        cold: validated?.cold,
        validate: validated && (async () => validated.measure(await run.judge(validated.seen, scheduler), scheduler)),
        earlyStopping,
        onEpoch: (record) => {
          tell(1);
          last = record;
          return onEpoch?.(record);
        },
        signal,
        keepsWholeEpochs: !isServing,
        scheduler,
      });
    },
    // The ratings of the trainer are given back before the history is laid out.
    async finish(scheduler) {
      training.dispose();
      await scheduler.yieldNow();
      const fitted = await run.finish(await Seen.of(data, counts, scheduler), scheduler);
      const name = await run.tooLarge(fitted, scheduler);
      if (name === undefined) return fitted;
      const { epoch = options.epochs, learningRate = 0 } = last ?? {};
      throw explained(new DivergenceError(epoch, name, learningRate), suspects, UNSERVABLE);
    },
    install: (fitted) => run.install(fitted),
  }).finally(() => training.dispose());
}

/** A training whose result is to be installed; `Fitted` is the trained state. */
export interface Installation<Fitted> {
  readonly signal: AbortSignal | undefined;
  /** What may be at fault where training diverges. */
  readonly suspects: Suspects;
  /** Whether the recommender has a trained state already, which an abort or an error is to leave. */
  readonly isServing: boolean;
  readonly scheduler: Scheduler;
  /** Trains, and tells of the whole epochs that it leaves in the model, its own and those of a checkpoint. */
  train(tell: (epochs: number, areResumed?: boolean) => void): Promise<History>;
  /** The trained state, when nothing trains on. Called once at most: it may change the model. */
  finish(scheduler: Scheduler): Promise<Fitted>;
  install(fitted: Fitted): void;
}

/**
 * Trains and installs the result. After an abort or an error a recommender that serves goes on serving what it did; one
 * that does not is given the last whole epoch, which is as good as a fit of fewer epochs.
 */
export async function installWhole<Fitted>(plan: Installation<Fitted>): Promise<History> {
  const { signal, isServing, scheduler } = plan;
  let wholeEpochs = 0;
  let isResumed = false;
  let isFinishing = false;
  /** Heeds no abort: what it installs is installed after an abort too. */
  const complete = async () => {
    isFinishing = true;
    plan.install(await plan.finish(new TaskScheduler(undefined)));
  };
  try {
    const history = await plan.train((epochs, areResumed = false) => {
      wholeEpochs += epochs;
      isResumed ||= areResumed;
    });
    if (!isServing) await complete();
    else {
      const fitted = await plan.finish(scheduler);
      signal?.throwIfAborted();
      plan.install(fitted);
    }
    signal?.throwIfAborted();
    return history;
  } catch (error) {
    // What made a training diverge may have been the checkpoint.
    const isSuspect = isResumed && error instanceof DivergenceError;
    // An epoch that cannot be served, as its numbers are too large, is no epoch to be kept.
    if (wholeEpochs > 0 && !isServing && !isFinishing && !isSuspect) await complete().catch(() => undefined);
    // Training knows its rates alone.
    throw error instanceof DivergenceError && !isFinishing ? explained(error, plan.suspects) : error;
  }
}
