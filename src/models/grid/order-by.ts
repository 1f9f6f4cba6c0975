// A stable order by whole numbers (counting sort), in parts that give way to other tasks.

import { forEachChunk, type Scheduler } from '../../core/scheduler';

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
