// Files of features, plain or gzipped, into tables. The text is held whole while it is read.

import type { FeatureTable } from '../interactions/feature-table';
import { type ReadFeatureOptions, readFeatureSettings, readFeatureText } from '../io/parse-feature-table';
import { type LibFMOptions, readLibFMSettings, readLibFMText } from '../io/parse-libfm';
import { wholeFile } from './file-chunks';
import { withTurns } from './with-turns';

/**
 * Reads a file of features: delimited text in UTF-8 or Latin-1, plain or gzipped (told by its first bytes).
 *
 * Options and faults are those of `parseFeatureTable`. Cost: as there; other tasks get a turn every few milliseconds.
 *
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
export async function readFeatureTable(path: string, options: ReadFeatureOptions): Promise<FeatureTable> {
  const settings = readFeatureSettings('readFeatureTable', { ...options, file: options?.file ?? path });
  return withTurns(readFeatureText(await wholeFile(path, settings.maxBytes), settings));
}

/**
 * Reads a file in the text form of libFM (SVMlight, LIBSVM), plain or gzipped (told by its first bytes).
 *
 * Options and faults are those of `parseLibFM`. Cost: as there; other tasks get a turn every few milliseconds.
 *
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
export async function readLibFM(path: string, options?: LibFMOptions): Promise<FeatureTable> {
  const settings = readLibFMSettings('readLibFM', { ...options, file: options?.file ?? path });
  return withTurns(readLibFMText(await wholeFile(path, settings.maxBytes), settings));
}
