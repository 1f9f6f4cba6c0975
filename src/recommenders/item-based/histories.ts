// Who has what, from both sides and each pair once: what item-based recommenders learn from.

import { UnsupportedError } from '../../core/errors';
import { forEachChunk, now, type Scheduler, TaskScheduler } from '../../core/scheduler';
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

/** The histories of some interactions; of pairs that are there several times the first counts. Cost: O(interactions). */
export async function historiesOf(data: Interactions, scheduler: Scheduler): Promise<Histories> {
  const counts = await countRows(data, scheduler);
  const [users, items] = [counts.users.length, counts.items.length];
  const starts = new Int32Array(users + 1);
  for (let user = 0; user < users; user++) starts[user + 1] = starts[user]! + counts.users[user]!;
  const next = starts.slice();
  const kept = new Int32Array(data.size);
  const { userIndex, itemIndex } = data;
  await forEachChunk(data.size, scheduler, (from, to) => {
    for (let k = from; k < to; k++) kept[next[userIndex[k]!]!++] = itemIndex[k]!;
  });
  const lastUser = new Int32Array(items).fill(-1);
  const offsets = new Int32Array(users + 1);
  let size = 0;
  for (let user = 0; user < users; user++) {
    for (let k = starts[user]!; k < starts[user + 1]!; k++) {
      const item = kept[k]!;
      if (lastUser[item] === user) continue;
      lastUser[item] = user;
      kept[size++] = item;
    }
    offsets[user + 1] = size;
    if (scheduler.isDue(starts[user + 1]! - starts[user]!)) await scheduler.yieldNow();
  }
  const once = size === kept.length ? kept : kept.slice(0, size);
  const seen = new InteractionHistory(offsets, once, counts.users, counts.items, null);
  const byItem = await transpose(offsets, once, items, scheduler);
  return { seen, itemOffsets: byItem.starts, itemUsers: byItem.rows };
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
