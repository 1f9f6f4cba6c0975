// Handling of rows that cannot be read: throw the first, or count them up to a limit, keeping the first few.

import { DataError, OptionError } from '../../core/errors';
import {
  boolean,
  type Check,
  check,
  field,
  integer,
  listOf,
  oneOf,
  optional,
  readOptions,
  show,
  string,
  wrong,
} from '../../core/options';
import type { InteractionsOptions } from '../../data/interactions';
import { aVocabulary, type Vocabulary } from '../../data/vocabulary';
import { DATE_FORMATS, DECIMAL_MARKS, type MissingValue } from './cells';
import type { Faults } from './fault';

/** The encodings found in rating files. */
export type Encoding = NonNullable<ReadOptions['encoding']>;
export const ENCODINGS = ['utf-8', 'latin1', 'utf-16le', 'utf-16be'] as const satisfies readonly Encoding[];

/** What to do about a row that cannot be read: throw, skip it, or skip it and report it. */
export type InvalidPolicy = NonNullable<ReadOptions['invalid']>;

/** How many faults a result reports. */
const KEPT = 5;

/** The rows of one table that were left out. */
export class InvalidRows {
  /** How many rows had a fault. */
  count = 0;
  /** How many rows had no value: not a fault. */
  missing = 0;
  readonly first: DataError[] = [];

  constructor(
    private readonly policy: InvalidPolicy,
    private readonly limit: number,
  ) {}

  /** Whether the first fault ends the reading. */
  get isStrict(): boolean {
    return this.policy === 'error';
  }

  /** Records the error of a row, or rethrows it if the reading must end. */
  add(error: unknown): void {
    if (this.policy === 'error' || !(error instanceof DataError)) throw error;
    if (this.count === this.limit) {
      const more = `more than limit = ${this.limit} rows cannot be read; raise limit, or say how the file is written`;
      throw new DataError(`${error.message} (${more})`, error.place);
    }
    this.count++;
    if (this.first.length < KEPT) this.first.push(error);
    if (typeof this.policy === 'function') this.policy(error);
  }

  /** Throws if no row is left. */
  demandRows(size: number, faults: Faults): void {
    if (size > 0 || this.count + this.missing === 0) return;
    const why = this.first.length > 0 ? `; the first: ${this.first[0]!.message}` : '';
    throw faults.whole(
      `no row is left: ${this.count} cannot be read and ${this.missing} have a value that means none${why}`,
    );
  }
}

// The options for reading ratings from text, and their checks. Whatever is not given is detected.

/** How ratings are laid out in lines. */
export const LAYOUTS = ['long', 'wide', 'adjacency', 'netflix'] as const;
type Layout = (typeof LAYOUTS)[number];

/** Where the columns of a long table are. `false`: the table has none, whatever its header says. */
export type ColumnRefs = NonNullable<ReadOptions['columns']>;

/**
 * How to read a text of ratings. All options but the vocabularies are plain JSON.
 *
 * @example
 * ```ts
 * import { parseInteractions, type ReadOptions } from 'opmf';
 * const options: ReadOptions = { separator: ';', columns: { user: 'who', item: 'what', value: 'stars' } };
 * const data = parseInteractions('what;stars;who\ntea;4;ann\nmate;5;bob', options);
 * console.log(data.size, data.users.idOf(0)); // 2 ann
 * ```
 */
export interface ReadOptions {
  /**
   * `long`: one rating a line. `wide`: one user a line, one column an item. `adjacency`: one user a line, followed by
   * the user's items, each pair counting 1. `netflix`: a line `item:`, then a line of user, value and time for each
   * rating. @defaultValue 'long'
   */
  readonly layout?: 'long' | 'wide' | 'adjacency' | 'netflix' | undefined;
  /** The separator between columns; `' '` means any run of spaces and tabs. Detected when absent. */
  readonly separator?: string | undefined;
  /** Whether the first line holds names. Detected when absent. */
  readonly header?: boolean | undefined;
  /**
   * Long tables: where the columns are. Found by common header names, else user, item, value, timestamp in order. Netflix
   * blocks: by number, without an item.
   */
  readonly columns?:
    | {
        readonly user?: string | number | undefined;
        readonly item?: string | number | undefined;
        readonly value?: string | number | false | undefined;
        readonly timestamp?: string | number | false | undefined;
        readonly weight?: string | number | false | undefined;
      }
    | undefined;
  /**
   * Values that mean "no rating", such as 0, -1, 'NA' or ['', '?']: rows of a long table whose value is one are left out, and
   * so are such cells of a wide table. In a wide table an empty cell always means that. Ids and times are not compared.
   * @defaultValue []
   */
  readonly missing?: string | number | readonly (string | number)[] | undefined;
  /**
   * Wide tables: the column of the user ids; `false`: users are '0', '1', ... by row. When absent it is found in the
   * header, by its name or as the only one that is no number; without a header users are numbered by row. Adjacency
   * lists: its number, 0 when absent, or `false`.
   */
  readonly idColumn?: string | number | false | undefined;
  /** Wide tables and adjacency lists: columns that are not items, such as the count of ratings in Jester's files. @defaultValue [] */
  readonly ignoreColumns?: readonly (string | number)[] | undefined;
  /** Whether ids become strings or numbers; `number` requires every id to be one. @defaultValue 'string' */
  readonly ids?: 'string' | 'number' | undefined;
  /**
   * How times are written. `auto`: numbers or ISO dates (2020-01-01, with a time of day after T or a space, with Z or
   * an offset such as +02:00, else UTC). Numbers are seconds, unless the largest of the file would then lie beyond the
   * year 9999: milliseconds, and by the same rule micro- and nanoseconds; one unit for all. @defaultValue 'auto'
   */
  readonly dateFormat?: 'auto' | 'seconds' | 'milliseconds' | 'microseconds' | 'nanoseconds' | 'iso' | undefined;
  /** Encoding of bytes; a string needs none. @defaultValue 'utf-8' */
  readonly encoding?: 'utf-8' | 'latin1' | 'utf-16le' | 'utf-16be' | undefined;
  /** Whether a field that starts with `"` is quoted. @defaultValue true */
  readonly quotes?: boolean | undefined;
  /** The escape character within quoted fields, such as '\\'. `""` is always a quote. @defaultValue '"' */
  readonly escape?: string | undefined;
  /** The decimal mark of values and weights: 3.5 or 3,5. @defaultValue '.' */
  readonly decimal?: '.' | ',' | undefined;
  /** How many lines to skip before the table and its header. @defaultValue 0 */
  readonly skipLines?: number | undefined;
  /** Lines that start with this are skipped, such as '#'. @defaultValue no line is skipped */
  readonly comment?: string | undefined;
  /**
   * What to do with a row that cannot be read: `error` throws, `skip` leaves the row out, a function receives the fault
   * and leaves the row out. `leftOut` of the result counts them. @defaultValue 'error'
   */
  readonly invalid?: 'error' | 'skip' | ((fault: DataError) => void) | undefined;
  /** The most rows that `invalid` may skip; one more is an error. @defaultValue Infinity */
  readonly limit?: number | undefined;
  /** The most characters in a line, or in a record that spans several lines in quotes. @defaultValue 2^24 */
  readonly maxLineLength?: number | undefined;
  /** The most rows. @defaultValue 2^30 */
  readonly maxRows?: number | undefined;
  /**
   * The most bytes of uncompressed text. What is read as a whole (layouts other than long, UTF-16) is limited to 2^29 -
   * 24. @defaultValue 2^34
   */
  readonly maxBytes?: number | undefined;
  /** Which rating of a duplicate pair is kept. @defaultValue 'last' */
  readonly duplicates?: InteractionsOptions['duplicates'];
  /** The file's name, for error messages. */
  readonly file?: string | undefined;
  /** A vocabulary to share and extend, so that two files number their users alike. */
  readonly users?: Vocabulary | undefined;
  /** The same for items. */
  readonly items?: Vocabulary | undefined;
}

/** The checked options with their defaults. */
export type ReadSettings = ReturnType<typeof readSettings>;

/** Options that only some layouts have. */
const LAYOUTS_OF = {
  columns: ['long', 'netflix'],
  idColumn: ['wide', 'adjacency'],
  ignoreColumns: ['wide', 'adjacency'],
  header: ['long', 'wide', 'adjacency'],
} as const satisfies Partial<Record<keyof ReadOptions, readonly Layout[]>>;

/** Checks the options of `owner` and fills in the defaults. */
export function readSettings(owner: string, given: ReadOptions | undefined) {
  const settings = readOptions(owner, given, {
    layout: field(oneOf(...LAYOUTS), 'long'),
    separator: optional(separator),
    header: optional(boolean),
    columns: field<ColumnRefs>((value) => readColumns(owner, value), {}),
    missing: field<readonly MissingValue[]>(missingValues, []),
    idColumn: optional(columnOrNone),
    ignoreColumns: optional(listOf(column, 'an array of header names or column numbers')),
    ids: field(oneOf('string', 'number'), 'string'),
    dateFormat: field(oneOf(...DATE_FORMATS), 'auto'),
    decimal: field(oneOf(...DECIMAL_MARKS), '.'),
    encoding: field(oneOf(...ENCODINGS), 'utf-8'),
    quotes: field(boolean, true),
    escape: optional(escapeCheck),
    skipLines: field(integer({ min: 0 }), 0),
    comment: optional(commentCheck),
    invalid: field(invalidPolicy, 'error'),
    limit: field(most, Infinity),
    maxLineLength: field(most, 2 ** 24),
    maxRows: field(most, 2 ** 30),
    maxBytes: field(most, 2 ** 34),
    duplicates: field(oneOf('last', 'first', 'sum', 'keep', 'error'), 'last'),
    file: optional(string),
    users: optional(aVocabulary),
    items: optional(aVocabulary),
  });
  const { layout } = settings;
  for (const [name, layouts] of Object.entries<readonly Layout[]>(LAYOUTS_OF)) {
    const value = given?.[name as keyof typeof LAYOUTS_OF];
    if (value === undefined || layouts.includes(layout)) continue;
    const [other] = layouts;
    throw new OptionError(
      name,
      value,
      `${owner}: ${name} is only for ${other} tables; set layout: '${other}' or leave it out`,
    );
  }
  if (layout === 'netflix' || layout === 'adjacency') refuseNames(owner, settings);
  refuseNamesWithoutHeader(owner, settings);
  return settings;
}

/** Blocks and lists have no column names, and the item of a rating in a block stands above it. */
function refuseNames(owner: string, { columns, idColumn, ignoreColumns = [] }: ReadSettings): void {
  const refs: [string, unknown][] = Object.entries(columns).map(([role, ref]) => [`columns.${role}`, ref]);
  refs.push(['idColumn', idColumn], ...ignoreColumns.map((ref): [string, unknown] => ['ignoreColumns', ref]));
  for (const [name, ref] of refs) {
    if (ref === undefined || (name !== 'columns.item' && typeof ref !== 'string')) continue;
    const why =
      name === 'columns.item' ? 'the item stands above its block' : 'columns have no names here; want a number from 0';
    throw new OptionError(name, ref, `${owner}: ${name} is ${show(ref)}, but ${why}`);
  }
}

/** Column names are looked up in a header, so there must be one. */
function refuseNamesWithoutHeader(owner: string, settings: ReadSettings): void {
  if (settings.header !== false) return;
  const named: [string, unknown][] = Object.entries(settings.columns).map(([role, ref]) => [`columns.${role}`, ref]);
  named.push(['idColumn', settings.idColumn]);
  for (const ref of settings.ignoreColumns ?? []) named.push(['ignoreColumns', ref]);
  for (const [name, ref] of named) {
    if (typeof ref !== 'string') continue;
    throw new OptionError(
      name,
      ref,
      `${owner}: ${name} is ${show(ref)}, a name, but header is false; want a column number from 0`,
    );
  }
}

const isColumn = (value: unknown) =>
  typeof value === 'string' ? value !== '' : Number.isSafeInteger(value) && (value as number) >= 0;
const column = check<string | number>('a header name or a column number from 0', isColumn);
const columnOrNone = check<string | number | false>(
  'a header name, a column number from 0, or false',
  (value) => value === false || isColumn(value),
);

function readColumns(owner: string, value: unknown): ColumnRefs {
  return readOptions<ColumnRefs>(
    owner,
    value,
    {
      user: optional(column),
      item: optional(column),
      value: optional(columnOrNone),
      timestamp: optional(columnOrNone),
      weight: optional(columnOrNone),
    },
    'columns.',
  );
}

/** Spaces around a separator are trimmed from the fields anyway, so ' | ' is '|'. */
export const separator: Check<string> = (value, name) => {
  if (typeof value !== 'string' || value === '' || /["\r\n]/.test(value)) {
    throw wrong(name, value, 'a string of one or more characters, none of them a quote or a line end');
  }
  const core = value.trim();
  if (core !== '') return core;
  return value.includes('\t') ? '\t' : ' ';
};

const sentinel = check<MissingValue>(
  "a finite number or a string, such as 99, 'NA' or '', or an array of them",
  (value) => typeof value === 'string' || Number.isFinite(value),
);

/** One or several values that mark a missing rating. */
export const missingValues: Check<readonly MissingValue[]> = (value, name) =>
  Array.isArray(value) ? Array.from(value, (one: unknown) => sentinel(one, name)) : [sentinel(value, name)];

/** The escape character; undefined: only a doubled quote is an escaped quote. */
export const escapeCheck: Check<string | undefined> = (value, name) => {
  if (value === '"') return undefined;
  if (typeof value === 'string' && /^[\x21-\x7e]$/.test(value) && !/[\w]/.test(value)) return value;
  throw wrong(name, value, "one ASCII character that is no letter, digit or space, such as '\\\\'");
};

/** The prefix of comment lines. */
export const commentCheck = check<string>(
  "a string of one or more characters, none of them a space or a quote, such as '#'",
  (value) => typeof value === 'string' && /^[^\s"]+$/.test(value),
);

const invalidPolicy = check<InvalidPolicy>(
  "'error', 'skip' or a function of the fault",
  (value) => value === 'error' || value === 'skip' || typeof value === 'function',
);

/** An upper limit. */
export const most = check<number>(
  'a whole number of at least 0, or Infinity',
  (value) => value === Infinity || (Number.isSafeInteger(value) && (value as number) >= 0),
);
