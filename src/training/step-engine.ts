// THE SEAM of the engines that train rating by rating, in WebAssembly or in plain JavaScript with the same bits.

import type { Scheduler } from '../core/scheduler';
import type { TrainerState } from './rule-state';

/** Trains epoch by epoch. After an epoch the model's factors are up to date. */
export interface StepEngine {
  /** Runs an epoch; returns the sum of the losses, each rating's before its own step. */
  epoch(epoch: number, scheduler: Scheduler): Promise<number>;
  /** What is carried from epoch to epoch beside the factors: a copy, between two epochs. */
  readState(scheduler: Scheduler): Promise<TrainerState>;
  /** Goes on with what another has carried, before the first epoch. The factors are those of then already. */
  writeState(state: TrainerState, scheduler: Scheduler): Promise<void>;
  /** Gives back memory and threads. */
  dispose(): void;
}
