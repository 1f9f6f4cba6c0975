// Reads a table with one rating a line. The loop touches each cell once and makes strings of the ids only.

import { show } from '../core/options';
import { looksLikeHeader } from './column-names';
import { labelOf, resolveRoles } from './column-roles';
import { LARGEST_FLOAT32, parseDecimal } from './decimal';
import type { Faults } from './fault';
import { RatingColumns } from './rating-columns';
import type { ReadSettings } from './read-options';
import type { RecordReader } from './record-reader';
import { describeFormat, parseTimestamp } from './timestamp';

/** Reads every record; `records` stands before the first, and there is one. */
export function readLongTable(records: RecordReader, settings: ReadSettings, faults: Faults): RatingColumns {
  records.next();
  const first = records.fields();
  const firstLine = records.line;
  const hasHeader = settings.header ?? looksLikeHeader(first, settings.columns);
  const names = hasHeader ? first : undefined;
  if (hasHeader && !records.next()) throw faults.whole('there is a header but no rating under it');

  const { text } = records;
  const width = first.length;
  records.demandFields(width, firstLine);
  const { dateFormat } = settings;
  const isTime = (i: number) => !Number.isNaN(parseTimestamp(text, records.start(i), records.end(i), dateFormat));
  const shape = { names, width, firstLine, separator: records.separator, firstCell: first[0]! };
  const roles = resolveRoles({ ...shape, isTime }, settings.columns, faults);

  const fault = (i: number, what: string, wanted: string) =>
    faults.at(records.line, labelOf(names, i), `${what} is ${show(records.field(i))}; want ${wanted}`);
  const table = new RatingColumns(settings.ids, faults, settings.duplicates === 'error');
  const { user, item, value, timestamp, weight } = roles;
  const userLabel = labelOf(names, user);
  const itemLabel = labelOf(names, item);
  do {
    const { line } = records;
    if (records.fieldCount !== width) records.demandFields(width, firstLine);
    const userId = table.toId(records.field(user), records.isQuoted(user), 'user', line, userLabel);
    const itemId = table.toId(records.field(item), records.isQuoted(item), 'item', line, itemLabel);
    table.addPair(userId, itemId, line);
    if (value >= 0) {
      const rating = parseDecimal(text, records.start(value), records.end(value));
      if (!(Math.abs(rating) <= LARGEST_FLOAT32))
        throw fault(value, 'value', 'a finite number, with a point for decimals');
      table.values.push(rating);
    }
    if (timestamp >= 0) {
      const time = parseTimestamp(text, records.start(timestamp), records.end(timestamp), dateFormat);
      if (Number.isNaN(time)) throw fault(timestamp, 'timestamp', describeFormat(dateFormat));
      table.timestamps.push(time);
    }
    if (weight >= 0) {
      const given = parseDecimal(text, records.start(weight), records.end(weight));
      if (!(given >= 0 && given <= LARGEST_FLOAT32)) throw fault(weight, 'weight', 'a finite number of at least 0');
      table.weights.push(given);
    }
  } while (records.next());
  return table;
}
