// Files and streams of features, plain or gzipped, into tables. The text is held whole while it is read.

import { runYielding } from '../core/scheduler';
import type { FeatureTable } from '../interactions/feature-table';
import { type ReadFeatureOptions, readFeatureSettings, readFeatureText } from '../io/parse-feature-table';
import { type LibFMOptions, readLibFMSettings, readLibFMText } from '../io/parse-libfm';
import { joined, nameOf, readSource, type TextSource } from './file-chunks';

/**
 * Reads features from a file or a stream: delimited text, plain or gzipped (told by the first bytes).
 *
 * Options and faults are those of `parseFeatureTable`. Cost: as there; other tasks get a turn every few milliseconds.
 *
 * @param source - a path, a `file:` URL, or a stream of bytes or text: a stream of Node, a web stream, any async iterable.
 * @throws DataError for a file that cannot be read, and for content as `parseFeatureTable` says.
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
 * Reads a file or a stream in the text form of libFM (SVMlight, LIBSVM), plain or gzipped (told by the first bytes).
 *
 * Options and faults are those of `parseLibFM`. Cost: as there; other tasks get a turn every few milliseconds.
 *
 * @param source - a path, a `file:` URL, or a stream of bytes or text: a stream of Node, a web stream, any async iterable.
 * @throws DataError for a file that cannot be read.
 * @throws FormatError for damaged gzip data, and for content as `parseLibFM` says.
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

/** Options with the name that a source has, where they give none. */
function withName<T extends { readonly file?: string | undefined }>(
  owner: string,
  source: unknown,
  options: T | undefined,
): T {
  const file = options?.file ?? nameOf(owner, source);
  return { ...options, ...(file !== undefined && { file }) } as T;
}
