// Reads the lines that most rating files are made of, user and item in digits, a value and perhaps a time, out of bytes:
// written out straight for these four columns, three times as fast as the loop over fields of byte-plain-rows.ts, which
// takes other columns. The first line that is anything else is left to byte-lines.ts.

import type { ByteIds } from './byte-ids';
import { decimalAt } from './byte-numbers';
import type { LongLayout } from './long-table';
import type { RatingColumns } from './rating-columns';
import { SMALL, type SmallIds } from './small-ids';
import { LARGE_DIGITS, largeTimeOf, unitOfFormat } from './timestamp';

const LF = 10;
const CR = 13;
const POINT = 46;
const ZERO = 48;
/** Digits that a 32-bit integer has room for. */
const HALF = 9;
const POWERS = Float64Array.from({ length: HALF + 1 }, (_, k) => 10 ** k);

/** Whether a table has these columns, in this order (items may come first), and a separator of one or two characters. */
export function isOfTriples({ roles, width, dateFormat }: LongLayout, separator: string): boolean {
  const { user, item, value, timestamp, weight } = roles;
  return (
    Math.min(user, item) === 0 &&
    Math.max(user, item) === 1 &&
    value === 2 &&
    weight < 0 &&
    (timestamp === 3 ? width === 4 && dateFormat !== 'iso' : timestamp < 0 && width === 3) &&
    separator.length <= 2
  );
}

/** The fast loop over the lines of such a table. */
export class ByteTriples {
  private readonly first: number;
  /** The second byte of the separator; 0 where it has one. */
  private readonly second: number;
  private readonly userIsFirst: boolean;
  private readonly timeUnit: number;
  private readonly largeTime: number;

  constructor(
    separator: string,
    { roles, dateFormat }: LongLayout,
    private readonly table: RatingColumns,
    private readonly known: { readonly users: ByteIds; readonly items: ByteIds },
    private readonly small: { readonly users: SmallIds; readonly items: SmallIds },
  ) {
    this.first = separator.charCodeAt(0);
    this.second = separator.length === 2 ? separator.charCodeAt(1) : 0;
    this.userIsFirst = roles.user === 0;
    this.timeUnit = unitOfFormat(dateFormat);
    this.largeTime = largeTimeOf(dateFormat);
  }

  /** Adds rows from `from` on, for as long as lines are plain, up to `to` and the end of the page; returns where it stopped. */
  read(bytes: Uint8Array, from: number, to: number, firstLine: number): number {
    const { table, first, second, userIsFirst, timeUnit, largeTime } = this;
    const { users, items } = this.known;
    const { page, row: firstRow } = table;
    const { rows, timestamps, lines } = page;
    const values = page.values!;
    const [a, b] = userIsFirst ? [page.userIndex, page.itemIndex] : [page.itemIndex, page.userIndex];
    const [aIds, bIds] = userIsFirst ? [users, items] : [items, users];
    let row = firstRow;
    let line = from;
    while (line < to && row < rows) {
      let start = line;
      let at = line;
      let whole = 0;
      let digit = bytes[at]! - ZERO;
      // Six digits a turn, which most ids have not more of: turning takes as long as a digit.
      for (;;) {
        if (digit >>> 0 > 9) break;
        whole = (Math.imul(whole, 10) + digit) | 0;
        digit = bytes[++at]! - ZERO;
        if (digit >>> 0 > 9) break;
        whole = (Math.imul(whole, 10) + digit) | 0;
        digit = bytes[++at]! - ZERO;
        if (digit >>> 0 > 9) break;
        whole = (Math.imul(whole, 10) + digit) | 0;
        digit = bytes[++at]! - ZERO;
        if (digit >>> 0 > 9) break;
        whole = (Math.imul(whole, 10) + digit) | 0;
        digit = bytes[++at]! - ZERO;
        if (digit >>> 0 > 9) break;
        whole = (Math.imul(whole, 10) + digit) | 0;
        digit = bytes[++at]! - ZERO;
        if (digit >>> 0 > 9) break;
        whole = (Math.imul(whole, 10) + digit) | 0;
        digit = bytes[++at]! - ZERO;
      }
      if (digit !== first - ZERO || at - start > HALF || at === start) break;
      if (whole >= SMALL || (bytes[start] === ZERO && at - start > 1)) {
        // Long ids and those with leading zeros are told apart by their bytes.
        whole = ~aIds.find(bytes, start, at);
        if (whole >= 0) break;
      }
      a[row] = whole;
      at++;
      if (second !== 0 && bytes[at++] !== second) break;

      start = at;
      whole = 0;
      digit = bytes[at]! - ZERO;
      for (;;) {
        if (digit >>> 0 > 9) break;
        whole = (Math.imul(whole, 10) + digit) | 0;
        digit = bytes[++at]! - ZERO;
        if (digit >>> 0 > 9) break;
        whole = (Math.imul(whole, 10) + digit) | 0;
        digit = bytes[++at]! - ZERO;
        if (digit >>> 0 > 9) break;
        whole = (Math.imul(whole, 10) + digit) | 0;
        digit = bytes[++at]! - ZERO;
        if (digit >>> 0 > 9) break;
        whole = (Math.imul(whole, 10) + digit) | 0;
        digit = bytes[++at]! - ZERO;
        if (digit >>> 0 > 9) break;
        whole = (Math.imul(whole, 10) + digit) | 0;
        digit = bytes[++at]! - ZERO;
        if (digit >>> 0 > 9) break;
        whole = (Math.imul(whole, 10) + digit) | 0;
        digit = bytes[++at]! - ZERO;
      }
      if (digit !== first - ZERO || at - start > HALF || at === start) break;
      if (whole >= SMALL || (bytes[start] === ZERO && at - start > 1)) {
        whole = ~bIds.find(bytes, start, at);
        if (whole >= 0) break;
      }
      b[row] = whole;
      at++;
      if (second !== 0 && bytes[at++] !== second) break;

      start = at;
      whole = 0;
      digit = bytes[at]! - ZERO;
      while (digit >>> 0 <= 9) {
        whole = (Math.imul(whole, 10) + digit) | 0;
        digit = bytes[++at]! - ZERO;
      }
      if (digit === POINT - ZERO) {
        const point = ++at;
        digit = bytes[at]! - ZERO;
        while (digit >>> 0 <= 9) {
          whole = (Math.imul(whole, 10) + digit) | 0;
          digit = bytes[++at]! - ZERO;
        }
        if (at - start > HALF + 1 || at - start === 1) break;
        values[row] = whole / POWERS[at - point]!;
      } else {
        if (at - start > HALF || at === start) break;
        values[row] = whole;
      }

      if (timestamps !== undefined) {
        if (digit !== first - ZERO) break;
        at++;
        if (second !== 0 && bytes[at++] !== second) break;
        start = at;
        whole = 0;
        digit = bytes[at]! - ZERO;
        while (digit >>> 0 <= 9) {
          whole = (Math.imul(whole, 10) + digit) | 0;
          digit = bytes[++at]! - ZERO;
        }
        if (at - start > 2 * HALF || at === start) break;
        let time = whole;
        if (at - start > HALF) {
          time = decimalAt(bytes, start, at);
          if (at - start >= LARGE_DIGITS && time >= largeTime) table.times.isLarge = true;
        }
        timestamps[row] = time / timeUnit;
      }

      if (digit === CR - ZERO) digit = bytes[++at]! - ZERO;
      if (digit !== LF - ZERO) break;
      if (lines) lines[row] = firstLine + row - firstRow;
      row++;
      line = at + 1;
    }
    this.small.users.number(page.userIndex, firstRow, row);
    this.small.items.number(page.itemIndex, firstRow, row);
    table.row = row;
    return line;
  }
}
