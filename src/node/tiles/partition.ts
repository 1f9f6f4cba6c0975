// Ratings of any number into tiles on disk: they are read once into a file of records (read-rows.ts), then sorted by tile, one
// part of the tiles after another (sort-rows.ts). Memory is bounded, but for the ids.

import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, OptionError } from '../../core/errors';
import { abortSignal, boolean, callable, check, field, integer, optional, readOptions, show } from '../../core/options';
import { now, TaskScheduler } from '../../core/scheduler';
import type { Interactions } from '../../data/interactions';
import type { Row } from '../../data/rows';
import { type ReadOptions, readSettings } from '../../io/text/read-options';
import { type Blocks, chooseBlocks } from '../../training/per-rating/block-schedule';
import type { TextSource } from '../file-chunks';
import { type PartitionProgress, Progress } from './progress';
import { readAll } from './read-rows';
import { sortRows } from './sort-rows';
import {
  FILES,
  type RowsAbout,
  readDocument,
  readPeople,
  requireLittleEndian,
  rowsAbout,
  type TileIndex,
  writeDocument,
} from './tile-folder';

/**
 * The options of `partitionInteractions`: its own, and those of `readInteractions` for a source of text.
 *
 * @example
 * ```ts
 * import type { PartitionOptions } from 'opmf/node';
 * const options: PartitionOptions = { stripes: 4, separator: '\t', duplicates: 'keep' };
 * console.log(Object.keys(options).length); // 3
 * ```
 */
export interface PartitionOptions extends Omit<ReadOptions, 'users' | 'items' | 'duplicates'> {
  /**
   * The blocks that users and items are cut into, each side from 1 to 65535, at most one a row; a number is for both. Left
   * out, they are those of a fit of MF of rank 32 in memory, whose rows fit a core's cache: the fastest.
   */
  readonly stripes?: number | { readonly users: number; readonly items: number } | undefined;
  /**
   * How to treat rows of the same user and item: `last` and `first` keep that row, `keep` keeps all, `error` throws.
   * All but `keep` take a pass over the ratings more, or several where `memory` is small. Interactions are taken as they are.
   * @defaultValue 'last'
   */
  readonly duplicates?: 'last' | 'first' | 'keep' | 'error' | undefined;
  /** The bytes for buffers, at least 2^22; ids and counts, some 120 bytes an id, come on top. @defaultValue 2^28 */
  readonly memory?: number | undefined;
  /** Whether to go on in a folder whose partition was interrupted: where all rows had been read, they are not read again. @defaultValue false */
  readonly resume?: boolean | undefined;
  /** Told every quarter of a second. */
  readonly onProgress?: ((progress: PartitionProgress) => unknown) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What has been partitioned. */
export interface Partition {
  readonly ratings: number;
  readonly users: number;
  readonly items: number;
  /** The blocks of either side: there are users x items tiles. */
  readonly blocks: { readonly users: number; readonly items: number };
  /** The rows that were left out, as LeftOut has them. */
  readonly leftOut: Omit<Interactions['leftOut'], 'faults'>;
  readonly seconds: number;
}

/** Blocks are numbered by 16 bits, and every tile has a description in memory. */
const MOST_BLOCKS = 65_535;
const MOST_TILES = 2 ** 22;

/** Its own options, filled in. */
interface Own {
  readonly stripes?: PartitionOptions['stripes'];
  readonly memory: number;
  readonly resume: boolean;
  readonly onProgress?: PartitionOptions['onProgress'];
  readonly signal?: PartitionOptions['signal'];
}

/**
 * Writes ratings into a folder as a grid of tiles, for `fitTiles`: users and items in blocks, a tile for each pair of them.
 *
 * The source is text, as `readInteractions` has it (layout 'long', UTF-8 or Latin 1), rows (any iterable of them, also an async
 * one such as a database cursor), or Interactions. Rows are checked as there; times are checked and not kept. The index is
 * written last: a folder that has none is no partition. One whose writer was killed is gone on with by `resume: true`, or refused; after
 * an error of the source the folder is empty.
 *
 * Cost: two passes, and one more to find duplicates. Memory: `memory`, and 120 bytes an id. Disk: 24 bytes a rating, 32 with
 * weights, and at most half as much again meanwhile.
 *
 * @param dir - a folder that is empty or not there yet.
 * @throws DataError for a folder with other files, with a partition or, without `resume`, with part of one; for a file that cannot be
 * read or written (a full disk); and for rows, as `readInteractions` and `Interactions.from`.
 * @throws OptionError for an unknown option or a bad value, and text that is read as a whole alone; UnsupportedError for NDJSON and Parquet.
 *
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { partitionInteractions } from 'opmf/node';
 * const dir = join(await mkdtemp(join(tmpdir(), 'opmf-')), 'tiles');
 * async function* rows() {
 *   yield ['ann', 'tea', 4] as const;
 *   yield ['bob', 'milk', 2] as const;
 * }
 * const { ratings, blocks } = await partitionInteractions(rows(), dir, { stripes: 2 });
 * console.log(ratings, blocks.users * blocks.items); // 2 4
 * ```
 */
export async function partitionInteractions(
  source: TextSource | Interactions | Iterable<Row> | AsyncIterable<Row>,
  dir: string,
  options: PartitionOptions = {},
): Promise<Partition> {
  const owner = 'partitionInteractions';
  const { own, reading, duplicates } = readPartitionOptions(owner, options);
  requireLittleEndian();
  const scheduler = new TaskScheduler(own.signal);
  // Unknown options are told before a folder is made.
  readSettings(owner, reading);
  const begun = await openFolder(dir, own.resume);
  const progress = new Progress(own.onProgress);
  const { rows, people } =
    begun === undefined
      ? await readAll(owner, source, dir, { ...reading, duplicates }, own.memory, progress, scheduler)
      : { rows: begun, people: await readPeople(dir, begun) };
  const blocks = blocksFor(owner, own.stripes, rows);
  const tiles = await sortRows(dir, rows, people, blocks, own.memory, progress, scheduler);
  await writeDocument(dir, FILES.index, { rows, blocks, tiles } satisfies TileIndex);
  await rm(join(dir, FILES.unfinished), { force: true });
  const { ratings, users, items, leftOut } = rows;
  return { ratings, users, items, blocks, leftOut, seconds: (now() - scheduler.started) / 1000 };
}

const stripesCheck = check<NonNullable<PartitionOptions['stripes']>>(
  `a whole number from 1 to ${MOST_BLOCKS}, or { users, items } of such`,
  (value) => {
    const { users, items } = (typeof value === 'number' ? { users: value, items: value } : (value ?? {})) as Blocks;
    return [users, items].every((count) => Number.isInteger(count) && count >= 1 && count <= MOST_BLOCKS);
  },
);

function readPartitionOptions(owner: string, options: PartitionOptions) {
  const { stripes, memory, resume, onProgress, signal, duplicates = 'last', ...reading } = options ?? {};
  const own = readOptions<Own>(
    owner,
    { stripes, memory, resume, onProgress, signal },
    {
      stripes: optional(stripesCheck),
      memory: field(integer({ min: 2 ** 22 }), 2 ** 28),
      resume: field(boolean, false),
      onProgress: optional(callable<(progress: PartitionProgress) => unknown>()),
      signal: optional(abortSignal),
    },
  );
  if ((duplicates as string) === 'sum')
    throw new OptionError(
      'duplicates',
      'sum',
      `${owner}: duplicates 'sum' is for what fits in memory: want 'last', 'first', 'keep' or 'error', or add values up before`,
    );
  return { own, reading, duplicates };
}

/** A block a row at most. Left out: as a fit in memory of plain tables of rank 32 chooses. */
function blocksFor(owner: string, stripes: PartitionOptions['stripes'], { ratings, users, items }: RowsAbout): Blocks {
  const side = (rows: number) => ({ rows, bytes: 4 * 33 * rows });
  const given = typeof stripes === 'number' ? { users: stripes, items: stripes } : stripes;
  const chosen = given ?? chooseBlocks(ratings, 1, side(users), side(items));
  const blocks = { users: Math.min(chosen.users, users), items: Math.min(chosen.items, items) };
  if (Math.max(blocks.users, blocks.items) <= MOST_BLOCKS && blocks.users * blocks.items <= MOST_TILES) return blocks;
  const what = `${owner}: ${blocks.users} x ${blocks.items} blocks are more than ${MOST_TILES} tiles`;
  throw new OptionError('stripes', stripes, `${what}, or more than ${MOST_BLOCKS} of a side; want fewer stripes`);
}

// The folder: empty, or begun.

/** Makes sure that a partition can be written into a folder; what is known of the rows, where all had been read before. */
async function openFolder(dir: string, resume: boolean): Promise<RowsAbout | undefined> {
  let names: string[];
  try {
    await mkdir(dir, { recursive: true });
    names = await readdir(dir);
  } catch (error) {
    throw new DataError(`cannot make the folder ${show(dir)}: ${(error as Error).message}`, { file: dir });
  }
  const unfinished = await readDocument(dir, FILES.unfinished);
  if (names.includes(FILES.index) && unfinished === undefined)
    throw new DataError(`${dir} has a partition already; want another folder, or remove that`, { file: dir });
  if (unfinished === undefined) {
    const [other] = names.filter((name) => !isTemporary(name));
    if (other !== undefined)
      throw new DataError(`${dir} has other files (${show(other)}); want an empty folder, or none`, { file: dir });
    return undefined;
  }
  if (!resume)
    throw new DataError(
      `${dir} has part of a partition that was interrupted; go on with resume: true (--resume), or remove the folder`,
      { file: dir },
    );
  return unfinished.rows === null ? undefined : rowsAbout(join(dir, FILES.unfinished), unfinished.rows);
}

/** Files that a killed process left half-written, beside those that they were to replace. */
function isTemporary(name: string): boolean {
  return name.startsWith('.') && name.endsWith('.tmp');
}
