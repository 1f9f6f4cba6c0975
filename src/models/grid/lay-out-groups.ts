// Ratings into their tiles, with up to four of one user to a step: the order of grouping 4. The items of a group differ,
// so that a step changes each of its rows once.

import type { Stream } from '../../core/random';
import { inTurns, type Turns } from '../../core/turns';
import type { RatingData } from '../model';
import type { Grid } from './grid';
import { type Layout, type Places, shuffleTiles } from './lay-out';
import { orderBy } from './order-by';

/** The most ratings of a step. */
const MOST = 4;

/** Lays the ratings out by tile and user, and shuffles the groups of each tile. */
export async function layOutGroups(
  data: RatingData,
  grid: Grid,
  stream: Stream,
  places: Places,
  turns: Turns,
): Promise<Layout> {
  // A user's own in the order of the data.
  const { places: byUser } = await orderBy(data.users, grid.userBlock.length, turns);
  const next = grid.starts.slice();
  const tiles = grid.starts.length - 1;
  // Of each tile's group so far: its user, its items, how many.
  const users = new Int32Array(tiles).fill(-1);
  const items = new Int32Array(tiles * MOST);
  const sizes = new Uint8Array(tiles);
  const isFirst = new Uint8Array(data.size);
  const place = (k: number) => {
    const user = data.users[k]!;
    const item = data.items[k]!;
    const tile = grid.tileOf(user, item);
    const at = next[tile]!++;
    places.put(at, k);
    const size = sizes[tile]!;
    const held = items.subarray(tile * MOST, tile * MOST + size);
    const joins = users[tile] === user && size < MOST && !held.includes(item);
    if (!joins) isFirst[at] = 1;
    users[tile] = user;
    items[tile * MOST + (joins ? size : 0)] = item;
    sizes[tile] = joins ? size + 1 : 1;
  };
  await inTurns(data.size, turns, (from, to) => {
    for (let n = from; n < to; n++) place(byUser[n]!);
  });
  const { starts, groups } = await collectGroups(grid, isFirst, turns);
  const swap = (a: number, b: number) => {
    const held = groups[a]!;
    groups[a] = groups[b]!;
    groups[b] = held;
  };
  await shuffleTiles(starts, stream, { swap }, turns);
  return { starts, groups };
}

/** The groups in order of their places, and where each tile's start. */
async function collectGroups(grid: Grid, isFirst: Uint8Array, turns: Turns) {
  let count = 0;
  await inTurns(isFirst.length, turns, (from, to) => {
    for (let place = from; place < to; place++) count += isFirst[place]!;
  });
  const groups = new Int32Array(count);
  const starts = new Int32Array(grid.starts.length);
  let group = -1;
  let tile = 0;
  const collect = (place: number) => {
    if (isFirst[place] === 0) {
      groups[group]!++;
      return;
    }
    group++;
    while (place >= grid.starts[tile + 1]!) starts[++tile] = group;
    groups[group] = place * MOST;
  };
  await inTurns(isFirst.length, turns, (from, to) => {
    for (let place = from; place < to; place++) collect(place);
  });
  while (tile + 1 < starts.length) starts[++tile] = count;
  return { starts, groups };
}
