// How many blocks users and items are cut into. It follows from the data, the model and the rule, never from the number
// of threads.

/** The blocks of each side. */
export interface Blocks {
  readonly users: number;
  readonly items: number;
}

/** One tile of everything. */
export const WHOLE: Blocks = { users: 1, items: 1 };

/** What a side of a training is: its rows, and the bytes of all that is read and written of them. */
export interface Side {
  readonly rows: number;
  readonly bytes: number;
}

/** The memory of a block's rows, in bytes: two of them beside their ratings fit a core's second-level cache. */
const BLOCK_BYTES = 256 * 1024;
/** Fewer ratings a tile are not worth their tile; nor are fewer than so many batches, the last of which is cut. */
const TILE_RATINGS = 2048;
const TILE_BATCHES = 16;
/** From so many ratings on there are enough blocks for some threads, whatever the cache could hold. */
const WORTH_SHARING = 1 << 18;
const LEAST_SHARED = 12;

/** The blocks for `ratings` in steps of `batchSize`. */
export function chooseBlocks(ratings: number, batchSize: number, users: Side, items: Side): Blocks {
  const least = ratings >= WORTH_SHARING ? LEAST_SHARED : 1;
  const wanted = ({ rows, bytes }: Side) => Math.min(rows, Math.max(Math.ceil(bytes / BLOCK_BYTES), least));
  const tiles = ratings / Math.max(TILE_RATINGS, TILE_BATCHES * batchSize);
  let blocks: Blocks = { users: wanted(users), items: wanted(items) };
  // Too many tiles: the side with more blocks gives some up first.
  while (blocks.users * blocks.items > Math.max(tiles, 1)) {
    const { users, items } = blocks;
    blocks = users >= items ? { users: Math.ceil(users / 2), items } : { users, items: Math.ceil(items / 2) };
  }
  return blocks;
}
