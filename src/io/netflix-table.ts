// Reads ratings in blocks, as the files of the Netflix Prize: a line `item:`, then a line `user,value,date` for each rating.

import type { Id } from '../interactions/vocabulary';
import { isMostly, looksLikeTime } from './column-names';
import { type Roles, resolveColumn } from './column-roles';
import type { Faults } from './fault';
import { type LongLayout, readRecords, readRow } from './long-table';
import { missingOf } from './missing';
import { RatingColumns } from './rating-columns';
import type { ReadSettings } from './read-options';
import type { RecordReader } from './record-reader';

/** Lines that are looked at to tell what stands in the columns. */
const SAMPLE = 1000;

/** What separates the columns: the first mark in a line that opens no block. */
export function separatorOfBlocks(text: string): string {
  const line = /^(?!.*:[ \t]*$).*\S.*$/m.exec(text)?.[0] ?? '';
  return [',', '\t', ';', '|', ' '].find((mark) => line.trim().includes(mark)) ?? ',';
}

/** Reads every record; `records` stands before the first, and there is one. */
export function readNetflixTable(records: RecordReader, settings: ReadSettings, faults: Faults): RatingColumns {
  let sample: string[][] = [];
  let rows: string[][] = [];
  for (let size = SAMPLE; rows.length === 0; size *= 8) {
    sample = records.peek(size);
    rows = sample.filter((cells) => !isOpening(cells));
    if (sample.length < size) break;
  }
  const firstLine = settings.skipLines + 1 + Math.max(0, sample.indexOf(rows[0]!));
  if (sample.length === rows.length)
    throw faults.at(firstLine, undefined, `no line opens a block of ratings, as "1:" does; set layout: 'long'`);
  const width = Math.max(1, ...rows.slice(0, 20).map(({ length }) => length));
  const roles = rolesOf(rows, width, firstLine, records.separator, settings, faults);
  const layout: LongLayout = {
    ...{ names: undefined, width, firstLine, roles, start: 0, startLine: firstLine },
    ...{ dateFormat: settings.dateFormat, decimal: settings.decimal },
    held: { values: roles.value >= 0, timestamps: roles.timestamp >= 0, weights: roles.weight >= 0 },
    ...{ userLabel: roles.user + 1, itemLabel: 1, missing: missingOf(settings.missing) },
  };
  const table = new RatingColumns(settings, faults, layout.held, 1);
  let item: Id | undefined;
  readRecords(records, table, () => {
    const { line } = records;
    if (records.fieldCount === 1 && !records.isQuoted(0) && records.field(0).endsWith(':')) {
      // Where the line is at fault its ratings are not those of the block before.
      item = undefined;
      item = table.toId(records.field(0).slice(0, -1).trim(), false, 'item', line, 1);
    } else if (item === undefined)
      throw faults.at(line, undefined, 'a rating stands before any line "item:" that opens a block');
    else readRow(records, layout, table, faults, item);
  });
  if (table.size === 0 && table.invalid.count + table.invalid.missing === 0)
    throw faults.whole('there is no rating in any block; want lines such as user,rating,date');
  return table;
}

function isOpening(cells: readonly string[]): boolean {
  return cells.length === 1 && cells[0]!.endsWith(':');
}

/** User, value and time in order; of two columns the second is a time where it looks like one. */
function rolesOf(
  rows: readonly (readonly string[])[],
  width: number,
  firstLine: number,
  separator: string,
  { columns }: ReadSettings,
  faults: Faults,
): Roles {
  const hasTime = (i: number) => i < width && isMostly(looksLikeTime, rows, i);
  const usual: Roles = {
    ...{ user: 0, item: -1, weight: -1 },
    value: width > 1 && !hasTime(1) ? 1 : -1,
    timestamp: [1, 2].find(hasTime) ?? -1,
  };
  const shape = { names: undefined, width, firstLine, separator, firstCells: rows[0] ?? [''] };
  const given = Object.entries(columns).map(([role, ref]) => [
    role,
    ref === false ? -1 : resolveColumn(`columns.${role}`, ref, shape, faults),
  ]);
  return { ...usual, ...Object.fromEntries(given) };
}
