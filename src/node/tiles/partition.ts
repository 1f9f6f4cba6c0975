// Ratings of any number into tiles on disk: they are read once into a file of records, then sorted by tile, one part of
// the tiles after another. Memory is bounded, but for the ids.

import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { DataError, isNamed, OptionError, UnsupportedError } from '../../core/errors';
import { abortSignal, boolean, callable, check, field, integer, optional, readOptions, show } from '../../core/options';
import { A_LOOK, forEachChunk, now, runYielding, TaskScheduler } from '../../core/scheduler';
import { countsToStarts } from '../../data/csr';
import { findRepeats } from '../../data/duplicates';
import type { Interactions } from '../../data/interactions';
import type { RatingChunk } from '../../data/passes';
import { type Row, readRows } from '../../data/rows';
import { Vocabulary } from '../../data/vocabulary';
import { ByteTable } from '../../io/text/byte-table';
import { isForBytes } from '../../io/text/parse-interactions';
import { headerAgain } from '../../io/text/rating-columns';
import { type ReadOptions, readSettings } from '../../io/text/read-options';
import { assignBlocks, type Blocks, chooseBlocks } from '../../training/per-rating/block-schedule';
import { Groups } from '../../training/per-rating/paged';
import { nameOf, readSource, type TextSource } from '../file-chunks';
import { formatOf } from '../read-files';
import {
  damaged,
  FILES,
  type People,
  RecordFile,
  RowFile,
  type RowsAbout,
  readDocument,
  readPeople,
  recordBytes,
  requireLittleEndian,
  rowsAbout,
  type TileIndex,
  writeDocument,
  writePeople,
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

/** How far a partition has come. */
export interface PartitionProgress {
  /** `read`: from the source to records; `compare`: looks for duplicates; `sort`: into tiles. */
  readonly stage: 'read' | 'compare' | 'sort';
  /** The rows that the stage has been through. */
  readonly rows: number;
  readonly rowsPerSecond: number;
  /** Until the end of the stage; undefined while it is not known how many rows there are. */
  readonly secondsLeft: number | undefined;
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
      ? await readAll(owner, source, dir, { ...reading, duplicates }, own, progress, scheduler)
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

// Progress, told now and then.

const TOLD_EVERY = 250;

class Progress {
  private last = now();
  private started = now();
  private stage: PartitionProgress['stage'] = 'read';

  constructor(private readonly tell: PartitionOptions['onProgress']) {}

  begin(stage: PartitionProgress['stage']): void {
    this.stage = stage;
    this.started = now();
  }

  at(rows: number, of: number | undefined): void {
    const time = now();
    if (this.tell === undefined || time - this.last < TOLD_EVERY) return;
    this.last = time;
    const rowsPerSecond = rows / Math.max((time - this.started) / 1000, 1e-9);
    this.tell({
      stage: this.stage,
      rows,
      rowsPerSecond,
      secondsLeft: of === undefined || rows === 0 ? undefined : Math.max(0, of - rows) / rowsPerSecond,
    });
  }
}

// Reading: from the source to a file of records.

/** Records that are written at once. */
const SPOOLED = 1 << 16;
/** Rows of an iterable that are checked at once. */
const ROWS_AT_ONCE = 1 << 12;

/** Writes rows as they come, and counts them. Rows of weight 0 are left out, and with them ids that no other row has. */
class Spool {
  /** Rows of weight 0. */
  absent = 0;
  size = 0;
  /** Whether a row has had a weight that counts. */
  isWeighted = false;
  /** Of what was written: the range of the values, the CRC-32, and how often each user and item occurs. */
  minimum = Infinity;
  maximum = -Infinity;
  checksum = 0;
  private userCounts = new Int32Array(1024);
  private itemCounts = new Int32Array(1024);
  private words: Int32Array<ArrayBuffer>;
  private numbers: Float32Array;
  private row = 0;
  private position = 0;
  private writing: Promise<void> = Promise.resolve();
  /** Buffers that are full, in order, and those that are free: garbage of this size has the collector go through all ids. */
  private full: Int32Array<ArrayBuffer>[] = [];
  private readonly free: Int32Array<ArrayBuffer>[] = [];
  /** The number of each id among those that count, and the other way round; null: all do. */
  private readonly numbersOf: readonly [Numbers, Numbers] | null;

  constructor(
    private readonly file: RecordFile,
    /** Whether records have room for a weight. */
    readonly hasRoom: boolean,
    /** Whether rows may have weight 0. */
    mayBeAbsent = hasRoom,
  ) {
    this.words = new Int32Array(SPOOLED * this.step);
    this.numbers = new Float32Array(this.words.buffer);
    this.numbersOf = mayBeAbsent ? [new Numbers(), new Numbers()] : null;
  }

  private get step(): number {
    return recordBytes(this.hasRoom) / 4;
  }

  /** Takes rows; the arrays may be written again after the call. */
  add(chunk: Omit<RatingChunk, 'values'> & { readonly values?: Float32Array | undefined }, from: number, to: number) {
    const { userIndex, itemIndex, values, weights } = chunk;
    const { step, numbersOf } = this;
    this.isWeighted ||= weights !== undefined;
    for (let k = from; k < to; k++) {
      if (weights !== undefined && weights[k] === 0) {
        this.absent++;
        continue;
      }
      if (this.row === SPOOLED) this.turn();
      const user = numbersOf === null ? userIndex[k]! : numbersOf[0].of(userIndex[k]!);
      const item = numbersOf === null ? itemIndex[k]! : numbersOf[1].of(itemIndex[k]!);
      const value = values === undefined ? 1 : values[k]!;
      const at = this.row++ * step;
      this.words[at] = user;
      this.words[at + 1] = item;
      this.numbers[at + 2] = value;
      if (step > 3) this.numbers[at + 3] = weights === undefined ? 1 : weights[k]!;
      if (user >= this.userCounts.length) this.userCounts = longer(this.userCounts, user);
      if (item >= this.itemCounts.length) this.itemCounts = longer(this.itemCounts, item);
      this.userCounts[user]!++;
      this.itemCounts[item]!++;
      if (value < this.minimum) this.minimum = value;
      if (value > this.maximum) this.maximum = value;
    }
  }

  /** How often each of so many users and items occurs. */
  counts(users: number, items: number): People['counts'] {
    const of = (counts: Int32Array, size: number) => {
      const all = new Int32Array(size);
      all.set(counts.subarray(0, size));
      return all;
    };
    return { users: of(this.userCounts, users), items: of(this.itemCounts, items) };
  }

  /** Begins to write what is full. Resolves once what was begun before is written. */
  async flush(): Promise<void> {
    await this.writing;
    const full = this.full.splice(0);
    if (full.length > 0) this.writing = this.write(full);
    this.writing.catch(() => undefined);
  }

  /** Writes the rest. */
  async end(): Promise<void> {
    this.turn();
    await this.flush();
    await this.writing;
  }

  /** The ids in the order of the numbers that were written. */
  idsOf(vocabulary: Vocabulary, side: 0 | 1): Vocabulary {
    const { numbersOf } = this;
    if (numbersOf === null || this.absent === 0) return vocabulary;
    return Vocabulary.from(numbersOf[side].given.map((number) => vocabulary.idOf(number)));
  }

  private turn(): void {
    if (this.row === 0) return;
    this.full.push(this.words.subarray(0, this.row * this.step));
    this.words = this.free.pop() ?? new Int32Array(SPOOLED * this.step);
    this.numbers = new Float32Array(this.words.buffer);
    this.size += this.row;
    this.row = 0;
  }

  private async write(full: readonly Int32Array<ArrayBuffer>[]): Promise<void> {
    for (const words of full) {
      const bytes = new Uint8Array(words.buffer, 0, words.byteLength);
      this.checksum = crc32(bytes, this.checksum);
      await this.file.write(bytes, this.position);
      this.position += words.byteLength;
      this.free.push(new Int32Array(words.buffer));
    }
  }
}

/** A longer copy, with room for a number. */
function longer(counts: Int32Array, number: number): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(2 * Math.max(number, counts.length));
  copy.set(counts);
  return copy;
}

/** New numbers in the order in which they are first asked for. */
class Numbers {
  readonly given: number[] = [];
  private known = new Int32Array(1024).fill(-1);

  of(number: number): number {
    if (number >= this.known.length) {
      const larger = new Int32Array(2 * Math.max(number, this.known.length)).fill(-1);
      larger.set(this.known);
      this.known = larger;
    }
    if (this.known[number]! < 0) this.known[number] = this.given.push(number) - 1;
    return this.known[number]!;
  }
}

type Reading = Omit<ReadOptions, 'users' | 'items' | 'duplicates'> & {
  readonly duplicates: NonNullable<PartitionOptions['duplicates']>;
};

/** What a source gave. */
interface Spooled {
  readonly spool: Spool;
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  readonly leftOut: { readonly invalid: number; readonly missing: number };
  /** A row that would be the header again, by its numbers. */
  readonly header?: { readonly user: number; readonly item: number } | undefined;
}

/** Reads all rows into the folder. */
async function readAll(
  owner: string,
  source: unknown,
  dir: string,
  reading: Reading,
  own: Own,
  progress: Progress,
  scheduler: TaskScheduler,
): Promise<{ rows: RowsAbout; people: People }> {
  await writeDocument(dir, FILES.unfinished, { rows: null });
  const file = await RecordFile.open(join(dir, FILES.rows), 'w+');
  let spooled: Spooled;
  try {
    spooled = await spoolOf(owner, source, file, reading, progress, scheduler);
    const { spool, leftOut } = spooled;
    await spool.end();
    if (spool.size === 0) throw new DataError(`${owner}: there are no ratings; want at least one, of a weight above 0`);
    if (spool.size > 2 ** 31 - 1)
      throw new DataError(`${owner}: ${spool.size} ratings are more than 2^31 - 1; want fewer`);
    const [users, items] = [spool.idsOf(spooled.users, 0), spool.idsOf(spooled.items, 1)];
    const about = { ratings: spool.size, isWeighted: spool.hasRoom, checksum: 0 };
    const held = new RowFile(file, about, users, items, false);
    const policy = isNamed('Interactions', source) ? 'keep' : reading.duplicates;
    const counts = spool.counts(users.size, items.size);
    if (spooled.header !== undefined) await refuseHeader(held, spooled, spooled.header, scheduler);
    const dropped =
      policy === 'keep' ? undefined : await findDropped(owner, held, counts, policy, own.memory, progress, scheduler);
    const { isWeighted, minimum, maximum, checksum } = spool;
    const isChanged = dropped !== undefined || spool.hasRoom !== isWeighted;
    const copy = isChanged && (await copyRows(dir, held, dropped, isWeighted, scheduler));
    const repeated = dropped?.count ?? 0;
    const rows: RowsAbout = {
      ...{ ratings: spool.size - repeated, users: users.size, items: items.size, isWeighted },
      ...(copy || { minimum, maximum, checksum }),
      leftOut: { ...leftOut, repeated, absent: spool.absent },
    };
    const people = { users, items, counts };
    await file.sync();
    await writePeople(dir, people);
    await writeDocument(dir, FILES.unfinished, { rows });
    return { rows, people };
  } catch (error) {
    // Reading begins anew in any case: nothing of it is of use.
    for (const name of [FILES.rows, `${FILES.rows}.part`, FILES.ids, FILES.unfinished])
      await rm(join(dir, name), { force: true }).catch(() => undefined);
    throw error;
  } finally {
    await file.close();
  }
}

/** Reads a source of any kind. */
async function spoolOf(
  owner: string,
  source: unknown,
  file: RecordFile,
  reading: Reading,
  progress: Progress,
  scheduler: TaskScheduler,
): Promise<Spooled> {
  const { duplicates, ...rest } = reading;
  if (isNamed<Interactions>('Interactions', source)) {
    const spool = new Spool(file, source.weights !== undefined, false);
    for (let from = 0; from < source.size; from += SPOOLED) {
      spool.add(source, from, Math.min(source.size, from + SPOOLED));
      await spool.flush();
      progress.at(from, source.size);
      if (scheduler.isDue(SPOOLED)) await scheduler.yieldNow();
    }
    return { spool, users: source.users, items: source.items, leftOut: { invalid: 0, missing: 0 } };
  }
  const { rows, text } = await kindOf(source);
  if (rows !== undefined) {
    // Whether a row has a weight shows when it comes.
    const spool = new Spool(file, true);
    const [users, items] = [new Vocabulary(), new Vocabulary()];
    let before = 0;
    let batch: Row[] = [];
    const take = async () => {
      const columns = readRows(batch, users, items, before);
      spool.add(columns, 0, columns.values.length);
      before += columns.values.length;
      batch = [];
      await spool.flush();
      progress.at(before, undefined);
      if (scheduler.isDue(32 * ROWS_AT_ONCE)) await scheduler.yieldNow();
    };
    for await (const row of rows) {
      batch.push(row);
      if (batch.length === ROWS_AT_ONCE) await take();
    }
    await take();
    return { spool, users, items, leftOut: { invalid: 0, missing: 0 } };
  }
  const name = rest.file ?? nameOf(owner, source);
  const given = readSettings(owner, { ...rest, duplicates: 'keep', ...(name !== undefined && { file: name }) });
  return readSource(owner, text, async ({ chunks, isText, start }) => {
    const format = formatOf(name, start, given);
    if (format !== undefined)
      throw new UnsupportedError(
        `${owner}: ${format} is not read in parts here; hand over its rows, or what readInteractions makes of it`,
      );
    const settings = isText ? { ...given, encoding: 'utf-8' as const } : given;
    if (!isForBytes(settings)) {
      const what = 'wide tables, lists, blocks, UTF-16 and separators beyond ASCII are read as a whole';
      throw new OptionError(
        settings.layout === 'long' ? 'encoding' : 'layout',
        settings.layout,
        `${owner}: ${what}; want layout 'long' in UTF-8, or hand over what readInteractions makes of it`,
      );
    }
    let spool: Spool | undefined;
    const table = new ByteTable(settings, undefined, (page, count) => {
      spool ??= new Spool(file, page.weights !== undefined);
      spool.add(page, 0, count);
    });
    for await (const chunk of chunks) {
      table.push(chunk);
      if (table.isDone) break;
      await spool?.flush();
      progress.at(spool?.size ?? 0, undefined);
      if (scheduler.isDue(A_LOOK)) await scheduler.yieldNow();
    }
    const { users, items, invalid, headerAgain: header } = table.finishRows();
    const leftOut = { invalid: invalid.count, missing: invalid.missing };
    return { spool: spool ?? new Spool(file, false), users, items, leftOut, header };
  });
}

/** A source as rows or as text. Of an async iterable that is told by the first that it gives. */
async function kindOf(
  source: unknown,
): Promise<{ rows: AsyncIterable<Row> | Iterable<Row>; text?: never } | { rows?: never; text: TextSource }> {
  const isObject = source !== null && typeof source === 'object';
  if (!isObject || 'getReader' in source || !(Symbol.iterator in source || Symbol.asyncIterator in source))
    return { text: source as TextSource };
  if (!(Symbol.asyncIterator in source)) return { rows: source as Iterable<Row> };
  const iterator = (source as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  const first = await iterator.next();
  const isText = typeof first.value === 'string' || ArrayBuffer.isView(first.value) || isBuffer(first.value);
  const all = (async function* () {
    try {
      for (let one = first; !one.done; one = await iterator.next()) yield one.value;
    } finally {
      await iterator.return?.();
    }
  })();
  return isText ? { text: all as AsyncIterable<string> } : { rows: all as AsyncIterable<Row> };
}

function isBuffer(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object ArrayBuffer]';
}

// Duplicates, without a key per row: the rows of some users are held at a time, as many as fit.

/** Rows that are left out, one bit each. */
interface Dropped {
  readonly bits: Uint8Array;
  count: number;
}

/** The bytes for each row whose duplicates are being looked for. */
const COMPARED_BYTES = 24;

/** @throws DataError where a row of a table without values is the header again */
async function refuseHeader(
  rows: RowFile,
  { users, items }: Pick<Spooled, 'users' | 'items'>,
  { user, item }: NonNullable<Spooled['header']>,
  scheduler: TaskScheduler,
): Promise<void> {
  let seen = 0;
  await rows.each(scheduler, ({ userIndex, itemIndex }, from, to) => {
    for (let k = from; k < to; k++) {
      if (userIndex[k] !== user || itemIndex[k] !== item) continue;
      throw new DataError(headerAgain(seen + k + 1, users.idOf(user), items.idOf(item)));
    }
    seen += to - from;
  });
}

/** Finds the rows that are not kept, and takes them out of the counts. */
async function findDropped(
  owner: string,
  rows: RowFile,
  counts: People['counts'],
  policy: 'last' | 'first' | 'error',
  memory: number,
  progress: Progress,
  scheduler: TaskScheduler,
): Promise<Dropped | undefined> {
  progress.begin('compare');
  const dropped: Dropped = { bits: new Uint8Array((rows.size >> 3) + 1), count: 0 };
  const room = Math.max(1, Math.floor(memory / COMPARED_BYTES));
  const { length } = counts.users;
  const lost: [user: number, item: number][] = [];
  for (let from = 0, to = 0; from < length; from = to) {
    let held = 0;
    do held += counts.users[to++]!;
    while (to < length && held + counts.users[to]! <= room);
    const share = await shareOf(rows, from, to, held, progress, scheduler);
    let least = Infinity;
    let first = '';
    const repeats = findRepeats(share, to - from, rows.items.size, (row, earlier) => {
      const numbers = [share.rows[earlier]!, share.rows[row]!] as const;
      const out = policy === 'first' ? row : earlier;
      const at = share.rows[out]!;
      dropped.bits[Math.floor(at / 8)]! |= 1 << (at & 7);
      dropped.count++;
      lost.push([from + share.userIndex[out]!, share.itemIndex[out]!]);
      if (policy !== 'error' || numbers[1] >= least) return;
      least = numbers[1];
      first = `rows ${numbers[0] + 1} and ${numbers[1] + 1} (counting from 1, without those left out)`;
    });
    await runYielding(repeats, scheduler);
    if (policy === 'error' && lost.length > 0)
      throw new DataError(
        `${owner}: ${first} are of the same user and item; remove one, or set duplicates to 'last', 'first' or 'keep'`,
      );
    for (const [user, item] of lost.splice(0)) {
      counts.users[user]!--;
      counts.items[item]!--;
    }
  }
  return dropped.count === 0 ? undefined : dropped;
}

/** The rows of the users `from` to `to`, who have `count`: their numbers of the share, items, and the numbers of the rows. */
async function shareOf(
  rows: RowFile,
  from: number,
  to: number,
  count: number,
  progress: Progress,
  scheduler: TaskScheduler,
) {
  const share = {
    userIndex: new Int32Array(count),
    itemIndex: new Int32Array(count),
    rows: new Uint32Array(count),
  };
  let [at, before] = [0, 0];
  await rows.each(scheduler, ({ userIndex, itemIndex }, start, end) => {
    for (let k = start; k < end; k++) {
      const user = userIndex[k]! - from;
      if (user < 0 || user >= to - from) continue;
      share.userIndex[at] = user;
      share.itemIndex[at] = itemIndex[k]!;
      share.rows[at++] = before + k - start;
    }
    before += end - start;
    progress.at(before, rows.size);
  });
  return share;
}

/** Writes the rows that are kept in place of the file, with or without weights; and what they are. */
async function copyRows(
  dir: string,
  held: RowFile,
  dropped: Dropped | undefined,
  isWeighted: boolean,
  scheduler: TaskScheduler,
): Promise<Pick<RowsAbout, 'minimum' | 'maximum' | 'checksum'>> {
  const path = join(dir, FILES.rows);
  const copy = await RecordFile.open(`${path}.part`, 'w+');
  const [from, to] = [recordBytes(held.isWeighted) / 4, recordBytes(isWeighted) / 4];
  const bits = dropped?.bits;
  let [minimum, maximum, checksum, row, position] = [Infinity, -Infinity, 0, 0, 0];
  try {
    for await (const words of held.records()) {
      const numbers = new Float32Array(words.buffer, 0, words.length);
      let end = 0;
      for (let at = 0; at < words.length; at += from, row++) {
        if (bits !== undefined && (bits[Math.floor(row / 8)]! & (1 << (row & 7))) !== 0) continue;
        const value = numbers[at + 2]!;
        if (value < minimum) minimum = value;
        if (value > maximum) maximum = value;
        for (let word = 0; word < to; word++) words[end + word] = words[at + word]!;
        end += to;
      }
      const bytes = new Uint8Array(words.buffer, 0, 4 * end);
      checksum = crc32(bytes, checksum);
      await copy.write(bytes, position);
      position += bytes.length;
      if (scheduler.isDue(words.length)) await scheduler.yieldNow();
    }
    await copy.sync();
  } finally {
    await copy.close();
  }
  await rename(`${path}.part`, path);
  return { minimum, maximum, checksum };
}

// Sorting: rows go into buckets, each the tiles of some blocks of the longer side, and a bucket is sorted in memory.

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
async function sortRows(
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
