// Where training left the finite numbers.

import { forEachChunk, type Scheduler } from '../core/scheduler';
import type { Real } from '../optimizers/factor';
import type { Parameter } from '../parameters/parameter';

/** The name of the first parameter with a value that is not finite; undefined where all are. */
export async function firstBroken(parameters: readonly Parameter[], scheduler: Scheduler): Promise<string | undefined> {
  for (const parameter of parameters) if (!(await areFinite(parameter, scheduler))) return parameter.name;
  return undefined;
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
export async function largestOf(parameters: readonly Parameter[], scheduler: Scheduler): Promise<string> {
  let name = '';
  let most = -1;
  for (const parameter of parameters) {
    const size = await largest(parameter, scheduler);
    if (size > most) {
      most = size;
      name = parameter.name;
    }
  }
  return name;
}

/** The largest size of a value of any factor; NaN where one is not a number. */
async function largest({ factors }: Parameter, scheduler: Scheduler): Promise<number> {
  let most = 0;
  for (const { data } of factors) {
    await forEachChunk(data.length, scheduler, (from, to) => {
      // NaN is not at most anything, and nothing is at most NaN: once found it stays.
      for (let i = from; i < to; i++) {
        const size = Math.abs(data[i]!);
        if (!(size <= most) && !Number.isNaN(most)) most = size;
      }
    });
  }
  return most;
}
