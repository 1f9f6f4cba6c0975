// Reads lines of nothing but digits, points and separators out of bytes, as most rating files are made of: each byte is
// looked at once. The first line that is anything else is left to byte-lines.ts.

import type { ByteIds } from './byte-ids';
import { decimalAt } from './byte-numbers';
import type { LongLayout } from './long-table';
import type { RatingColumns } from './rating-columns';
import { SMALL, type SmallIds } from './small-ids';
import { LARGE_DIGITS, largeTimeOf, unitOfFormat } from './timestamp';

const LF = 10;
const CR = 13;
const TAB = 9;
const SPACE = 32;
const QUOTE = 34;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
/** Digits that a 32-bit integer has room for. */
const HALF = 9;
const POWERS = Float64Array.from({ length: HALF + 1 }, (_, k) => 10 ** k);

/** What a field is, a weight being 5: the columns of no role are passed over. */
const [PASSED, USER, ITEM, VALUE, TIME] = [0, 1, 2, 3, 4] as const;

/** Whether a table can have such lines: not where a column has two roles, or a separator could be part of a number. */
export function canBePlain(
  { roles, dateFormat, decimal, missing }: LongLayout,
  separator: string,
  comment = ' ',
): boolean {
  const columns = Object.values(roles).filter((column) => column >= 0);
  const hasDates = roles.timestamp >= 0 && dateFormat === 'iso';
  // A number that means none, a decimal comma and a comment that looks like a row are left to be looked at.
  if (missing !== undefined || decimal !== '.' || /^[-.0-9]/.test(comment) || (comment !== ' ' && !columns.includes(0)))
    return false;
  return new Set(columns).size === columns.length && !hasDates && !/^[-.0-9]/.test(separator);
}

/** The fast loop over the lines of one table. */
export class BytePlainRows {
  private readonly kinds: Uint8Array;
  private readonly separator: Uint8Array;
  private readonly isRun: boolean;
  private readonly timeUnit: number;
  private readonly largeTime: number;

  constructor(
    separator: string,
    layout: LongLayout,
    private readonly table: RatingColumns,
    private readonly known: { readonly users: ByteIds; readonly items: ByteIds },
    private readonly small: { readonly users: SmallIds; readonly items: SmallIds },
    private readonly maxLineLength: number,
  ) {
    const { width, roles, dateFormat } = layout;
    this.separator = Uint8Array.from(separator, (character) => character.charCodeAt(0));
    this.isRun = separator === ' ';
    this.kinds = new Uint8Array(width);
    const kinds = [roles.user, roles.item, roles.value, roles.timestamp, roles.weight];
    kinds.forEach((column, k) => {
      if (column >= 0) this.kinds[column] = k + 1;
    });
    this.timeUnit = unitOfFormat(dateFormat);
    this.largeTime = largeTimeOf(dateFormat);
  }

  /** Adds rows from `from` on, for as long as lines are plain, up to `to` and the end of the page; returns where it stopped. */
  read(bytes: Uint8Array, from: number, to: number, firstLine: number): number {
    const { table, kinds, separator, isRun, known, maxLineLength } = this;
    const { rows, userIndex, itemIndex, values, timestamps, weights, lines } = table.page;
    const first = separator[0]!;
    const separatorLength = separator.length;
    const width = kinds.length;
    const firstRow = table.row;
    let row = firstRow;
    let line = from;
    all: while (line < to && row < rows) {
      let at = line;
      for (let field = 0; field < width; field++) {
        const kind = kinds[field]!;
        const start = at;
        let byte = bytes[at]!;
        if (kind === PASSED) {
          if (byte === QUOTE || byte === SPACE || byte === TAB) break all;
          while (byte !== first && byte !== LF && byte !== CR && !(isRun && byte === TAB)) byte = bytes[++at]!;
          if (at - line > maxLineLength) break all;
        } else {
          if (byte === MINUS && kind > ITEM) byte = bytes[++at]!;
          const digits = at;
          let whole = 0;
          let digit = byte - ZERO;
          while (digit >>> 0 <= 9) {
            whole = (Math.imul(whole, 10) + digit) | 0;
            digit = bytes[++at]! - ZERO;
          }
          let count = at - digits;
          if (kind <= ITEM) {
            if (count === 0 || count > HALF) break all;
            const isSmall = whole < SMALL && (byte !== ZERO || count === 1);
            let number = whole;
            if (!isSmall) {
              number = ~(kind === USER ? known.users : known.items).find(bytes, start, at);
              if (number >= 0) break all;
            }
            if (kind === USER) userIndex[row] = number;
            else itemIndex[row] = number;
          } else {
            let decimals = 0;
            if (digit === POINT - ZERO) {
              digit = bytes[++at]! - ZERO;
              while (digit >>> 0 <= 9) {
                whole = (Math.imul(whole, 10) + digit) | 0;
                digit = bytes[++at]! - ZERO;
                decimals++;
              }
              count += decimals;
            }
            if (count === 0) break all;
            let number: number;
            if (count > HALF) number = decimalAt(bytes, start, at);
            else {
              number = decimals === 0 ? whole : whole / POWERS[decimals]!;
              if (digits > start) number = -number;
            }
            if (kind === VALUE) {
              // More digits than a float32 holds are left to be looked at.
              if (count > 2 * HALF) break all;
              values![row] = number;
            } else if (kind === TIME) {
              if (count > 2 * HALF) break all;
              timestamps![row] = number / this.timeUnit;
              if (count >= LARGE_DIGITS && Math.abs(number) >= this.largeTime) table.times.isLarge = true;
            } else {
              if (!(number >= 0) || count > 2 * HALF) break all;
              weights![row] = number;
            }
          }
          byte = digit + ZERO;
        }
        if (isRun) {
          const end = at;
          while (byte === SPACE || byte === TAB) byte = bytes[++at]!;
          if (at === end && field + 1 < width) break all;
        }
        if (field + 1 === width) {
          if (byte === LF) at++;
          else if (byte === CR && bytes[at + 1] === LF) at += 2;
          else break all;
        } else if (isRun) {
          if (byte === LF || byte === CR) break all;
        } else {
          if (byte !== first) break all;
          for (let i = 1; i < separatorLength; i++) if (bytes[at + i] !== separator[i]) break all;
          at += separatorLength;
        }
      }
      if (lines) lines[row] = firstLine + row - firstRow;
      row++;
      line = at;
    }
    this.small.users.number(userIndex, firstRow, row);
    this.small.items.number(itemIndex, firstRow, row);
    table.row = row;
    return line;
  }
}
