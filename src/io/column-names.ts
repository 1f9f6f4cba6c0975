// The names that rating files commonly use for each column, and whether a first line is a header at all. Names are compared
// without case, spaces and punctuation: User_ID, userId and "User-ID" are one. Types (`user_id:token`) and the names of
// tables (`ratings.user_id`) in front do not count.

import { parseDecimal } from './decimal';
import type { ColumnRefs } from './read-options';
import { parseTimestamp } from './timestamp';

/** What a column of a long table may hold. */
export type Role = 'user' | 'item' | 'value' | 'timestamp' | 'weight';

/** Who acts, best first. */
const USERS =
  'user customer client buyer reviewer visitor member consumer shopper person account profile subscriber ' +
  'listener reader viewer player learner student rater voter patron guest household session cookie device';
/** What is acted on, best first: of a track, its album and its artist, the track. */
const ITEMS =
  'item movie film product asin parentasin sku isbn article track song album artist app game book anime manga joke ' +
  'business restaurant recipe news video show series episode podcast program channel course job property listing ' +
  'poi venue place location hotel content document doc paper page post photo image stock goods beer wine work object title';
/** What may follow such a noun. */
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

/** The place of each name in its list. */
const ranksOf = (role: Role): ReadonlyMap<string, number> => new Map(NAMES[role].map((name, rank) => [name, rank]));
const RANKS: Readonly<Record<Role, ReadonlyMap<string, number>>> = {
  user: ranksOf('user'),
  item: ranksOf('item'),
  value: ranksOf('value'),
  timestamp: ranksOf('timestamp'),
  weight: ranksOf('weight'),
};

/** Bare nouns that are no word of a catalogue: these alone tell a header, where `book` could be what somebody bought. */
const TELLING = new Set(
  'user customer reviewer visitor item asin parentasin sku isbn uid iid username itemname'.split(' '),
);

/** Types behind a colon, as RecBole, Neo4j and dumps of schemas write them. */
const TYPE =
  /:(token|float|int|integer|long|short|double|number|numeric|decimal|real|str|string|text|varchar|char|bool|boolean|date|datetime|time|timestamp|object|category|u?int(8|16|32|64)|float(16|32|64)|bigint|smallint|id|start_id|end_id)(_seq)?(\(.*\)|\[\])?$/i;
/** No table of ratings has its columns behind so many. */
const MOST_COLUMNS = 1000;
/** Longer names are not looked at: they are text. */
const LONGEST_NAME = 200;
/** What stands between a table's name and its column's. */
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

/**
 * The columns whose name is best known for `role`, among those not `taken`: one, none, or several of one name.
 */
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

/** A name without a type behind it. */
export function withoutType(name: string): string {
  const bare = name.trim();
  if (bare.length > LONGEST_NAME) return bare;
  const cut = bare.replace(TYPE, '').trim();
  return cut === '' ? bare : cut;
}

/** Whether a column has no name, as the row numbers that pandas and R write. */
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

/** Whether at least half of the cells of a column are of a kind; those that stand for no number do not count. */
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
 * Whether the first record holds numbers for names, as pandas writes them: 0, 1, 2, ... above what is text or times, or nothing
 * above the row numbers and then numbers.
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

/** Whether a cell is empty where the rest of its line holds different names, and the lines below different ids. */
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

/** Whether a known name can hardly be the cell of a row. */
function isTelling(name: string | undefined): boolean {
  if (name === undefined) return false;
  return formsOf(name).some(
    (form) =>
      TELLING.has(form) ||
      TELLING.has(form.replace(/s$/, '')) ||
      (form.length > 3 && /(id|ids|no|number|key|code|uuid|guid|idx)$/.test(form)),
  );
}

/** How well a name is known for a role: 0 best, Infinity not at all. */
function rankOf(role: Role, name: string): number {
  const ranks = RANKS[role];
  let best = Infinity;
  formsOf(name).forEach((form, k) => {
    const rank = ranks.get(form);
    // Of two equal names the one as it stands goes first.
    if (rank !== undefined) best = Math.min(best, rank + k / 16);
  });
  return best;
}

/** The forms in which a name is looked up: whole, without brackets behind, without a table in front; of `id_user`, `userid`. */
function formsOf(name: string): string[] {
  if (name.length > LONGEST_NAME) return [];
  // Most names are one word; a wide table has many.
  if (!/[^\w\s"'-]/.test(name)) return runYielding([normalise(name)]);
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
  return runYielding(forms);
}

function runYielding(forms: readonly string[]): string[] {
  const turned = forms.flatMap((form) => (form.startsWith('id') && form.length > 3 ? [`${form.slice(2)}id`] : []));
  const single = forms.flatMap((form) => (form.endsWith('s') ? [form.slice(0, -1)] : []));
  return [...new Set([...forms, ...turned, ...single])];
}

function normalise(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/** All names of some nouns, with ids before names, and short forms at the end. */
function spelled(nouns: string, short: readonly string[]): string[] {
  const each = (endings: readonly string[]) => nouns.split(' ').flatMap((noun) => endings.map((end) => noun + end));
  return [...each(ID_ENDINGS), ...short, ...each(NAME_ENDINGS)];
}
