// Grouping into rows (compressed sparse rows, CSR) by a stable counting sort, for everything grouped by user, item or
// tile. Written as generators, so that training can yield to other tasks while a constructor runs to the end.

import { type Pausable, runToEnd, runYielding, type Scheduler } from '../core/scheduler';
import type { Id, Vocabulary } from './vocabulary';

/**
 * Elements between two pauses. Few, because each may be the first to touch a page of a new array, which costs the
 * system two microseconds.
 */
const CHUNK = 2048;

/** The members of row r are order[starts[r]] .. order[starts[r + 1] - 1]; the last entry of starts is their total number. */
export interface RowGroups {
  readonly starts: Int32Array;
  readonly order: Int32Array;
}

/** A matrix by column: the entries of column c are starts[c] .. starts[c + 1] - 1, each with its row and its former position. */
export interface ByColumn {
  readonly starts: Int32Array;
  readonly rows: Int32Array;
  readonly places: Int32Array;
}

/** Turns counts into starts in place: counts[r + 1] holds the count of row r and becomes the start of row r + 1. */
export function countsToStarts(counts: Int32Array): Int32Array {
  for (let row = 1; row < counts.length; row++) counts[row]! += counts[row - 1]!;
  return counts;
}

/**
 * Groups the positions 0, 1, ... by their keys, which are below `count`; members of a row stay in order. Cost:
 * O(positions + count).
 */
export function groupRows(keys: ArrayLike<number>, count: number, scheduler: Scheduler): Promise<RowGroups> {
  return runYielding(grouping(keys, count), scheduler, CHUNK);
}

/** The same, synchronously. */
export function groupRowsNow(keys: ArrayLike<number>, count: number): RowGroups {
  return runToEnd(grouping(keys, count));
}

/** Turns a matrix in rows (row r has columns[starts[r]] .. columns[starts[r + 1] - 1]) into one by column. */
export function transpose(
  starts: Int32Array,
  columns: Int32Array,
  count: number,
  scheduler: Scheduler,
): Promise<ByColumn> {
  return runYielding(transposing(starts, columns, count), scheduler, CHUNK);
}

/** Entry r + 1 of the result counts the keys r. */
function* counting(keys: ArrayLike<number>, count: number): Pausable<Int32Array> {
  const counts = new Int32Array(count + 1);
  for (let from = 0; from < keys.length; from += CHUNK) {
    const to = Math.min(from + CHUNK, keys.length);
    for (let k = from; k < to; k++) counts[keys[k]! + 1]!++;
    yield;
  }
  return counts;
}

function* grouping(keys: ArrayLike<number>, count: number): Pausable<RowGroups> {
  const starts = countsToStarts(yield* counting(keys, count));
  const next = starts.slice();
  const order = new Int32Array(keys.length);
  for (let from = 0; from < keys.length; from += CHUNK) {
    const to = Math.min(from + CHUNK, keys.length);
    for (let k = from; k < to; k++) order[next[keys[k]!]!++] = k;
    yield;
  }
  return { starts, order };
}

/** The same, in steps. */
export function* transposing(rowStarts: Int32Array, columns: Int32Array, count: number): Pausable<ByColumn> {
  const starts = countsToStarts(yield* counting(columns, count));
  const next = starts.slice();
  const rows = new Int32Array(columns.length);
  const places = new Int32Array(columns.length);
  let row = 0;
  for (let from = 0; from < columns.length; from += CHUNK) {
    const to = Math.min(from + CHUNK, columns.length);
    for (let place = from; place < to; place++) {
      while (place >= rowStarts[row + 1]!) row++;
      const at = next[columns[place]!]!++;
      rows[at] = row;
      places[at] = place;
    }
    yield;
  }
  return { starts, rows, places };
}

// An order of ids that does not depend on the order in which the data name them, to break ties.

/** Numbers first, ascending; then strings, by their UTF-16 code units. */
export function compareIds(a: Id, b: Id): number {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The numbers of a vocabulary's ids, sorted by id. */
export function idOrder(vocabulary: Vocabulary): Int32Array {
  const ids = [...vocabulary];
  return Int32Array.from(ids.keys()).sort((a, b) => compareIds(ids[a]!, ids[b]!));
}
