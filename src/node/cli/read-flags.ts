// The flags that say how a file of ratings is to be read, for every command that takes DATA: the options of
// readInteractions as words. The options themselves are checked where the file is read.

import { nearest, show } from '../../core/options';
import { DATE_FORMATS } from '../../io/text/cells';
import type { ReadOptions } from '../../io/text/read-options';
import { type Arguments, type Flag, UsageError } from './command';

/** The flags, by name; they apply to files, not to data sets. */
export const READ_FLAGS = {
  columns: {
    value: 'ROLE=COLUMN,...',
    about: 'of user, item, value, timestamp, weight: a header name, or a number from 0; value=false: all count 1',
  },
  separator: { value: 'TEXT', about: 'what stands between columns: tab, comma, semicolon, space, pipe, or itself' },
  header: { value: 'yes|no', about: 'whether the first line holds names' },
  layout: {
    value: 'long|wide|adjacency|netflix',
    about:
      'wide: a user a line, a column an item; adjacency: a user a line, the items behind; netflix: a line "item:", then one a rating; --columns of the first two takes user= and ignore=',
  },
  missing: { value: 'VALUE', about: 'what means no rating, such as 0 or NA; repeats', repeats: true },
  ids: { value: 'string|number', about: 'what ids become; default string' },
  encoding: { value: 'utf-8|latin1|utf-16le|utf-16be', about: 'of the text; default utf-8' },
  quotes: { value: 'yes|no', about: 'whether a field that starts with " is a quoted one; default yes' },
  escape: { value: 'CHARACTER', about: 'what makes a quote within quotes an ordinary character, such as \\' },
  'skip-lines': { value: 'N', about: 'leave out the first N lines' },
  comment: { value: 'TEXT', about: 'leave out lines that start with it, such as #' },
  decimal: { value: '.|,', about: 'what stands before decimals; default .' },
  'date-format': { value: 'FORMAT', about: `how times are written: ${DATE_FORMATS.join(', ')}` },
  invalid: {
    value: 'error|skip',
    about: 'whether a row that cannot be read ends the reading (default) or is left out',
  },
  limit: { value: 'N', about: 'with --invalid skip: the most rows that are left out' },
  'max-line-length': { value: 'N', about: 'the most characters of a line; default 2^24' },
  'max-rows': { value: 'N', about: 'the most rows; default 2^30' },
  'max-bytes': { value: 'N', about: 'the most bytes of text, unpacked; default 2^34' },
  duplicates: { value: 'POLICY', about: 'of a repeated pair: last (default), first, sum, keep, or error' },
} as const satisfies Record<string, Flag>;

const FLAGS = Object.keys(READ_FLAGS) as (keyof typeof READ_FLAGS)[];
const ROLES = {
  long: ['user', 'item', 'value', 'timestamp', 'weight'],
  wide: ['user', 'ignore'],
  adjacency: ['user', 'ignore'],
  netflix: ['user', 'value', 'timestamp', 'weight'],
} as const;
/** `\t` as two characters is what a shell hands over. */
const SEPARATORS: Readonly<Record<string, string>> = {
  ...{ tab: '\t', '\\t': '\t', comma: ',', semicolon: ';', space: ' ', pipe: '|' },
};

const TEXTS = ['ids', 'encoding', 'duplicates', 'escape', 'comment', 'decimal', 'date-format', 'invalid'] as const;
const COUNTS = ['skip-lines', 'limit', 'max-line-length', 'max-rows', 'max-bytes'] as const;

/** The option that a flag is called after: skip-lines is skipLines. */
function optionOf(flag: string): string {
  return flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The flags that were given, as options; undefined where there are none. */
export function readFlags(given: Arguments): ReadOptions | undefined {
  const layout = given.text('layout');
  const separator = given.text('separator');
  const columns = given.list('columns');
  const options = {
    ...(columns && readColumns(columns, Object.hasOwn(ROLES, layout ?? '') ? (layout as keyof typeof ROLES) : 'long')),
    layout,
    separator: Object.hasOwn(SEPARATORS, separator ?? '') ? SEPARATORS[separator!] : separator,
    header: yesOrNo(given, 'header'),
    quotes: yesOrNo(given, 'quotes'),
    ...(given.has('missing') && { missing: given.texts('missing') }),
    ...Object.fromEntries(TEXTS.map((name) => [optionOf(name), given.text(name)])),
    ...Object.fromEntries(COUNTS.map((name) => [optionOf(name), given.count(name, 0)])),
  };
  return FLAGS.some((name) => given.has(name)) ? (options as ReadOptions) : undefined;
}

/** The flags of that kind that were given, as they are written. */
export function readFlagsGiven(given: Arguments): string[] {
  return FLAGS.filter((name) => given.has(name)).map((name) => `--${name}`);
}

/** Errors of a file speak of options (`set columns.value`); what they are called here, or nothing. */
export function adviceInFlags(message: string): string {
  const named = FLAGS.filter((name) => new RegExp(`\\b(set|raise) ${optionOf(name)}\\b`).test(message));
  const flags = named.map((name) =>
    name === 'columns' ? '--columns user=NAME,item=NAME,value=NAME' : `--${name} ${READ_FLAGS[name].value}`,
  );
  if (/\bset idColumn\b/.test(message)) flags.push('--columns user=NAME, or user=false');
  if (/\bset ignoreColumns\b/.test(message)) flags.push('--columns ignore=NUMBER, or ignore=false');
  return flags.length === 0 ? '' : ` (here: ${flags.join(' ')})`;
}

function readColumns(written: readonly string[], layout: keyof typeof ROLES): ReadOptions {
  const roles: readonly string[] = ROLES[layout];
  const columns: Record<string, string | number | false> = {};
  let ignoreColumns: (string | number)[] | undefined;
  for (const pair of written) {
    const at = pair.indexOf('=');
    const role = pair.slice(0, Math.max(at, 0)).trim();
    const column = pair.slice(at + 1).trim();
    if (role === '' || column === '')
      throw new UsageError(
        `--columns: ${show(pair)} is no column; want ROLE=COLUMN, such as user=customer_id or item=1`,
      );
    if (!roles.includes(role)) {
      const close = nearest(role, roles);
      const advice = close === undefined ? '' : `; did you mean '${close}'?`;
      throw new UsageError(
        `--columns: a ${layout} table has no ${show(role)}; want some of ${roles.join(', ')}${advice}`,
      );
    }
    const ref = /^\d+$/.test(column) ? Number(column) : column;
    if (role === 'ignore') ignoreColumns = [...(ignoreColumns ?? []), ...(ref === 'false' ? [] : [ref])];
    else if (Object.hasOwn(columns, role)) throw new UsageError(`--columns: ${role} is given twice`);
    else columns[role] = ref === 'false' ? false : ref;
  }
  if (layout === 'long' || layout === 'netflix') return { columns };
  return { ...('user' in columns && { idColumn: columns.user }), ...(ignoreColumns && { ignoreColumns }) };
}

function yesOrNo(given: Arguments, flag: string): boolean | undefined {
  const written = given.text(flag);
  if (written === undefined) return undefined;
  if (['yes', 'true', 'no', 'false'].includes(written)) return written === 'yes' || written === 'true';
  throw new UsageError(`--${flag} is ${show(written)}; want yes or no`);
}
