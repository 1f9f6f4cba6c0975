// Users who have every item: there is nothing to draw that they do not have, so that a training with negatives learns
// nothing of them. They are passed over, and counted.

import { DataError } from '../../core/errors';
import { forEachChunk, type Scheduler } from '../../core/scheduler';
import type { RatingData } from '../../models/model';

/** What is trained on, and how many users were left out of it. */
export interface PassedOver {
  readonly data: RatingData;
  readonly users: number;
}

/**
 * The data without the rows of users who have every item that occurs; the data themselves where there are none. Counts stay
 * those of all rows. Cost: O(users), and O(rows) where somebody has as many rows as there are items.
 * @throws DataError where every user has every item
 */
export async function passOver(data: RatingData, scheduler: Scheduler): Promise<PassedOver> {
  const { users: userCounts, items: itemCounts } = data.counts!;
  const items = itemCounts.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
  // An item may occur twice: who has as many rows as there are items need not have all.
  const isSuspect = Uint8Array.from(userCounts, (count) => (count >= items ? 1 : 0));
  if (!isSuspect.includes(1)) return { data, users: 0 };
  const lists = new Map<number, Set<number>>();
  await forEachChunk(data.size, scheduler, (from, to) => {
    for (let k = from; k < to; k++) {
      const user = data.users[k]!;
      if (isSuspect[user] === 0) continue;
      const list = lists.get(user);
      if (list === undefined) lists.set(user, new Set([data.items[k]!]));
      else list.add(data.items[k]!);
    }
  });
  const hasAll = Uint8Array.from(userCounts, (_, user) => (lists.get(user)?.size === items ? 1 : 0));
  const users = hasAll.reduce((sum, one) => sum + one, 0);
  if (users === 0) return { data, users };
  const rows = Int32Array.from(data.users.subarray(0, data.size).keys()).filter((k) => hasAll[data.users[k]!] === 0);
  if (rows.length === 0) {
    throw new DataError(
      `data: every user has every one of the ${items} items, so that there is no negative to draw and no order to learn; want users who do not have all, or a recommender of ratings`,
    );
  }
  const { targets, weights } = data;
  return {
    users,
    data: {
      ...data,
      size: rows.length,
      users: Int32Array.from(rows, (k) => data.users[k]!),
      items: Int32Array.from(rows, (k) => data.items[k]!),
      targets: Float32Array.from(rows, (k) => targets[k]!),
      weights: weights === null ? null : Float32Array.from(rows, (k) => weights[k]!),
    },
  };
}
