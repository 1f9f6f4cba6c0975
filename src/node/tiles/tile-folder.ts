// A folder of ratings in tiles, which `partitionInteractions` writes and `fitTiles` reads:
//   index.json         what the other files are; written last, so that a folder without it is no partition
//   ids.safetensors    the ids of users and items, and how often each occurs
//   rows               the ratings in the order in which they came: 12 bytes each (user, item: int32; value: float32), 16
//                      with a weight (float32), little-endian
//   tiles              the same ratings by tile, those of a tile in the same order; tiles lie one block of the longer side
//                      after another
//   unfinished.json    while the folder is not complete: how far it has come
// Both files are whole numbers of records, and have checksums in the index.

import { type FileHandle, open, readFile, rm, stat } from 'node:fs/promises';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { DataError, FormatError, OpmfError, UnsupportedError } from '../../core/errors';
import type { Scheduler } from '../../core/scheduler';
import type { Interactions } from '../../data/interactions';
import type { RatingChunk, RatingPasses } from '../../data/passes';
import type { Vocabulary } from '../../data/vocabulary';
import { decodeIds, decodeSealed, encodeIds, encodeSealed, type FileKind } from '../../io/files/safetensors';
import { taker, vector } from '../../serving/saved-model';
import type { Blocks } from '../../training/per-rating/block-schedule';
import { Groups } from '../../training/per-rating/paged';
import { fill } from '../file-chunks';
import { unwritable, WRITE_FAULTS, writeFileAtomically } from '../output-file';

export const FILES = {
  index: 'index.json',
  ids: 'ids.safetensors',
  rows: 'rows',
  tiles: 'tiles',
  unfinished: 'unfinished.json',
} as const;

const FORMAT = 'opmf-tiles';
const VERSION = 1;
const IDS: FileKind = { format: 'opmf-tile-ids', name: 'list of ids' };

/** What the rows of a folder are. */
export interface RowsAbout {
  /** The number of ratings. */
  readonly ratings: number;
  readonly users: number;
  readonly items: number;
  readonly isWeighted: boolean;
  readonly minimum: number;
  readonly maximum: number;
  /** The CRC-32 of the file. */
  readonly checksum: number;
  /** What was left out. */
  readonly leftOut: Omit<Interactions['leftOut'], 'faults'>;
}

/** What the index says. */
export interface TileIndex {
  readonly rows: RowsAbout;
  readonly blocks: Blocks;
  /** Of each tile, in the order of the file: its ratings, and the CRC-32 of its bytes. */
  readonly tiles: { readonly counts: readonly number[]; readonly checksums: readonly number[] };
}

/** The bytes of a record. */
export function recordBytes(isWeighted: boolean): number {
  return isWeighted ? 16 : 12;
}

/** The tiles in the order of the file, by their numbers in block-schedule.ts. */
export function tilesInFile(blocks: Blocks): number[] {
  const groups = new Groups(blocks);
  const tiles: number[] = [];
  for (let long = 0; long < groups.long; long++)
    for (let short = 0; short < groups.short; short++) tiles.push(groups.tileOf(long, short));
  return tiles;
}

/** @throws UnsupportedError on machines whose numbers are not as in the files */
export function requireLittleEndian(): void {
  if (endianness() !== 'LE') throw new UnsupportedError('tiles are read and written on little-endian machines alone');
}

// JSON documents of a folder: each says what it is, and is replaced as a whole.

/** Writes one. */
export function writeDocument(dir: string, name: string, content: object): Promise<void> {
  return writeFileAtomically(join(dir, name), `${JSON.stringify({ format: FORMAT, version: VERSION, ...content })}\n`);
}

/** Reads one; undefined where there is none. @throws FormatError where it is something else */
export async function readDocument(dir: string, name: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const path = join(dir, name);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new DataError(`cannot read ${path}: ${message}`, { file: path });
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw damaged(path, 'it is no JSON');
  }
  const { format, version } = (content ?? {}) as Record<string, unknown>;
  if (format !== FORMAT) throw damaged(path, `its format is ${JSON.stringify(format)}, not '${FORMAT}'`);
  if (version !== VERSION)
    throw new FormatError(`${path} has version ${version}; this version of opmf reads ${VERSION}; partition again`);
  return content as Record<string, unknown>;
}

/** The error of a file that is not as it was written. */
export function damaged(path: string, what: string): FormatError {
  return new FormatError(`${path} is damaged: ${what}; partition the data again`);
}

/** Checks what a document says of rows. */
export function rowsAbout(path: string, value: unknown): RowsAbout {
  const about = (value ?? {}) as RowsAbout;
  const counts = [about.ratings, about.users, about.items, about.checksum];
  const isIt =
    counts.every((count) => Number.isSafeInteger(count) && count >= 0) &&
    about.ratings > 0 &&
    typeof about.isWeighted === 'boolean' &&
    Number.isFinite(about.minimum) &&
    Number.isFinite(about.maximum) &&
    typeof about.leftOut === 'object';
  if (!isIt) throw damaged(path, 'what it says of the rows is incomplete');
  return about;
}

// Ids and counts.

/** The ids of a folder, and how often each occurs. */
export interface People {
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  readonly counts: { readonly users: Int32Array; readonly items: Int32Array };
}

/** Writes them. */
export async function writePeople(dir: string, { users, items, counts }: People): Promise<void> {
  const tensors = new Map([
    ['userCounts', vector('I32', counts.users)],
    ['itemCounts', vector('I32', counts.items)],
    ...encodeIds('users', users),
    ...encodeIds('items', items),
  ]);
  await writeFileAtomically(join(dir, FILES.ids), encodeSealed(IDS, tensors, {}));
}

/** Reads them. @throws FormatError where the file is damaged or of other rows */
export async function readPeople(dir: string, about: RowsAbout): Promise<People> {
  const path = join(dir, FILES.ids);
  try {
    const { tensors } = decodeSealed(IDS, new Uint8Array(await readFile(path)));
    const [users, items] = [decodeIds('users', tensors), decodeIds('items', tensors)];
    const take = taker(tensors);
    const counts = {
      users: take('userCounts', Int32Array, about.users),
      items: take('itemCounts', Int32Array, about.items),
    };
    const sums = [counts.users, counts.items].map((list) => list.reduce((sum, count) => sum + count, 0));
    if (users.size !== about.users || items.size !== about.items || sums.some((sum) => sum !== about.ratings))
      throw damaged(path, 'its ids are not those of the rows');
    return { users, items, counts };
  } catch (error) {
    if (error instanceof FormatError && !error.message.startsWith(path)) throw damaged(path, error.message);
    throw readFault(path, error);
  }
}

/** The error of a file of a folder that cannot be read. */
export function readFault(path: string, error: unknown): unknown {
  if (error instanceof OpmfError) return error;
  const { code, message, syscall } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return damaged(path, 'it is not there');
  return syscall === undefined ? error : new DataError(`cannot read ${path}: ${message}`, { file: path });
}

// Files of records.

/** A file that is written and read at positions; errors name it. */
export class RecordFile {
  private constructor(
    readonly path: string,
    private readonly file: FileHandle,
    private readonly isTemporary = false,
  ) {}

  /** A new file that is gone once it is closed, or this process has ended, however it ends, where systems allow that. */
  static async temporary(path: string): Promise<RecordFile> {
    const { file } = await RecordFile.open(path, 'w+');
    await rm(path).catch(() => undefined);
    return new RecordFile(path, file, true);
  }

  /** @param flags as of fs.open: 'r', 'r+', or 'w+' for a new one */
  static async open(path: string, flags: string): Promise<RecordFile> {
    try {
      return new RecordFile(path, await open(path, flags));
    } catch (error) {
      throw flags === 'r' ? readFault(path, error) : writeFault(path, error);
    }
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    try {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.file.write(bytes, done, bytes.length - done, position + done);
        done += bytesWritten;
      }
    } catch (error) {
      throw writeFault(this.path, error);
    }
  }

  /** Fills the bytes. @throws FormatError where the file ends before */
  async read(bytes: Uint8Array, position: number): Promise<void> {
    const read = await fill(this.file, bytes, position).catch((error) => {
      throw readFault(this.path, error);
    });
    if (read < bytes.length) throw damaged(this.path, `it ends at byte ${position + read}`);
  }

  /** Has everything reach the disk. */
  async sync(): Promise<void> {
    try {
      await this.file.sync();
    } catch (error) {
      throw writeFault(this.path, error);
    }
  }

  async close(): Promise<void> {
    await this.file.close().catch(() => undefined);
    if (this.isTemporary) await rm(this.path, { force: true }).catch(() => undefined);
  }
}

/** The error of a file of a folder that cannot be written: a full disk, for one. */
function writeFault(path: string, error: unknown): unknown {
  const { code = '', syscall, message } = error as NodeJS.ErrnoException;
  return syscall === undefined ? error : unwritable(path, WRITE_FAULTS[code] ?? message);
}

/** Records that are read at once: some megabytes. */
const RECORDS_AT_ONCE = 1 << 17;
/** Records to a visit: a chunk of the columns that fits the cache. */
const RECORDS_A_VISIT = 1 << 14;

/** The ratings of a file in the order in which they came. The next are read while some are worked on. */
export class RowFile implements RatingPasses {
  readonly isWeighted: boolean;
  readonly size: number;
  private isChecked: boolean;

  constructor(
    private readonly file: RecordFile,
    private readonly about: Pick<RowsAbout, 'ratings' | 'isWeighted' | 'checksum'>,
    readonly users: { readonly size: number },
    readonly items: { readonly size: number },
    /** Whether the first pass compares the checksum. */
    checks: boolean,
  ) {
    this.size = about.ratings;
    this.isWeighted = about.isWeighted;
    this.isChecked = !checks;
  }

  /** The records as words, some at a time; each lasts until the next is asked for. @throws FormatError where they are not what was written */
  async *records(): AsyncGenerator<Int32Array> {
    const { file, size } = this;
    const bytes = recordBytes(this.isWeighted);
    const buffers = [0, 1].map(() => new Int32Array((Math.min(RECORDS_AT_ONCE, size) * bytes) / 4));
    const read = async (from: number, which: number) => {
      const words = buffers[which & 1]!.subarray(0, (Math.min(RECORDS_AT_ONCE, size - from) * bytes) / 4);
      await file.read(new Uint8Array(words.buffer, 0, words.byteLength), from * bytes);
      return words;
    };
    let checksum = 0;
    let coming = read(0, 0);
    try {
      for (let from = 0, k = 0; from < size; from += RECORDS_AT_ONCE) {
        const words = await coming;
        if (from + RECORDS_AT_ONCE < size) coming = read(from + RECORDS_AT_ONCE, ++k);
        coming.catch(() => undefined);
        if (!this.isChecked) checksum = crc32(new Uint8Array(words.buffer, 0, words.byteLength), checksum);
        yield words;
      }
    } finally {
      await coming.catch(() => undefined);
    }
    if (!this.isChecked && checksum !== this.about.checksum)
      throw damaged(file.path, `its checksum is ${checksum} and was ${this.about.checksum} when it was written`);
    this.isChecked = true;
  }

  async each(scheduler: Scheduler, visit: (chunk: RatingChunk, from: number, to: number) => void): Promise<void> {
    const step = recordBytes(this.isWeighted) / 4;
    const chunk = {
      userIndex: new Int32Array(RECORDS_A_VISIT),
      itemIndex: new Int32Array(RECORDS_A_VISIT),
      values: new Float32Array(RECORDS_A_VISIT),
      ...(this.isWeighted && { weights: new Float32Array(RECORDS_A_VISIT) }),
    };
    for await (const words of this.records()) {
      const numbers = new Float32Array(words.buffer, 0, words.length);
      for (let start = 0; start < words.length; start += RECORDS_A_VISIT * step) {
        const count = Math.min(RECORDS_A_VISIT, (words.length - start) / step);
        toColumns(words, numbers, start, step, count, chunk);
        visit(chunk, 0, count);
        if (scheduler.isDue(count)) await scheduler.yieldNow();
      }
    }
  }
}

function toColumns(
  words: Int32Array,
  numbers: Float32Array,
  start: number,
  step: number,
  count: number,
  { userIndex, itemIndex, values, weights }: RatingChunk,
): void {
  for (let k = 0, at = start; k < count; k++, at += step) {
    userIndex[k] = words[at]!;
    itemIndex[k] = words[at + 1]!;
    values[k] = numbers[at + 2]!;
  }
  if (weights !== undefined) for (let k = 0, at = start + 3; k < count; k++, at += step) weights[k] = numbers[at]!;
}

// A complete folder.

/** Opens a partition. @throws DataError where there is none, or no complete one; FormatError where it is damaged */
export async function openTiles(dir: string): Promise<TileIndex> {
  requireLittleEndian();
  const path = join(dir, FILES.index);
  const document = await readDocument(dir, FILES.index);
  if (document === undefined) {
    const isBegun = (await readDocument(dir, FILES.unfinished)) !== undefined;
    const what = isBegun
      ? 'its partition is not complete; go on with partitionInteractions(source, dir, { resume: true }) or opmf partition --resume'
      : 'it has no index.json; want a folder that partitionInteractions or opmf partition has written';
    throw new DataError(`${dir} has no tiles: ${what}`, { file: dir });
  }
  const rows = rowsAbout(path, document.rows);
  const { blocks, tiles } = document as unknown as TileIndex;
  const length = (blocks?.users ?? 0) * (blocks?.items ?? 0);
  const lists = [tiles?.counts, tiles?.checksums];
  const sum = tiles?.counts?.reduce?.((sum, count) => sum + count, 0);
  if (!(length > 0) || lists.some((list) => list?.length !== length) || sum !== rows.ratings)
    throw damaged(path, 'its tiles are not those of the rows');
  for (const name of [FILES.rows, FILES.tiles]) {
    const file = join(dir, name);
    const { size } = await stat(file).catch((error) => {
      throw readFault(file, error);
    });
    const wanted = rows.ratings * recordBytes(rows.isWeighted);
    if (size !== wanted) throw damaged(file, `it has ${size} bytes and had ${wanted} when it was written`);
  }
  return { rows, blocks, tiles };
}
