// Parses delimited text into a table of features, with the same record reader as ratings.

import { OptionError } from '../../core/errors';
import type { Check } from '../../core/options';
import { boolean, check, field, integer, oneOf, optional, readOptions, show, string, wrong } from '../../core/options';
import { type Pausable, runToEnd } from '../../core/scheduler';
import { type FeatureRow, type FeatureTableOptions, readTableOptions, type TablePlan } from '../../data/feature-fields';
import { columnsOf, FeatureSchema, newField } from '../../data/feature-schema';
import { encodeRows, FeatureTable, learnRows, type TableFault } from '../../data/feature-table';
import { isMissing, type Missing, type MissingValue, missingOf, parseDecimal } from './cells';
import { decode, LONGEST_STRING, refuseOtherText } from './decode';
import { Faults } from './fault';
import type { ReadOptions } from './read-options';
import { commentCheck, ENCODINGS, escapeCheck, missingValues, most, separator as separatorCheck } from './read-options';
import { afterLines, isEmpty, RecordReader, tooMuch } from './record-reader';
import { sniffSeparator } from './separator';

/**
 * How to read a table of features from text: the fields, as in `FeatureTable.from`, or an existing schema, and
 * the form of the text.
 *
 * @example
 * ```ts
 * import { categorical, parseFeatureTable, type ReadFeatureOptions } from 'opmf';
 * const options: ReadFeatureOptions = { columns: ['city', 'clicked'], fields: { city: categorical() }, label: 'clicked' };
 * console.log(parseFeatureTable('Rome;1\nParis;0', options).size); // 2
 * ```
 */
export interface ReadFeatureOptions extends Partial<FeatureTableOptions> {
  /** Encodes the rows by this schema, instead of learning `fields`, with `label`, `weight` and `id`. */
  readonly schema?: FeatureSchema | undefined;
  /** The names of the columns, in order. @defaultValue those of the first line */
  readonly columns?: readonly string[] | undefined;
  /** Whether the first line holds names; `columns` take their place. @defaultValue whether there are no `columns` */
  readonly header?: boolean | undefined;
  /** The separator between columns; `' '` means any run of spaces and tabs. Detected when absent. */
  readonly separator?: string | undefined;
  /** Whether the ids of rows become strings or numbers; choose as in the interactions they belong to. @defaultValue 'string' */
  readonly ids?: 'string' | 'number' | undefined;
  /** Cells that count as missing, besides empty ones, such as '?', -1 or ['NA', 'null']. @defaultValue [] */
  readonly missing?: ReadOptions['missing'];
  /** How many lines to skip before the table and its header. @defaultValue 0 */
  readonly skipLines?: number | undefined;
  /** Lines that start with this are skipped, such as '#'. @defaultValue no line is skipped */
  readonly comment?: string | undefined;
  /** Encoding of bytes; a string needs none. @defaultValue 'utf-8' */
  readonly encoding?: ReadOptions['encoding'];
  /** Whether a field that starts with `"` is quoted. @defaultValue true */
  readonly quotes?: boolean | undefined;
  /** The escape character within quoted fields, such as '\\'. `""` is always a quote. @defaultValue '"' */
  readonly escape?: string | undefined;
  /** The most characters in a line, or in a record that spans several lines in quotes. @defaultValue 2^24 */
  readonly maxLineLength?: number | undefined;
  /** The most rows. @defaultValue 2^30 */
  readonly maxRows?: number | undefined;
  /** The most bytes of uncompressed text; the default is the longest possible string. @defaultValue 2^29 - 24 */
  readonly maxBytes?: number | undefined;
  /** The file's name, for error messages. */
  readonly file?: string | undefined;
}

/** The checked options. */
export type FeatureSettings = ReturnType<typeof readFeatureSettings>;

/**
 * Reads a table of features from delimited text: comma, tab, `::`, semicolon, `|` or spaces between columns.
 *
 * The separator is detected from the first lines; columns have the names of the first line or those given. Spaces
 * around cells are trimmed. Blank lines are skipped, line ends may be LF or CR LF, a byte order mark is
 * dropped.
 *
 * Cost: one pass; a million rows of ten columns take some seconds.
 *
 * @throws DataError naming the file, line and column: an empty file, a missing column, too few or too many fields, a cell that
 * does not fit its field, bytes of another encoding.
 * @throws OptionError for an unknown option or a bad value.
 * @see RFC 4180 for quoting.
 *
 * @example
 * ```ts
 * import { categorical, numeric, parseFeatureTable } from 'opmf';
 * const text = 'age, job, pay\n39, ?, <=50K\n50, Sales, >50K\n';
 * const table = parseFeatureTable(text, {
 *   fields: { age: numeric(), job: categorical() },
 *   label: { column: 'pay', positive: ['>50K'] },
 *   missing: ['?'],
 * });
 * console.log([...table.labels!].join(' '), [...table.indices].join(' ')); // 0 1 0 3 0 4
 * const test = parseFeatureTable('job,age\nSales,20', { schema: table.schema! });
 * console.log(test.size, test.labels); // 1 null
 * ```
 */
export function parseFeatureTable(text: string | Uint8Array, options: ReadFeatureOptions): FeatureTable {
  const settings = readFeatureSettings('parseFeatureTable', options);
  if (typeof text !== 'string' && !(text instanceof Uint8Array)) {
    throw new OptionError('text', text, `parseFeatureTable: text is ${show(text)}; want a string or a Uint8Array`);
  }
  return runToEnd(readFeatureText(text, settings));
}

/** Checks the options of `owner`. */
export function readFeatureSettings(owner: string, options: ReadFeatureOptions) {
  const { fields, label, weight, id, schema, ...rest } = options ?? {};
  const settings = readOptions(owner, rest, {
    columns: optional(names),
    header: optional(boolean),
    separator: optional(separatorCheck),
    ids: field(oneOf('string', 'number'), 'string'),
    missing: field<readonly MissingValue[]>(missingValues, []),
    skipLines: field(integer({ min: 0 }), 0),
    comment: optional(commentCheck),
    encoding: field(oneOf(...ENCODINGS), 'utf-8'),
    quotes: field(boolean, true),
    escape: optional(escapeCheck),
    maxLineLength: field(most, 2 ** 24),
    maxRows: field(most, 2 ** 30),
    maxBytes: field(most, LONGEST_STRING),
    file: optional(string),
  });
  if (settings.header === false && settings.columns === undefined) {
    throw new OptionError(
      'header',
      false,
      `${owner}: header is false, and the columns have no names; set columns: [...]`,
    );
  }
  if (schema === undefined) return { ...settings, source: readTableOptions(owner, { fields, label, weight, id }) };
  if (!(schema instanceof FeatureSchema))
    throw wrong('schema', schema, 'a FeatureSchema, such as the schema of a table');
  for (const [name, value] of Object.entries({ fields, label, weight, id })) {
    if (value === undefined) continue;
    throw new OptionError(name, value, `${owner}: ${name} is given beside a schema, which has its own; leave one out`);
  }
  return { ...settings, source: schema };
}

/** Reads a text, yielding to other tasks. */
export function* readFeatureText(source: string | Uint8Array, settings: FeatureSettings): Pausable<FeatureTable> {
  const faults = new Faults(settings.file);
  if (source.length > settings.maxBytes) throw tooMuch(settings.maxBytes, faults);
  const text = decode(source, settings.encoding, faults);
  const start = afterLines(text, settings.skipLines);
  const body = start === 0 ? text : text.slice(start);
  if (isEmpty(body, settings, faults)) throw faults.whole('the file is empty; want a table, one row a line');
  refuseOtherText(body, faults);
  const separator = settings.separator ?? sniffSeparator(body, settings, faults);
  const records = new RecordReader(body, separator, settings, faults, settings.skipLines + 1);
  const rows = rowsOf(records, settings, faults);
  const fault: TableFault = (_, column, message) => faults.at(records.line, column, message);
  const { source: by } = settings;
  const encoded = by instanceof FeatureSchema ? encodeRows(rows, by, fault) : learnRows(rows, by, fault);
  return FeatureTable.ofEncoded(yield* encoded);
}

/** Yields every row as the same object, which the consumer must not keep. */
function* rowsOf(records: RecordReader, settings: FeatureSettings, faults: Faults): Generator<FeatureRow> {
  const { columns, source } = settings;
  const missing = missingOf(settings.missing);
  const hasHeader = settings.header ?? columns === undefined;
  records.next();
  const names = columns ?? records.fields();
  const firstLine = records.line;
  if (columns !== undefined) records.demandFields(columns.length, firstLine);
  else if (new Set(names).size < names.length) throw faults.inLine(firstLine, 'two columns have one name; set columns');
  const used = namesOf(source).map((name) => [name, names.indexOf(name)] as const);
  const lost = used.find(([name, at]) => at < 0 && !isOptional(name, source));
  if (lost !== undefined) {
    const known = names.slice(0, 12).map(show).join(', ');
    throw faults.inLine(
      firstLine,
      `there is no column ${show(lost[0])}; the table has ${known}${names.length > 12 ? ', ...' : ''}`,
    );
  }
  if (hasHeader && !records.next()) throw faults.whole('there is a header but no row under it');
  const present = used.filter(([, at]) => at >= 0);
  const row: Record<string, string | number> = Object.create(null);
  const { id } = source instanceof FeatureSchema ? source.learned : source;
  const numbered = settings.ids === 'number' && present.some(([name]) => name === id) ? id : null;
  let count = 0;
  do {
    if (records.fieldCount !== names.length) records.demandFields(names.length, firstLine);
    for (const [name, at] of present) {
      const cell = records.field(at);
      const isNone = missing !== undefined && isMissing(missing, numberIn(cell, missing), records, at);
      row[name] = isNone ? '' : cell;
    }
    if (numbered !== null) row[numbered] = numberId(row[numbered] as string, numbered, records.line, faults);
    if (++count > settings.maxRows)
      throw faults.inLine(records.line, `there are more than maxRows = ${settings.maxRows} rows; set maxRows higher`);
    yield row;
  } while (records.next());
}

/** The number of a cell, if numbers can mark a missing value; else NaN. */
function numberIn(cell: string, { numbers }: Missing): number {
  return numbers.size > 0 ? parseDecimal(cell, 0, cell.length) : Number.NaN;
}

/** A numeric id. As in interactions, whole numbers beyond 2^53 would be rounded, and two ids become one. */
function numberId(cell: string, column: string, line: number, faults: Faults): string | number {
  if (cell === '') return cell;
  const id = parseDecimal(cell, 0, cell.length);
  if (Math.abs(id) <= Number.MAX_SAFE_INTEGER) return id;
  const wanted = `a number of at most ${Number.MAX_SAFE_INTEGER} in size`;
  throw faults.at(line, column, `the id is ${show(cell)}; want ${wanted}, because ids is 'number'`);
}

/** The columns that are read, each once. */
function namesOf(source: TablePlan | FeatureSchema): string[] {
  const isLearned = source instanceof FeatureSchema;
  const { label, weight, id } = isLearned ? source.learned : source;
  const fields = isLearned ? source.learned.fields : source.fields.map(([name, config]) => newField(name, config));
  const targets = [label?.column, weight, id].filter((name) => name !== undefined && name !== null);
  return [...new Set([...fields.flatMap(columnsOf), ...targets])];
}

/** Labels, weights and ids are optional when a schema is given: rows to be predicted need none. */
function isOptional(name: string, source: TablePlan | FeatureSchema): boolean {
  if (!(source instanceof FeatureSchema)) return false;
  const { fields, label, weight, id } = source.learned;
  return [label?.column, weight, id].includes(name) && !fields.some((one) => columnsOf(one).includes(name));
}

const texts = check<readonly string[]>(
  'an array of strings',
  (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
);

const names: Check<readonly string[]> = (value, name) => {
  const list = texts(value, name);
  if (list.length > 0 && new Set(list).size === list.length) return list;
  throw wrong(name, value, 'an array of one or more different names');
};
