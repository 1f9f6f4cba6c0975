// Sorting: rows go into buckets, each the tiles of some blocks of the longer side, and a bucket is sorted in memory.

import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { OptionError } from '../../core/errors';
import { forEachChunk, type TaskScheduler } from '../../core/scheduler';
import { countsToStarts } from '../../data/csr';
import { assignBlocks, type Blocks } from '../../training/per-rating/block-schedule';
import { Groups } from '../../training/per-rating/paged';
import type { Progress } from './progress';
import {
  damaged,
  FILES,
  type People,
  RecordFile,
  RowFile,
  type RowsAbout,
  recordBytes,
  type TileIndex,
} from './tile-folder';

/** The tiles of some blocks of the longer side, one after another in the file. */
interface Bucket {
  readonly from: number;
  readonly to: number;
  /** Where its ratings start, and how many there are. */
  readonly start: number;
  readonly count: number;
}

/** Of the memory, a quarter is for each: a bucket with its tiles, the same sorted, what is on its way to buckets. */
const PARTS = 4;

/** Writes the file of tiles. */
export async function sortRows(
  dir: string,
  about: RowsAbout,
  { users, items, counts }: People,
  blocks: Blocks,
  memory: number,
  progress: Progress,
  scheduler: TaskScheduler,
): Promise<TileIndex['tiles']> {
  progress.begin('sort');
  const groups = new Groups(blocks);
  const userBlock = await assignBlocks(counts.users, blocks.users, scheduler);
  const itemBlock = await assignBlocks(counts.items, blocks.items, scheduler);
  const [longBlock, longCounts] = groups.usersAreLong ? [userBlock, counts.users] : [itemBlock, counts.items];
  const shortBlock = groups.usersAreLong ? itemBlock : userBlock;
  const [longWord, shortWord] = groups.usersAreLong ? [0, 1] : [1, 0];
  const loads = new Float64Array(groups.long);
  for (let row = 0; row < longBlock.length; row++) loads[longBlock[row]!]! += longCounts[row]!;
  const bytes = recordBytes(about.isWeighted);
  const step = bytes / 4;
  const buckets = bucketsOf(loads, memory / PARTS / bytes, memory, bytes);
  const file = await RecordFile.open(join(dir, FILES.rows), 'r');
  let tiles: RecordFile | undefined;
  try {
    tiles = await RecordFile.open(join(dir, FILES.tiles), 'w+');
    const rows = new RowFile(file, about, users, items, true);
    await distribute(rows, tiles, buckets, longBlock, longWord, memory / PARTS, progress, scheduler);
    const [perTile, checksums]: [number[], number[]] = [[], []];
    const most = buckets.reduce((most, { count }) => Math.max(most, count), 0);
    const held = new Int32Array(most * step);
    const sorted = new Int32Array(most * step);
    const tileOf = new Int32Array(most);
    let done = 0;
    for (const { from, to, start, count } of buckets) {
      await tiles.read(new Uint8Array(held.buffer, 0, count * bytes), start * bytes);
      const starts = new Int32Array((to - from) * groups.short + 1);
      const [long, short] = [
        { blockOf: longBlock, word: longWord, first: from, times: groups.short },
        { blockOf: shortBlock, word: shortWord, first: 0, times: 1 },
      ];
      await forEachChunk(count, scheduler, (first, end) => {
        countTiles(held, step, long, short, tileOf, starts, first, end);
      });
      countsToStarts(starts);
      const next = starts.slice();
      await forEachChunk(count, scheduler, (first, end) => sortInto(held, step, tileOf, next, sorted, first, end));
      for (let tile = 0; tile + 1 < starts.length; tile++) {
        const [first, end] = [starts[tile]! * bytes, starts[tile + 1]! * bytes];
        perTile.push(starts[tile + 1]! - starts[tile]!);
        checksums.push(crc32(new Uint8Array(sorted.buffer, first, end - first)));
        if (scheduler.isDue((end - first) / 64)) await scheduler.yieldNow();
      }
      await tiles.write(new Uint8Array(sorted.buffer, 0, count * bytes), start * bytes);
      done += count;
      progress.at((about.ratings + done) / 2, about.ratings);
    }
    await tiles.sync();
    return { counts: perTile, checksums };
  } finally {
    await tiles?.close();
    await file.close();
  }
}

/** The part of a tile's number in its bucket that a side has. */
interface TilePart {
  readonly blockOf: Uint16Array;
  /** Which word of a record has the row. */
  readonly word: number;
  readonly first: number;
  readonly times: number;
}

/** Finds the tiles of some records, and counts them: tile t in starts[t + 1]. */
function countTiles(
  words: Int32Array,
  step: number,
  long: TilePart,
  short: TilePart,
  tileOf: Int32Array,
  starts: Int32Array,
  from: number,
  to: number,
): void {
  const [a, b] = [long.blockOf, short.blockOf];
  const { first, times, word } = long;
  for (let k = from, at = from * step; k < to; k++, at += step) {
    const tile = (a[words[at + word]!]! - first) * times + b[words[at + short.word]!]!;
    tileOf[k] = tile;
    starts[tile + 1]!++;
  }
}

/** Moves some records to the next places of their tiles. */
function sortInto(
  words: Int32Array,
  step: number,
  tileOf: Int32Array,
  next: Int32Array,
  sorted: Int32Array,
  from: number,
  to: number,
): void {
  for (let k = from, at = from * step; k < to; k++, at += step) {
    const place = next[tileOf[k]!]!++ * step;
    sorted[place] = words[at]!;
    sorted[place + 1] = words[at + 1]!;
    sorted[place + 2] = words[at + 2]!;
    if (step > 3) sorted[place + 3] = words[at + 3]!;
  }
}

/** Blocks in buckets of at most so many ratings. */
function bucketsOf(loads: Float64Array, most: number, memory: number, bytes: number): Bucket[] {
  const buckets: Bucket[] = [];
  let start = 0;
  for (let from = 0, to = 0; from < loads.length; from = to) {
    let count = 0;
    do count += loads[to++]!;
    while (to < loads.length && count + loads[to]! <= most);
    if (count > most)
      throw new OptionError(
        'memory',
        memory,
        `partitionInteractions: memory is ${memory}, and a stripe of ${count} ratings takes ${PARTS * count * bytes} to be sorted; want so much, or more stripes`,
      );
    buckets.push({ from, to, start, count });
    start += count;
  }
  return buckets;
}

/** Writes each row to the end of its bucket. */
async function distribute(
  rows: RowFile,
  tiles: RecordFile,
  buckets: readonly Bucket[],
  longBlock: Uint16Array,
  longWord: number,
  memory: number,
  progress: Progress,
  scheduler: TaskScheduler,
): Promise<void> {
  const bytes = recordBytes(rows.isWeighted);
  const step = bytes / 4;
  const room = Math.min(1 << 15, Math.max(16, Math.floor(memory / 2 / bytes / buckets.length)));
  const bucketOf = new Int32Array(buckets.at(-1)!.to);
  for (const [k, { from, to }] of buckets.entries()) bucketOf.fill(k, from, to);
  const held = buckets.map(() => new Int32Array(room * step));
  const counts = new Int32Array(buckets.length);
  const next = Float64Array.from(buckets, ({ start }) => start);
  // Full buffers on their way to the file, and those that are free again.
  const full: { readonly position: number; readonly words: Int32Array<ArrayBuffer>; readonly count: number }[] = [];
  const free: Int32Array<ArrayBuffer>[] = [];
  const turn = (k: number) => {
    const count = counts[k]!;
    full.push({ position: next[k]! * bytes, words: held[k]!, count });
    held[k] = free.pop() ?? new Int32Array(room * step);
    next[k]! += count;
    counts[k] = 0;
  };
  const write = async () => {
    for (const { position, words, count } of full.splice(0)) {
      await tiles.write(new Uint8Array(words.buffer, 0, count * bytes), position);
      free.push(words);
    }
  };
  let done = 0;
  for await (const words of rows.records()) {
    for (let at = 0; at < words.length; at += step) {
      const k = bucketOf[longBlock[words[at + longWord]!]!]!;
      const place = counts[k]!++ * step;
      const bucket = held[k]!;
      bucket[place] = words[at]!;
      bucket[place + 1] = words[at + 1]!;
      bucket[place + 2] = words[at + 2]!;
      if (step > 3) bucket[place + 3] = words[at + 3]!;
      if (counts[k] === room) turn(k);
    }
    await write();
    if (scheduler.isDue(words.length)) await scheduler.yieldNow();
    done += words.length / step;
    progress.at(done / 2, rows.size);
  }
  for (const k of buckets.keys()) turn(k);
  await write();
  const wrong = buckets.findIndex(({ start, count }, k) => next[k] !== start + count);
  if (wrong >= 0) throw damaged(FILES.ids, 'its counts are not those of the rows');
}
