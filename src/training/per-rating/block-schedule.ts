// The order of per-rating SGD: users and items are cut into blocks, ratings into tiles (a block of users by a block of
// items), and tiles that share no row form a stratum (Gemulla et al., KDD 2011). The schedule is a function of the data,
// the model and the seed, never of the number of threads.

import type { Stream } from '../../core/random';
import { forEachChunk, type Scheduler } from '../../core/scheduler';
import { countsToStarts, groupRows, groupRowsNow } from '../../data/csr';
import type { RatingData } from '../../models/model';

/** The blocks of each side. */
export interface Blocks {
  readonly users: number;
  readonly items: number;
}

/** How an epoch traverses the ratings. */
export interface OrderOptions {
  readonly stream: Stream;
  /** false: in the order of the data. */
  readonly shuffle: boolean;
  /** The blocks that users and items are cut into. */
  readonly blocks: Blocks;
  /** The most ratings of one user per step; above 1, batch sizes count steps, not ratings. */
  readonly grouping: 1 | 4;
  /** Above 1: the parts that users and items come in, for losses that draw items. @see scheduleShares @defaultValue 1 */
  readonly parts?: number;
  /** Whether batches may renumber rows, so that those of a tile are contiguous. @defaultValue false */
  readonly packs?: boolean;
}

/** A single tile with all ratings. */
export const WHOLE: Blocks = { users: 1, items: 1 };

/** One side of a training: its rows, and the bytes read and written for them. */
export interface Side {
  readonly rows: number;
  readonly bytes: number;
}

/** The memory of a block's rows, in bytes: two of them beside their ratings fit a core's second-level cache. */
const BLOCK_BYTES = 256 * 1024;
/** Tiles with fewer ratings, or fewer batches than this, are not worthwhile; the last batch of a tile is short. */
const TILE_RATINGS = 2048;
const TILE_BATCHES = 16;
/** From this number of ratings on there are enough blocks for several threads, whatever the cache could hold. */
const WORTH_SHARING = 1 << 18;
const LEAST_SHARED = 12;

/** The blocks for `ratings` in steps of `batchSize`. */
export function chooseBlocks(ratings: number, batchSize: number, users: Side, items: Side): Blocks {
  const least = ratings >= WORTH_SHARING ? LEAST_SHARED : 1;
  const wanted = ({ rows, bytes }: Side) => Math.min(rows, Math.max(Math.ceil(bytes / BLOCK_BYTES), least));
  const tiles = ratings / Math.max(TILE_RATINGS, TILE_BATCHES * batchSize);
  let blocks: Blocks = { users: wanted(users), items: wanted(items) };
  // Too many tiles: reduce the side with more blocks.
  while (blocks.users * blocks.items > Math.max(tiles, 1)) {
    const { users, items } = blocks;
    blocks = users >= items ? { users: Math.ceil(users / 2), items } : { users, items: Math.ceil(items / 2) };
  }
  return blocks;
}

/** Parts of either side where items are drawn, from WORTH_SHARING on: as many threads have work at a time. */
const PARTS = 4;
/** The least blocks to a part: parts are of other blocks in each epoch. */
const [USER_BLOCKS, ITEM_BLOCKS] = [4, 8];
/** Steps run on from tile to tile of a share: tiles may be small. */
const SHARED_TILE = 512;

/** The parts of either side, and the blocks that they are made of, for losses that draw items; 1: all in one. */
export function chooseParts(
  ratings: number,
  users: Side,
  items: Side,
  parts = ratings >= WORTH_SHARING ? PARTS : 1,
): { readonly parts: number; readonly blocks: Blocks } | null {
  const least = { users: USER_BLOCKS * parts, items: ITEM_BLOCKS * parts };
  if (parts === 1 || users.rows < least.users || items.rows < least.items) return null;
  const wanted = ({ rows, bytes }: Side) => Math.min(rows, Math.ceil(bytes / BLOCK_BYTES));
  let blocks = { users: Math.max(wanted(users), least.users), items: Math.max(wanted(items), least.items) };
  const most = Math.max(ratings / SHARED_TILE, least.users * least.items);
  // Too many tiles: reduce the side with more blocks, as far as it may be.
  while (blocks.users * blocks.items > most) {
    const isUsers = blocks.items === least.items || (blocks.users >= blocks.items && blocks.users > least.users);
    blocks = isUsers
      ? { ...blocks, users: Math.max(Math.ceil(blocks.users / 2), least.users) }
      : { ...blocks, items: Math.max(Math.ceil(blocks.items / 2), least.items) };
  }
  // As many to each part.
  const even = (count: number) => Math.ceil(count / parts) * parts;
  return { parts, blocks: { users: even(blocks.users), items: even(blocks.items) } };
}

// Rows into blocks of about equal weight: the heaviest row first, each to the block that is lightest so far (Graham 1969).

/** Larger weights are treated as equal in the sort, which needs a counter per weight. */
const MOST_WEIGHT = 2 ** 21;

/** The block of each row. Rows of equal weight are ordered by number, so that the result is a function of the weights. */
export async function assignBlocks(weights: Int32Array, blocks: number, scheduler: Scheduler): Promise<Uint16Array> {
  const blockOf = new Uint16Array(weights.length);
  if (blocks === 1) return blockOf;
  const order = await heaviestFirst(weights, scheduler);
  const load = new Float64Array(blocks);
  await forEachChunk(order.length, scheduler, (from, to) => {
    for (let at = from; at < to; at++) {
      const row = order[at]!;
      let lightest = 0;
      for (let block = 1; block < blocks; block++) if (load[block]! < load[lightest]!) lightest = block;
      blockOf[row] = lightest;
      // A row without ratings counts too, or all of them would share one block and its memory.
      load[lightest]! += weights[row]! + 1;
    }
  });
  return blockOf;
}

/** The rows by descending weight. */
async function heaviestFirst(weights: Int32Array, scheduler: Scheduler): Promise<Int32Array> {
  let most = 0;
  for (const weight of weights) most = Math.max(most, Math.min(weight, MOST_WEIGHT));
  const lacking = weights.map((weight) => most - Math.min(weight, most));
  return (await groupRows(lacking, most + 1, scheduler)).order;
}

// Orders the rows of a table by block: the rows of a tile are contiguous in memory.

/** Rows in the order of their blocks. */
export interface RowOrder {
  /** The position of each row. */
  readonly places: Int32Array;
  /** The position where each block starts; the last entry is the number of rows. */
  readonly starts: Int32Array;
}

/** The order of rows by the block of each. */
export function orderByBlock(blockOf: Uint16Array, blocks: number): RowOrder {
  const { order, starts } = groupRowsNow(blockOf, blocks);
  const places = new Int32Array(blockOf.length);
  for (let place = 0; place < order.length; place++) places[order[place]!] = place;
  return { places, starts };
}

// The grid of tiles in which ratings are visited: users and items in blocks, one tile per pair of blocks. A tile's rows
// fit the cache, and tiles of one stratum share no row, so that they can be trained at the same time (Gemulla, Nijkamp,
// Haas, Sismanis, "Large-Scale Matrix Factorization with Distributed Stochastic Gradient Descent", KDD 2011).

/** A grid over some ratings. */
export class BlockGrid {
  private constructor(
    readonly blocks: Blocks,
    /** The block of each row. */
    readonly userBlock: Uint16Array,
    readonly itemBlock: Uint16Array,
    /**
     * Where each tile's ratings start, once they are counted; tile = user block * item blocks + item block. One more at the
     * end: the number of ratings.
     */
    readonly starts: Int32Array,
    /** No tile has more ratings. */
    readonly most: number,
  ) {}

  /** The grid of some blocks; its tiles are not counted. */
  static async over(
    data: RatingData,
    users: number,
    items: number,
    blocks: Blocks,
    scheduler: Scheduler,
  ): Promise<BlockGrid> {
    const counts = data.counts ?? (await count(data, users, items, scheduler));
    const userBlock = await assignBlocks(counts.users, blocks.users, scheduler);
    const itemBlock = await assignBlocks(counts.items, blocks.items, scheduler);
    const ofUsers = heaviest(userBlock, counts.users, blocks.users);
    const ofItems = heaviest(itemBlock, counts.items, blocks.items);
    // Ratings with weights may be there several times, but count once.
    const most = data.weights === null ? Math.min(ofUsers, ofItems, data.size) : data.size;
    return new BlockGrid(blocks, userBlock, itemBlock, new Int32Array(blocks.users * blocks.items + 1), most);
  }

  /** A single tile with all ratings. */
  static whole(size: number, users: number, items: number): BlockGrid {
    return new BlockGrid(WHOLE, new Uint16Array(users), new Uint16Array(items), Int32Array.of(0, size), size);
  }

  /** Whether there is a single tile, in which case nothing has to be counted. */
  get isWhole(): boolean {
    return this.starts.length === 2;
  }

  /** The tile of a rating. */
  tileOf(user: number, item: number): number {
    return this.userBlock[user]! * this.blocks.items + this.itemBlock[item]!;
  }

  /** Counts the ratings of tiles. */
  async count({ users, items, size }: RatingData, scheduler: Scheduler): Promise<void> {
    if (this.isWhole) return;
    const { starts } = this;
    await forEachChunk(size, scheduler, (from, to) => {
      for (let k = from; k < to; k++) starts[this.tileOf(users[k]!, items[k]!) + 1]!++;
    });
    countsToStarts(starts);
  }
}

/** The weight of the heaviest block. */
function heaviest(blockOf: Uint16Array, weights: Int32Array, blocks: number): number {
  const loads = new Float64Array(blocks);
  for (let row = 0; row < blockOf.length; row++) loads[blockOf[row]!]! += weights[row]!;
  return loads.reduce((most, load) => Math.max(most, load), 0);
}

async function count(data: RatingData, users: number, items: number, scheduler: Scheduler) {
  const counts = { users: new Int32Array(users), items: new Int32Array(items) };
  await forEachChunk(data.size, scheduler, (from, to) => {
    for (let k = from; k < to; k++) {
      counts.users[data.users[k]!]!++;
      counts.items[data.items[k]!]!++;
    }
  });
  return counts;
}

// Sorts ratings into their tiles, in random order within each. Done once per fit; each epoch then traverses a tile in a
// stride of its own (scheduleVisits), which costs nothing and gives each epoch another order.

/** Records of `wordStep` words each, from a word on. */
export interface Records {
  readonly words: Int32Array;
  readonly first: number;
  readonly wordStep: number;
}

/** Stores ratings in an order. Many a call: a call a rating costs more than the rating. */
export interface RatingStore extends Records {
  /** Stores the ratings `from` to `to` of the data, or those that `which` has there, at the positions in `places`. */
  put(places: Int32Array, from: number, to: number, which?: Int32Array): void;
  /** Counts tiles and lays ratings out in them as layOut does, where records do it themselves. */
  fill?(grid: BlockGrid, scheduler: Scheduler): Promise<void>;
  /** Shuffles tiles as shuffleTiles does, where records do it themselves; each has at most MOST_SHUFFLED. */
  shuffle?(tiles: readonly Tile[], scheduler: Scheduler): Promise<void>;
}

/** Records of a tile, and the key by which they are shuffled. */
export interface Tile {
  readonly first: number;
  readonly count: number;
  readonly key: number;
}

/** The most ratings to a call of `put`. */
export const AT_ONCE = 2048;
/** More would hold the event loop for too long. Up to 2^21 a double has the product of a draw exactly, as integers have. */
export const MOST_SHUFFLED = 1 << 20;

/** The steps of training in their tiles. */
export interface TileLayout {
  /** Where each tile's steps start; the last entry is the number of steps. */
  readonly starts: Int32Array;
  /** If steps take several ratings: the ratings of each step, as first position * 4 + count - 1. */
  readonly groups: Int32Array | null;
}

/** Lays the ratings out, one per step: by tile, within each in the order of the data. */
export async function layOut(
  data: RatingData,
  grid: BlockGrid,
  places: RatingStore,
  scheduler: Scheduler,
): Promise<TileLayout> {
  const layout = { starts: grid.starts, groups: null };
  if (places.fill !== undefined) {
    await places.fill(grid, scheduler);
    return layout;
  }
  await grid.count(data, scheduler);
  const next = grid.starts.slice();
  const { users, items } = data;
  const found = new Int32Array(AT_ONCE);
  await forEachChunk(data.size, scheduler, (from, to) => {
    for (let k = from; k < to; k++) found[k - from] = next[grid.tileOf(users[k]!, items[k]!)]!++;
    places.put(found, from, to);
  });
  return layout;
}

/**
 * Shuffles each tile (Fisher and Yates): numbers, by which the records are then moved once. Swaps of the records themselves
 * wait for each other's stores, which takes three times as long.
 */
export async function shuffleTiles(
  starts: Int32Array,
  stream: Stream,
  records: Records & Pick<RatingStore, 'shuffle'>,
  scheduler: Scheduler,
): Promise<void> {
  const draws = stream.fork('tiles');
  const tiles = Array.from({ length: starts.length - 1 }, (_, tile): Tile => {
    const first = starts[tile]!;
    return { first, count: starts[tile + 1]! - first, key: draws.uint32() };
  });
  const most = largestTile(starts);
  if (records.shuffle !== undefined && most <= MOST_SHUFFLED) return records.shuffle(tiles, scheduler);
  const { words, wordStep } = records;
  const order = new Int32Array(most);
  const copy = new Int32Array(most * wordStep);
  for (const { first, count, key } of tiles) {
    const at = records.first + first * wordStep;
    await shuffleTile({ words, first: at, wordStep }, count, key, { order, copy }, scheduler);
  }
}

/** Shuffles one tile by its key; `room` is for its numbers and for a copy. */
export async function shuffleTile(
  { words, first, wordStep }: Records,
  count: number,
  key: number,
  { order, copy }: { readonly order: Int32Array; readonly copy: Int32Array },
  scheduler: Scheduler,
): Promise<void> {
  await forEachChunk(count, scheduler, (from, to) => {
    for (let k = from; k < to; k++) order[k] = k;
    copy.set(words.subarray(first + from * wordStep, first + to * wordStep), from * wordStep);
  });
  const places = { words, first, wordStep };
  await forEachChunk(count, scheduler, (from, to) => move(copy, order, places, key, count, count - from, count - to));
}

/** The most records of a tile. */
export function largestTile(starts: Int32Array): number {
  return starts.reduce((most, start, tile) => Math.max(most, start - (starts[tile - 1] ?? start)), 0);
}

/** Draws the records from place `from` - 1 down to `to`, and moves them there. */
function move(
  copy: Int32Array,
  order: Int32Array,
  { words, first, wordStep }: Records,
  key: number,
  count: number,
  from: number,
  to: number,
): void {
  for (let left = from; left > to; left--) {
    // Uniform up to a bias of count / 2^32; `below` has none, but costs two divisions.
    const drawn = (wordOf(key, count - left) * 2 ** -32 * left) | 0;
    const source = Math.imul(order[drawn]!, wordStep);
    order[drawn] = order[left - 1]!;
    const place = first + Math.imul(left - 1, wordStep);
    words[place] = copy[source]!;
    // By name: a loop of two steps costs as much as all else.
    if (wordStep > 2) {
      words[place + 1] = copy[source + 1]!;
      words[place + 2] = copy[source + 2]!;
    }
    for (let word = 3; word < wordStep; word++) words[place + word] = copy[source + word]!;
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

// Sorts ratings into their tiles, with up to four of one user per step: the order of grouping 4. The items of a group
// differ, so that a step changes each of its rows once.

/** The most ratings of a step. */
const MOST = 4;

/** Lays the ratings out by tile and user. */
export async function layOutGroups(
  data: RatingData,
  grid: BlockGrid,
  places: RatingStore,
  scheduler: Scheduler,
): Promise<TileLayout> {
  await grid.count(data, scheduler);
  // Within a user, in the order of the data.
  const { order: byUser } = await groupRows(data.users, grid.userBlock.length, scheduler);
  const next = grid.starts.slice();
  const tiles = grid.starts.length - 1;
  // The current group of each tile: its user, its items, their number.
  const users = new Int32Array(tiles).fill(-1);
  const items = new Int32Array(tiles * MOST);
  const sizes = new Uint8Array(tiles);
  const isFirst = new Uint8Array(data.size);
  const place = (k: number) => {
    const user = data.users[k]!;
    const item = data.items[k]!;
    const tile = grid.tileOf(user, item);
    const at = next[tile]!++;
    const size = sizes[tile]!;
    const held = items.subarray(tile * MOST, tile * MOST + size);
    const joins = users[tile] === user && size < MOST && !held.includes(item);
    if (!joins) isFirst[at] = 1;
    users[tile] = user;
    items[tile * MOST + (joins ? size : 0)] = item;
    sizes[tile] = joins ? size + 1 : 1;
    return at;
  };
  const found = new Int32Array(AT_ONCE);
  await forEachChunk(data.size, scheduler, (from, to) => {
    for (let n = from; n < to; n++) found[n - from] = place(byUser[n]!);
    places.put(found, from, to, byUser);
  });
  return collectGroups(grid, isFirst, scheduler);
}

/** The groups in the order of their positions, and where each tile's start. */
async function collectGroups(grid: BlockGrid, isFirst: Uint8Array, scheduler: Scheduler) {
  let count = 0;
  await forEachChunk(isFirst.length, scheduler, (from, to) => {
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
  await forEachChunk(isFirst.length, scheduler, (from, to) => {
    for (let place = from; place < to; place++) collect(place);
  });
  while (tile + 1 < starts.length) starts[++tile] = count;
  return { starts, groups };
}

// The order of an epoch: the sequence of tiles, and the order within each: a random stride from a random start, index =
// (index + stride) mod count.

/** Ratings are stored in random order, so a small stride is random enough, and caches can predict it. */
export const MOST_STRIDE = 16;

/** A traversal of the steps of one tile. */
export interface TileVisit {
  readonly tile: number;
  /** The steps of the tile. */
  readonly count: number;
  readonly start: number;
  /** Coprime to the count, so that every step occurs once. */
  readonly stride: number;
  /** The number of steps of the epoch before this visit. */
  readonly before: number;
}

/**
 * A stratum has up to so many squares, for 8 threads two each: as many tiles where there are so few, else neighbouring blocks of
 * either side that are met one after the other, so that rows stay in the cache from one tile to the next.
 */
const SQUARES = 16;

/**
 * The visits of an epoch, by strata and squares: the squares of one stratum share no row. Empty tiles are left out. The
 * blocks of the longer side come in groups of as many as the other has; a group meets all of the other side before the next
 * group comes, so that its rows come from memory once an epoch.
 */
export function scheduleVisits(starts: Int32Array, blocks: Blocks, draws: Stream): TileVisit[][][] {
  return scheduleStrata(starts, blocks, draws).map(({ squares }) => squares);
}

/** A stratum of an epoch. */
export interface Stratum {
  readonly group: number;
  readonly shift: number;
  /** Square k meets part k of the group and part (k + shift) mod `shiftsOf` of the shorter side. */
  readonly squares: TileVisit[][];
}

/** The same, with what each stratum is. */
export function scheduleStrata(starts: Int32Array, blocks: Blocks, draws: Stream): Stratum[] {
  const visit = visitor(starts, draws);
  const [most, least] = [Math.max(blocks.users, blocks.items), Math.min(blocks.users, blocks.items)];
  return inRandomOrder(Math.ceil(most / least), draws).flatMap((group) =>
    inRandomOrder(shiftsOf(blocks), draws).map((shift) => ({
      group,
      shift,
      squares: squaresOf(blocks, group, shift).map((square) => square.flatMap(visit)),
    })),
  );
}

/** How many strata a group has: as many as each of them squares. */
export function shiftsOf({ users, items }: Blocks): number {
  return Math.min(users, items, SQUARES);
}

/** Where a part of the shorter side begins, in blocks; and one of a group, from where the group begins. */
export function partStart(blocks: Blocks, part: number): number {
  return Math.floor((part * Math.min(blocks.users, blocks.items)) / shiftsOf(blocks));
}

/** The tiles of a stratum of a group, square by square, in the order in which they are trained. */
export function squaresOf(blocks: Blocks, group: number, shift: number): number[][] {
  const isWide = blocks.users >= blocks.items;
  const [long, short] = isWide ? [blocks.users, blocks.items] : [blocks.items, blocks.users];
  const tileOf = (a: number, b: number) => (isWide ? a * blocks.items + b : b * blocks.items + a);
  const parts = shiftsOf(blocks);
  const bound = (part: number) => partStart(blocks, part);
  const blocksOf = (part: number) => Array.from({ length: bound(part + 1) - bound(part) }, (_, i) => bound(part) + i);
  return Array.from({ length: parts }, (_, part) => {
    const own = blocksOf(part).map((block) => group * short + block);
    const others = blocksOf((part + shift) % parts);
    return own
      .filter((block) => block < long)
      .flatMap((block, at) => (at % 2 === 0 ? others : [...others].reverse()).map((other) => tileOf(block, other)));
  });
}

/** Draws the visit of a tile, after those before; none of an empty one. */
function visitor(starts: Int32Array, draws: Stream): (tile: number) => TileVisit[] {
  let before = 0;
  return (tile) => {
    const count = starts[tile + 1]! - starts[tile]!;
    if (count === 0) return [];
    const stride = coprime(1 + draws.below(Math.min(count, MOST_STRIDE)), count);
    before += count;
    return [{ tile, count, start: draws.below(count), stride, before: before - count }];
  };
}

/** The numbers 0 .. count - 1. */
function inRandomOrder(count: number, draws: Stream): number[] {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  draws.shuffle(order);
  return Array.from(order);
}

/** An epoch in shares: each is of a part of the users and a part of the items. */
export interface Shares {
  /** By share; `parts` of them, one after another, are a stratum, and share no row. */
  readonly visits: readonly (readonly TileVisit[])[];
  /** The part of the items that a share is of. */
  readonly partOfShare: Uint8Array;
  /** And that a block of items is in. */
  readonly partOfBlock: Uint8Array;
}

/**
 * The visits of an epoch in which items are drawn, from the part that the share's items are of: shares of a stratum then
 * write to different rows. Blocks are dealt out to parts anew in each epoch, so that all items meet.
 */
export function scheduleShares(starts: Int32Array, blocks: Blocks, parts: number, draws: Stream): Shares {
  const visit = visitor(starts, draws);
  const deal = (count: number) => {
    const members = Array.from({ length: parts }, (): number[] => []);
    for (const [k, block] of inRandomOrder(count, draws).entries()) members[k % parts]!.push(block);
    return members;
  };
  const [users, items] = [deal(blocks.users), deal(blocks.items)];
  const partOfBlock = new Uint8Array(blocks.items);
  for (const [part, members] of items.entries()) for (const block of members) partOfBlock[block] = part;
  const shares = inRandomOrder(parts, draws).flatMap((shift) =>
    users.map((members, k) => ({ users: members, part: (k + shift) % parts })),
  );
  const visits = shares.map(({ users: members, part }) => {
    const tiles = members.flatMap((user) => items[part]!.map((item) => user * blocks.items + item));
    return inRandomOrder(tiles.length, draws).flatMap((at) => visit(tiles[at]!));
  });
  return { visits, partOfShare: Uint8Array.from(shares, ({ part }) => part), partOfBlock };
}

/** The visits of an epoch in the order of the data. */
export function oneVisit(size: number): TileVisit[][][] {
  return [[[{ tile: 0, count: size, start: 0, stride: 1, before: 0 }]]];
}

/** The first number from `from` on, going round, that shares no divisor with `count`. */
export function coprime(from: number, count: number): number {
  for (let stride = from; ; stride = (stride % count) + 1) if (divisor(stride, count) === 1) return stride;
}

/** The greatest common divisor (Euclid). */
function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

// Derives the order of ratings from the options: the grid, the layout in it, and the visits of an epoch. All holders of
// ratings use it, so that they traverse them in the same order.

/** The grid of an order. */
export function gridOf(
  data: RatingData,
  rows: { readonly users: number; readonly items: number },
  { blocks }: OrderOptions,
  scheduler: Scheduler,
): Promise<BlockGrid> | BlockGrid {
  const { users, items } = rows;
  const isWhole = blocks.users * blocks.items === 1;
  return isWhole ? BlockGrid.whole(data.size, users, items) : BlockGrid.over(data, users, items, blocks, scheduler);
}

/** Lays the ratings out: shuffled in their tiles, in groups or one by one; or in the order of the data. */
export async function layOutRatings(
  data: RatingData,
  grid: BlockGrid,
  { shuffle, grouping, stream }: OrderOptions,
  places: RatingStore,
  scheduler: Scheduler,
): Promise<TileLayout> {
  const layout = await (shuffle && grouping > 1 ? layOutGroups : layOut)(data, grid, places, scheduler);
  const { starts, groups } = layout;
  const steps = groups === null ? places : { words: groups, first: 0, wordStep: 1 };
  if (shuffle) await shuffleTiles(starts, stream, steps, scheduler);
  return layout;
}

/** The steps of an epoch. */
export function stepsOf({ starts }: TileLayout): number {
  return starts[starts.length - 1]!;
}

/** The visits of an epoch, by strata and squares. */
export function epochVisits(
  layout: TileLayout,
  { shuffle, blocks, stream }: OrderOptions,
  epoch: number,
): TileVisit[][][] {
  return shuffle ? scheduleVisits(layout.starts, blocks, stream.fork(epoch)) : oneVisit(stepsOf(layout));
}
