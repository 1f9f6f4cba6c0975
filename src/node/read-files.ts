// Reads a file or a stream of ratings, plain or gzipped, into Interactions: delimited text (io/text/byte-table.ts) and NDJSON
// (io/text/ndjson.ts) one chunk at a time, Parquet one row group at a time.

import { readdir } from 'node:fs/promises';
import { A_LOOK, runYielding, TaskScheduler } from '../core/scheduler';
import type { FeatureTable } from '../data/feature-table';
import type { Interactions } from '../data/interactions';
import { ByteTable } from '../io/text/byte-table';
import { formatOfBytes } from '../io/text/formats';
import { NdjsonTable, startsWithObject } from '../io/text/ndjson';
import { type ReadFeatureOptions, readFeatureSettings, readFeatureText } from '../io/text/parse-feature-table';
import { isForBytes, readText } from '../io/text/parse-interactions';
import { type LibFMOptions, readLibFMSettings, readLibFMText } from '../io/text/parse-libfm';
import { type ReadOptions, type ReadSettings, readSettings } from '../io/text/read-options';
import { refuseTextOptions } from '../io/text/typed-rows';
import { joined, nameOf, readSource, type TextSource } from './file-chunks';
import { readParquet, readParquetFolder } from './parquet';

/**
 * Reads ratings from a file or a stream: delimited text, NDJSON (a JSON object a line) or Parquet, plain or gzipped. The
 * format is found by the first bytes; names that end in .ndjson, .jsonl or .parquet say it too. A folder of Parquet, as Spark
 * writes it, is one set: its files in the order of their names.
 *
 * Options and units are those of `parseInteractions`; those of separators, quotes and layouts are for text alone. Columns of
 * NDJSON and Parquet go by name; null and an absent field are an empty cell; numbers that are ids become strings unless `ids`
 * is 'number'. Times that Parquet types as such need no `dateFormat`. Parquet needs the optional package hyparquet.
 *
 * Cost: text about 150 MB a second, NDJSON 1.5 million rows a second, Parquet 6; no text is ever held as a whole: memory is
 * that of the result and a few bytes a rating more, of Parquet beside it the columns that are read of one row group. A stream
 * of Parquet is held as a whole, as its index is at its end. It yields to other tasks every few milliseconds; of Parquet a
 * column of a row group is decoded at once. A plain file of text is read twice: lines are counted first. Pipes and streams are
 * read once. Layouts other than long ones and UTF-16 are read at once, at a fifth of the speed.
 *
 * @param source - a path, a `file:` URL, or a stream of bytes or text: a stream of Node, a web stream, any async iterable.
 * @throws DataError for a file that cannot be read, and for content as in `parseInteractions`: `place` has the `line`, of
 * Parquet the `row`. Errors of a stream are passed on.
 * @throws FormatError for damaged gzip or Parquet data.
 * @throws OptionError for an unknown option or a bad value, and for an invalid source.
 * @throws UnsupportedError for Parquet if hyparquet is not installed, or the compression is not known.
 * @see https://github.com/ndjson/ndjson-spec and https://parquet.apache.org
 *
 * @example
 * ```ts
 * import { mkdtemp, writeFile } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { readInteractions } from 'opmf/node';
 * const path = join(await mkdtemp(join(tmpdir(), 'opmf-')), 'ratings.csv');
 * await writeFile(path, 'user,item,rating\nann,tea,4\nbob,tea,2\n');
 * const data = await readInteractions(path);
 * console.log(data.size, data.stats().mean); // 2 3
 *
 * await writeFile(path, '{"user":"ann","item":"tea","rating":4}\n{"user":"bob","item":"tea","rating":2}\n');
 * console.log((await readInteractions(path)).size); // 2
 * ```
 */
export async function readInteractions(source: TextSource, options?: ReadOptions): Promise<Interactions> {
  const owner = 'readInteractions';
  const file = options?.file ?? nameOf(owner, source);
  const given = readSettings(owner, { ...options, ...(file !== undefined && { file }) });
  if (file !== undefined && isPath(source) && (await isFolderOfParquet(file))) {
    refuseTextOptions(owner, options, 'Parquet', file);
    return readParquetFolder(owner, file, given);
  }
  return readSource(owner, source, async (opened) => {
    const { chunks, isText, survey } = opened;
    const format = formatOf(file, opened.start, given);
    if (format !== undefined) refuseTextOptions(owner, options, format, file);
    const settings = isText ? { ...given, encoding: 'utf-8' as const } : given;
    if (format === 'Parquet') return readParquet(opened, settings);
    if (format === undefined && !isForBytes(settings))
      return runYielding(readText(await joined(chunks, settings.file, settings.maxBytes), settings));
    const table = format === 'NDJSON' ? new NdjsonTable(settings) : new ByteTable(settings, await survey());
    const scheduler = new TaskScheduler(undefined);
    for await (const chunk of chunks) {
      table.push(chunk);
      if (table.isDone) break;
      if (scheduler.isDue(A_LOOK)) await scheduler.yieldNow();
    }
    return runYielding(table.finish());
  });
}

function isPath(source: TextSource): boolean {
  return typeof source === 'string' || 'href' in source;
}

/** Whether a path is a folder with files of Parquet, as Spark and others write them. */
export async function isFolderOfParquet(path: string): Promise<boolean> {
  const names = await readdir(path).catch(() => []);
  return names.some((name) => /^[^._].*\.parquet$/.test(name));
}

/** The first bytes that are looked at. */
const START = 1 << 16;

/** The format of a source that is no delimited text. Its name says it, else its first bytes do. */
export function formatOf(
  file: string | undefined,
  start: Uint8Array,
  { encoding, skipLines }: ReadSettings,
): 'NDJSON' | 'Parquet' | undefined {
  if (/\.(ndjson|jsonl)(\.gz)?$/i.test(file ?? '')) return 'NDJSON';
  if (/\.parquet(\.gz)?$/i.test(file ?? '') || formatOfBytes(start)?.name === 'a Parquet file') return 'Parquet';
  const isObject =
    encoding === 'utf-8' && skipLines === 0 && startsWithObject(new TextDecoder().decode(start.subarray(0, START)));
  return isObject ? 'NDJSON' : undefined;
}

// Reads files and streams of features, plain or gzipped, into tables. The text is held as a whole while it is read.

/**
 * Reads features from a file or a stream: delimited text, plain or gzipped (detected by the first bytes).
 *
 * Options and faults are those of `parseFeatureTable`. Cost: as there; it yields to other tasks every few milliseconds.
 *
 * @param source - a path, a `file:` URL, or a stream of bytes or text: a stream of Node, a web stream, any async iterable.
 * @throws DataError for a file that cannot be read, and for content as in `parseFeatureTable`.
 * @throws FormatError for damaged gzip data.
 * @throws OptionError for an unknown option or a bad value.
 *
 * @example
 * ```ts
 * import { mkdtemp, writeFile } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { categorical } from 'opmf';
 * import { readFeatureTable } from 'opmf/node';
 * const path = join(await mkdtemp(join(tmpdir(), 'opmf-')), 'clicks.csv');
 * await writeFile(path, 'city,clicked\nRome,1\nParis,0\n');
 * const table = await readFeatureTable(path, { fields: { city: categorical() }, label: 'clicked' });
 * console.log(table.size, table.features); // 2 4
 * ```
 */
export async function readFeatureTable(source: TextSource, options: ReadFeatureOptions): Promise<FeatureTable> {
  const settings = readFeatureSettings('readFeatureTable', withName('readFeatureTable', source, options));
  return readSource('readFeatureTable', source, async ({ chunks, isText }) => {
    const bytes = await joined(chunks, settings.file, settings.maxBytes);
    return runYielding(readFeatureText(bytes, isText ? { ...settings, encoding: 'utf-8' } : settings));
  });
}

/**
 * Reads a file or a stream in the text form of libFM (SVMlight, LIBSVM), plain or gzipped (detected by the first
 * bytes).
 *
 * Options and faults are those of `parseLibFM`. Cost: as there; it yields to other tasks every few milliseconds.
 *
 * @param source - a path, a `file:` URL, or a stream of bytes or text: a stream of Node, a web stream, any async iterable.
 * @throws DataError for a file that cannot be read.
 * @throws FormatError for damaged gzip data, and for content as in `parseLibFM`.
 * @throws OptionError for an unknown option or a bad value.
 *
 * @example
 * ```ts
 * import { mkdtemp, writeFile } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { readLibFM } from 'opmf/node';
 * const path = join(await mkdtemp(join(tmpdir(), 'opmf-')), 'train.libfm');
 * await writeFile(path, '1 0:1 2:1\n-1 1:1 3:1\n');
 * console.log((await readLibFM(path)).features); // 4
 * ```
 */
export async function readLibFM(source: TextSource, options?: LibFMOptions): Promise<FeatureTable> {
  const settings = readLibFMSettings('readLibFM', withName('readLibFM', source, options));
  return readSource('readLibFM', source, async ({ chunks }) =>
    runYielding(readLibFMText(await joined(chunks, settings.file, settings.maxBytes), settings)),
  );
}

/** The options, with the source's name as `file` unless they give one. */
function withName<T extends { readonly file?: string | undefined }>(
  owner: string,
  source: unknown,
  options: T | undefined,
): T {
  const file = options?.file ?? nameOf(owner, source);
  return { ...options, ...(file !== undefined && { file }) } as T;
}
