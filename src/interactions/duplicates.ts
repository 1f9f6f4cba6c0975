// What becomes of two rows of the same user and item. Which rows those are is found by repeats.ts.

import { DataError } from '../core/errors';
import { field, oneOf, show } from '../core/options';
import { type Pausable, pausable } from '../core/scheduler';
import type { PresentRows } from './absent-rows';
import { findRepeats } from './repeats';
import type { Columns } from './row';
import type { Vocabulary } from './vocabulary';

/** `last` and `first` keep that row, `sum` the last with the sum of the values, `keep` all, `error` throws. */
export type DuplicatePolicy = 'last' | 'first' | 'sum' | 'keep' | 'error';

/** The option `duplicates`. */
export const duplicatesField = field<DuplicatePolicy>(oneOf('last', 'first', 'sum', 'keep', 'error'), 'last');

type Column = Int32Array | Float32Array | Float64Array;
type OwnColumns = { -readonly [name in keyof Columns]: Columns[name] };

/**
 * The columns after the policy, which are the given ones, changed. A row that stays keeps its place among those that stay.
 * `positions`: the numbers of the rows for messages; null: their own.
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

/** A row whose user and item an earlier row has. */
export interface Repeat {
  readonly row: number;
  readonly earlier: number;
}

/** The first repeat in the order of the rows; null where every pair is new. */
export function* firstRepeat(columns: Columns, users: number, items: number): Pausable<Repeat | null> {
  let found: Repeat | null = null;
  const least = () => (found === null ? Infinity : found.row);
  yield* findRepeats(columns, users, items, (row, earlier) => {
    if (row < least()) found = { row, earlier };
  });
  return found;
}

/** Some of `size` rows, a bit each once there is one. */
class RowSet {
  count = 0;
  private bits: Uint8Array | undefined;

  constructor(private readonly size: number) {}

  add(row: number): void {
    this.bits ??= new Uint8Array((this.size >> 3) + 1);
    this.bits[row >> 3]! |= 1 << (row & 7);
    this.count++;
  }

  /** Copies the entries [from, to) of rows that are not in the set to `at` and on of `kept`; returns where they end. */
  copyOthers(column: Column, from: number, to: number, kept: Column, at: number): number {
    const bits = this.bits!;
    let end = at;
    for (let row = from; row < to; row++) {
      if ((bits[row >> 3]! & (1 << (row & 7))) === 0) kept[end++] = column[row]!;
    }
    return end;
  }
}

/** Each pair's values, added in double precision; every row of a pair gets the sum so far. */
class RunningSums {
  private readonly values: Float32Array;
  private readonly userIndex: Int32Array;
  private readonly itemIndex: Int32Array;
  /** The sum of the pair that each item is in, and the user of that pair. */
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

/** Takes rows out of the columns, one column after the other, so that little is held twice. */
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
