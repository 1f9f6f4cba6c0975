// Reads a table with one user a line and the user's items behind, as the train.txt of LightGCN: every pair counts 1.

import { show } from '../core/options';
import { findRole, isNumber } from './column-names';
import type { Faults } from './fault';
import { readRecords } from './long-table';
import { missingOf } from './missing';
import { RatingColumns } from './rating-columns';
import type { ReadSettings } from './read-options';
import type { RecordReader } from './record-reader';

/** Lines that are looked at to tell a header, counts and items with values from lists. */
const SAMPLE = 50;

/** Reads every record; `records` stands before the first, and there is one. */
export function readAdjacencyTable(records: RecordReader, settings: ReadSettings, faults: Faults): RatingColumns {
  const { ignoreColumns = [] } = settings;
  // Names have been refused with the options.
  const idColumn = (settings.idColumn ?? 0) as number | false;
  const sample = records.peek(1 + SAMPLE);
  const form = formOf(sample, settings);
  if (form.hasHeader) records.next();
  else records.seek(0, settings.skipLines + 1);
  const lists = form.hasHeader ? sample.slice(1) : sample;
  if (idColumn === 0 && settings.ignoreColumns === undefined) refuseCounts(lists, form.isNested, settings, faults);
  refusePairs(lists, settings, faults);

  const missing = missingOf(settings.missing);
  const isNone = (item: string) =>
    missing !== undefined && (missing.texts.has(item) || (isNumber(item) && missing.numbers.has(Number(item))));
  const ignored = new Set<unknown>(ignoreColumns);
  const table = new RatingColumns(settings, faults, { values: false, timestamps: false, weights: false }, 1);
  let lines = 0;
  readRecords(records, table, () => {
    const { line, fieldCount } = records;
    const number = lines++;
    if (idColumn !== false && idColumn >= fieldCount)
      throw faults.at(
        line,
        undefined,
        `idColumn is ${idColumn}, but there are ${fieldCount} columns; set idColumn lower`,
      );
    const user =
      idColumn === false
        ? table.toId(String(number), false, 'user', line, 1)
        : table.toId(records.field(idColumn), records.isQuoted(idColumn), 'user', line, idColumn + 1);
    const items = [];
    for (let i = 0; i < fieldCount; i++) {
      if (i === idColumn || ignored.has(i) || (records.start(i) === records.end(i) && !records.isQuoted(i))) continue;
      const field = records.field(i);
      for (const item of form.isNested && !records.isQuoted(i) ? field.split(/\s+/) : [field]) {
        if (isNone(item)) table.invalid.missing++;
        else items.push(table.toId(item, true, 'item', line, i + 1));
      }
    }
    // Nothing is added before all of the line is known to be good.
    for (const item of items) table.addPair(user, item, line);
  });
  if (table.size === 0 && table.invalid.count + table.invalid.missing === 0)
    throw faults.whole('no line has an item behind its user; want at least one');
  return table;
}

/** Whether the first line is a header, and whether the items stand between spaces in one field: `7,8 9 10`. */
function formOf(sample: readonly (readonly string[])[], { header }: ReadSettings) {
  const first = sample[0] ?? [];
  const hasHeader = header ?? (findRole('user', first.slice(0, 1), new Set()).length > 0 && !first.some(isNumber));
  const lists = hasHeader ? sample.slice(1) : sample;
  const isNested = lists.every(({ length }) => length <= 2) && lists.some((cells) => /\s/.test(cells[1] ?? ''));
  return { hasHeader, isNested };
}

/** A count in front of the items, as CiteULike's users.dat has, would be the user: many of them at once. */
function refuseCounts(
  lists: readonly (readonly string[])[],
  isNested: boolean,
  { skipLines }: ReadSettings,
  faults: Faults,
): void {
  const itemsOf = ([, ...cells]: readonly string[]) =>
    isNested ? (cells[0]?.split(/\s+/).length ?? 0) : cells.filter((cell) => cell !== '').length;
  if (lists.length < 3 || !lists.every((cells) => isNumber(cells[0]!) && Number(cells[0]) === itemsOf(cells))) return;
  // Users have one line each; counts come again.
  if (new Set(lists.map(([first]) => first)).size === lists.length) return;
  throw faults.at(
    skipLines + 1,
    1,
    'each line has as many items as this column says: it is a count; set idColumn to false, so that users are numbered ' +
      'by line, and set ignoreColumns to [0], or to [] where it is the user',
  );
}

/** `7 8:5 9:3` has values behind its items, which lists have not. */
function refusePairs(lists: readonly (readonly string[])[], { skipLines }: ReadSettings, faults: Faults): void {
  const items = lists
    .flatMap(([, ...cells]) => cells.flatMap((cell) => cell.split(/\s+/)))
    .filter((cell) => cell !== '');
  if (items.length === 0 || !items.every((item) => /^\d+:[-+]?\d*\.?\d+$/.test(item))) return;
  throw faults.at(
    skipLines + 1,
    2,
    `items have values behind them, such as ${show(items[0])}; write one rating a line, or read rows of features with parseLibFM`,
  );
}
