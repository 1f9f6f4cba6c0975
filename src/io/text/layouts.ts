// The layouts of ratings in text: long, wide, adjacency lists, blocks of one item. Long tables, with one rating per
// line, come first: how the first lines determine the layout, and how a row is read. This is the definition of what a
// row means; byte-rows.ts is the fast twin for bytes, and passes unusual lines to this code.

import { show } from '../../core/options';
import type { Id } from '../../data/vocabulary';
import type { DateFormat, DecimalMark, Missing } from './cells';
import { describeFormat, isMissing, isWeight, LARGEST_FLOAT32, missingOf, parseDecimal, parseTimestamp } from './cells';
import {
  commentAdvice,
  findRole,
  hasEmptyCorner,
  hasRowNumbers,
  isAbsent,
  isMostly,
  isNumber,
  isUnnamed,
  labelOf,
  looksLikeHeader,
  looksLikeTime,
  type Roles,
  refuseWrongKinds,
  resolveColumn,
  resolveRoles,
} from './columns';
import type { ColumnLabel, Faults } from './fault';
import { type ColumnsHeld, RatingColumns } from './rating-columns';
import type { ReadSettings } from './read-options';
import type { RecordReader } from './record-reader';

/** Rows sampled to tell a header from data, and to find the width of the table. */
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
  /** The values that mark a missing rating; undefined if there are none. */
  readonly missing: Missing | undefined;
  /** Where the first row starts in the text, and its line number. */
  readonly start: number;
  readonly startLine: number;
}

/** Determines the layout. `records` must be before the first record; afterwards it is somewhere among the rows. */
export function openLongTable(records: RecordReader, settings: ReadSettings, faults: Faults): LongLayout {
  const isStrict = settings.invalid === 'error';
  const sample = records.peek(1 + SAMPLE);
  if (!nextSound(records, isStrict)) throw faults.whole('no line can be cut into fields; set separator or quotes');
  let first = records.fields();
  let firstLine = records.line;
  if (first.length === 1 && /.:$/.test(first[0]!))
    throw faults.inLine(
      firstLine,
      `the line is ${show(first[0])}; where it opens a block of ratings, set layout: 'netflix'`,
    );
  if (/^sep=/i.test(first[0]!))
    throw faults.inLine(firstLine, 'the line tells Excel what separates columns and is no row; set skipLines: 1');
  const comment = commentAdvice(first[0]!);
  const usual = usualWidth(sample.slice(1));
  if (comment !== '' && usual > 0 && first.length !== usual) {
    const fields = `fields: ${first.length}, where the lines below have ${usual}`;
    throw faults.inLine(firstLine, fields + comment);
  }
  const hasHeader = settings.header ?? looksLikeHeader(sample, settings.columns, settings.missing);
  const start = hasHeader ? records.position : 0;
  const startLine = hasHeader ? records.lineAfter : settings.skipLines + 1;
  if (hasHeader && !nextSound(records, isStrict)) throw faults.whole('there is a header but no rating under it');
  const names = hasHeader ? withRowNumbers(first, sample.slice(1), records) : undefined;

  if (!hasHeader && !isStrict) {
    // The first row may be an invalid one: the width of the table is that of most sampled rows.
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

/** Reads every record; `records` is before the first, and there is one. */
export function readLongTable(records: RecordReader, settings: ReadSettings, faults: Faults): RatingColumns {
  const layout = openLongTable(records, settings, faults);
  const table = new RatingColumns(settings, faults, layout.held, 1);
  records.seek(layout.start, layout.startLine);
  readRecords(records, table, () => readRow(records, layout, table, faults));
  refuseHeaderAgain(layout, table);
  return table;
}

/** Reads records to the end by `readOne`; a faulty one is skipped or ends the reading. */
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

/** Moves to the next record; one that cannot be split is skipped unless `isStrict`. */
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

/** Throws if a row that holds only ids repeats the header; with a value column, it was a fault already. */
export function refuseHeaderAgain({ names, roles }: LongLayout, table: RatingColumns): void {
  if (names !== undefined) table.refuseHeader(names[roles.user]!, names[roles.item]!);
}

/** Adds the current record; `block` is the item for rows without an item column. */
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
  // Nothing is added before the whole row is known to be valid.
  table.addPair(userId, itemId, line);
  if (value >= 0) table.put('values', rating);
  if (timestamp >= 0) table.put('timestamps', time);
  if (weight >= 0) table.put('weights', given);
}

/** What a value should be, and the option that would accept this one. */
function wantedValue(cell: string, decimal: DecimalMark): string {
  const wanted = `a finite number, with a ${decimal === '.' ? 'point' : 'comma'} for decimals`;
  if (isAbsent(cell)) return `${wanted}; where it means no rating, set missing: '${cell.replace(/[\\']/g, '\\$&')}'`;
  return wanted + (decimal === '.' ? adviceOnComma(cell) : '');
}

/** Advice on a decimal comma. */
export function adviceOnComma(cell: string): string {
  return /^[-+]?\d*,\d+$/.test(cell) ? "; where the comma stands before decimals, set decimal: ','" : '';
}

/**
 * The names of a header, with an empty one in front if R has written row numbers, which have no header: they are
 * quoted, unlike numbers of the table. `records` is at the first row.
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

// Wide tables: one user per line, one item per column, as in Jester. A sentinel or an empty cell is no rating.

const NONE: ReadonlySet<number> = new Set();
/** Rows sampled to tell a header from data, and a count from ratings. */
const HEADER_SAMPLE = 20;

type Shape = Parameters<typeof resolveColumn>[2];

/** Reads every record; `records` is before the first, and there is one. Items are named by the header, else by column number. */
export function readWideTable(records: RecordReader, settings: ReadSettings, faults: Faults): RatingColumns {
  const sample = records.peek(1 + HEADER_SAMPLE);
  records.next();
  const first = records.fields();
  const firstLine = records.line;
  const missing = missingOf(settings.missing);
  const hasHeader = settings.header ?? looksLikeWideHeader(sample, settings);
  const names = hasHeader ? first : undefined;
  if (!hasHeader) records.seek(0, settings.skipLines + 1);

  const width = first.length;
  const shape = { names, width, firstLine, separator: records.separator, firstCells: first };
  const { idColumn, ignoreColumns = [] } = settings;
  const ignored = new Set(ignoreColumns.map((ref) => resolveColumn('ignoreColumns', ref, shape, faults)));
  let user = -1;
  if (idColumn === undefined) user = findIdColumn(shape, [...ignored], faults);
  else if (idColumn !== false) user = resolveColumn('idColumn', idColumn, shape, faults);
  const items = first.map((_, i) => i).filter((i) => i !== user && !ignored.has(i));
  if (settings.ignoreColumns === undefined)
    refuseCountColumns(items, hasHeader ? sample.slice(1) : sample, shape, missing, faults);

  const table = new RatingColumns(settings, faults, { values: true, timestamps: false, weights: false }, 1);
  const itemIds = items.map((i) => {
    const text = names === undefined ? String(i) : names[i]!;
    return table.toId(text, false, 'item', firstLine, labelOf(names, i));
  });
  let row = 0;
  // The rated cells of a line: none is added before the whole line is known to be valid.
  const rated = new Int32Array(items.length);
  const ratings = new Float64Array(items.length);
  const readUser = () => {
    const { line } = records;
    const user0 = row++;
    if (records.fieldCount !== width) records.demandFields(width, firstLine);
    const userId: Id =
      user < 0
        ? table.toId(String(user0), false, 'user', line, 1)
        : table.toId(records.field(user), records.isQuoted(user), 'user', line, labelOf(names, user));
    let count = 0;
    for (let k = 0; k < items.length; k++) {
      const i = items[k]!;
      const start = records.start(i);
      const end = records.end(i);
      if (start === end) continue;
      const value = parseDecimal(records.text, start, end, settings.decimal);
      if (missing !== undefined && isMissing(missing, value, records, i)) continue;
      if (!(Math.abs(value) <= LARGEST_FLOAT32)) {
        const none =
          settings.missing.length === 0
            ? 'or set missing to what means no rating'
            : `or one of missing (${settings.missing.map(show).join(', ')})`;
        const wanted = `a finite number or an empty cell, ${none}${adviceOnComma(records.field(i))}`;
        throw faults.at(line, labelOf(names, i), `value is ${show(records.field(i))}; want ${wanted}`);
      }
      rated[count] = k;
      ratings[count++] = value;
    }
    for (let k = 0; k < count; k++) {
      table.addPair(userId, itemIds[rated[k]!]!, line);
      table.put('values', ratings[k]!);
    }
  };
  readRecords(records, table, readUser);
  if (hasHeader && row + table.invalid.count === 0) throw faults.whole('there is a header but no user under it');
  if (table.size === 0 && table.invalid.count === 0)
    throw faults.whole('every cell is missing; want at least one rating');
  return table;
}

/** Whether a cell is a number that does not mark a missing rating. */
function isRating(cell: string | undefined, missing: Missing | undefined): boolean {
  if (cell === undefined) return false;
  const value = parseDecimal(cell, 0, cell.length);
  return !Number.isNaN(value) && !missing?.numbers.has(value);
}

/**
 * Whether the first record is a header: a name is asked for, or one of its cells is neither a number, empty nor the
 * sentinel, or it has an empty corner above a column of ids, as pandas writes a pivot table.
 */
function looksLikeWideHeader(sample: readonly (readonly string[])[], settings: ReadSettings): boolean {
  const { idColumn, ignoreColumns = [], missing } = settings;
  const cells = sample[0]!;
  if (typeof idColumn === 'string' || ignoreColumns.some((ref) => typeof ref === 'string')) return true;
  const corner = idColumn === undefined ? 0 : idColumn;
  if (corner !== false && hasEmptyCorner(sample, corner)) return true;
  return cells.some(
    (cell, i) =>
      i !== idColumn && !ignoreColumns.includes(i) && cell !== '' && !missing.includes(cell) && !isNumber(cell),
  );
}

/** The column of the user ids, found by its name or as the only one before the items; -1 if there is none. */
function findIdColumn(shape: Shape, ignored: readonly number[], faults: Faults): number {
  const { names, firstLine } = shape;
  if (names === undefined) return -1;
  const found = findRole('user', names, NONE)[0];
  // Far from the first column, it could be the name of an item.
  if (found !== undefined && (found === 0 || /id$/i.test(names[found]!.trim()))) return found;
  const [first, ...others] = names.flatMap((name, i) => (ignored.includes(i) ? [] : [{ name, i }]));
  const areNumbers = others.every(({ name }) => isNumber(name));
  if (first === undefined || (isNumber(first.name) && areNumbers)) return -1;
  if (isUnnamed(first.name) || (areNumbers && others.length > 0)) return first.i;
  throw faults.inLine(
    firstLine,
    `cannot tell which column holds the user ids; the columns are ${names.slice(0, 6).map(show).join(', ')}` +
      `${names.length > 6 ? ', ...' : ''}; set idColumn to one of them, or to false where users are numbered by row`,
  );
}

/** In Jester's files the first column counts the ratings of its line; it must not be read as an item. */
function refuseCountColumns(
  items: readonly number[],
  rows: readonly (readonly string[])[],
  { names, firstLine }: Shape,
  missing: Missing | undefined,
  faults: Faults,
): void {
  const [first, ...others] = items;
  if (first === undefined || others.length < 2 || rows.length < 2) return;
  const counts = rows.map((cells) => others.filter((i) => isRating(cells[i], missing)).length);
  const isCount = counts.every(
    (count, row) => isRating(rows[row]![first], missing) && Number(rows[row]![first]) === count,
  );
  // If every line is full, a rating may equal their number by chance.
  if (!isCount || (new Set(counts).size === 1 && others.length < 10)) return;
  throw faults.at(
    firstLine,
    labelOf(names, first),
    `each line has as many ratings as this column says: it is a count; set ignoreColumns to [${first}], or to [] where it is an item`,
  );
}

// Adjacency lists: one user per line, followed by the user's items, as LightGCN's train.txt; every pair counts 1.

/** Lines sampled to tell lists from headers, counts and items with values. */
const LIST_SAMPLE = 50;

/** Reads every record; `records` is before the first, and there is one. */
export function readAdjacencyTable(records: RecordReader, settings: ReadSettings, faults: Faults): RatingColumns {
  const { ignoreColumns = [] } = settings;
  // Names were already rejected with the options.
  const idColumn = (settings.idColumn ?? 0) as number | false;
  const sample = records.peek(1 + LIST_SAMPLE);
  const form = formOf(sample, settings);
  if (form.hasHeader) records.next();
  else records.seek(0, settings.skipLines + 1);
  const lists = form.hasHeader ? sample.slice(1) : sample;
  if (idColumn === 0 && settings.ignoreColumns === undefined) refuseLengths(lists, form.isNested, settings, faults);
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
      throw faults.inLine(line, `idColumn is ${idColumn}, but there are ${fieldCount} columns; set idColumn lower`);
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
    // Nothing is added before the whole line is known to be valid.
    for (const item of items) table.addPair(user, item, line);
  });
  if (table.size === 0 && table.invalid.count + table.invalid.missing === 0)
    throw faults.whole('no line has an item behind its user; want at least one');
  return table;
}

/** Whether the first line is a header, and whether the items are separated by spaces within one field: `7,8 9 10`. */
function formOf(sample: readonly (readonly string[])[], { header }: ReadSettings) {
  const first = sample[0] ?? [];
  const hasHeader = header ?? (findRole('user', first.slice(0, 1), new Set()).length > 0 && !first.some(isNumber));
  const lists = hasHeader ? sample.slice(1) : sample;
  const isNested = lists.every(({ length }) => length <= 2) && lists.some((cells) => /\s/.test(cells[1] ?? ''));
  return { hasHeader, isNested };
}

/** A count before the items, as in CiteULike's users.dat, would be read as the user, and many users would be merged. */
function refuseLengths(
  lists: readonly (readonly string[])[],
  isNested: boolean,
  { skipLines }: ReadSettings,
  faults: Faults,
): void {
  const itemsOf = ([, ...cells]: readonly string[]) =>
    isNested ? (cells[0]?.split(/\s+/).length ?? 0) : cells.filter((cell) => cell !== '').length;
  if (lists.length < 3 || !lists.every((cells) => isNumber(cells[0]!) && Number(cells[0]) === itemsOf(cells))) return;
  // Users have one line each, whereas counts recur.
  if (new Set(lists.map(([first]) => first)).size === lists.length) return;
  throw faults.at(
    skipLines + 1,
    1,
    'each line has as many items as this column says: it is a count; set idColumn to false, so that users are numbered ' +
      'by line, and set ignoreColumns to [0], or to [] where it is the user',
  );
}

/** `7 8:5 9:3` has values after its items, which adjacency lists do not have. */
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

// Ratings in blocks, as in the Netflix Prize files: a line `item:`, then a line `user,value,date` for each rating.

/** Lines sampled to find what the columns hold. */
const NETFLIX_SAMPLE = 1000;

/** The separator: the first one found in a line that does not open a block. */
export function separatorOfBlocks(text: string): string {
  const line = /^(?!.*:[ \t]*$).*\S.*$/m.exec(text)?.[0] ?? '';
  return [',', '\t', ';', '|', ' '].find((mark) => line.trim().includes(mark)) ?? ',';
}

/** Reads every record; `records` is before the first, and there is one. */
export function readNetflixTable(records: RecordReader, settings: ReadSettings, faults: Faults): RatingColumns {
  let sample: string[][] = [];
  let rows: string[][] = [];
  for (let size = NETFLIX_SAMPLE; rows.length === 0; size *= 8) {
    sample = records.peek(size);
    rows = sample.filter((cells) => !isOpening(cells));
    if (sample.length < size) break;
  }
  const firstLine = settings.skipLines + 1 + Math.max(0, sample.indexOf(rows[0]!));
  if (sample.length === rows.length)
    throw faults.inLine(firstLine, `no line opens a block of ratings, as "1:" does; set layout: 'long'`);
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
      // The ratings under a faulty line must not go to the block before.
      item = undefined;
      item = table.toId(records.field(0).slice(0, -1).trim(), false, 'item', line, 1);
    } else if (item === undefined)
      throw faults.inLine(line, 'a rating stands before any line "item:" that opens a block');
    else readRow(records, layout, table, faults, item);
  });
  if (table.size === 0 && table.invalid.count + table.invalid.missing === 0)
    throw faults.whole('there is no rating in any block; want lines such as user,rating,date');
  return table;
}

function isOpening(cells: readonly string[]): boolean {
  return cells.length === 1 && cells[0]!.endsWith(':');
}

/** User, value and time in order; of two columns the second is a time if it looks like one. */
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
    ref === false ? -1 : resolveColumn(`columns.${role}`, ref!, shape, faults),
  ]);
  return { ...usual, ...Object.fromEntries(given) };
}
