// Who has what, from both sides and each pair once: what item-based recommenders learn from.

import { UnsupportedError } from '../../core/errors';
import { now, type Scheduler, TaskScheduler } from '../../core/scheduler';
import { transpose } from '../../data/csr';
import type { Interactions } from '../../data/interactions';
import { countRows, InteractionHistory } from '../../serving/interaction-history';
import type { History } from '../../training/fit';
import { type FilledFitOptions, refuseCheckpoints } from '../fit-options';

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

// How much two items have in common: the sum of a weight over the users who have both, one item's row at a time.

/** Which others an item shares a user with, in no particular order, and their sums; valid until the next row. */
export interface SharedRow {
  /** Places 0 to size - 1 of `others`. */
  readonly size: number;
  readonly others: Int32Array;
  /** By item, the item itself among them; of items that are not in `others`: 0. */
  readonly sums: Float64Array;
}

/**
 * Tells of every item in turn. Cost: the sum over users of the square of how many items each has; memory: O(items).
 */
export async function eachSharedRow(
  { seen, itemOffsets, itemUsers }: Histories,
  weights: Float64Array,
  scheduler: Scheduler,
  tell: (item: number, row: SharedRow) => void,
): Promise<void> {
  const count = seen.itemCounts.length;
  const sums = new Float64Array(count);
  const isMet = new Uint8Array(count);
  const others = new Int32Array(count);
  for (let item = 0; item < count; item++) {
    let size = 0;
    for (let k = itemOffsets[item]!; k < itemOffsets[item + 1]!; k++) {
      const user = itemUsers[k]!;
      const weight = weights[user]!;
      const end = seen.offsets[user + 1]!;
      for (let place = seen.offsets[user]!; place < end; place++) {
        const other = seen.items[place]!;
        if (isMet[other] === 0) {
          isMet[other] = 1;
          others[size++] = other;
        }
        sums[other]! += weight;
      }
      if (scheduler.isDue((end - seen.offsets[user]!) >> 3)) await scheduler.yieldNow();
    }
    tell(item, { size, others, sums });
    for (let place = 0; place < size; place++) {
      sums[others[place]!] = 0;
      isMet[others[place]!] = 0;
    }
  }
}

// A fit that has no epochs: the recommenders whose state is counted or solved for. It takes the options of every fit, as
// far as they have a meaning.

/** Runs `work`, giving way to other tasks, and tells how long it took. The history has no epochs. `work` installs last. */
export async function fitOnce(
  owner: string,
  { validation, signal, ...kept }: FilledFitOptions,
  work: (scheduler: Scheduler) => Promise<void>,
): Promise<History> {
  refuseCheckpoints(`${owner}.fit`, kept);
  if (validation !== undefined) {
    throw new UnsupportedError(
      `${owner}.fit: validation has nothing to watch, for there are no epochs and scores are no ratings; leave it out and measure afterwards`,
    );
  }
  const started = now();
  await work(new TaskScheduler(signal));
  return { epochs: [], bestEpoch: 0, stopped: 'epochs', seconds: (now() - started) / 1000, setupSeconds: 0 };
}
