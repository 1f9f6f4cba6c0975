// The names that rating files commonly use for each column, and whether a first line is a header at all. Names are
// compared without case, spaces and punctuation: User_ID, userId and "User-ID" are equal. Types (`user_id:token`) and
// table names in front (`ratings.user_id`) are ignored.

import { nearest, show } from '../../core/options';
import { parseDecimal, parseTimestamp } from './cells';
import type { ColumnLabel, Faults } from './fault';
import type { ColumnRefs, ReadSettings } from './read-options';

/** What a column of a long table may hold. */
export type Role = 'user' | 'item' | 'value' | 'timestamp' | 'weight';

/** Nouns for users, best first. */
const USERS =
  'user customer client buyer reviewer visitor member consumer shopper person account profile subscriber ' +
  'listener reader viewer player learner student rater voter patron guest household session cookie device';
/** Nouns for items, best first: of a track, its album and its artist, the track. */
const ITEMS =
  'item movie film product asin parentasin sku isbn article track song album artist app game book anime manga joke ' +
  'business restaurant recipe news video show series episode podcast program channel course job property listing ' +
  'poi venue place location hotel content document doc paper page post photo image stock goods beer wine work object title';
/** Endings that may follow such a noun. */
const ID_ENDINGS = ['id', '', 'no', 'nr', 'num', 'number', 'key', 'code', 'index', 'idx', 'hash', 'uuid', 'guid'];
const NAME_ENDINGS = ['name', 'title', 'login'];

const NAMES: Readonly<Record<Role, readonly string[]>> = {
  user: [...spelled(USERS, ['uid', 'custid', 'cust', 'u', 'msno'])],
  item: [
    ...spelled(ITEMS, ['iid', 'i', 'prodid', 'mid', 'pid', 'bid', 'aid', 'gid', 'vid', 'isbn13', 'isbn10', 'imdbid']),
  ],
  value: (
    'rating ratings movierating bookrating userrating itemrating productrating reviewrating overallrating starrating ' +
    'ratingvalue ratingscore overall reviewoverall stars star score scores userscore reviewscore value val r preference pref ' +
    'relevance feedback vote liked like hours hoursplayed playtime playtimeforever purchase purchases count cnt counts ' +
    'plays playcount listens listencount views viewcount clicks clickcount visits visitcount checkins quantity qty ' +
    'frequency freq watchratio eventstrength strength weight'
  ).split(' '),
  timestamp: (
    'timestamp ratingtimestamp unixreviewtime unixtime unixtimestamp epoch time date datetime ts t tstamp timems ' +
    'ratingtime ratingdate ratedat rateddate reviewdate reviewtime reviewtimestamp createdat createdate createdon ' +
    'creationdate created updatedat eventtime eventdate eventtimestamp interactiontime listenedat playedat watchedat ' +
    'viewedat clickedat clicktime visitedat purchasedate purchasedat purchasetime orderdate orderedat invoicedate ' +
    'transactiondate transactiontime dateadded addedat dt localtime checkintime'
  ).split(' '),
  weight: ['weight', 'weights', 'sampleweight', 'confidence', 'importance', 'w'],
};

/** Maps each name to its position in its list. */
const ranksOf = (role: Role): ReadonlyMap<string, number> => new Map(NAMES[role].map((name, rank) => [name, rank]));
const RANKS: Readonly<Record<Role, ReadonlyMap<string, number>>> = {
  user: ranksOf('user'),
  item: ranksOf('item'),
  value: ranksOf('value'),
  timestamp: ranksOf('timestamp'),
  weight: ranksOf('weight'),
};

/** Bare nouns that are hardly ever the title of an item: these alone identify a header, whereas `book` could be a purchase. */
const TELLING = new Set(
  'user customer reviewer visitor item asin parentasin sku isbn uid iid username itemname'.split(' '),
);

/** Types after a colon, as RecBole, Neo4j and schema dumps write them. */
const TYPE =
  /:(token|float|int|integer|long|short|double|number|numeric|decimal|real|str|string|text|varchar|char|bool|boolean|date|datetime|time|timestamp|object|category|u?int(8|16|32|64)|float(16|32|64)|bigint|smallint|id|start_id|end_id)(_seq)?(\(.*\)|\[\])?$/i;
/** No table of ratings has its columns beyond so many. */
const MOST_COLUMNS = 1000;
/** Longer names are not matched: they are prose. */
const LONGEST_NAME = 200;
/** Separators between a table's name and its column's. */
const PATH = /[./$\\]|:+|->/;

/** Cells that stand for an absent number: a first line with one of them is data, and its fault is reported. */
const ABSENT = new Set([
  '',
  'nan',
  'na',
  'n/a',
  'null',
  'none',
  'nil',
  'inf',
  '-inf',
  '+inf',
  'infinity',
  '-infinity',
  '?',
  '-',
  '\\n',
]);

/** The columns whose name ranks best for `role`, among those not `taken`: one, none, or several of the same name. */
export function findRole(role: Role, names: readonly string[], taken: ReadonlySet<number>): number[] {
  let best = Infinity;
  let found: number[] = [];
  names.slice(0, MOST_COLUMNS).forEach((name, column) => {
    const rank = taken.has(column) ? Infinity : rankOf(role, name);
    if (rank === Infinity || rank > best) return;
    if (rank < best) found = [];
    best = rank;
    found.push(column);
  });
  return found;
}

/** A name without the type after it. */
export function withoutType(name: string): string {
  const bare = name.trim();
  if (bare.length > LONGEST_NAME) return bare;
  const cut = bare.replace(TYPE, '').trim();
  return cut === '' ? bare : cut;
}

/** Whether a column has no name, like the row numbers that pandas and R write. */
export function isUnnamed(name: string): boolean {
  return /^(\s*|unnamed: ?\d+)$/i.test(name);
}

/**
 * Whether the first of some records of a long table holds names: known ones, or text above columns of numbers or times. A
 * line with a number in it is data; a line of text above lines of text is data too, unless it stands where a value should.
 */
export function looksLikeHeader(
  [first, ...below]: readonly (readonly string[])[],
  columns: ColumnRefs,
  missing: readonly (string | number)[] = [],
): boolean {
  const cells = first!;
  if (Object.values(columns).some((ref) => typeof ref === 'string')) return true;
  const user = cells[findRole('user', cells, NONE)[0] ?? -1];
  const item = cells[findRole('item', cells, NONE)[0] ?? -1];
  const [userTells, itemTells] = [isTelling(user), isTelling(item)];
  if (userTells && itemTells) return true;
  if (isNumberedHeader([cells, ...below], columns)) return true;
  if (cells.some((cell) => isNumberOrTime(cell))) return false;
  if (userTells || itemTells || (user !== undefined && item !== undefined)) return true;
  const isText = (cell: string | undefined) => cell !== undefined && !isAbsent(cell) && !missing.includes(cell);
  if (cells.some((cell, i) => isText(cell) && isMostly(isNumberOrTime, below, i))) return true;
  const { value = 2 } = columns;
  return typeof value === 'number' && isText(cells[value]);
}

/** Whether at least half of the cells of a column are of a kind; absent numbers do not count. */
export function isMostly(
  isOfKind: (cell: string) => boolean,
  rows: readonly (readonly string[])[],
  i: number,
): boolean {
  const cells = rows.flatMap((row) => (i < row.length && !isAbsent(row[i]!) ? [row[i]!] : []));
  return cells.length > 0 && 2 * cells.filter(isOfKind).length >= cells.length;
}

/** Whether a cell is a decimal number, with a point or a comma. */
export function isNumber(cell: string): boolean {
  return !Number.isNaN(parseDecimal(cell, 0, cell.length)) || !Number.isNaN(parseDecimal(cell, 0, cell.length, ','));
}

/** Whether a cell stands for an absent number, as '', 'NA', 'NULL' and '\\N' do. */
export function isAbsent(cell: string): boolean {
  return ABSENT.has(cell.trim().toLowerCase());
}

/** Whether a cell is an ISO date; `mayBeNumber`: also one of digits only. */
export function isDate(cell: string, mayBeNumber = false): boolean {
  return (mayBeNumber || !isNumber(cell)) && !Number.isNaN(parseTimestamp(cell, 0, cell.length, 'iso'));
}

/**
 * Whether the first record holds numbers as names, as pandas writes them: 0, 1, 2, ... above text or times, or an empty
 * cell above the row numbers and then numbers.
 */
function isNumberedHeader([first, ...below]: readonly (readonly string[])[], columns: ColumnRefs): boolean {
  if (below.length === 0 || below.some(({ length }) => length !== first!.length)) return false;
  const isOther = (cell: string) => !isNumber(cell) || looksLikeTime(cell);
  if (first!.every((cell, i) => cell === `${i}`)) return first!.some((_, i) => isMostly(isOther, below, i));
  if (!hasEmptyCorner([first!, ...below], 0) || !first!.slice(1).every(isNumber)) return false;
  return Object.keys(columns).length === 0 || hasRowNumbers(below);
}

/** Whether the first cells of some records count them from 0 or 1. */
export function hasRowNumbers(rows: readonly (readonly string[])[]): boolean {
  const from = Number(rows[0]?.[0]);
  return (from === 0 || from === 1) && rows.every(([first], row) => first === `${from + row}`);
}

/** Whether a cell is empty while the rest of its line holds different names, and the lines below different ids. */
export function hasEmptyCorner([first, ...below]: readonly (readonly string[])[], corner: number): boolean {
  if (corner >= first!.length || first![corner] !== '') return false;
  const names = first!.filter((_, i) => i !== corner);
  const ids = below.map((cells) => cells[corner] ?? '');
  return [names, ids].every((all) => all.length > 0 && !all.includes('') && new Set(all).size === all.length);
}

/** Whether a cell is an ISO date, or a number that is most likely a time: seconds or milliseconds from 1973 to 2128. */
export function looksLikeTime(cell: string): boolean {
  const value = parseDecimal(cell, 0, cell.length);
  if (Number.isNaN(value)) return isDate(cell);
  const seconds = value >= 1e11 ? value / 1000 : value;
  return seconds >= 1e8 && seconds < 5e9;
}

const NONE: ReadonlySet<number> = new Set();

function isNumberOrTime(cell: string): boolean {
  return isNumber(cell) || isDate(cell);
}

/** Whether a known name is unlikely to be the cell of a row. */
function isTelling(name: string | undefined): boolean {
  if (name === undefined) return false;
  return formsOf(name).some(
    (form) =>
      TELLING.has(form) ||
      TELLING.has(form.replace(/s$/, '')) ||
      (form.length > 3 && /(id|ids|no|number|key|code|uuid|guid|idx)$/.test(form)),
  );
}

/** The rank of a name for a role: 0 is best, Infinity unknown. */
function rankOf(role: Role, name: string): number {
  const ranks = RANKS[role];
  let best = Infinity;
  formsOf(name).forEach((form, k) => {
    const rank = ranks.get(form);
    // Of two equal names, the unchanged form ranks first.
    if (rank !== undefined) best = Math.min(best, rank + k / 16);
  });
  return best;
}

/** The forms in which a name is looked up: whole, without brackets after it, without a table in front; for `id_user`, `userid`. */
function formsOf(name: string): string[] {
  if (name.length > LONGEST_NAME) return [];
  // Most names are one word, and a wide table has many: skip the other forms.
  if (!/[^\w\s"'-]/.test(name)) return withVariants([normalise(name)]);
  const bare = withoutType(name.replace(/^\[(.*)\]$/, '$1').replaceAll('].[', '.'));
  const parts = bare.split(PATH).filter((part) => normalise(part) !== '');
  const last = parts.at(-1) ?? '';
  const forms = [
    normalise(bare),
    normalise(bare.replace(/[([{<][^()]*[)\]}>]$/, '')),
    normalise(last),
    // `users.id` is the id of a user.
    parts
      .slice(-2)
      .map((part) => normalise(part).replace(/s$/, ''))
      .join(''),
  ];
  return withVariants(forms);
}

function withVariants(forms: readonly string[]): string[] {
  const turned = forms.flatMap((form) => (form.startsWith('id') && form.length > 3 ? [`${form.slice(2)}id`] : []));
  const single = forms.flatMap((form) => (form.endsWith('s') ? [form.slice(0, -1)] : []));
  return [...new Set([...forms, ...turned, ...single])];
}

function normalise(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/** All spellings of some nouns, with ids before names, and short forms at the end. */
function spelled(nouns: string, short: readonly string[]): string[] {
  const each = (endings: readonly string[]) => nouns.split(' ').flatMap((noun) => endings.map((end) => noun + end));
  return [...each(ID_ENDINGS), ...short, ...each(NAME_ENDINGS)];
}

// Decides which column of a long table holds what: as the caller says, else by header names, else by position. Any
// remaining doubt is an error that lists the columns; a guess would train on the wrong numbers.

/** The column number of each role; -1 if the table has none. */
export type Roles = Readonly<Record<Role, number>>;

/** What is known of the table before its rows are read. */
export interface Shape {
  /** The header's names; absent where there is no header. */
  readonly names: readonly string[] | undefined;
  readonly width: number;
  readonly firstLine: number;
  /** The separator in use; undefined where fields have names of their own, as in JSON and Parquet. */
  readonly separator: string | undefined;
  /** The cells of the first line. */
  readonly firstCells: readonly string[];
  /** The cells of the first rows. */
  readonly rows: readonly (readonly string[])[];
  /** Whether a cell of the first row could be a time. */
  isTime(column: number): boolean;
}

/** The part of the shape that error messages describe. */
type Columns = Omit<Shape, 'isTime' | 'rows'>;

const POSITIONS: Readonly<Record<Role, number>> = { user: 0, item: 1, value: 2, timestamp: 3, weight: -1 };
/** The widest table that is read by position. */
const USUAL_WIDTH = 4;
/** A wide table has a column per item; a message lists only a few. */
const NAMES_SHOWN = 12;
const ROLES = ['user', 'item', 'value', 'timestamp', 'weight'] as const;

/** Resolves every role, or throws a DataError that names the unresolved one. */
export function resolveRoles(shape: Shape, columns: ColumnRefs, faults: Faults): Roles {
  const roles: Partial<Record<Role, number>> = {};
  for (const role of ROLES) {
    const ref = columns[role];
    if (ref !== undefined) roles[role] = ref === false ? -1 : resolveColumn(`columns.${role}`, ref, shape, faults);
  }
  const { names, rows, width } = shape;
  const isNamed = names !== undefined && !names.every((name) => isNumber(name) || isUnnamed(name));
  if (isNamed) {
    for (const role of ROLES) {
      if (roles[role] === undefined) setOnly(roles, role, findRole(role, names, taken(roles)), shape, faults);
    }
    if (Object.keys(roles).length === 0) throw unknownHeader(names, shape, faults);
  } else {
    // An unnamed column holds the row numbers.
    if (names?.some(isUnnamed) && (roles.user === undefined || roles.item === undefined))
      throw unknownHeader(names, shape, faults);
    fillByPosition(roles, shape, columns, faults);
  }
  for (const role of ['user', 'item'] as const) {
    if (roles[role] === undefined) throw missing(role, shape, faults);
  }
  // A column without a name holds the row numbers.
  const others = Array.from({ length: width }, (_, i) => i).filter((i) => !isUnnamed(names?.[i] ?? `${i}`));
  const used = taken(roles);
  if (roles.value === undefined && others.some((i) => !used.has(i))) throw missing('value', shape, faults);
  refuseLists(roles, names, rows, shape.firstLine, faults);
  return { user: -1, item: -1, value: -1, timestamp: -1, weight: -1, ...roles };
}

/** The number of the column to which `ref` (the value of `option`) refers. */
export function resolveColumn(option: string, ref: string | number, shape: Columns, faults: Faults): number {
  const { names, width, firstLine } = shape;
  if (typeof ref === 'number') {
    if (ref < width) return ref;
    throw faults.inLine(
      firstLine,
      width === 1 && shape.separator !== undefined
        ? `${option} is ${ref}, but ${listColumns(shape)}`
        : `${option} is ${ref}, but there are ${width} columns; want a number from 0 to ${width - 1}`,
    );
  }
  const found = columnsNamed(names ?? [], ref);
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    const wanted = `set ${option} to the number of one, from 0`;
    throw faults.inLine(firstLine, `columns ${found.join(' and ')} are named ${show(ref)} (${option}); ${wanted}`);
  }
  const close = nearest(ref, names ?? []);
  const advice = close === undefined ? '' : `; did you mean '${close}'?`;
  throw faults.inLine(firstLine, `no column is named ${show(ref)} (${option}); ${listColumns(shape)}${advice}`);
}

/** The label of column `i` in messages. */
export function labelOf(names: readonly string[] | undefined, i: number): ColumnLabel {
  const name = names?.[i];
  return name === undefined || name === '' ? i + 1 : name;
}

/** The columns with that name; if there are none, those with that name before a type. */
function columnsNamed(names: readonly string[], ref: string): number[] {
  const where = (isIt: (name: string) => boolean) => names.flatMap((name, i) => (isIt(name) ? [i] : []));
  const exact = where((name) => name === ref);
  return exact.length > 0 ? exact : where((name) => withoutType(name) === ref);
}

/** Assigns a role to the only column found by name. */
function setOnly(
  roles: Partial<Record<Role, number>>,
  role: Role,
  found: readonly number[],
  { names, firstLine }: Shape,
  faults: Faults,
): void {
  if (found.length === 1) roles[role] = found[0]!;
  if (found.length < 2) return;
  const listed = found.map((i) => `${i} (${show(names![i])})`).join(' and ');
  throw faults.inLine(
    firstLine,
    `columns ${listed} could both hold the ${role}; set columns.${role} to the number of one of them`,
  );
}

function fillByPosition(roles: Partial<Record<Role, number>>, shape: Shape, columns: ColumnRefs, faults: Faults): void {
  const allSniffed = Object.keys(columns).length === 0;
  for (const role of ROLES) {
    const position = POSITIONS[role];
    if (roles[role] !== undefined || position < 0 || position >= shape.width || taken(roles).has(position)) continue;
    // A fourth column is a time only in a table of the usual layout, and only if it looks like one.
    if (role === 'timestamp' && !(allSniffed && shape.isTime(position))) continue;
    if ((role === 'user' || role === 'item') && isMostly((cell) => isDate(cell), shape.rows, position))
      throw wrongKind(role, position, 'a date', shape, faults);
    if (role === 'value') {
      // Five columns and more come in any order; a wrong guess would train on genres.
      if (shape.width > USUAL_WIDTH) continue;
      if (isMostly(looksLikeTime, shape.rows, position)) throw timesForValues(position, shape, faults);
    }
    roles[role] = position;
  }
}

function taken(roles: Partial<Record<Role, number>>): Set<number> {
  return new Set(Object.values(roles).filter((column) => column >= 0));
}

function missing(role: 'user' | 'item' | 'value', shape: Shape, faults: Faults) {
  const or = role === 'value' ? ', or to false when every row counts 1' : '';
  // One column cannot hold both ids: the separator is wrong.
  const isUncut = shape.width === 1 && shape.separator !== undefined;
  const advice = isUncut ? '' : `; set columns.${role} to one of them${or}${layoutsFor(role, shape)}`;
  const message = `cannot tell which column holds the ${role}; ${listColumns(shape)}${advice}`;
  return faults.inLine(shape.firstLine, message);
}

/** Advice on other layouts for a table in which `role` has no column. */
function layoutsFor(role: Role, { names, width, rows, separator }: Shape): string {
  if (separator === undefined) return '';
  const wide = "where each column is an item, set layout: 'wide'";
  const isWide =
    role === 'item' && Array.from({ length: width - 1 }, (_, i) => i + 1).every((i) => isMostly(isNumber, rows, i));
  if (isWide) return `; ${wide}`;
  if (role !== 'value' || names !== undefined || width <= USUAL_WIDTH) return '';
  return `; ${wide}; where a line holds a user and the user's items, set layout: 'adjacency'`;
}

/** The fault of a column, found by position, whose content cannot be its role. */
function wrongKind(
  role: 'user' | 'item' | 'value',
  position: number,
  what: string,
  shape: Omit<Shape, 'isTime'>,
  faults: Faults,
) {
  const { rows, width } = shape;
  const cell = show(rows[0]![position]!);
  const [user, item, value] = Array.from({ length: width }, (_, i) => i).filter((i) => i !== position);
  const such =
    role === 'value'
      ? `user: ${user}, item: ${item}, value: ${value !== undefined && isMostly(isNumber, rows, value) ? value : false}`
      : `user: ${user}, item: ${item ?? position}, value: false, timestamp: ${position}`;
  const message = `${what} (${cell}) stands where the ${role} should; ${listColumns(shape)}; set columns, such as { ${such} }`;
  return faults.at(shape.firstLine, position + 1, message);
}

/** Throws if the content of a column proves that it cannot have its role. */
export function refuseWrongKinds(
  roles: Roles,
  shape: Omit<Shape, 'isTime'>,
  { columns, dateFormat, missing }: Pick<ReadSettings, 'columns' | 'dateFormat' | 'missing'>,
  faults: Faults,
): void {
  const cellsOf = (i: number) => shape.rows.flatMap((row) => (i < row.length && !isAbsent(row[i]!) ? [row[i]!] : []));
  const { value, timestamp } = roles;
  if (value >= 0 && columns.value === undefined && shape.names === undefined) {
    const cells = cellsOf(value).filter((cell) => !missing.includes(cell));
    if (cells.length > 0 && !cells.some(isNumber)) throw wrongKind('value', value, 'text', shape, faults);
  }
  const times = timestamp < 0 || dateFormat !== 'auto' ? [] : cellsOf(timestamp);
  if (times.length === 0 || !times.every((cell) => /^(19|20)\d{6}(\d{4}|\d{6})?$/.test(cell) && isDate(cell, true)))
    return;
  throw faults.at(
    shape.firstLine,
    labelOf(shape.names, timestamp),
    `times such as ${times[0]} are dates or seconds; set dateFormat: 'iso' for dates, 'seconds' for seconds`,
  );
}

/** The fault of a header without any known name: by position, one column could be mistaken for another. */
function unknownHeader(names: readonly string[], shape: Shape, faults: Faults) {
  if (shape.width === 1) return missing('item', shape, faults);
  const [user, item, value] = names.flatMap((name, i) => (isUnnamed(name) ? [] : [nameOf(name, i)]));
  const such = `user: ${user}, item: ${item ?? user}${value === undefined ? '' : `, value: ${value}`}`;
  const isWide = isUnnamed(names[0]!) && shape.width > 2;
  const other = isWide ? "set layout: 'wide' where each column is an item, " : '';
  const header = `, ${other}or set header: false where this line is data${commentAdvice(shape.firstCells[0]!)}`;
  return faults.inLine(
    shape.firstLine,
    `cannot tell which column holds the user: no name is known; ${listColumns(shape)}; ` +
      `set columns, such as { ${such} }${shape.separator === undefined ? '' : header}`,
  );
}

function timesForValues(position: number, shape: Shape, faults: Faults) {
  const cell = show(shape.rows[0]![position]!);
  return faults.at(
    shape.firstLine,
    position + 1,
    `a time (${cell}) stands where the value should; set columns.value to false or to another column and ` +
      `columns.timestamp to ${position}, or columns.value to ${position} where it is the value`,
  );
}

/** A column of lists, such as RecBole's `item_id_list:token_seq`, does not hold one id per row. */
function refuseLists(
  roles: Partial<Record<Role, number>>,
  names: readonly string[] | undefined,
  rows: Shape['rows'],
  firstLine: number,
  faults: Faults,
): void {
  for (const role of ['user', 'item'] as const) {
    const i = roles[role]!;
    if (!/_seq$/i.test(names?.[i] ?? '') || !isMostly((cell) => /\s/.test(cell), rows, i)) continue;
    const message = `column ${show(names![i])} holds lists, such as ${show(rows[0]![i])}; want one ${role} a row`;
    throw faults.inLine(firstLine, `${message}; write a row for each, or set columns.${role} to another column`);
  }
}

function nameOf(name: string, i: number): string {
  return name.length > 30 || name.includes("'") || isNumber(name) ? `${i}` : `'${name}'`;
}

/** Advice for a table whose first line looks like a comment. */
export function commentAdvice(cell: string): string {
  const mark = /^(#|%|\/\/|--)/.exec(cell)?.[0];
  return mark === undefined ? '' : `; where it is a comment, set comment: '${mark}'`;
}

function listColumns({ names, width, separator, firstCells }: Columns): string {
  if (width === 1 && separator !== undefined)
    return `the separator ${show(separator)} leaves the line ${show(firstCells[0])} one column; set separator to what stands between its columns`;
  if (names === undefined) {
    const cells = firstCells.slice(0, 6).map((cell) => show(cell.length > 20 ? `${cell.slice(0, 17)}...` : cell));
    if (width > cells.length) cells.push('...');
    return `the columns are 0 to ${width - 1} (here ${cells.join(', ')})`;
  }
  const shown = names.slice(0, NAMES_SHOWN).map((name) => `'${name.length > 40 ? `${name.slice(0, 37)}...` : name}'`);
  if (names.length > NAMES_SHOWN) shown.push(`${names.length - NAMES_SHOWN} more`);
  return `the columns are ${shown.join(', ')}`;
}
