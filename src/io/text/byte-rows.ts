// Parses numbers and times from a range of bytes, with results equal to the bit to those of `parseDecimal` and
// `parseTimestamp`. Anything but plain digits is decoded and passed to them.

import type { Id, Vocabulary } from '../../data/vocabulary';
import { ByteIds, SMALL, SmallIds } from './byte-ids';
import {
  type DateFormat,
  type DecimalMark,
  isWeight,
  LARGE_DIGITS,
  LARGEST_FLOAT32,
  largeTimeOf,
  noted,
  parseDecimal,
  parseTimestamp,
  type SeenTimes,
  unitOfFormat,
} from './cells';
import { byteLength, bytesOf, cellText } from './decode';
import type { Faults } from './fault';
import { type LongLayout, readRow, refuseHeaderAgain } from './layouts';
import type { RatingColumns } from './rating-columns';
import type { ReadSettings } from './read-options';
import { RecordReader, type TextForm, tooLong } from './record-reader';

const COMMA = 44;
const MINUS = 45;
const PLUS = 43;
const POINT = 46;
const ZERO = 48;
/** Digits that always fit a 32-bit integer. */
const HALF = 9;
/** A whole number of up to 15 digits and a power of ten up to 10^15 are exact doubles: one division rounds correctly. */
const EXACT_DIGITS = 15;
const POWERS_OF_TEN = Float64Array.from({ length: EXACT_DIGITS + 1 }, (_, k) => 10 ** k);

/** Numbers and times longer than this are left to the text reader. */
const LONG = 1000;

/** The number at [start, end) of `bytes`; NaN where `parseDecimal` gives NaN, or where it is very long. */
export function decimalAt(bytes: Uint8Array, start: number, end: number, decimal: DecimalMark = '.'): number {
  const mark = (decimal === '.' ? POINT : COMMA) - ZERO;
  let at = start;
  const sign = bytes[at]!;
  if (sign === MINUS || sign === PLUS) at++;
  // Integer arithmetic is three times as fast, so the first nine digits are parsed separately from the rest.
  let first = 0;
  let whole = 0;
  let digits = 0;
  let point = -1;
  for (; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) {
      if (digit !== mark || point >= 0) break;
      point = digits;
      continue;
    }
    if (digits === HALF) {
      first = whole;
      whole = 0;
    }
    whole = (Math.imul(whole, 10) + digit) | 0;
    digits++;
    if (digits > EXACT_DIGITS) break;
  }
  if (at < end || digits === 0) {
    return end - start > LONG ? Number.NaN : parseDecimal(latin(bytes, start, end), 0, end - start, decimal);
  }
  const all = digits > HALF ? first * POWERS_OF_TEN[digits - HALF]! + whole : whole;
  const value = point < 0 || point === digits ? all : all / POWERS_OF_TEN[digits - point]!;
  return sign === MINUS ? -value : value;
}

/** The time at [start, end) of `bytes`, in seconds; NaN if it is not a time, or one in an unusual form. */
export function timestampAt(
  bytes: Uint8Array,
  start: number,
  end: number,
  format: DateFormat,
  seen: SeenTimes,
): number {
  if (format !== 'iso') {
    const value = decimalAt(bytes, start, end);
    if (format !== 'auto') return value / unitOfFormat(format);
    if (!Number.isNaN(value)) return noted(value, seen);
  }
  return end - start > LONG ? Number.NaN : parseTimestamp(latin(bytes, start, end), 0, end - start, 'iso', seen);
}

/** One character per byte: numbers and times are ASCII. */
function latin(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}

// Splits a line of bytes into fields: what RecordReader does with text, for plain lines. A quoted field that holds a
// quote or a line end, and anything that would be an error, is left to RecordReader.

const LF = 10;
const CR = 13;
const TAB = 9;
const SPACE = 32;
const QUOTE = 34;

/** The fields of one line at a time. Bytes are read up to a line feed, so the last line must end with one. */
export class ByteFields {
  /** The number of fields of the line, and where they start and end in the bytes. */
  count = 0;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  private readonly separator: Uint8Array;
  private readonly first: number;
  /** A single space stands for any run of spaces and tabs. */
  private readonly isRun: boolean;
  private readonly quote: number;
  private readonly escape: number;

  /** `separator` is ASCII; a line has `width` fields. */
  constructor(
    separator: string,
    form: Pick<TextForm, 'quotes' | 'escape'>,
    private readonly width: number,
  ) {
    this.separator = Uint8Array.from(separator, (character) => character.charCodeAt(0));
    this.first = this.separator[0]!;
    this.isRun = separator === ' ';
    // 256 matches no byte.
    this.quote = form.quotes ? QUOTE : 256;
    this.escape = form.escape === undefined ? 256 : form.escape.charCodeAt(0);
    this.starts = new Int32Array(width + 1);
    this.ends = new Int32Array(width + 1);
  }

  /** Splits the line that starts at `at`; returns the position of its line end, or -1 if it must be read as text. */
  cut(bytes: Uint8Array, at: number): number {
    return this.isRun ? this.cutAtRuns(bytes, at) : this.cutAtSeparators(bytes, at);
  }

  /** The position of the line end if the line that starts at `at` is blank; else -1. */
  endOfBlank(bytes: Uint8Array, at: number): number {
    let end = at;
    // In a tab-separated line, tabs delimit fields, even if all are empty.
    while ((bytes[end] === SPACE || bytes[end] === TAB) && (this.isRun || bytes[end] !== this.first)) end++;
    return bytes[end] === LF || bytes[end] === CR ? end : -1;
  }

  private cutAtSeparators(bytes: Uint8Array, line: number): number {
    const { first, starts, ends, width, quote } = this;
    const { length } = this.separator;
    let at = line;
    for (let count = 0; count < width; count++) {
      let byte = bytes[at]!;
      while (byte === SPACE) byte = bytes[++at]!;
      starts[count] = at;
      if (byte === quote) {
        starts[count] = at + 1;
        at = this.closing(bytes, at);
        if (at < 0) return -1;
        ends[count] = at++;
        while (bytes[at] === SPACE) at++;
        byte = bytes[at]!;
        if (byte !== LF && byte !== CR && !(byte === first && (length === 1 || this.isSeparator(bytes, at)))) return -1;
      } else {
        while (byte !== LF && byte !== CR && !(byte === first && (length === 1 || this.isSeparator(bytes, at)))) {
          byte = bytes[++at]!;
        }
        let end = at;
        while (bytes[end - 1] === SPACE && end > starts[count]!) end--;
        ends[count] = end;
      }
      if (byte === LF || byte === CR) {
        this.count = count + 1;
        return at;
      }
      at += length;
    }
    // Too many fields.
    return -1;
  }

  private cutAtRuns(bytes: Uint8Array, line: number): number {
    const { starts, ends, width, quote } = this;
    let at = line;
    while (bytes[at] === SPACE || bytes[at] === TAB) at++;
    for (let count = 0; count < width; count++) {
      let byte = bytes[at]!;
      starts[count] = at;
      if (byte === quote) {
        starts[count] = at + 1;
        at = this.closing(bytes, at);
        if (at < 0) return -1;
        ends[count] = at++;
        byte = bytes[at]!;
        if (byte !== LF && byte !== CR && byte !== SPACE && byte !== TAB) return -1;
      } else {
        while (byte !== LF && byte !== CR && byte !== SPACE && byte !== TAB) byte = bytes[++at]!;
        ends[count] = at;
      }
      while (byte === SPACE || byte === TAB) byte = bytes[++at]!;
      if (byte === LF || byte === CR) {
        this.count = count + 1;
        return at;
      }
    }
    return -1;
  }

  /** The position of the quote that closes the one at `open`; -1 if the field must be read as text. */
  private closing(bytes: Uint8Array, open: number): number {
    const mark = this.escape;
    let at = open + 1;
    for (;;) {
      const byte = bytes[at]!;
      if (byte === LF || byte === CR || byte === mark) return -1;
      if (byte === QUOTE) return bytes[at + 1] === QUOTE ? -1 : at;
      at++;
    }
  }

  /** Whether a separator of several bytes starts at `at`, whose first byte is known to match. */
  private isSeparator(bytes: Uint8Array, at: number): boolean {
    for (let i = 1; i < this.separator.length; i++) if (bytes[at + i] !== this.separator[i]) return false;
    return true;
  }
}

// Reads the lines that most rating files consist of: user and item in digits, a value and perhaps a time. Unrolled for
// these four columns, three times as fast as BytePlainRows below, which takes other columns. The first line of any
// other form is left to ByteLines.

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

  /** Adds rows from `from` on while lines are plain, up to `to` and the end of the page; returns where it stopped. */
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
      // At most six digits, unrolled: the loop overhead costs as much as a digit, and most ids have no more.
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
        // Long ids and those with leading zeros are identified by their bytes.
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

// Reads lines that consist of digits, points and separators only, as most rating files do, in one pass over the bytes.
// The first line of any other form is left to ByteLines.

/** The kinds of fields (5 is a weight); columns without a role are skipped. */
const [PASSED, USER, ITEM, VALUE, TIME] = [0, 1, 2, 3, 4] as const;

/** Whether a table can have such lines: not if a column has two roles, or if a separator could be part of a number. */
export function canBePlain(
  { roles, dateFormat, decimal, missing }: LongLayout,
  separator: string,
  comment = ' ',
): boolean {
  const columns = Object.values(roles).filter((column) => column >= 0);
  const hasDates = roles.timestamp >= 0 && dateFormat === 'iso';
  // Numbers that mark a missing value, decimal commas and comments that look like rows need the text reader.
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

  /** Adds rows from `from` on while lines are plain, up to `to` and the end of the page; returns where it stopped. */
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
              // More digits than a float32 holds: left to the text reader.
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

// Reads rows of a long table from bytes: the fast twin of readRow in layouts.ts, which is the definition. A line that
// is not plain, or has an error, is decoded and read there, so the twin has no error messages of its own.

/** Upper bound on the length of a plain line of numbers. */
const PLAIN_LENGTH = 1 << 8;

/** Reads the rows of one table, in pieces of whole lines. */
export class ByteLines {
  private readonly fields: ByteFields;
  private readonly userIds = new ByteIds();
  private readonly itemIds = new ByteIds();
  /** The loop for plain lines, if the table can have any. */
  private readonly plain: BytePlainRows | ByteTriples | undefined;
  private readonly comment: Uint8Array | undefined;
  /** The current or next line, from 1. */
  line: number;

  constructor(
    private readonly separator: string,
    private readonly layout: LongLayout,
    private readonly table: RatingColumns,
    private readonly settings: ReadSettings,
    private readonly faults: Faults,
  ) {
    const { comment, encoding, maxLineLength } = settings;
    this.fields = new ByteFields(separator, settings, layout.width);
    this.comment = comment === undefined ? undefined : bytesOf(comment, encoding);
    // Not if users and items share one vocabulary, numbered in order of appearance: these loops number a whole column
    // at a time.
    if (table.users !== table.items && canBePlain(layout, separator, comment) && maxLineLength >= PLAIN_LENGTH) {
      const known = { users: this.userIds, items: this.itemIds };
      const small = { users: new SmallIds(table.users, settings.ids), items: new SmallIds(table.items, settings.ids) };
      this.plain = isOfTriples(layout, separator)
        ? new ByteTriples(separator, layout, table, known, small)
        : new BytePlainRows(separator, layout, table, known, small, maxLineLength);
    }
    this.line = layout.startLine;
  }

  /**
   * Reads the lines of [from, to); a line feed is before or at `to`. Returns where it stopped: at `to`, or before a
   * record that goes on behind it, which happens only where there is more to come (`isLast` is false).
   */
  read(bytes: Uint8Array, from: number, to: number, isLast: boolean): number {
    const { fields, table } = this;
    const { maxLineLength } = this.settings;
    let at = from;
    while (at < to) {
      if (this.plain !== undefined) {
        const rows = table.row;
        at = this.plain.read(bytes, at, to, this.line);
        this.line += table.row - rows;
        if (at >= to) break;
      }
      if (bytes[at]! <= SPACE) {
        const end = fields.endOfBlank(bytes, at);
        if (end >= 0) {
          at = afterLineEnd(bytes, end);
          this.line++;
          continue;
        }
      }
      if (table.row === table.page.rows) {
        table.turnPage();
        continue;
      }
      if (this.comment !== undefined && startsWith(bytes, at, this.comment)) {
        at = endOfLine(bytes, at, to);
        this.line++;
        continue;
      }
      const end = fields.cut(bytes, at);
      if (end - at > maxLineLength) {
        table.invalid.add(tooLong(this.faults, this.line, maxLineLength));
        at = afterLineEnd(bytes, end);
        this.line++;
        continue;
      }
      if (end >= 0 && fields.count === this.layout.width && this.readFields(bytes)) {
        at = afterLineEnd(bytes, end);
        this.line++;
      } else {
        const next = this.readAsText(bytes, at, to, isLast);
        if (next < 0) return at;
        at = next;
      }
    }
    return to;
  }

  /** Throws if a row repeats the header. */
  refuseHeaderAgain(): void {
    refuseHeaderAgain(this.layout, this.table);
  }

  /** Adds the row whose fields have been split; returns false, adding nothing, if anything in it is unusual. */
  private readFields(bytes: Uint8Array): boolean {
    const { table } = this;
    const { starts, ends } = this.fields;
    const { user, item, value, timestamp, weight } = this.layout.roles;
    let userNumber = this.userIds.find(bytes, starts[user]!, ends[user]!);
    const userId = userNumber < 0 ? this.newId(bytes, starts[user]!, ends[user]!) : '';
    let itemNumber = this.itemIds.find(bytes, starts[item]!, ends[item]!);
    const itemId = itemNumber < 0 ? this.newId(bytes, starts[item]!, ends[item]!) : '';
    if (userId === undefined || itemId === undefined) return false;
    const { page, row } = table;
    if (value >= 0) {
      const rating = decimalAt(bytes, starts[value]!, ends[value]!, this.layout.decimal);
      if (!(Math.abs(rating) <= LARGEST_FLOAT32) || this.layout.missing?.numbers.has(rating)) return false;
      page.values![row] = rating;
    }
    if (timestamp >= 0) {
      const time = timestampAt(bytes, starts[timestamp]!, ends[timestamp]!, this.layout.dateFormat, table.times);
      if (Number.isNaN(time)) return false;
      page.timestamps![row] = time;
    }
    if (weight >= 0) {
      const given = decimalAt(bytes, starts[weight]!, ends[weight]!, this.layout.decimal);
      if (!isWeight(given)) return false;
      page.weights![row] = given;
    }
    // Nothing is added before the whole row is known to be valid.
    if (userNumber < 0) userNumber = remember(this.userIds, table.users, userId, bytes, starts[user]!, ends[user]!);
    if (itemNumber < 0) itemNumber = remember(this.itemIds, table.items, itemId, bytes, starts[item]!, ends[item]!);
    page.userIndex[row] = userNumber;
    page.itemIndex[row] = itemNumber;
    if (page.lines) page.lines[row] = this.line;
    table.row = row + 1;
    return true;
  }

  /** The new id at [start, end); undefined if it is not a valid id. */
  private newId(bytes: Uint8Array, start: number, end: number): Id | undefined {
    return start === end ? undefined : this.table.parseId(this.textOf(bytes, start, end));
  }

  private textOf(bytes: Uint8Array, start: number, end: number): string {
    return cellText(bytes, start, end, this.settings.encoding, this.faults);
  }

  /** Reads the record at `at` as text; returns where the next starts, or -1 if the end of the record has not arrived yet. */
  private readAsText(bytes: Uint8Array, at: number, to: number, isLast: boolean): number {
    for (let length = 1; ; ) {
      const end = endOfLine(bytes, at + length - 1, to);
      const text = this.textOf(bytes, at, end);
      const records = new RecordReader(text, this.separator, this.settings, this.faults, this.line);
      try {
        if (records.next()) readRow(records, this.layout, this.table, this.faults);
      } catch (error) {
        // A quoted field with a line end in it: the record ends on a later line.
        if (records.isOpen && !(isLast && end === to)) {
          if (end === to) return -1;
          length = 2 * (end - at);
          continue;
        }
        this.table.invalid.add(error);
        records.recover();
      }
      this.line = records.lineAfter;
      return records.position === text.length
        ? end
        : at + byteLength(text.slice(0, records.position), this.settings.encoding);
    }
  }
}

function remember(
  known: ByteIds,
  vocabulary: Vocabulary,
  id: Id,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  const number = vocabulary.add(id);
  known.add(bytes, start, end, number);
  return number;
}

function startsWith(bytes: Uint8Array, at: number, start: Uint8Array): boolean {
  for (let i = 0; i < start.length; i++) if (bytes[at + i] !== start[i]) return false;
  return true;
}

/** LF, CR LF and a lone CR end a line. */
function afterLineEnd(bytes: Uint8Array, at: number): number {
  return at + (bytes[at] === CR && bytes[at + 1] === LF ? 2 : 1);
}

/** The position after the first line end at or after `from`. */
function endOfLine(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== LF && bytes[at] !== CR) at++;
  return Math.min(to, afterLineEnd(bytes, at));
}
