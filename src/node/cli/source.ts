// The DATA argument: a file of ratings (or a folder of Parquet), a pipe, `-` for standard input, the name or folder of a data set, or nothing,
// which means the built-in synthetic set; the flags for reading a file, which are the options of readInteractions
// (checked when the file is read); and ids, which are text on the command line and in files, while a model trained in
// code may have numbers.

import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DataError } from '../../core/errors';
import { nearest, show } from '../../core/options';
import { Interactions, type LeftOut } from '../../data/interactions';
import { syntheticInteractions } from '../../data/synthetic';
import type { Id, Vocabulary } from '../../data/vocabulary';
import { DATE_FORMATS } from '../../io/text/cells';
import type { ReadOptions } from '../../io/text/read-options';
import { DATASETS, findFile, listDatasets, loadDataset } from '../datasets';
import type { TextSource } from '../file-chunks';
import { isFolderOfParquet, readInteractions } from '../read-files';
import { type Arguments, type Flag, type Io, UsageError } from './command';
import { counted, printable } from './printing';

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
/** The shell passes `\t` as two characters. */
const SEPARATORS: Readonly<Record<string, string>> = {
  ...{ tab: '\t', '\\t': '\t', comma: ',', semicolon: ';', space: ' ', pipe: '|' },
};

const TEXTS = ['ids', 'encoding', 'duplicates', 'escape', 'comment', 'decimal', 'date-format', 'invalid'] as const;
const COUNTS = ['skip-lines', 'limit', 'max-line-length', 'max-rows', 'max-bytes'] as const;

/** The option behind a flag: skip-lines is skipLines. */
function optionOf(flag: string): string {
  return flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The given flags as options; undefined if there are none. */
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

/** The given reading flags, as they are written. */
function readFlagsGiven(given: Arguments): string[] {
  return FLAGS.filter((name) => given.has(name)).map((name) => `--${name}`);
}

/** Errors of a file name options (`set columns.value`); this names the corresponding flags, if any. */
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

/** The built-in set's name, in reports and as an argument. */
export const BUILT_IN = 'synthetic-100k';

/** What DATA may be, beside files. */
export const DATA_WORDS: readonly string[] = [BUILT_IN, ...DATASETS.map(({ name }) => name)];

/** Where data sets are searched. */
export const DATA_DIR: Flag = {
  value: 'DIR',
  about: 'look for data sets here first, then in $OPMF_DATA and the cache (~/.cache/opmf)',
};

/** The flags of every command that takes DATA. */
export const DATA_FLAGS = { ...READ_FLAGS, 'data-dir': DATA_DIR };

/** Ratings and their name. */
export interface Source {
  readonly name: string;
  readonly data: Interactions;
}

/**
 * Reads DATA, given as `written`, with the flags of DATA_FLAGS: `-` is standard input; a file (or pipe) takes
 * precedence over a data set of the same name; a folder must hold a data set, such as `ml-100k` in the working
 * directory.
 */
export async function openSource(written: string | undefined, given: Arguments, io: Io): Promise<Source> {
  const reading = readFlags(given);
  if (written === '-') {
    const file = 'standard input';
    return { name: file, data: await readFile(process.stdin, file, { ...reading, file }, io) };
  }
  if (/^https?:/i.test(written ?? ''))
    throw new DataError(
      `${show(written)} is an address, and nothing is fetched here; hand it over: curl -sL URL | opmf ... -`,
    );
  if (/^file:/i.test(written ?? '')) return { name: written!, data: await readFile(written!, written!, reading, io) };
  const found = written === undefined ? undefined : statSync(written, { throwIfNoEntry: false });
  if (found !== undefined && (!found.isDirectory() || (await isFolderOfParquet(written!))))
    return { name: written!, data: await readFile(written!, written!, reading, io) };
  const dataDir = given.text('data-dir');
  const options = dataDir === undefined ? {} : { dataDir };
  const known = listDatasets(options);
  const folder = found === undefined ? undefined : datasetIn(written!);
  const isSet =
    written === undefined || written === BUILT_IN || folder !== undefined || known.some(({ name }) => name === written);
  if (isSet && reading !== undefined) {
    const what = written === undefined ? 'no DATA was given' : `${show(written)} is a data set`;
    throw new UsageError(`${readFlagsGiven(given).join(', ')}: only for a file of ratings, and ${what}`);
  }
  if (written === undefined || written === BUILT_IN) return { name: BUILT_IN, data: syntheticInteractions() };
  // --data-dir is searched first; it is ignored when the folder is given as a path.
  const isPath = written !== folder?.name;
  if (folder !== undefined && (isPath || dataDir === undefined || !isIn(dataDir, folder.name)))
    return { name: folder.name, data: await loadDataset(folder.name, { dataDir: folder.parent }) };
  if (isSet) return { name: written, data: await loadDataset(written, options) };
  const present = known.filter(({ isPresent }) => isPresent).map(({ name }) => name);
  const sets = `sets on this machine: ${[BUILT_IN, ...present].join(', ')}; known: ${known.map(({ name }) => name).join(', ')}`;
  if (found === undefined)
    throw new DataError(`there is no file ${show(written)} and no data set of that name; ${sets}`);
  const files = readdirSync(written).filter((name) => !name.startsWith('.'));
  const some = `${files.slice(0, 6).join(', ') || 'nothing'}${files.length > 6 ? ', ...' : ''}`;
  throw new DataError(
    `${show(written)} is a directory and no known data set; name a file in it (it has ${some}); ${sets}`,
  );
}

/** The known data set in a folder, recognized by the folder's name. */
function datasetIn(path: string): { readonly name: string; readonly parent: string } | undefined {
  const whole = resolve(path);
  const [name, parent] = [basename(whole), dirname(whole)];
  return isIn(parent, name) ? { name, parent } : undefined;
}

/** Whether a folder contains the folder of a known data set, with its ratings. */
function isIn(parent: string, name: string): boolean {
  const spec = DATASETS.find((known) => known.name === name);
  return spec?.ratings.some((file) => findFile(join(parent, name), file) !== undefined) ?? false;
}

async function readFile(
  source: TextSource,
  name: string,
  reading: ReadOptions | undefined,
  io: Io,
): Promise<Interactions> {
  try {
    const data = await readInteractions(source, reading);
    io.stderr.write(printable(whatIsLeftOut(name, data.leftOut)));
    return data;
  } catch (error) {
    if (error instanceof DataError) throw new DataError(error.message + adviceInFlags(error.message), error.place);
    throw error;
  }
}

/** Lines that report what was left out of a file, if anything was. */
function whatIsLeftOut(path: string, { invalid, missing, repeated, absent, faults }: LeftOut): string {
  const said = [
    ...(invalid > 0 ? [`${counted(invalid, 'row')} that cannot be read`] : []),
    ...(missing > 0 ? [`${counted(missing, 'row')} with a value that means none`] : []),
    ...(absent > 0 ? [`${counted(absent, 'row')} of weight 0`] : []),
    ...(repeated > 0 ? [`${counted(repeated, 'row')} of a user and an item that another row has`] : []),
  ];
  if (said.length === 0) return '';
  const more = invalid > faults.length ? [`  and ${invalid - faults.length} more`] : [];
  const shown = [...faults.map(({ message }) => `  ${message}`), ...more];
  return [`${path}: left out ${said.join(', ')}`, ...shown, ''].join('\n');
}

/** The number that the text of an id spells exactly, or undefined: '7' is 7, '07' and '7.0' are only text. */
export function asNumberId(text: string): number | undefined {
  const value = Number(text);
  return Number.isFinite(value) && String(value) === text ? value : undefined;
}

/** The id of `known` that the text means: the text itself, else the number it spells, else undefined. */
export function knownId(known: Vocabulary, text: string): Id | undefined {
  if (known.has(text)) return text;
  const number = asNumberId(text);
  return number !== undefined && known.has(number) ? number : undefined;
}

/** The ratings with the ids of a model; ids that it does not know stay text. */
export function withIdsOf(model: { readonly users: Vocabulary; readonly items: Vocabulary }, data: Interactions) {
  const userOf = translate(data.users, model.users);
  const itemOf = translate(data.items, model.items);
  const { values, weights, timestamps } = data;
  return Interactions.fromColumns(
    {
      userIds: Array.from(data.userIndex, userOf),
      itemIds: Array.from(data.itemIndex, itemOf),
      values,
      ...(weights && { weights }),
      ...(timestamps && { timestamps }),
    },
    { duplicates: 'keep' },
  );
}

function translate(written: Vocabulary, known: Vocabulary): (index: number) => Id {
  const ids = Array.from({ length: written.size }, (_, i) => {
    const id = written.idOf(i);
    return (typeof id === 'string' ? knownId(known, id) : undefined) ?? id;
  });
  return (index) => ids[index]!;
}
