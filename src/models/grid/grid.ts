// The grid of tiles that ratings are visited in: users and items in blocks, a tile for each pair of blocks. A tile's rows
// fit the cache, and tiles of one stratum share no row, so that they may be trained at the same time (Gemulla, Nijkamp,
// Haas, Sismanis, "Large-Scale Matrix Factorization with Distributed Stochastic Gradient Descent", KDD 2011).
// It is worked out from the data and never from the number of threads: the order of training does not depend on those.

import { inTurns, type Turns } from '../../core/turns';
import type { RatingData } from '../model';
import { balance } from './balance';

/** The memory of the rows of a tile, in bytes, that a core's second-level cache has room for beside the ratings. */
const TILE_ROWS = 384 * 1024;
/** Fewer ratings a tile are not worth their tile. */
const TILE_RATINGS = 2048;
/** From so many ratings on there are enough blocks for some threads, whatever the cache could hold. */
const WORTH_SHARING = 1 << 18;
const LEAST_SHARED = 8;
const MOST_BLOCKS = 128;

/** How many blocks each side is cut into. `bytes`: what training reads and writes of all rows; `rows`: of the smaller side. */
export function chooseBlocks(ratings: number, bytes: number, rows: number): number {
  const forCache = Math.ceil(bytes / TILE_ROWS);
  const wanted = ratings >= WORTH_SHARING ? Math.max(forCache, LEAST_SHARED) : forCache;
  return Math.max(1, Math.min(wanted, Math.floor(Math.sqrt(ratings / TILE_RATINGS)), MOST_BLOCKS, rows));
}

/** A grid over some ratings. */
export class Grid {
  private constructor(
    readonly blocks: number,
    /** The block of each row. */
    readonly userBlock: Uint16Array,
    readonly itemBlock: Uint16Array,
    /** Where each tile's ratings start; tile = user block * blocks + item block. One more at the end: the number of ratings. */
    readonly starts: Int32Array,
  ) {}

  /** The grid of `blocks` a side. */
  static async over(data: RatingData, users: number, items: number, blocks: number, turns: Turns): Promise<Grid> {
    const userCounts = new Int32Array(users);
    const itemCounts = new Int32Array(items);
    await inTurns(data.size, turns, (from, to) => {
      for (let k = from; k < to; k++) {
        userCounts[data.users[k]!]!++;
        itemCounts[data.items[k]!]!++;
      }
    });
    const userBlock = await balance(userCounts, blocks, turns);
    const itemBlock = await balance(itemCounts, blocks, turns);
    const starts = new Int32Array(blocks * blocks + 1);
    await inTurns(data.size, turns, (from, to) => {
      for (let k = from; k < to; k++) starts[userBlock[data.users[k]!]! * blocks + itemBlock[data.items[k]!]! + 1]!++;
    });
    for (let tile = 0; tile < blocks * blocks; tile++) starts[tile + 1]! += starts[tile]!;
    return new Grid(blocks, userBlock, itemBlock, starts);
  }

  /** One tile of everything. */
  static whole(size: number, users: number, items: number): Grid {
    return new Grid(1, new Uint16Array(users), new Uint16Array(items), Int32Array.of(0, size));
  }

  /** The tile of a rating. */
  tileOf(user: number, item: number): number {
    return this.userBlock[user]! * this.blocks + this.itemBlock[item]!;
  }
}
