// Reads a table with one user a line and one column an item, as Jester's: a sentinel or an empty cell is no rating.

import { show } from '../core/options';
import type { Id } from '../interactions/vocabulary';
import { findRole, isNumber } from './column-names';
import { labelOf, resolveColumn } from './column-roles';
import { LARGEST_FLOAT32, parseDecimal } from './decimal';
import type { Faults } from './fault';
import { RatingColumns } from './rating-columns';
import type { ReadSettings } from './read-options';
import type { RecordReader } from './record-reader';

const NONE: ReadonlySet<number> = new Set();

/** Reads every record; `records` stands before the first, and there is one. Items are named by the header, else by column number. */
export function readWideTable(records: RecordReader, settings: ReadSettings, faults: Faults): RatingColumns {
  records.next();
  const first = records.fields();
  const firstLine = records.line;
  const isMissing = missingTest(settings.missing);
  const hasHeader = settings.header ?? looksLikeWideHeader(first, settings);
  const names = hasHeader ? first : undefined;
  if (hasHeader && !records.next()) throw faults.whole('there is a header but no user under it');

  const width = first.length;
  const shape = { names, width, firstLine, separator: records.separator, firstCell: first[0]! };
  const { idColumn } = settings;
  const sniffed = names === undefined ? -1 : findRole('user', names, NONE);
  const user = idColumn === undefined ? sniffed : resolveColumn('idColumn', idColumn, shape, faults);
  const ignored = settings.ignoreColumns.map((ref) => resolveColumn('ignoreColumns', ref, shape, faults));
  const items = first.map((_, i) => i).filter((i) => i !== user && !ignored.includes(i));

  const table = new RatingColumns(settings, faults, { values: true, timestamps: false, weights: false }, 1);
  const itemIds = items.map((i) => {
    const text = names === undefined ? String(i) : names[i]!;
    return table.toId(text, false, 'item', firstLine, labelOf(names, i));
  });
  let row = 0;
  const readUser = () => {
    const { line } = records;
    if (records.fieldCount !== width) records.demandFields(width, firstLine);
    const userId: Id =
      user < 0
        ? table.toId(String(row), false, 'user', line, 1)
        : table.toId(records.field(user), records.isQuoted(user), 'user', line, labelOf(names, user));
    for (let k = 0; k < items.length; k++) {
      const i = items[k]!;
      const start = records.start(i);
      const end = records.end(i);
      if (start === end) continue;
      const value = parseDecimal(records.text, start, end);
      if (isMissing(value, records, i)) continue;
      if (!(Math.abs(value) <= LARGEST_FLOAT32)) {
        const wanted = `a finite number, an empty cell, or the value of missing (${show(settings.missing)})`;
        throw faults.at(line, labelOf(names, i), `value is ${show(records.field(i))}; want ${wanted}`);
      }
      table.addPair(userId, itemIds[k]!, line);
      table.put('values', value);
    }
    row++;
  };
  try {
    do readUser();
    while (records.next());
  } catch (error) {
    throw table.faultAfter(error);
  }
  if (table.size === 0) throw faults.whole('every cell is missing; want at least one rating');
  return table;
}

type MissingTest = (value: number, records: RecordReader, i: number) => boolean;

/** A sentinel that is a number is compared as one (99 is 99.00), any other as text. */
function missingTest(missing: string | number): MissingTest {
  const sentinel = typeof missing === 'number' ? missing : parseDecimal(missing, 0, missing.length);
  if (!Number.isNaN(sentinel)) return (value) => value === sentinel;
  return (value, records, i) => Number.isNaN(value) && records.field(i) === missing;
}

/** A first line is a header where a name is asked for, or a cell is neither a number, empty nor the sentinel. */
function looksLikeWideHeader(cells: readonly string[], settings: ReadSettings): boolean {
  const { idColumn, ignoreColumns, missing } = settings;
  if (typeof idColumn === 'string' || ignoreColumns.some((ref) => typeof ref === 'string')) return true;
  if (findRole('user', cells, NONE) >= 0) return true;
  // The corner above a column of ids is often left empty.
  if (idColumn !== undefined && cells[idColumn] === '') return true;
  return cells.some(
    (cell, i) => i !== idColumn && !ignoreColumns.includes(i) && cell !== '' && cell !== missing && !isNumber(cell),
  );
}
