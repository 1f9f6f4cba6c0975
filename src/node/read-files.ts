// Reads a file or a stream of ratings, plain or gzipped, into Interactions. io/text/byte-table.ts parses the text, one
// chunk at a time.

import { A_LOOK, runYielding, TaskScheduler } from '../core/scheduler';
import type { FeatureTable } from '../data/feature-table';
import type { Interactions } from '../data/interactions';
import { ByteTable } from '../io/text/byte-table';
import { type ReadFeatureOptions, readFeatureSettings, readFeatureText } from '../io/text/parse-feature-table';
import { isForBytes, readText } from '../io/text/parse-interactions';
import { type LibFMOptions, readLibFMSettings, readLibFMText } from '../io/text/parse-libfm';
import { type ReadOptions, readSettings } from '../io/text/read-options';
import { joined, nameOf, readSource, type TextSource } from './file-chunks';

/**
 * Reads ratings from a file or a stream: delimited text, plain or gzipped (detected by the first bytes, not by the
 * name).
 *
 * Options and units are those of `parseInteractions`. Cost: about 150 MB a second; the text is never held as a whole:
 * memory is that of the result and a few bytes a rating more. It yields to other tasks every few milliseconds. A plain
 * file is read twice: lines are counted first. Pipes and streams are read once. Layouts other than long ones and UTF-16
 * are read at once, at a fifth of the speed.
 *
 * @param source - a path, a `file:` URL, or a stream of bytes or text: a stream of Node, a web stream, any async iterable.
 * @throws DataError for a file that cannot be read, and for content as in `parseInteractions`. Errors of a stream are
 * passed on.
 * @throws FormatError for damaged gzip data.
 * @throws OptionError for an unknown option or a bad value, and for an invalid source.
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
 * ```
 */
export async function readInteractions(source: TextSource, options?: ReadOptions): Promise<Interactions> {
  const owner = 'readInteractions';
  const file = options?.file ?? nameOf(owner, source);
  const given = readSettings(owner, { ...options, ...(file !== undefined && { file }) });
  return readSource(owner, source, async ({ chunks, isText, survey }) => {
    const settings = isText ? { ...given, encoding: 'utf-8' as const } : given;
    if (!isForBytes(settings))
      return runYielding(readText(await joined(chunks, settings.file, settings.maxBytes), settings));
    const table = new ByteTable(settings, await survey());
    const scheduler = new TaskScheduler(undefined);
    for await (const chunk of chunks) {
      table.push(chunk);
      if (table.isDone) break;
      if (scheduler.isDue(A_LOOK)) await scheduler.yieldNow();
    }
    return runYielding(table.finish());
  });
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
