// Finds rows of one user and item without a key per row: rows are brought into the order of their users, and a stamp per
// item tells whether the user had it before. Linear in rows + users + items. Beside the columns it holds 2 bytes a row
// where users' rows do not stand together, and nothing where they do.

import { type Pausable, pausable } from '../core/scheduler';
import type { Columns } from './row';
import { endsOf, type Share, shareByShare } from './user-order';

/** Told of each row whose pair came before; `earlier` is the nearest row of the pair. The rows of a pair come in order. */
export type OnRepeat = (row: number, earlier: number) => void;

/** Rows for which a sort in one go is small enough. */
const SMALL = 1 << 20;

/** Calls `onRepeat` for every row whose user and item an earlier row has. `small` is for tests. */
export function* findRepeats(
  columns: Columns,
  users: number,
  items: number,
  onRepeat: OnRepeat,
  small: number = SMALL,
): Pausable<void> {
  const { userIndex, itemIndex } = columns;
  const size = userIndex.length;
  const counts = new Int32Array(users + 1);
  let areTogether = true;
  yield* pausable(size, (from, to) => {
    areTogether = countRows(userIndex, counts, from, to) && areTogether;
  });
  const scan = new PairScan(items, onRepeat);
  // As in most files: then the rows are in order as they stand.
  if (areTogether) return yield* pausable(size, (from, to) => scan.runs(userIndex, itemIndex, from, to));

  let most = 0;
  for (let user = 1; user <= users; user++) most = Math.max(most, counts[user]!);
  const room = (bytes: number) => Math.min(size, Math.max(small, most, Math.ceil((size * 2) / bytes)));
  const ends = endsOf(counts);
  const sorted = items <= 2 ** 16 ? new Uint16Array(room(2)) : new Int32Array(room(4));
  const repeating: number[] = [];
  const stamps = new Int32Array(items).fill(-1);
  yield;
  yield* shareByShare(userIndex, ends, itemIndex, sorted, (share) => repeaters(sorted, ends, share, stamps, repeating));
  if (repeating.length === 0) return;

  // Only now is it worth knowing the rows: those of the users in whom there is something to find.
  const some = new Int32Array(users + 1);
  for (const user of repeating) some[user + 1] = ends[user + 1]! - ends[user]!;
  const someEnds = endsOf(some);
  const rows = new Int32Array(Math.min(someEnds[users]!, room(4)));
  yield* shareByShare(userIndex, someEnds, null, rows, (share) => scan.share(itemIndex, rows, someEnds, share));
}

/** Counts rows per user, one place up; returns whether users come in ascending order. */
function countRows(userIndex: Int32Array, counts: Int32Array, from: number, to: number): boolean {
  // The sign of every step, put together: a branch would be foreseen by no processor where rows are shuffled.
  let signs = 0;
  let last = from > 0 ? userIndex[from - 1]! : 0;
  for (let row = from; row < to; row++) {
    const user = userIndex[row]!;
    counts[user + 1]!++;
    signs |= user - last;
    last = user;
  }
  return signs >= 0;
}

/** Adds the users of a share who have an item twice to `found`. */
function repeaters(
  items: Int32Array | Uint16Array,
  ends: Int32Array,
  { from, to, start }: Share,
  lastUser: Int32Array,
  found: number[],
): void {
  for (let user = from; user < to; user++) {
    const end = ends[user + 1]! - start;
    let repeats = 0;
    for (let at = ends[user]! - start; at < end; at++) {
      const item = items[at]!;
      if (lastUser[item] === user) repeats++;
      lastUser[item] = user;
    }
    if (repeats > 0) found.push(user);
  }
}

/** Goes over rows in the order of their users. */
class PairScan {
  /** The user who had each item last, and in which row. */
  private readonly lastUser: Int32Array;
  private readonly lastRow: Int32Array;

  constructor(
    items: number,
    private readonly onRepeat: OnRepeat,
  ) {
    this.lastUser = new Int32Array(items).fill(-1);
    this.lastRow = new Int32Array(items);
  }

  /** The rows [from, to) of all. */
  runs(userIndex: Int32Array, itemIndex: Int32Array, from: number, to: number): void {
    for (let row = from; row < to; row++) this.visit(userIndex[row]!, itemIndex[row]!, row);
  }

  /** The rows of a share. */
  share(itemIndex: Int32Array, rows: Int32Array, ends: Int32Array, { from, to, start }: Share): void {
    for (let user = from; user < to; user++) {
      const end = ends[user + 1]! - start;
      for (let at = ends[user]! - start; at < end; at++) this.visit(user, itemIndex[rows[at]!]!, rows[at]!);
    }
  }

  private visit(user: number, item: number, row: number): void {
    if (this.lastUser[item] === user) this.onRepeat(row, this.lastRow[item]!);
    this.lastUser[item] = user;
    this.lastRow[item] = row;
  }
}
