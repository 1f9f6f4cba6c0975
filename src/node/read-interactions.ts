// A file of ratings, plain or gzipped, into Interactions. The text itself is read by io/byte-table.ts, a chunk at a time.

import { nextTask, now } from '../core/scheduler';
import type { Interactions } from '../interactions/interactions';
import { ByteTable } from '../io/byte-table';
import { isForBytes } from '../io/read-bytes';
import { type ReadOptions, readSettings } from '../io/read-options';
import { readText } from '../io/read-text';
import { chunksOf, isGzip, joined, openFile, startingWith, surveyFile, unzipped } from './file-chunks';
import { TURN, withTurns } from './with-turns';

/**
 * Reads a file of ratings: delimited text in UTF-8 or Latin-1, plain or gzipped (told by its first bytes, not by its name).
 *
 * Options and units are those of `parseInteractions`. Cost: about 150 MB a second; the text is never held whole, so that
 * memory is that of the result and a few bytes a rating more. Other tasks get a turn every few milliseconds. A plain file
 * is gone over twice: lines are counted first. Wide tables are read at once, at a fifth of the speed.
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
  const file = await openFile(path);
  try {
    const chunks = chunksOf(file, path);
    const first = await chunks.next();
    const settings = readSettings('parseInteractions', { ...options, file: options?.file ?? path });
    const isPacked = !first.done && isGzip(first.value);
    const all = startingWith(first, chunks);
    const text = isPacked ? unzipped(all, path) : all;
    if (!isForBytes(settings)) return await withTurns(readText(await joined(text, path, settings.maxBytes), settings));
    // A pipe cannot be gone over twice, and counting packed lines would be unpacking twice.
    const isCountable = !isPacked && (await file.stat()).isFile();
    const table = new ByteTable(settings, isCountable ? await surveyFile(file, path) : undefined);
    let until = now() + TURN;
    for await (const chunk of text) {
      table.push(chunk);
      if (table.isDone) break;
      if (now() < until) continue;
      await nextTask();
      until = now() + TURN;
    }
    return await withTurns(table.finish());
  } finally {
    await file.close();
  }
}
