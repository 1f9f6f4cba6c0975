// Whether numbers of a trained state are so large that answers would not be finite, and whose fault that is.

import { DataError, DivergenceError } from '../core/errors';
import { forEachChunk, type Scheduler } from '../core/scheduler';
import type { Real } from '../optimizers/factor';
import type { Tables } from './served-tables';

/** Sums of sizes up to here stay finite in float32, whatever their order. */
export const MOST = 1e38;

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

/**
 * The name of the table of a factorization with which a score, or the length of a vector, might overflow; undefined where
 * none can: |mu| + max |b_u| + max |b_i| + rank max |p| max |q| and rank max |p|^2 are at most MOST.
 */
export async function tooLarge(
  { rank, globalMean, ...tables }: Tables,
  scheduler: Scheduler,
): Promise<string | undefined> {
  const { userEmbedding, itemEmbedding, userBias, itemBias } = tables;
  const user = await largestOf(userEmbedding, scheduler);
  const item = await largestOf(itemEmbedding, scheduler);
  const users = await largestOf(userBias, scheduler);
  const items = await largestOf(itemBias, scheduler);
  if (Math.abs(globalMean) + users + items + rank * Math.max(user, item) ** 2 <= MOST) return undefined;
  if (Math.max(user, item) ** 2 * rank >= users + items) return user >= item ? 'userEmbedding' : 'itemEmbedding';
  return users >= items ? 'userBias' : 'itemBias';
}

/** A row that was fitted by itself. @throws DataError where scores with it might overflow */
export function checkRow(row: Float64Array, rank: number): void {
  for (let k = 0; k < row.length; k++) {
    const most = k < rank ? Math.sqrt(MOST / rank) : MOST / 10;
    if (Math.abs(row[k]!) <= most) continue;
    throw new DataError(
      'values or weights of a history lead to scores beyond float32; correct them, or scale all values and fit again',
    );
  }
}

/** What a training was on, as far as it can be at fault. */
export interface Suspects {
  readonly weights?: ArrayLike<number> | null | undefined;
  /** As training sees them; null where it does not look at values. */
  readonly targets: Real | null;
}

/** Weights from so many times their mean on, and values from so far on, are at fault themselves. */
const STANDS_OUT = 10;

/** The same error with what was at fault. */
export function explained(error: DivergenceError, { weights, targets }: Suspects, what?: string): DivergenceError {
  const { epoch, parameter, learningRate } = error;
  const told = what === undefined ? {} : { what };
  const weight = weights ? spreadOf(weights) : 1;
  if (weight >= STANDS_OUT)
    return new DivergenceError(epoch, parameter, learningRate, { reason: 'weights', extent: weight, ...told });
  let value = 0;
  for (const target of targets ?? []) value = Math.max(value, Math.abs(target));
  if (value >= STANDS_OUT)
    return new DivergenceError(epoch, parameter, learningRate, { reason: 'values', extent: value, ...told });
  return new DivergenceError(epoch, parameter, learningRate, told);
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

/** Why a trained state is refused that training itself has left finite. */
export const UNSERVABLE = 'left numbers with which scores are beyond float32';
