// The form of ratings: one as the caller writes it (a row), and many as the library stores them (columns of numbers).

import { clipped, DataError } from '../core/errors';
import { show } from '../core/options';
import { type Pausable, pausable, runToEnd } from '../core/scheduler';
import { type Id, requireIterable, type Vocabulary, WANTED_ID } from './vocabulary';

/**
 * One rating, or one event: a user, an item, and how much.
 *
 * Units: `value` is on the caller's rating scale, `timestamp` is in seconds. Of weights only the ratios matter: a row of
 * `weight` 2 counts as two rows of weight 1, and one of weight 0 as none.
 *
 * @example
 * ```ts
 * import { Interactions, type Interaction } from 'opmf';
 * const row: Interaction = { userId: 'ann', itemId: 'tea', value: 4 };
 * console.log(Interactions.from([row]).size); // 1
 * ```
 */
export interface Interaction {
  readonly userId: Id;
  readonly itemId: Id;
  /** @defaultValue 1 */
  readonly value?: number | undefined;
  /** At least 0; 0: the row is left out. @defaultValue 1 */
  readonly weight?: number | undefined;
  /** In seconds since 1970. Either every row has one, or none. */
  readonly timestamp?: number | undefined;
}

/**
 * A rating as a caller may write it: an object, or a tuple. A time may be a Date. Numbers are seconds, unless
 * the largest of all rows would then lie beyond the year 9999: milliseconds, and by the same rule micro- and nanoseconds.
 *
 * @example
 * ```ts
 * import { Interactions, type Row } from 'opmf';
 * const rows: Row[] = [['ann', 'tea', 4], { userId: 'bob', itemId: 'tea', value: 2 }];
 * console.log(Interactions.from(rows).stats().mean); // 3
 * ```
 */
export type Row =
  | (Omit<Interaction, 'timestamp'> & { readonly timestamp?: number | Date | undefined })
  | readonly [userId: Id, itemId: Id, value?: number | undefined, timestamp?: number | Date | undefined];

/** The numbers of many ratings, one column each, all of one length. Users and items are vocabulary numbers. */
export interface Columns {
  readonly userIndex: Int32Array;
  readonly itemIndex: Int32Array;
  readonly values: Float32Array;
  readonly weights?: Float32Array | undefined;
  readonly timestamps?: Float64Array | undefined;
}

/** The columns of the rows at the given positions, in that order. */
export function selectColumns(columns: Columns, positions: Int32Array): Columns {
  const { userIndex, itemIndex, values, weights, timestamps } = columns;
  const count = positions.length;
  return {
    userIndex: gather(userIndex, positions, new Int32Array(count)),
    itemIndex: gather(itemIndex, positions, new Int32Array(count)),
    values: gather(values, positions, new Float32Array(count)),
    weights: weights && gather(weights, positions, new Float32Array(count)),
    timestamps: timestamps && gather(timestamps, positions, new Float64Array(count)),
  };
}

function gather<T extends Int32Array | Float32Array | Float64Array>(from: T, positions: Int32Array, to: T): T {
  for (let at = 0; at < positions.length; at++) to[at] = from[positions[at]!]!;
  return to;
}

// Detects the unit of numeric times by their size, one unit for a whole column: seconds, unless the largest would then
// lie beyond the year 9999; then milliseconds and, by the same rule, microseconds and nanoseconds.

/** The first second of the year 10000: numbers from here on cannot be seconds. */
export const LARGE_TIME = 253_402_300_800;
/** Numbers of at least this size (1973 in seconds) are times; smaller ones, such as 0 and -1, mean "no time" in any unit. */
const LEAST_TIME = 1e8;

/** How many units of a time make a second; NaN if it is beyond nanoseconds. */
function unitOf(time: number): number {
  const size = Math.abs(time);
  for (const unit of [1, 1e3, 1e6, 1e9]) if (size < LARGE_TIME * unit) return unit;
  return Number.NaN;
}

/**
 * Converts a column that has a time of at least LARGE_TIME to seconds, by the unit of its largest.
 * @throws DataError, by `fault`, where other rows have times of another unit. `hasDates`: some were given as dates.
 */
export function* toSeconds(
  times: Float64Array,
  hasDates: boolean,
  fault: (message: string) => DataError,
): Pausable<void> {
  let most = 0;
  yield* pausable(times.length, (from, to) => {
    for (let row = from; row < to; row++) if (Math.abs(times[row]!) > Math.abs(times[most]!)) most = row;
  });
  const largest = times[most]!;
  const unit = unitOf(largest);
  if (Number.isNaN(unit)) {
    throw fault(
      `row ${most + 1} has the time ${largest}, which is beyond the year 9999 even in nanoseconds; want seconds`,
    );
  }
  if (hasDates) {
    throw fault(
      `row ${most + 1} has the time ${largest}, ${UNITS[unit]} by its size, and others have dates; want one of both`,
    );
  }
  yield* pausable(times.length, (from, to) => {
    for (let row = from; row < to; row++) {
      const time = times[row]!;
      if (Math.abs(time) >= LEAST_TIME && unitOf(time) !== unit) {
        const [one, other] = [UNITS[unitOf(time)], UNITS[unit]];
        throw fault(
          `row ${row + 1} has the time ${time} (${one} by its size), row ${most + 1} has ${largest} (${other}); want one unit`,
        );
      }
      times[row] = time / unit;
    }
  });
}

const UNITS: Readonly<Record<number, string>> = {
  1: 'seconds',
  1e3: 'milliseconds',
  1e6: 'microseconds',
  1e9: 'nanoseconds',
};

/** The error for times of rows that come from memory. */
export function timeFault(message: string): DataError {
  return new DataError(`timestamps: ${message} throughout`);
}

// Checks a caller's rows or columns and converts them to numbers. Every fault is a DataError that names the row, from
// 1.

const SHAPE = 'a row is { userId, itemId, value?, weight?, timestamp? } or [userId, itemId, value?, timestamp?]';

const COLUMNS = ['userIds', 'itemIds', 'values', 'weights', 'timestamps'] as const;

/** Ratings as columns: lists of equal length. */
export type InputColumns = {
  readonly userIds: ArrayLike<Id>;
  readonly itemIds: ArrayLike<Id>;
  readonly values?: ArrayLike<number> | undefined;
  readonly weights?: ArrayLike<number> | undefined;
  readonly timestamps?: ArrayLike<number | Date> | undefined;
};

/** Reads rows one by one; new ids are added to the vocabularies. `before`: how many rows came before, for messages. */
export function readRows(rows: Iterable<Row>, users: Vocabulary, items: Vocabulary, before = 0): Columns {
  requireIterable(rows, 'rows', `an iterable of rows; ${SHAPE}`);
  const userIndex: number[] = [];
  const itemIndex: number[] = [];
  const values: number[] = [];
  const timestamps: number[] = [];
  const times = new Times();
  let weights: number[] | undefined;
  for (const row of rows) {
    const count = values.length;
    const at = before + count;
    const { userId, itemId, value, weight, timestamp } = openRow(row, at);
    userIndex.push(numberOf(users, userId, 'userId', at));
    itemIndex.push(numberOf(items, itemId, 'itemId', at));
    values.push(value === undefined ? 1 : checkValue(value, at));
    if (weight !== undefined && weights === undefined) weights = new Array<number>(count).fill(1);
    weights?.push(weight === undefined ? 1 : checkWeight(weight, at));
    if ((timestamp === undefined ? 0 : count) !== timestamps.length) throw mixedTimestamps(at, timestamp);
    if (timestamp !== undefined) timestamps.push(times.read(timestamp, at));
  }
  return {
    userIndex: Int32Array.from(userIndex),
    itemIndex: Int32Array.from(itemIndex),
    values: Float32Array.from(values),
    weights: weights && Float32Array.from(weights),
    timestamps: timestamps.length > 0 ? times.inSeconds(Float64Array.from(timestamps)) : undefined,
  };
}

/** Reads whole columns; new ids are added to the vocabularies. */
export function readColumns(columns: InputColumns, users: Vocabulary, items: Vocabulary): Columns {
  const size = columns?.userIds?.length;
  // A typo such as 'ratings' would silently make every value 1.
  const stray = Object.keys(columns ?? {}).find((name) => !COLUMNS.some((known) => known === name));
  if (stray !== undefined) throw new DataError(`columns has '${clipped(stray)}'; want ${COLUMNS.join(', ')}`);
  for (const name of COLUMNS) {
    const column = columns?.[name];
    if (column === undefined && name !== 'userIds' && name !== 'itemIds') continue;
    const isList = column !== null && typeof column === 'object' && isCount(column.length);
    if (!isList || column.length !== size) {
      const wanted = isList
        ? `${size} entries, as many as userIds; it has ${column.length}`
        : `a list; it is ${show(column)}`;
      throw new DataError(`columns: ${name} must be ${isList ? 'a list of ' : ''}${wanted}`);
    }
  }
  const { userIds, itemIds, values, weights, timestamps } = columns;
  const count = userIds.length;
  const read = {
    userIndex: room(count, Int32Array),
    itemIndex: room(count, Int32Array),
    values: room(count, Float32Array).fill(1),
    weights: weights && room(count, Float32Array),
    timestamps: timestamps && room(count, Float64Array),
  };
  const times = new Times();
  for (let at = 0; at < count; at++) {
    read.userIndex[at] = numberOf(users, userIds[at]!, 'userId', at);
    read.itemIndex[at] = numberOf(items, itemIds[at]!, 'itemId', at);
    if (values) read.values[at] = checkValue(values[at], at);
    if (weights) read.weights![at] = checkWeight(weights[at], at);
    if (timestamps) read.timestamps![at] = times.read(timestamps[at], at);
  }
  if (read.timestamps) times.inSeconds(read.timestamps);
  return read;
}

/** Whether a list can have this length. */
function isCount(length: unknown): boolean {
  return Number.isInteger(length) && (length as number) >= 0 && (length as number) < 2 ** 31;
}

/** A column of `count` entries. */
function room<T>(count: number, Kind: new (length: number) => T): T {
  try {
    return new Kind(count);
  } catch {
    throw new DataError(`columns: there is no memory for ${count} rows; want fewer`);
  }
}

/** The properties that a row may have. */
const NAMES: ReadonlySet<string> = new Set(['userId', 'itemId', 'value', 'weight', 'timestamp']);

/** Throws if a row object has any other property: a typo such as `stars` would silently make every value 1. */
export function refuseStrayNames(row: object, at: number): void {
  for (const name in row) {
    if (NAMES.has(name)) continue;
    const has = name === 'rating' && !('value' in row) ? "'rating' but no 'value'" : `'${clipped(name)}'`;
    throw fault(at, `has ${has}; want no others than ${[...NAMES].join(', ')}; ${SHAPE}`);
  }
}

/** The fields of a row in either form, not yet checked. */
function openRow(
  row: Row,
  at: number,
): { userId: Id; itemId: Id; value?: unknown; weight?: unknown; timestamp?: unknown } {
  if (Array.isArray(row)) {
    if (row.length >= 2 && row.length <= 4) return { userId: row[0], itemId: row[1], value: row[2], timestamp: row[3] };
    throw fault(at, `is an array of ${row.length}; ${SHAPE}`);
  }
  if (row === null || typeof row !== 'object') throw fault(at, `is ${show(row)}; ${SHAPE}`);
  refuseStrayNames(row, at);
  return row as Exclude<Row, readonly unknown[]>;
}

function numberOf(vocabulary: Vocabulary, id: Id, name: string, at: number): number {
  const index = vocabulary.add(id);
  if (index < 0) throw fault(at, `has ${name} ${show(id)}; want ${WANTED_ID}; ${SHAPE}`);
  return index;
}

function checkValue(value: unknown, at: number): number {
  // Values are stored as float32, in which 1e39 would become infinite.
  if (typeof value === 'number' && Number.isFinite(Math.fround(value))) return value;
  throw fault(
    at,
    `has value ${show(value)}; want a finite number of at most 3.4e38 in size; drop the row or give its value`,
  );
}

function checkWeight(weight: unknown, at: number): number {
  // Weights are stored as float32, in which 1e39 would become infinite and 1e-46 zero.
  const held = typeof weight === 'number' ? Math.fround(weight) : Number.NaN;
  if ((held > 0 && held < Infinity) || weight === 0) return weight as number;
  const wanted = 'a finite number of at least 0, from 1.5e-45 to 3.4e38 where it is not 0';
  throw fault(at, `has weight ${show(weight)}; want ${wanted}; drop the row or give its weight`);
}

/** The times of some rows: dates, or numbers whose unit is determined when all are known. */
class Times {
  private isLarge = false;
  private hasDates = false;

  read(timestamp: unknown, at: number): number {
    if (typeof timestamp === 'number' && Number.isFinite(timestamp)) {
      if (Math.abs(timestamp) >= LARGE_TIME) this.isLarge = true;
      return timestamp;
    }
    // Not instanceof: a Date may come from another realm, such as a test runner's.
    if (Object.prototype.toString.call(timestamp) === '[object Date]') {
      this.hasDates = true;
      const time = Number(timestamp) / 1000;
      if (Number.isFinite(time)) return time;
      throw fault(at, 'has an invalid Date as its timestamp; give its time, or leave out all timestamps');
    }
    throw fault(
      at,
      `has timestamp ${show(timestamp)}; want a finite number of seconds or a Date; give it, or leave out all timestamps`,
    );
  }

  /** The column, converted to seconds if necessary. */
  inSeconds(column: Float64Array): Float64Array {
    if (this.isLarge) runToEnd(toSeconds(column, this.hasDates, timeFault));
    return column;
  }
}

function mixedTimestamps(at: number, timestamp: unknown): DataError {
  const [has, rest] = timestamp === undefined ? ['no timestamp', 'one'] : ['a timestamp', 'none'];
  return fault(at, `has ${has}, but the rows before have ${rest}; give every row a timestamp in seconds, or none`);
}

function fault(at: number, message: string): DataError {
  return new DataError(`row ${at + 1} (counting from 1) ${message}`);
}
