// Whether numbers of a trained state are so large that answers would not be finite.

import { DataError } from '../core/errors';
import type { Scheduler } from '../core/scheduler';
import { largestOf } from '../training/divergence';
import type { Tables } from './served-tables';

/** Sums of sizes up to here stay finite in float32, whatever their order. */
export const MOST = 1e38;

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
