// What a training that left the finite numbers is told to be.

import { DivergenceError } from '../core/errors';
import type { Scheduler } from '../core/scheduler';
import type { Parameter } from '../parameters/parameter';
import { firstBroken, largestOf } from './first-broken';

/** Rates of a training, as reports have them. */
export interface Rates {
  readonly progress: number;
  at(progress: number): number;
}

/** Throws where the loss or a parameter is not finite after an epoch that started at a progress. */
export async function checkFinite(
  loss: number,
  parameters: readonly Parameter[],
  epoch: number,
  start: number,
  rates: Rates,
  scheduler: Scheduler,
): Promise<void> {
  const broken = await firstBroken(parameters, scheduler);
  if (Number.isFinite(loss) && broken === undefined) return;
  const name = broken ?? (await largestOf(parameters, scheduler));
  // The epoch's rate, which is 0 where a warm-up starts; where it ends it may have decayed to nothing.
  throw new DivergenceError(epoch, name, Math.max(rates.at(start), rates.at(rates.progress)));
}
