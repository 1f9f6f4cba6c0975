// A table with one rating a line: what its first lines say of it, and the reading of a row out of text. This is the
// definition of what a row means; byte-lines.ts does the same to bytes, faster, and hands over here what is unusual.

import { show } from '../core/options';
import { looksLikeHeader } from './column-names';
import { labelOf, type Roles, resolveRoles } from './column-roles';
import { LARGEST_FLOAT32, parseDecimal } from './decimal';
import type { ColumnLabel, Faults } from './fault';
import { type ColumnsHeld, RatingColumns } from './rating-columns';
import type { ReadSettings } from './read-options';
import type { RecordReader } from './record-reader';
import { type DateFormat, describeFormat, parseTimestamp } from './timestamp';

/** What holds for every row of a table. */
export interface LongLayout {
  /** The header's names; absent where there is no header. */
  readonly names: readonly string[] | undefined;
  readonly width: number;
  readonly firstLine: number;
  readonly roles: Roles;
  readonly held: ColumnsHeld;
  readonly userLabel: ColumnLabel;
  readonly itemLabel: ColumnLabel;
  readonly dateFormat: DateFormat;
  /** Where in the text the first row starts, and its line. */
  readonly start: number;
  readonly startLine: number;
}

/** Rows that are looked at to tell a header from data. */
const SAMPLE = 20;

/** Finds the layout; `records` stands before the first record, of which there is one, and then at the first row. */
export function openLongTable(records: RecordReader, settings: ReadSettings, faults: Faults): LongLayout {
  const sample = records.peek(1 + SAMPLE);
  records.next();
  const first = records.fields();
  const firstLine = records.line;
  const hasHeader = settings.header ?? looksLikeHeader(sample, settings.columns);
  const names = hasHeader ? first : undefined;
  const start = hasHeader ? records.position : 0;
  const startLine = hasHeader ? records.lineAfter : 1;
  if (hasHeader && !records.next()) throw faults.whole('there is a header but no rating under it');

  const width = first.length;
  records.demandFields(width, firstLine);
  const { text } = records;
  const { dateFormat } = settings;
  const isTime = (i: number) => !Number.isNaN(parseTimestamp(text, records.start(i), records.end(i), dateFormat));
  const rows = hasHeader ? sample.slice(1) : sample;
  const shape = { names, width, firstLine, separator: records.separator, firstCell: first[0]!, rows };
  const roles = resolveRoles({ ...shape, isTime }, settings.columns, faults);
  return {
    ...{ names, width, firstLine, roles, dateFormat, start, startLine },
    held: { values: roles.value >= 0, timestamps: roles.timestamp >= 0, weights: roles.weight >= 0 },
    userLabel: labelOf(names, roles.user),
    itemLabel: labelOf(names, roles.item),
  };
}

/** Reads every record; `records` stands before the first, and there is one. */
export function readLongTable(records: RecordReader, settings: ReadSettings, faults: Faults): RatingColumns {
  const layout = openLongTable(records, settings, faults);
  const table = new RatingColumns(settings, faults, layout.held, 1);
  try {
    do readRow(records, layout, table, faults);
    while (records.next());
  } catch (error) {
    throw table.faultAfter(error);
  }
  refuseHeaderAgain(layout, table);
  return table;
}

/** Throws where a row of ids alone is the header again; a value in it has been a fault already. */
export function refuseHeaderAgain({ names, roles }: LongLayout, table: RatingColumns): void {
  if (names !== undefined) table.refuseHeader(names[roles.user]!, names[roles.item]!);
}

/** Adds the record that `records` stands at. */
export function readRow(records: RecordReader, layout: LongLayout, table: RatingColumns, faults: Faults): void {
  const { names, width, firstLine, dateFormat, userLabel, itemLabel } = layout;
  const { user, item, value, timestamp, weight } = layout.roles;
  const { text, line } = records;
  const fault = (i: number, what: string, wanted: string) =>
    faults.at(line, labelOf(names, i), `${what} is ${show(records.field(i))}; want ${wanted}`);
  if (records.fieldCount !== width) records.demandFields(width, firstLine);
  const userId = table.toId(records.field(user), records.isQuoted(user), 'user', line, userLabel);
  const itemId = table.toId(records.field(item), records.isQuoted(item), 'item', line, itemLabel);
  table.addPair(userId, itemId, line);
  if (value >= 0) {
    const rating = parseDecimal(text, records.start(value), records.end(value));
    if (!(Math.abs(rating) <= LARGEST_FLOAT32))
      throw fault(value, 'value', 'a finite number, with a point for decimals');
    table.put('values', rating);
  }
  if (timestamp >= 0) {
    const time = parseTimestamp(text, records.start(timestamp), records.end(timestamp), dateFormat);
    if (Number.isNaN(time)) throw fault(timestamp, 'timestamp', describeFormat(dateFormat));
    table.put('timestamps', time);
  }
  if (weight >= 0) {
    const given = parseDecimal(text, records.start(weight), records.end(weight));
    if (!(given >= 0 && given <= LARGEST_FLOAT32)) throw fault(weight, 'weight', 'a finite number of at least 0');
    table.put('weights', given);
  }
}
