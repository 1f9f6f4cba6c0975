// A stable order by whole numbers (counting sort), in parts that give way to other tasks.

import { forEachChunk, type Scheduler } from '../core/scheduler';
import type { Id, Vocabulary } from './vocabulary';

/** An order of places by their keys. */
export interface KeyOrder {
  /** The places, by ascending key. */
  readonly places: Int32Array;
  /** Where the places of each key start; one more at the end: how many there are. */
  readonly starts: Int32Array;
}

/** The places 0, 1, ... (or those of `given`, in its order) by ascending key. Keys are below `count`. */
export async function orderBy(
  keys: Int32Array,
  count: number,
  scheduler: Scheduler,
  given: Int32Array | null = null,
): Promise<KeyOrder> {
  const size = keys.length;
  const starts = new Int32Array(count + 1);
  await forEachChunk(size, scheduler, (from, to) => {
    for (let k = from; k < to; k++) starts[keys[k]! + 1]!++;
  });
  for (let key = 0; key < count; key++) starts[key + 1]! += starts[key]!;
  const next = starts.slice();
  const places = new Int32Array(size);
  await forEachChunk(size, scheduler, (from, to) => {
    for (let at = from; at < to; at++) {
      const k = given === null ? at : given[at]!;
      places[next[keys[k]!]!++] = k;
    }
  });
  return { places, starts };
}

// An order of ids that does not depend on the order in which the data name them: for what must be chosen among equals.

/** Numbers first, ascending; then strings, by their UTF-16 code units. */
export function compareIds(a: Id, b: Id): number {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The numbers of a vocabulary's ids, in the order of the ids. Cost: a sort. */
export function idOrder(vocabulary: Vocabulary): Int32Array {
  const ids = [...vocabulary];
  return Int32Array.from(ids.keys()).sort((a, b) => compareIds(ids[a]!, ids[b]!));
}
