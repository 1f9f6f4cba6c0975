// A table with one rating a line: what its first lines say of it, and the reading of a row out of text. This is the
// definition of what a row means; byte-lines.ts does the same to bytes, faster, and hands over here what is unusual.

import { show } from '../../core/options';
import type { Id } from '../../data/vocabulary';
import {
  type DateFormat,
  type DecimalMark,
  describeFormat,
  isMissing,
  isWeight,
  LARGEST_FLOAT32,
  type Missing,
  missingOf,
  parseDecimal,
  parseTimestamp,
} from './cells';
import {
  commentAdvice,
  hasRowNumbers,
  isAbsent,
  labelOf,
  looksLikeHeader,
  type Roles,
  refuseWrongKinds,
  resolveRoles,
} from './columns';
import type { ColumnLabel, Faults } from './fault';
import { type ColumnsHeld, RatingColumns } from './rating-columns';
import type { ReadSettings } from './read-options';
import type { RecordReader } from './record-reader';

/** Rows that are looked at to tell a header from data, and how wide the table is. */
const SAMPLE = 20;

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
  readonly decimal: DecimalMark;
  /** The values that mean none; undefined where none does. */
  readonly missing: Missing | undefined;
  /** Where in the text the first row starts, and its line. */
  readonly start: number;
  readonly startLine: number;
}

/** Finds the layout; `records` stands before the first record, of which there is one, and then somewhere among the rows. */
export function openLongTable(records: RecordReader, settings: ReadSettings, faults: Faults): LongLayout {
  const isStrict = settings.invalid === 'error';
  const sample = records.peek(1 + SAMPLE);
  if (!nextSound(records, isStrict)) throw faults.whole('no line can be cut into fields; set separator or quotes');
  let first = records.fields();
  let firstLine = records.line;
  if (first.length === 1 && /.:$/.test(first[0]!))
    throw faults.at(
      firstLine,
      undefined,
      `the line is ${show(first[0])}; where it opens a block of ratings, set layout: 'netflix'`,
    );
  if (/^sep=/i.test(first[0]!))
    throw faults.at(
      firstLine,
      undefined,
      'the line tells Excel what separates columns and is no row; set skipLines: 1',
    );
  const comment = commentAdvice(first[0]!);
  const usual = usualWidth(sample.slice(1));
  if (comment !== '' && usual > 0 && first.length !== usual) {
    const fields = `fields: ${first.length}, where the lines below have ${usual}`;
    throw faults.at(firstLine, undefined, fields + comment);
  }
  const hasHeader = settings.header ?? looksLikeHeader(sample, settings.columns, settings.missing);
  const start = hasHeader ? records.position : 0;
  const startLine = hasHeader ? records.lineAfter : settings.skipLines + 1;
  if (hasHeader && !nextSound(records, isStrict)) throw faults.whole('there is a header but no rating under it');
  const names = hasHeader ? withRowNumbers(first, sample.slice(1), records) : undefined;

  if (!hasHeader && !isStrict) {
    // The first row may be one of those to leave out: the table is as wide as most of its first rows are.
    const usual = usualWidth(sample);
    records.seek(0, startLine);
    do nextSound(records, isStrict);
    while (records.fieldCount !== usual);
    first = records.fields();
    firstLine = records.line;
  }
  const width = (names ?? first).length;
  if (isStrict) records.demandFields(width, firstLine);
  else for (let k = 0; k < SAMPLE && records.fieldsOf(width) !== width && nextSound(records, isStrict); k++);
  const { text } = records;
  const { dateFormat, decimal } = settings;
  const isTime = (i: number) =>
    i < records.fieldCount && !Number.isNaN(parseTimestamp(text, records.start(i), records.end(i), dateFormat));
  const rows = hasHeader ? sample.slice(1) : sample;
  const shape = { names, width, firstLine, separator: records.separator, firstCells: first, rows };
  const roles = resolveRoles({ ...shape, isTime }, settings.columns, faults);
  refuseWrongKinds(roles, shape, settings, faults);
  return {
    ...{ names, width, firstLine, roles, dateFormat, decimal, start, startLine },
    held: { values: roles.value >= 0, timestamps: roles.timestamp >= 0, weights: roles.weight >= 0 },
    userLabel: labelOf(names, roles.user),
    itemLabel: labelOf(names, roles.item),
    missing: missingOf(settings.missing),
  };
}

/** Reads every record; `records` stands before the first, and there is one. */
export function readLongTable(records: RecordReader, settings: ReadSettings, faults: Faults): RatingColumns {
  const layout = openLongTable(records, settings, faults);
  const table = new RatingColumns(settings, faults, layout.held, 1);
  records.seek(layout.start, layout.startLine);
  readRecords(records, table, () => readRow(records, layout, table, faults));
  refuseHeaderAgain(layout, table);
  return table;
}

/** Reads records to the end, by `readOne`; those with a fault are left out, or end the reading. */
export function readRecords(records: RecordReader, table: RatingColumns, readOne: () => void): void {
  try {
    for (let isMore = true; isMore; ) {
      try {
        isMore = records.next();
        if (isMore) readOne();
      } catch (error) {
        table.invalid.add(error);
        records.recover();
      }
    }
  } catch (error) {
    throw table.faultAfter(error);
  }
}

/** The number of fields that most of some records have. */
function usualWidth(sample: readonly (readonly string[])[]): number {
  const times = new Map<number, number>();
  for (const { length } of sample) times.set(length, (times.get(length) ?? 0) + 1);
  return [...times].reduce((best, one) => (one[1] > best[1] ? one : best), [0, 0])[0];
}

/** Moves to the next record; one that cannot be cut is passed over unless it is to be an error. */
function nextSound(records: RecordReader, isStrict: boolean): boolean {
  for (;;) {
    try {
      return records.next();
    } catch (error) {
      if (isStrict) throw error;
      records.recover();
    }
  }
}

/** Throws where a row of ids alone is the header again; a value in it has been a fault already. */
export function refuseHeaderAgain({ names, roles }: LongLayout, table: RatingColumns): void {
  if (names !== undefined) table.refuseHeader(names[roles.user]!, names[roles.item]!);
}

/** Adds the record that `records` stands at; `block` is the item of rows that have none of their own. */
export function readRow(
  records: RecordReader,
  layout: LongLayout,
  table: RatingColumns,
  faults: Faults,
  block?: Id,
): void {
  const { names, width, firstLine, dateFormat, decimal, userLabel, itemLabel } = layout;
  const { user, item, value, timestamp, weight } = layout.roles;
  const { text, line } = records;
  const fault = (i: number, what: string, wanted: string) =>
    faults.at(line, labelOf(names, i), `${what} is ${show(records.field(i))}; want ${wanted}`);
  if (records.fieldCount !== width) records.demandFields(width, firstLine);
  let rating = 1;
  if (value >= 0) {
    rating = parseDecimal(text, records.start(value), records.end(value), decimal);
    if (layout.missing !== undefined && isMissing(layout.missing, rating, records, value)) {
      table.invalid.missing++;
      return;
    }
  }
  const userId = table.toId(records.field(user), records.isQuoted(user), 'user', line, userLabel);
  const itemId = block ?? table.toId(records.field(item), records.isQuoted(item), 'item', line, itemLabel);
  if (!(Math.abs(rating) <= LARGEST_FLOAT32)) throw fault(value, 'value', wantedValue(records.field(value), decimal));
  let time = 0;
  if (timestamp >= 0) {
    time = parseTimestamp(text, records.start(timestamp), records.end(timestamp), dateFormat, table.times);
    if (Number.isNaN(time))
      throw fault(
        timestamp,
        'timestamp',
        `${describeFormat(dateFormat)}; or set columns.timestamp to false to read no times`,
      );
  }
  let given = 1;
  if (weight >= 0) {
    given = parseDecimal(text, records.start(weight), records.end(weight), decimal);
    if (!isWeight(given)) {
      const wanted = given > 0 ? '0, or a number from 1.5e-45 to 3.4e38' : 'a finite number of at least 0';
      throw fault(weight, 'weight', wanted);
    }
  }
  // Nothing is added before all of the row is known to be good.
  table.addPair(userId, itemId, line);
  if (value >= 0) table.put('values', rating);
  if (timestamp >= 0) table.put('timestamps', time);
  if (weight >= 0) table.put('weights', given);
}

/** What a value should be, and the option that reads this one. */
function wantedValue(cell: string, decimal: DecimalMark): string {
  const wanted = `a finite number, with a ${decimal === '.' ? 'point' : 'comma'} for decimals`;
  if (isAbsent(cell)) return `${wanted}; where it means no rating, set missing: '${cell.replace(/[\\']/g, '\\$&')}'`;
  return wanted + (decimal === '.' ? adviceOnComma(cell) : '');
}

/** What to do about a comma before decimals. */
export function adviceOnComma(cell: string): string {
  return /^[-+]?\d*,\d+$/.test(cell) ? "; where the comma stands before decimals, set decimal: ','" : '';
}

/**
 * The names of a header, with an empty one in front where R has written row numbers, which have none: they are quoted, where
 * numbers of the table are not. `records` stands at the first row.
 */
function withRowNumbers(
  names: readonly string[],
  rows: readonly (readonly string[])[],
  records: RecordReader,
): readonly string[] {
  const areLonger = rows.every(({ length }) => length === names.length + 1);
  const areQuoted = records.isQuoted(0) && names.some((_, i) => !records.isQuoted(i + 1));
  return areLonger && areQuoted && hasRowNumbers(rows) ? ['', ...names] : names;
}
