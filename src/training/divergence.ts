// Where training leaves the finite numbers: which parameter, at which rate, and whose fault it is.

import { DivergenceError } from '../core/errors';
import { forEachChunk, type Scheduler } from '../core/scheduler';
import type { Real } from '../optimizers/factor';
import type { Parameter } from '../parameters/parameter';

/** The learning rates of a training, as reports have them. */
export interface Rates {
  readonly progress: number;
  at(progress: number): number;
}

/** What a training was on, as far as it can be at fault. */
export interface Suspects {
  readonly weights?: ArrayLike<number> | null | undefined;
  /** As training sees them; null where it does not look at values. */
  readonly targets: Real | null;
}

/** An epoch as it has left things. */
interface Outcome {
  readonly loss: number;
  readonly parameters: readonly Parameter[];
  readonly epoch: number;
  /** Where it started. */
  readonly progress: number;
  readonly rates: Rates | undefined;
  readonly suspects: Suspects;
}

/** Checks the loss and the parameters for NaN and Infinity after an epoch. @throws DivergenceError */
export async function checkFinite(outcome: Outcome, scheduler: Scheduler): Promise<void> {
  const { loss, parameters, epoch, progress, rates, suspects } = outcome;
  let name: string | undefined;
  for (const parameter of parameters) {
    if (await areFinite(parameter, scheduler)) continue;
    name = parameter.name;
    break;
  }
  if (Number.isFinite(loss) && name === undefined) return;
  name ??= await nameOfLargest(parameters, scheduler);
  // The epoch's rate, which is 0 where a warm-up starts; where it ends it may have decayed to nothing.
  const rate = rates === undefined ? 0 : Math.max(rates.at(progress), rates.at(rates.progress));
  throw explained(new DivergenceError(epoch, name, rate), suspects);
}

/** Whether every value of every factor is finite. */
async function areFinite({ factors }: Parameter, scheduler: Scheduler): Promise<boolean> {
  let sum = 0;
  for (const { data } of factors) {
    await forEachChunk(data.length, scheduler, (from, to) => {
      sum += sumOfZeros(data, from, to);
    });
  }
  return sum === 0;
}

/** The sum of x 0, which is 0 for what is finite and else NaN. Four sums do not wait for each other. */
function sumOfZeros(data: Real, from: number, to: number): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  let i = from;
  for (; i + 3 < to; i += 4) {
    a += data[i]! * 0;
    b += data[i + 1]! * 0;
    c += data[i + 2]! * 0;
    d += data[i + 3]! * 0;
  }
  for (; i < to; i++) a += data[i]! * 0;
  return a + b + c + d;
}

/** The name of the parameter with the largest value in size: where a loss overflows before its parameters do. */
async function nameOfLargest(parameters: readonly Parameter[], scheduler: Scheduler): Promise<string> {
  let [name, most] = ['', -1];
  for (const parameter of parameters) {
    let size = 0;
    for (const { data } of parameter.factors) size = Math.max(size, await largestOf(data, scheduler));
    if (size > most) [name, most] = [parameter.name, size];
  }
  return name;
}

/** The largest size of a table's values; Infinity where one is no number. */
export async function largestOf(table: ArrayLike<number>, scheduler: Scheduler): Promise<number> {
  let most = 0;
  await forEachChunk(table.length, scheduler, (from, to) => {
    let own = most;
    for (let at = from; at < to; at++) {
      const size = Math.abs(table[at]!);
      if (!(size <= own)) own = Number.isNaN(size) ? Infinity : size;
    }
    most = own;
  });
  return most;
}

/** Weights from so many times their mean on, and values from so far on, are at fault themselves. */
const STANDS_OUT = 10;

/** Why a trained state is refused that training itself has left finite. */
export const UNSERVABLE = 'left numbers with which scores are beyond float32';

/** The same error with what was at fault. */
export function explained(error: DivergenceError, { weights, targets }: Suspects, what?: string): DivergenceError {
  const { epoch, parameter, learningRate } = error;
  const details = what === undefined ? {} : { what };
  const weight = weights ? spreadOf(weights) : 1;
  if (weight >= STANDS_OUT)
    return new DivergenceError(epoch, parameter, learningRate, { reason: 'weights', extent: weight, ...details });
  let value = 0;
  for (const target of targets ?? []) value = Math.max(value, Math.abs(target));
  if (value >= STANDS_OUT)
    return new DivergenceError(epoch, parameter, learningRate, { reason: 'values', extent: value, ...details });
  return new DivergenceError(epoch, parameter, learningRate, details);
}

/** How many times the mean of those above 0 the largest is. */
function spreadOf(weights: ArrayLike<number>): number {
  let [sum, count, most] = [0, 0, 0];
  for (let k = 0; k < weights.length; k++) {
    const weight = weights[k]!;
    if (!(weight > 0)) continue;
    sum += weight;
    count++;
    most = Math.max(most, weight);
  }
  return count > 0 ? most / (sum / count) : 1;
}
