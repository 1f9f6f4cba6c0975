// THE SEAM of training that is not gradient descent: epochs that set rows to what solves an equation, with no rate, no
// batch and no update rule.

import type { Scheduler } from '../core/scheduler';

/** Trains by passes. */
export interface Solver {
  /** One pass (from 1), giving way to other tasks now and then. Resolves to the mean loss of a rating at its end. */
  epoch(epoch: number, scheduler: Scheduler): Promise<number>;
}
