// The items with the most interactions: for users of whom nothing is known.

import { type Ranked, Ranking } from '../serving/ranked';
import type { Seen } from '../serving/seen';
import type { IsAllowed } from './marks';

/** The n most popular of the allowed items, with their counts; ties: the smaller index first. Cost: O(items). */
export function popularItems({ itemCounts }: Seen, isAllowed: IsAllowed, n: number): Ranked[] {
  const ranking = new Ranking(Math.min(n, itemCounts.length));
  for (let item = 0; item < itemCounts.length; item++) {
    if (isAllowed(item)) ranking.offer(item, itemCounts[item]!);
  }
  return ranking.list();
}
