// A file or a stream of ratings, plain or gzipped, into Interactions. The text itself is read by io/byte-table.ts, a chunk at
// a time.

import { A_LOOK, runYielding, TaskScheduler } from '../core/scheduler';
import type { Interactions } from '../interactions/interactions';
import { ByteTable } from '../io/byte-table';
import { isForBytes } from '../io/read-bytes';
import { type ReadOptions, readSettings } from '../io/read-options';
import { readText } from '../io/read-text';
import { joined, nameOf, readSource, type TextSource } from './file-chunks';

/**
 * Reads ratings from a file or a stream: delimited text, plain or gzipped (told by the first bytes, not by a name).
 *
 * Options and units are those of `parseInteractions`. Cost: about 150 MB a second; the text is never held whole, so that
 * memory is that of the result and a few bytes a rating more. Other tasks get a turn every few milliseconds. A plain file
 * is gone over twice: lines are counted first. Pipes and streams are read once. Layouts other than long ones and UTF-16 are read at once, at
 * a fifth of the speed.
 *
 * @param source - a path, a `file:` URL, or a stream of bytes or text: a stream of Node, a web stream, any async iterable.
 * @throws DataError for a file that cannot be read, and for content as `parseInteractions` says. What a stream throws is
 * passed on.
 * @throws FormatError for damaged gzip data.
 * @throws OptionError for an unknown option or a bad value, and for what is no source.
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
