// Reading: from the source to a file of records.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, isNamed, OptionError, UnsupportedError } from '../../core/errors';
import { A_LOOK, type TaskScheduler } from '../../core/scheduler';
import type { Interactions } from '../../data/interactions';
import { type Row, readRows } from '../../data/rows';
import { Vocabulary } from '../../data/vocabulary';
import { ByteTable } from '../../io/text/byte-table';
import { isForBytes } from '../../io/text/parse-interactions';
import { headerAgain } from '../../io/text/rating-columns';
import { type ReadOptions, readSettings } from '../../io/text/read-options';
import { nameOf, readSource, type TextSource } from '../file-chunks';
import { formatOf } from '../read-files';
import { copyRows, findDropped } from './duplicates';
import type { Progress } from './progress';
import { SPOOLED, Spool } from './spool';
import { FILES, type People, RecordFile, RowFile, type RowsAbout, writeDocument, writePeople } from './tile-folder';

/** Rows of an iterable that are checked at once. */
const ROWS_AT_ONCE = 1 << 12;

type Reading = Omit<ReadOptions, 'users' | 'items' | 'duplicates'> & {
  readonly duplicates: 'last' | 'first' | 'keep' | 'error';
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
export async function readAll(
  owner: string,
  source: unknown,
  dir: string,
  reading: Reading,
  memory: number,
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
      policy === 'keep' ? undefined : await findDropped(owner, held, counts, policy, memory, progress, scheduler);
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
