// The header names that rating files commonly use for each column, and whether a first line is a header at all.
// Names are compared without case, spaces and punctuation: User_ID, userId and "User-ID" are one.

import { parseDecimal } from './decimal';
import type { ColumnRefs } from './read-options';

/** What a column of a long table may hold. */
export type Role = 'user' | 'item' | 'value' | 'timestamp' | 'weight';

/** Best first: where a file has both `rating` and `weight`, the rating is the value. */
const NAMES: Readonly<Record<Role, readonly string[]>> = {
  user: [
    'userid',
    'user',
    'uid',
    'username',
    'u',
    'customerid',
    'customer',
    'reviewerid',
    'visitorid',
    'memberid',
    'accountid',
  ],
  item: [
    ...[
      'itemid',
      'item',
      'iid',
      'i',
      'movieid',
      'movie',
      'productid',
      'product',
      'asin',
      'parentasin',
      'artistid',
      'artist',
    ],
    ...[
      'gameid',
      'game',
      'bookid',
      'book',
      'isbn',
      'trackid',
      'track',
      'songid',
      'song',
      'animeid',
      'anime',
      'jokeid',
      'joke',
    ],
    ...['businessid', 'recipeid', 'articleid', 'newsid', 'videoid', 'appid', 'poiid', 'venueid', 'locationid'],
  ],
  value: [
    ...[
      'rating',
      'ratings',
      'movierating',
      'bookrating',
      'userrating',
      'overall',
      'stars',
      'score',
      'value',
      'r',
      'preference',
    ],
    ...[
      'hours',
      'purchase',
      'count',
      'cnt',
      'counts',
      'plays',
      'playcount',
      'listencount',
      'clicks',
      'quantity',
      'frequency',
      'weight',
    ],
  ],
  timestamp: [
    'timestamp',
    'time',
    'date',
    'datetime',
    'ts',
    't',
    'ratingtime',
    'ratedat',
    'createdat',
    'unixreviewtime',
  ],
  weight: ['weight', 'sampleweight', 'confidence', 'w'],
};

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

/** The number of the column whose name is best known for `role`, among those not `taken`; -1 where none is. */
export function findRole(role: Role, names: readonly string[], taken: ReadonlySet<number>): number {
  const plain = names.map(normalise);
  for (const known of NAMES[role]) {
    const found = plain.findIndex((name, i) => name === known && !taken.has(i));
    if (found >= 0) return found;
  }
  return -1;
}

/** Whether the first line of a long table holds names: known ones, or no number at all where the value should be. */
export function looksLikeHeader(cells: readonly string[], columns: ColumnRefs): boolean {
  if (Object.values(columns).some((ref) => typeof ref === 'string')) return true;
  const none = new Set<number>();
  const hasUser = findRole('user', cells, none) >= 0;
  const hasItem = findRole('item', cells, none) >= 0;
  if (hasUser && hasItem) return true;
  if (cells.some((cell) => isNumber(cell) || ABSENT.has(cell.trim().toLowerCase()))) return false;
  return hasUser || hasItem || cells.length > (typeof columns.value === 'number' ? columns.value : 2);
}

/** Whether a cell is a decimal number. */
export function isNumber(cell: string): boolean {
  return !Number.isNaN(parseDecimal(cell, 0, cell.length));
}

function normalise(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}
