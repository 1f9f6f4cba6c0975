// Who has what, from both sides and each pair once: what item-based recommenders learn from.

import type { Scheduler } from '../../core/scheduler';
import { transpose } from '../../data/csr';
import type { Interactions } from '../../data/interactions';
import { countRows, InteractionHistory } from '../../serving/interaction-history';

/** The items of users, and the users of items. */
export interface Histories {
  /** Its lists have each item once; its counts are of all interactions. */
  readonly seen: InteractionHistory;
  /** The users of item i are itemUsers[itemOffsets[i]] .. itemUsers[itemOffsets[i + 1] - 1]. */
  readonly itemOffsets: Int32Array;
  readonly itemUsers: Int32Array;
}

/** The histories of some interactions. Cost: O(interactions). */
export async function historiesOf(data: Interactions, scheduler: Scheduler): Promise<Histories> {
  const seen = await once(await InteractionHistory.of(data, await countRows(data, scheduler), scheduler), scheduler);
  const { starts, rows } = await transpose(seen.offsets, seen.items, seen.itemCounts.length, scheduler);
  return { seen, itemOffsets: starts, itemUsers: rows };
}

/** Drops the repeats within each user's items: data may keep several interactions of one pair. Their values say nothing here. */
async function once(
  { offsets, items, userCounts, itemCounts }: InteractionHistory,
  scheduler: Scheduler,
): Promise<InteractionHistory> {
  const lastUser = new Int32Array(itemCounts.length).fill(-1);
  const kept = new Int32Array(items.length);
  const keptOffsets = new Int32Array(offsets.length);
  let size = 0;
  for (let user = 0; user < userCounts.length; user++) {
    for (let k = offsets[user]!; k < offsets[user + 1]!; k++) {
      const item = items[k]!;
      if (lastUser[item] === user) continue;
      lastUser[item] = user;
      kept[size++] = item;
    }
    keptOffsets[user + 1] = size;
    if (scheduler.isDue(offsets[user + 1]! - offsets[user]!)) await scheduler.yieldNow();
  }
  return new InteractionHistory(keptOffsets, kept.slice(0, size), userCounts, itemCounts, null);
}
