// Ratings into their tiles, in random order within each. Done once a fit; epochs then go through a tile in strides of
// their own (visits.ts), which costs nothing and gives each epoch another order.

import type { Stream } from '../../core/random';
import { inTurns, type Turns } from '../../core/turns';
import type { RatingData } from '../model';
import type { Grid } from './grid';

/** Whatever holds the ratings in their order. */
export interface Places {
  /** Puts rating k of the data at a place. */
  put(place: number, k: number): void;
  /** Exchanges the ratings at two places. */
  swap(a: number, b: number): void;
}

/** The steps of training in their tiles. */
export interface Layout {
  /** Where each tile's steps start; one more at the end: the number of steps. */
  readonly starts: Int32Array;
  /** Where steps take several ratings: the ratings of each step, as first place * 4 + count - 1. */
  readonly groups: Int32Array | null;
}

/** Lays the ratings out, one a step: by tile, each tile shuffled. */
export async function layOut(
  data: RatingData,
  grid: Grid,
  stream: Stream,
  places: Places,
  turns: Turns,
): Promise<Layout> {
  const next = grid.starts.slice();
  const { users, items } = data;
  await inTurns(data.size, turns, (from, to) => {
    for (let k = from; k < to; k++) places.put(next[grid.tileOf(users[k]!, items[k]!)]!++, k);
  });
  await shuffleTiles(grid.starts, stream, places, turns);
  return { starts: grid.starts, groups: null };
}

/** Shuffles each tile (Fisher and Yates). */
export async function shuffleTiles(
  starts: Int32Array,
  stream: Stream,
  places: Pick<Places, 'swap'>,
  turns: Turns,
): Promise<void> {
  const draws = stream.fork('tiles');
  for (let tile = 0; tile + 1 < starts.length; tile++) {
    const start = starts[tile]!;
    const key = draws.uint32();
    const count = starts[tile + 1]! - start;
    await inTurns(Math.max(count - 1, 0), turns, (from, to) => {
      for (let k = from; k < to; k++) {
        const last = count - 1 - k;
        // Uniform but for a bias of count / 2^32; `below` has none, and costs two divisions.
        places.swap(start + last, start + Math.floor(wordOf(key, k) * 2 ** -32 * (last + 1)));
      }
    });
  }
}

/**
 * Word k of a key: SplitMix in 32 bits (Steele, Lea, Flood 2014), with the finalizer of MurmurHash3. Random enough for an
 * order, at a fifth of the cost of a stream.
 */
function wordOf(key: number, k: number): number {
  let word = (key + Math.imul(k, 0x9e3779b9)) | 0;
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) >>> 0;
}
