// Reads a table with one user a line and one column an item, as Jester's: a sentinel or an empty cell is no rating.

import { show } from '../core/options';
import type { Id } from '../interactions/vocabulary';
import { findRole, hasEmptyCorner, isNumber, isUnnamed } from './column-names';
import { labelOf, resolveColumn } from './column-roles';
import { LARGEST_FLOAT32, parseDecimal } from './decimal';
import type { Faults } from './fault';
import { adviceOnComma, readRecords } from './long-table';
import { isMissing, type Missing, missingOf } from './missing';
import { RatingColumns } from './rating-columns';
import type { ReadSettings } from './read-options';
import type { RecordReader } from './record-reader';

const NONE: ReadonlySet<number> = new Set();
/** Rows that are looked at to tell a header from data, and a count from ratings. */
const SAMPLE = 20;

type Shape = Parameters<typeof resolveColumn>[2];

/** Reads every record; `records` stands before the first, and there is one. Items are named by the header, else by column number. */
export function readWideTable(records: RecordReader, settings: ReadSettings, faults: Faults): RatingColumns {
  const sample = records.peek(1 + SAMPLE);
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
    refuseCounts(items, hasHeader ? sample.slice(1) : sample, shape, missing, faults);

  const table = new RatingColumns(settings, faults, { values: true, timestamps: false, weights: false }, 1);
  const itemIds = items.map((i) => {
    const text = names === undefined ? String(i) : names[i]!;
    return table.toId(text, false, 'item', firstLine, labelOf(names, i));
  });
  let row = 0;
  // The cells of a line that hold ratings: none is added before all of the line is known to be good.
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

/** Whether a cell is a number that does not mean none. */
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

/** The column of the user ids, by its name or by its place before the items; -1 where there is none. */
function findIdColumn(shape: Shape, ignored: readonly number[], faults: Faults): number {
  const { names, firstLine } = shape;
  if (names === undefined) return -1;
  const found = findRole('user', names, NONE)[0];
  // Far from the first column it could be the name of an item.
  if (found !== undefined && (found === 0 || /id$/i.test(names[found]!.trim()))) return found;
  const [first, ...others] = names.flatMap((name, i) => (ignored.includes(i) ? [] : [{ name, i }]));
  const areNumbers = others.every(({ name }) => isNumber(name));
  if (first === undefined || (isNumber(first.name) && areNumbers)) return -1;
  if (isUnnamed(first.name) || (areNumbers && others.length > 0)) return first.i;
  throw faults.at(
    firstLine,
    undefined,
    `cannot tell which column holds the user ids; the columns are ${names.slice(0, 6).map(show).join(', ')}` +
      `${names.length > 6 ? ', ...' : ''}; set idColumn to one of them, or to false where users are numbered by row`,
  );
}

/** In Jester's files the first column counts the ratings of its line, and would be read as one more. */
function refuseCounts(
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
  // Where every line is full, a rating may be as large as their number by chance.
  if (!isCount || (new Set(counts).size === 1 && others.length < 10)) return;
  throw faults.at(
    firstLine,
    labelOf(names, first),
    `each line has as many ratings as this column says: it is a count; set ignoreColumns to [${first}], or to [] where it is an item`,
  );
}
