// A file of ratings, plain or gzipped, into Interactions. The text itself is read by io/parse-interactions.ts.

import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DataError, FormatError } from '../core/errors';
import type { Interactions } from '../interactions/interactions';
import { parseInteractions } from '../io/parse-interactions';
import type { ReadOptions } from '../io/read-options';

const unzip = promisify(gunzip);

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; check the path, which is relative to the current directory',
  EISDIR: 'it is a directory; name a file in it',
  EACCES: 'reading it is not permitted; check its permissions',
};

/**
 * Reads a file of ratings: delimited text in UTF-8 or Latin-1, plain or gzipped (told by its first bytes, not by its name).
 *
 * Options and units are those of `parseInteractions`. Cost: the file is held in memory, and parsing (half a second for a
 * million lines) does not yield to the event loop.
 *
 * @throws DataError for a file that cannot be read, and for content as `parseInteractions` says.
 * @throws FormatError for damaged gzip data.
 * @throws OptionError for an unknown option or a bad value.
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
export async function readInteractions(path: string, options?: ReadOptions): Promise<Interactions> {
  return parseInteractions(await readBytes(path), { ...options, file: options?.file ?? path });
}

/** The bytes of a file, decompressed where they are gzip. */
async function readBytes(path: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new DataError(`cannot read '${path}': ${REASONS[code] ?? message}`, { file: path });
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await unzip(bytes);
  } catch (error) {
    throw new FormatError(`'${path}' is damaged gzip data (${(error as Error).message}); fetch or pack it again`);
  }
}
