// The order of ratings from the options: which grid, how they are laid out in it, and what an epoch visits. Whoever holds
// ratings asks here, so that all go through them alike.

import { inTurns, type Turns } from '../../core/turns';
import type { RatingData } from '../model';
import type { OrderOptions } from '../rating-batcher';
import { Grid } from './grid';
import { type Layout, layOut, type Places } from './lay-out';
import { layOutGroups } from './lay-out-groups';
import { inOrder, type Visit, visitsOf } from './visits';

/** The grid of an order. */
export function gridOf(
  data: RatingData,
  rows: { readonly users: number; readonly items: number },
  { blocks }: OrderOptions,
  turns: Turns,
): Promise<Grid> | Grid {
  const { users, items } = rows;
  const isWhole = blocks.users * blocks.items === 1;
  return isWhole ? Grid.whole(data.size, users, items) : Grid.over(data, users, items, blocks, turns);
}

/** Lays the ratings out: shuffled in their tiles, in groups or one by one; or in the order of the data. */
export async function layOutInOrder(
  data: RatingData,
  grid: Grid,
  { shuffle, grouping, stream }: OrderOptions,
  places: Places,
  turns: Turns,
): Promise<Layout> {
  if (shuffle) return (grouping === 1 ? layOut : layOutGroups)(data, grid, stream, places, turns);
  await inTurns(data.size, turns, (from, to) => {
    for (let k = from; k < to; k++) places.put(k, k);
  });
  return { starts: grid.starts, groups: null };
}

/** The steps of an epoch. */
export function stepsOf({ starts }: Layout): number {
  return starts[starts.length - 1]!;
}

/** The visits of an epoch, by strata. */
export function epochVisits(layout: Layout, { shuffle, blocks, stream }: OrderOptions, epoch: number): Visit[][] {
  return shuffle ? visitsOf(layout.starts, blocks, stream.fork(epoch)) : inOrder(stepsOf(layout));
}
