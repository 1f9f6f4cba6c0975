// Rows in the order of their users, by counting sort; a share of the users at a time, because a sort of all rows at
// once would hold as much as a column.

import { type Pausable, pausable } from '../core/scheduler';

/** Where the rows of each user end, from how many there are: entry u + 1 is the end of user u. Changes `counts`. */
export function endsOf(counts: Int32Array): Int32Array {
  for (let user = 1; user < counts.length; user++) counts[user]! += counts[user - 1]!;
  return counts;
}

/** Rows far apart in memory take longer than rows in order. */
const ROWS_A_STEP = 1 << 16;

/** Consecutive users whose rows have been brought together. */
export interface Share {
  readonly from: number;
  readonly to: number;
  /** User u of the share has the places ends[u] - start to ends[u + 1] - start. */
  readonly start: number;
}

/**
 * Calls `use` with users, one share after the other, `sorted` holding what `entries` says of their rows (null: their numbers).
 * A user has the rows that `ends` leaves room for: all or, where they are the same, none.
 */
export function* shareByShare(
  userIndex: Int32Array,
  ends: Int32Array,
  entries: Int32Array | null,
  sorted: Int32Array | Uint16Array,
  use: (share: Share) => void,
): Pausable<void> {
  const users = ends.length - 1;
  const next = new Int32Array(users);
  for (let from = 0, to = 0; from < users; from = to) {
    const start = ends[from]!;
    do to++;
    while (to < users && ends[to + 1]! - start <= sorted.length);
    for (let user = from; user < to; user++)
      next[user] = ends[user + 1] === ends[user] ? NOT_WANTED : ends[user]! - start;
    yield;
    const [first, count] = [from, to - from];
    yield* pausable(userIndex.length, (a, b) => place(userIndex, first, count, next, entries, sorted, a, b));
    for (let user = from; user < to; ) {
      const first = user;
      do user++;
      while (user < to && ends[user + 1]! - ends[first]! <= ROWS_A_STEP);
      use({ from: first, to: user, start });
      yield;
    }
  }
}

const NOT_WANTED = -1;

/** Puts the entries of the rows [a, b) that are of the users from `first` on at their users' next places. */
function place(
  userIndex: Int32Array,
  first: number,
  count: number,
  next: Int32Array,
  entries: Int32Array | null,
  sorted: Int32Array | Uint16Array,
  a: number,
  b: number,
): void {
  for (let row = a; row < b; row++) {
    const user = userIndex[row]!;
    if ((user - first) >>> 0 >= count) continue;
    const at = next[user]!;
    if (at === NOT_WANTED) continue;
    sorted[at] = entries === null ? row : entries[row]!;
    next[user] = at + 1;
  }
}
