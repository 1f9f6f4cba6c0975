// The grid of tiles that ratings are visited in: users and items in blocks, a tile for each pair of blocks. A tile's rows
// fit the cache, and tiles of one stratum share no row, so that they may be trained at the same time (Gemulla, Nijkamp,
// Haas, Sismanis, "Large-Scale Matrix Factorization with Distributed Stochastic Gradient Descent", KDD 2011).

import { inTurns, type Turns } from '../../core/turns';
import type { RatingData } from '../model';
import { balance } from './balance';
import { type Blocks, WHOLE } from './blocks';

/** A grid over some ratings. */
export class Grid {
  private constructor(
    readonly blocks: Blocks,
    /** The block of each row. */
    readonly userBlock: Uint16Array,
    readonly itemBlock: Uint16Array,
    /** Where each tile's ratings start; tile = user block * item blocks + item block. One more at the end: the number of ratings. */
    readonly starts: Int32Array,
  ) {}

  /** The grid of some blocks. */
  static async over(data: RatingData, users: number, items: number, blocks: Blocks, turns: Turns): Promise<Grid> {
    const counts = data.counts ?? (await count(data, users, items, turns));
    const userBlock = await balance(counts.users, blocks.users, turns);
    const itemBlock = await balance(counts.items, blocks.items, turns);
    const tiles = blocks.users * blocks.items;
    const starts = new Int32Array(tiles + 1);
    const grid = new Grid(blocks, userBlock, itemBlock, starts);
    await inTurns(data.size, turns, (from, to) => {
      for (let k = from; k < to; k++) starts[grid.tileOf(data.users[k]!, data.items[k]!) + 1]!++;
    });
    for (let tile = 0; tile < tiles; tile++) starts[tile + 1]! += starts[tile]!;
    return grid;
  }

  /** One tile of everything. */
  static whole(size: number, users: number, items: number): Grid {
    return new Grid(WHOLE, new Uint16Array(users), new Uint16Array(items), Int32Array.of(0, size));
  }

  /** The tile of a rating. */
  tileOf(user: number, item: number): number {
    return this.userBlock[user]! * this.blocks.items + this.itemBlock[item]!;
  }
}

async function count(data: RatingData, users: number, items: number, turns: Turns) {
  const counts = { users: new Int32Array(users), items: new Int32Array(items) };
  await inTurns(data.size, turns, (from, to) => {
    for (let k = from; k < to; k++) {
      counts.users[data.users[k]!]!++;
      counts.items[data.items[k]!]!++;
    }
  });
  return counts;
}
