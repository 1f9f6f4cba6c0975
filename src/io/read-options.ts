// What a caller may say about a text of ratings, and its check. Whatever is left out is found out from the text.

import { OptionError } from '../core/errors';
import { boolean, type Check, field, oneOf, optional, readOptions, show, string, wrong } from '../core/options';
import type { DuplicatePolicy } from '../interactions/interactions';
import { Vocabulary } from '../interactions/vocabulary';
import type { Encoding } from './decode';
import type { DateFormat } from './timestamp';

/** A column: its header name, or its number from 0. */
export type ColumnRef = string | number;

/** Where the columns of a long table are. `false`: the table has none, whatever its header says. */
export interface ColumnRefs {
  readonly user?: ColumnRef | undefined;
  readonly item?: ColumnRef | undefined;
  readonly value?: ColumnRef | false | undefined;
  readonly timestamp?: ColumnRef | false | undefined;
  readonly weight?: ColumnRef | false | undefined;
}

/**
 * How to read a text of ratings. All of it is plain JSON but the vocabularies.
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
  /** `long`: one rating a line. `wide`: one user a line, one column an item. @defaultValue 'long' */
  readonly layout?: 'long' | 'wide' | undefined;
  /** What stands between columns; `' '` means any run of spaces and tabs. Found out when absent. */
  readonly separator?: string | undefined;
  /** Whether the first line holds names. Found out when absent. */
  readonly header?: boolean | undefined;
  /** Long tables: where the columns are. Found by common header names, else user, item, value, timestamp in order. */
  readonly columns?: ColumnRefs | undefined;
  /** Wide tables: the value that means "no rating"; an empty cell always does. @defaultValue '' */
  readonly missing?: string | number | undefined;
  /**
   * Wide tables: the column of the user ids; `false`: users are '0', '1', ... by row. When absent it is found in the
   * header, by its name or as the only one that is no number; without a header users are numbered by row.
   */
  readonly idColumn?: ColumnRef | false | undefined;
  /** Wide tables: columns that are no items, such as the count of ratings in Jester's files. @defaultValue [] */
  readonly ignoreColumns?: readonly ColumnRef[] | undefined;
  /** Whether ids become strings or numbers; `number` demands that every id is one. @defaultValue 'string' */
  readonly ids?: 'string' | 'number' | undefined;
  /** How times are written. `auto`: seconds or an ISO date, cell by cell. @defaultValue 'auto' */
  readonly dateFormat?: DateFormat | undefined;
  /** Encoding of bytes; a string needs none. @defaultValue 'utf-8' */
  readonly encoding?: Encoding | undefined;
  /** Whether a field that starts with `"` is a quoted one. @defaultValue true */
  readonly quotes?: boolean | undefined;
  /** Which rating of a repeated pair stays. @defaultValue 'last' */
  readonly duplicates?: DuplicatePolicy | undefined;
  /** The file's name, for error messages. */
  readonly file?: string | undefined;
  /** A vocabulary to share and extend, so that two files number their users alike. */
  readonly users?: Vocabulary | undefined;
  /** The same for items. */
  readonly items?: Vocabulary | undefined;
}

/** The options with their defaults in place. */
export interface ReadSettings extends ReadOptions {
  readonly layout: 'long' | 'wide';
  readonly columns: ColumnRefs;
  readonly missing: string | number;
  readonly ids: 'string' | 'number';
  readonly dateFormat: DateFormat;
  readonly encoding: Encoding;
  readonly quotes: boolean;
  readonly duplicates: DuplicatePolicy;
}

const LONG_ONLY = ['columns'] as const;
const WIDE_ONLY = ['missing', 'idColumn', 'ignoreColumns'] as const;

/** Checks the options of `owner` and fills in the defaults. */
export function readSettings(owner: string, given: ReadOptions | undefined): ReadSettings {
  const settings = readOptions<ReadSettings>(owner, given, {
    layout: field<'long' | 'wide'>(oneOf('long', 'wide'), 'long'),
    separator: optional(separator),
    header: optional(boolean),
    columns: field<ColumnRefs>((value) => readColumns(owner, value), {}),
    missing: field<string | number>(sentinel, ''),
    idColumn: optional(columnOrNone),
    ignoreColumns: optional(columnList),
    ids: field<'string' | 'number'>(oneOf('string', 'number'), 'string'),
    dateFormat: field<DateFormat>(oneOf('auto', 'seconds', 'milliseconds', 'iso'), 'auto'),
    encoding: field<Encoding>(oneOf('utf-8', 'latin1'), 'utf-8'),
    quotes: field<boolean>(boolean, true),
    duplicates: field<DuplicatePolicy>(oneOf('last', 'first', 'sum', 'keep', 'error'), 'last'),
    file: optional(string),
    users: optional(vocabulary),
    items: optional(vocabulary),
  });
  const foreign = settings.layout === 'long' ? WIDE_ONLY : LONG_ONLY;
  for (const name of foreign) {
    const value = given?.[name];
    if (value === undefined) continue;
    const other = settings.layout === 'long' ? 'wide' : 'long';
    throw new OptionError(
      name,
      value,
      `${owner}: ${name} is only for ${other} tables; set layout: '${other}' or leave it out`,
    );
  }
  refuseNamesWithoutHeader(owner, settings);
  return settings;
}

/** Names of columns are looked up in a header, so there must be one. */
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

const column: Check<ColumnRef> = (value, name) => {
  if (typeof value === 'string' && value !== '') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw wrong(name, value, 'a header name or a column number from 0');
};

const columnOrNone: Check<ColumnRef | false> = (value, name) => {
  if (value === false || typeof value === 'string' || typeof value === 'number')
    return value === false ? value : column(value, name);
  throw wrong(name, value, 'a header name, a column number from 0, or false');
};

const columnList: Check<readonly ColumnRef[]> = (value, name) => {
  if (Array.isArray(value)) return value.map((entry: unknown) => column(entry, name));
  throw wrong(name, value, 'an array of header names or column numbers');
};

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

const sentinel: Check<string | number> = (value, name) => {
  if (typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))) return value;
  throw wrong(name, value, "a finite number or a string, such as 99, 'NA' or ''");
};

const vocabulary: Check<Vocabulary> = (value, name) => {
  if (value instanceof Vocabulary) return value;
  throw wrong(name, value, 'a Vocabulary, such as the users of other Interactions');
};
