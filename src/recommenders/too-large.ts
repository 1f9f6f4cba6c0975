// Whether numbers of a trained state are so large that answers would not be finite.

import type { Scheduler } from '../core/scheduler';
import { MOST } from '../kernels/rounding';
import type { Tables } from '../serving/factorization-tables';
import { largestOf } from '../training/divergence';

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
