// Parquet files, by hyparquet, which is an optional package: it is loaded when the first file is opened. One row group is
// held at a time, and of it the columns that are asked for.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import zlib from 'node:zlib';
import { DataError, FormatError, OpmfError, UnsupportedError } from '../core/errors';
import { A_LOOK, runYielding, TaskScheduler } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import { Faults } from '../io/text/fault';
import { finishTable } from '../io/text/rating-columns';
import type { ReadSettings } from '../io/text/read-options';
import { TypedRows } from '../io/text/typed-rows';
import { type ByteRanges, joined, type OpenText, readSource } from './file-chunks';

/** A column of a row group, decoded: numbers, big integers, strings, lists; null or undefined where nothing is. */
type Cells = ArrayLike<unknown> & { slice(from: number, to: number): Cells };

interface Column {
  readonly name: string;
  /** Whether a row has one value, no list or structure. */
  readonly isFlat: boolean;
  readonly isOfTimes: boolean;
}

/** Some rows of a row group. */
export interface Block {
  /** The number of the first in the file, from 0. */
  readonly start: number;
  readonly rows: number;
  readonly cells: ReadonlyMap<string, Cells>;
}

type Hyparquet = typeof import('hyparquet');
type Unpack = (bytes: Uint8Array, length: number) => Uint8Array;

/** Times in seconds, to the digits that doubles have. */
const PARSERS = {
  timestampFromMilliseconds: (time: bigint) => Number(time) / 1e3,
  timestampFromMicroseconds: (time: bigint) => Number(time) / 1e6,
  timestampFromNanoseconds: (time: bigint) => Number(time) / 1e9,
  dateFromDays: (days: number) => days * 86_400,
};

type Zlib = (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;

/** What Node unpacks, Zstandard from 22.15 on; hyparquet knows Snappy itself. */
const CODECS: Readonly<Record<string, Unpack>> = Object.fromEntries(
  Object.entries({
    GZIP: zlib.gunzipSync,
    BROTLI: zlib.brotliDecompressSync,
    ZSTD: (zlib as { zstdDecompressSync?: Zlib }).zstdDecompressSync,
  } satisfies Record<string, Zlib | undefined>).flatMap(([codec, unpack]) =>
    unpack === undefined
      ? []
      : [[codec, (bytes: Uint8Array, length: number) => unpack(bytes, { maxOutputLength: Math.max(1, length) })]],
  ),
);

/** Rows that are decoded for each byte of a file, at the most, when room is made for them: what a file says may be untrue. */
const ROWS_A_BYTE = 8;
/** Rows sampled to see what a column holds. */
const SAMPLE = 100;

/** Loads an optional package. @throws UnsupportedError if it is not installed */
export async function loadPeer<T>(name: string, purpose: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw error;
    throw new UnsupportedError(`${purpose} needs the package ${name}, which is not installed: npm install ${name}`);
  }
}

/** A file whose index has been read. */
export class ParquetFile {
  private constructor(
    private readonly name: string,
    private readonly ranges: ByteRanges,
    private readonly hyparquet: Hyparquet,
    private readonly metadata: Awaited<ReturnType<Hyparquet['parquetMetadataAsync']>>,
  ) {}

  /** Reads the index. @throws FormatError if it is no Parquet, or damaged */
  static async open(name: string, ranges: ByteRanges): Promise<ParquetFile> {
    const hyparquet = await loadPeer('hyparquet', 'reading Parquet', () => import('hyparquet'));
    const start = ranges.byteLength < 12 ? '' : Buffer.from(await ranges.slice(0, 4)).toString('latin1');
    if (start === 'PARE')
      throw new UnsupportedError(`'${name}' is encrypted Parquet, which is not read; decrypt it first`);
    if (start !== 'PAR1')
      throw new FormatError(
        `'${name}' is no Parquet file: it does not begin with PAR1; check that it is the right file`,
      );
    const options = { parsers: PARSERS, geoparquet: false };
    return guarded(name, async () => {
      return new ParquetFile(name, ranges, hyparquet, await hyparquet.parquetMetadataAsync(ranges, options));
    });
  }

  /** The number of rows, as the file says. */
  get rows(): number {
    return Number(this.metadata.num_rows);
  }

  /** The top-level columns. */
  get columns(): Column[] {
    return this.hyparquet.parquetSchema(this.metadata).children.map(({ element, children }) => {
      const {
        name,
        type,
        converted_type: converted = '',
        logical_type: logical,
        repetition_type: repetition,
      } = element;
      return {
        name,
        isFlat: children.length === 0 && repetition !== 'REPEATED',
        isOfTimes:
          /^(DATE|TIMESTAMP)/.test(converted) || /^(DATE|TIMESTAMP)$/.test(logical?.type ?? '') || type === 'INT96',
      };
    });
  }

  /** The bytes that some columns have when they are unpacked, as the file says. */
  bytesOf(names: readonly string[]): number {
    return this.chunksOf(names).reduce((sum, { total_uncompressed_size: bytes }) => sum + Number(bytes), 0);
  }

  /** The rows in order, with some columns; one row group is held at a time. @throws FormatError if it is damaged */
  async *blocks(names: readonly string[]): AsyncGenerator<Block> {
    const { ranges: file, metadata, hyparquet, name } = this;
    const compressors = await this.compressors(names);
    const options = { file, metadata, compressors, parsers: PARSERS, geoparquet: false };
    let start = 0;
    for (const { num_rows: count } of metadata.row_groups) {
      const [rowStart, rowEnd] = [start, start + Number(count)];
      start = rowEnd;
      const pages = new Map<string, Cells[]>();
      for (const column of names) {
        const found: Cells[] = [];
        const onChunk = ({ columnData }: { columnData: Cells }) => found.push(columnData);
        // One column after another: others get turns in between.
        await guarded(name, () => hyparquet.parquetRead({ ...options, columns: [column], rowStart, rowEnd, onChunk }));
        const rows = found.reduce((sum, { length }) => sum + length, 0);
        if (rows !== rowEnd - rowStart) {
          const what = `column '${column}' has ${rows} rows from row ${rowStart + 1} on, where ${count} should be`;
          throw new FormatError(`'${name}' is damaged Parquet data (${what}); write or fetch it again`);
        }
        pages.set(column, found);
      }
      yield* aligned(pages, rowStart, rowEnd);
    }
  }

  private chunksOf(names: readonly string[]) {
    const chunks = this.metadata.row_groups.flatMap(({ columns }) => columns);
    return chunks.flatMap(({ meta_data: data }) => (data && names.includes(data.path_in_schema[0]!) ? data : []));
  }

  /** What unpacks the columns. */
  private async compressors(names: readonly string[]): Promise<Readonly<Record<string, Unpack>>> {
    const codecs = new Set(this.chunksOf(names).map(({ codec }) => codec));
    const unknown = [...codecs].find((codec) => codec !== 'UNCOMPRESSED' && codec !== 'SNAPPY' && !(codec in CODECS));
    if (unknown === undefined) return CODECS;
    const purpose = `'${this.name}' is compressed by ${unknown}: unpacking it${unknown === 'ZSTD' ? ' in Node below 22.15' : ''}`;
    // Not by its name alone: what packs the library would look for it.
    const optional = 'hyparquet-compressors';
    const { compressors } = await loadPeer(optional, purpose, () => import(/* @vite-ignore */ optional));
    return { ...compressors, ...CODECS };
  }
}

/** Cuts the pages of columns into blocks of the same rows. */
function* aligned(pages: ReadonlyMap<string, readonly Cells[]>, rowStart: number, rowEnd: number): Generator<Block> {
  const columns = Array.from(pages, ([name, all]) => ({ name, all, page: 0, at: 0 }));
  for (let start = rowStart, rows = 0; start < rowEnd; start += rows) {
    rows = rowEnd - start;
    for (const column of columns) {
      while (column.at === column.all[column.page]!.length) [column.page, column.at] = [column.page + 1, 0];
      rows = Math.min(rows, column.all[column.page]!.length - column.at);
    }
    const cells = new Map<string, Cells>();
    for (const column of columns) {
      const { name, all, page, at } = column;
      const { length } = all[page]!;
      cells.set(name, rows === length ? all[page]! : all[page]!.slice(at, at + rows));
      column.at += rows;
    }
    yield { start, rows, cells };
  }
}

/** Turns the errors of hyparquet, which have no type, into ones that name the file. */
async function guarded<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof OpmfError) throw error;
    throw new FormatError(`'${name}' is damaged Parquet data (${(error as Error).message}); write or fetch it again`);
  }
}

/** The files of a folder, as Spark lists them: in the order of their names, without those that begin with _ or a point. */
export async function partsOf(path: string, ending: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' || code === 'ENOTDIR' ? 'there is no such folder' : message;
    throw new DataError(`cannot read '${path}': ${reason}`, { file: path });
  }
  if (names.includes('_temporary'))
    throw new FormatError(`'${path}' was not written to its end: it has a folder _temporary; write it again`);
  const files = names.filter((name) => /^[^._]/.test(name) && name.endsWith(ending)).sort();
  if (files.length === 0)
    throw new FormatError(
      `'${path}' has no file${ending && ` that ends in ${ending}`}; check that it is the right folder`,
    );
  return files.map((name) => join(path, name));
}

/** Reads the ratings of a file. */
export async function readParquet({ ranges, chunks }: OpenText, settings: ReadSettings): Promise<Interactions> {
  const rows = new ParquetRows(settings);
  await rows.read(
    settings.file ?? 'the stream',
    ranges ?? inMemory(await joined(chunks, settings.file, settings.maxBytes)),
  );
  return rows.finish();
}

/** Reads the ratings of the files of a folder, one after another; rows are counted over all of them. */
export async function readParquetFolder(owner: string, path: string, settings: ReadSettings): Promise<Interactions> {
  const rows = new ParquetRows(settings);
  for (const file of await partsOf(path, '.parquet'))
    await readSource(owner, file, ({ ranges }) => rows.read(file, ranges!));
  return rows.finish();
}

const ROLES = ['user', 'item', 'value', 'timestamp', 'weight'] as const;

/** The rows of one file or several. */
class ParquetRows {
  private readonly faults: Faults;
  private readonly scheduler = new TaskScheduler(undefined);
  private typed: TypedRows | undefined;
  /** The column of each role. */
  private columns: readonly (string | undefined)[] = [];
  private isOfTimes = false;
  private bytes = 0;
  private count = 0;

  constructor(private readonly settings: ReadSettings) {
    this.faults = new Faults(settings.file, 'row');
  }

  async read(path: string, ranges: ByteRanges): Promise<void> {
    const file = await ParquetFile.open(path, ranges);
    if (file.rows === 0) return;
    const typed = this.typed ?? this.open(file, ranges.byteLength);
    const used = [...new Set(this.columns.filter((name) => name !== undefined))];
    this.check(file, path, used);
    for await (const { start, rows, cells } of file.blocks(used)) {
      const [users, items, values, times, weights] = this.columns.map((name) => cells.get(name ?? ''));
      if (this.count === 0 && start === 0) {
        const names = file.columns.map(({ name }) => name);
        typed.check(
          Array.from({ length: Math.min(rows, SAMPLE) }, (_, k) => names.map((name) => cells.get(name)?.[k])),
        );
      }
      for (let k = 0; k < rows; k++) {
        typed.add(users![k], items![k], values?.[k], times?.[k], weights?.[k], ++this.count);
        if ((k & 63) === 0 && this.scheduler.isDue(A_LOOK)) await this.scheduler.yieldNow();
      }
    }
  }

  finish(): Promise<Interactions> {
    if (this.typed === undefined) throw this.faults.whole('there are no rows; want ratings, one or more');
    return runYielding(finishTable(this.typed.table, this.settings, this.faults));
  }

  private open(file: ParquetFile, size: number): TypedRows {
    const { columns } = file;
    const isOfTimes = (name: string) => columns.some((column) => column.name === name && column.isOfTimes);
    const names = columns.map(({ name }) => name);
    const typed = new TypedRows(
      names,
      this.settings,
      this.faults,
      0,
      Math.min(file.rows, ROWS_A_BYTE * size),
      isOfTimes,
    );
    this.typed = typed;
    this.columns = ROLES.map((role) => typed.nameOf(role));
    this.isOfTimes = isOfTimes(typed.nameOf('timestamp') ?? '');
    return typed;
  }

  /** Throws if a file has not the columns that are read, or has more than may be read. */
  private check(file: ParquetFile, path: string, used: readonly string[]): void {
    const { columns } = file;
    for (const name of used) {
      const column = columns.find((one) => one.name === name);
      if (column === undefined)
        throw this.faults.whole(
          `${path} has no column '${name}', as the files before it; want the same columns in all`,
        );
      if (!column.isFlat)
        throw this.faults.at(0, name, 'the column holds lists or structures; want one with a value a row; set columns');
      if (name === this.columns[3] && column.isOfTimes !== this.isOfTimes)
        throw this.faults.whole(`${path} has other types of times than the files before it; want the same in all`);
    }
    const { maxBytes } = this.settings;
    this.bytes += file.bytesOf(used);
    if (this.bytes > maxBytes)
      throw this.faults.whole(
        `${this.bytes} bytes of columns are more than maxBytes = ${maxBytes}; set maxBytes higher if they are meant`,
      );
  }
}

function inMemory(bytes: Uint8Array): ByteRanges {
  return {
    byteLength: bytes.length,
    // A copy: what holds the bytes may hold others too.
    slice: async (start, end) => new Uint8Array(bytes.subarray(start, end)).buffer,
  };
}
