// Rows of weight 0 count as absent: they are removed before anything else sees the rows, and ids that occur only in
// them are removed from the vocabularies, so that every number is what it would be without them.

import { DataError } from '../core/errors';
import { field, oneOf, show } from '../core/options';
import { type Pausable, pausable } from '../core/scheduler';
import { type Columns, selectColumns } from './rows';
import type { Id, Vocabulary } from './vocabulary';

/** Columns without absent rows, and the original positions of the remaining rows; null: all of them. */
export interface PresentRows {
  readonly columns: Columns;
  readonly positions: Int32Array | null;
}

/** Removes the rows of weight 0. `known`: the sizes of the vocabularies before these rows. */
export function* withoutAbsent(
  columns: Columns,
  users: Vocabulary,
  items: Vocabulary,
  known: { readonly users: number; readonly items: number } = { users: 0, items: 0 },
): Pausable<PresentRows> {
  const { weights } = columns;
  if (weights === undefined) return { columns, positions: null };
  let present = 0;
  yield* pausable(weights.length, (from, to) => {
    for (let row = from; row < to; row++) if (weights[row]! > 0) present++;
  });
  if (present === weights.length) return { columns, positions: null };
  const positions = new Int32Array(present);
  let place = 0;
  for (let row = 0; row < weights.length; row++) if (weights[row]! > 0) positions[place++] = row;
  const kept = selectColumns(columns, positions);
  const [userIds, itemIds] = [[...users], [...items]];
  users.truncate(known.users);
  items.truncate(known.items);
  const { userIndex, itemIndex } = kept;
  yield* pausable(present, (from, to) => {
    for (let row = from; row < to; row++) {
      userIndex[row] = users.add(userIds[userIndex[row]!] as Id);
      itemIndex[row] = items.add(itemIds[itemIndex[row]!] as Id);
    }
  });
  return { columns: kept, positions };
}

// Orders rows by user with a counting sort, one share of the users at a time: sorting all rows at once would need as
// much memory as a column.

/** The end of each user's rows, from their counts: entry u + 1 is the end of user u. Changes `counts`. */
export function endsOf(counts: Int32Array): Int32Array {
  for (let user = 1; user < counts.length; user++) counts[user]! += counts[user - 1]!;
  return counts;
}

/** Fewer per step than elsewhere: rows scattered in memory take longer. */
const ROWS_A_STEP = 1 << 16;

/** Consecutive users whose rows have been grouped. */
export interface Share {
  readonly from: number;
  readonly to: number;
  /** The rows of user u are at ends[u] - start to ends[u + 1] - start. */
  readonly start: number;
}

/**
 * Calls `use` for one share of the users after the other; `sorted` holds the `entries` of their rows (null: their
 * positions). `ends` limits which users take part: those with an empty range have no rows.
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

/** Writes the entries of the rows [a, b) that belong to the share to the next free positions of their users. */
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

// Finds duplicate pairs without a key per row: rows are ordered by user, and a stamp per item records the last user
// with that item. Linear in rows + users + items. Memory besides the columns: 2 bytes a row if users' rows are
// scattered, else nothing.

/**
 * Called for each row whose pair occurred before; `earlier` is the latest earlier row of the pair. The rows of a pair
 * come in order.
 */
export type OnRepeat = (row: number, earlier: number) => void;

/** Up to this many rows are sorted in one go. */
const SMALL = 1 << 20;

/** Calls `onRepeat` for every row that repeats the user and item of an earlier row. `small` is for tests. */
export function* findRepeats(
  columns: Pick<Columns, 'userIndex' | 'itemIndex'>,
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
  // As in most files: the rows are already grouped by user.
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

  // Only now are the row positions needed, and only for users with a duplicate.
  const some = new Int32Array(users + 1);
  for (const user of repeating) some[user + 1] = ends[user + 1]! - ends[user]!;
  const someEnds = endsOf(some);
  const rows = new Int32Array(Math.min(someEnds[users]!, room(4)));
  yield* shareByShare(userIndex, someEnds, null, rows, (share) => scan.share(itemIndex, rows, someEnds, share));
}

/** Counts rows per user, one place up; returns whether users are in ascending order. */
function countRows(userIndex: Int32Array, counts: Int32Array, from: number, to: number): boolean {
  // Combines the signs of all steps: a branch would be mispredicted in shuffled rows.
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

/** Adds to `found` the users of a share who have an item twice. */
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

/** Visits rows in the order of their users. */
class PairScan {
  /** The last user with each item, and the row. */
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

// Resolves duplicate rows of the same user and item.

/** `last` and `first` keep that row, `sum` the last with the sum of the values, `keep` all, `error` throws. */
export type DuplicatePolicy = 'last' | 'first' | 'sum' | 'keep' | 'error';

/** The option `duplicates`. */
export const duplicatesField = field(oneOf('last', 'first', 'sum', 'keep', 'error'), 'last');

type Column = Int32Array | Float32Array | Float64Array;
type OwnColumns = { -readonly [name in keyof Columns]: Columns[name] };

/**
 * Applies the policy to the columns in place. The remaining rows keep their order.
 * `positions`: the row numbers for messages; null: their positions.
 */
export function* resolveDuplicates(
  { columns, positions }: PresentRows,
  policy: DuplicatePolicy,
  users: Vocabulary,
  items: Vocabulary,
): Pausable<Columns> {
  if (policy === 'keep') return columns;
  const numberOf = (row: number) => (positions === null ? row : positions[row]!) + 1;
  if (policy === 'error') {
    const repeat = yield* firstRepeat(columns, users.size, items.size);
    if (repeat !== null) throw duplicateError(columns, repeat, numberOf, users, items);
    return columns;
  }
  const dropped = new RowSet(columns.userIndex.length);
  const sums = policy === 'sum' ? new RunningSums(columns, items.size) : undefined;
  yield* findRepeats(columns, users.size, items.size, (row, earlier) => {
    sums?.add(row, earlier);
    dropped.add(policy === 'first' ? row : earlier);
  });
  sums?.demandFinite(numberOf);
  return dropped.count === 0 ? columns : yield* drop(columns, dropped);
}

/** A row that repeats the user and item of an earlier row. */
export interface Repeat {
  readonly row: number;
  readonly earlier: number;
}

/** The first duplicate in row order; null if every pair is new. */
export function* firstRepeat(columns: Columns, users: number, items: number): Pausable<Repeat | null> {
  let found: Repeat | null = null;
  const least = () => (found === null ? Infinity : found.row);
  yield* findRepeats(columns, users, items, (row, earlier) => {
    if (row < least()) found = { row, earlier };
  });
  return found;
}

/** A set of rows out of `size`, one bit each, allocated with the first. */
class RowSet {
  count = 0;
  private bits: Uint8Array | undefined;

  constructor(private readonly size: number) {}

  add(row: number): void {
    this.bits ??= new Uint8Array((this.size >> 3) + 1);
    this.bits[row >> 3]! |= 1 << (row & 7);
    this.count++;
  }

  /** Copies the entries [from, to) of rows not in the set to `kept`, from `at` on; returns where they end. */
  copyOthers(column: Column, from: number, to: number, kept: Column, at: number): number {
    const bits = this.bits!;
    let end = at;
    for (let row = from; row < to; row++) {
      if ((bits[row >> 3]! & (1 << (row & 7))) === 0) kept[end++] = column[row]!;
    }
    return end;
  }
}

/** Running sums of the values of each pair, in double precision; every row of a pair gets the sum so far. */
class RunningSums {
  private readonly values: Float32Array;
  private readonly userIndex: Int32Array;
  private readonly itemIndex: Int32Array;
  /** The sum of the current pair of each item, and the user of that pair. */
  private readonly sums: Float64Array;
  private readonly users: Int32Array;
  private overflow: { row: number; sum: number } | undefined;

  constructor({ values, userIndex, itemIndex }: Columns, items: number) {
    this.values = values;
    this.userIndex = userIndex;
    this.itemIndex = itemIndex;
    this.sums = new Float64Array(items);
    this.users = new Int32Array(items).fill(-1);
  }

  add(row: number, earlier: number): void {
    const user = this.userIndex[row]!;
    const item = this.itemIndex[row]!;
    if (this.users[item] !== user) {
      this.users[item] = user;
      this.sums[item] = this.values[earlier]!;
    }
    const sum = this.sums[item]! + this.values[row]!;
    this.sums[item] = sum;
    this.values[row] = sum;
    if (!Number.isFinite(Math.fround(sum)) && row < (this.overflow?.row ?? Infinity)) this.overflow = { row, sum };
  }

  demandFinite(numberOf: (row: number) => number): void {
    if (this.overflow === undefined) return;
    const { row, sum } = this.overflow;
    throw new DataError(
      `row ${numberOf(row)} (counting from 1): the sum of its duplicates' values is ${sum}, too large for float32; divide the values by a constant`,
    );
  }
}

/** Removes rows from the columns, one column at a time to limit peak memory. */
function* drop(columns: OwnColumns, dropped: RowSet): Pausable<Columns> {
  const kept = columns.userIndex.length - dropped.count;
  columns.userIndex = yield* others(columns.userIndex, dropped, new Int32Array(kept));
  columns.itemIndex = yield* others(columns.itemIndex, dropped, new Int32Array(kept));
  columns.values = yield* others(columns.values, dropped, new Float32Array(kept));
  if (columns.weights) columns.weights = yield* others(columns.weights, dropped, new Float32Array(kept));
  if (columns.timestamps) columns.timestamps = yield* others(columns.timestamps, dropped, new Float64Array(kept));
  return columns;
}

function* others<T extends Column>(column: T, dropped: RowSet, kept: T): Pausable<T> {
  let at = 0;
  yield* pausable(column.length, (from, to) => {
    at = dropped.copyOthers(column, from, to, kept, at);
  });
  return kept;
}

function duplicateError(
  { userIndex, itemIndex }: Columns,
  { row, earlier }: Repeat,
  numberOf: (row: number) => number,
  users: Vocabulary,
  items: Vocabulary,
): DataError {
  const user = show(users.idOf(userIndex[row]!));
  const item = show(items.idOf(itemIndex[row]!));
  return new DataError(
    `rows ${numberOf(earlier)} and ${numberOf(row)} (counting from 1) are both of user ${user} and item ${item}; ` +
      "remove one, or set duplicates to 'last', 'first', 'sum' or 'keep'",
  );
}
