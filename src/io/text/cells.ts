// Decimal numbers out of a range of a text, without making a string of it: a file has one or more on every line.
// Not Number(): '', '0x10' and 'Infinity' are not ratings.

import { LARGE_TIME } from '../../data/rows';
import type { RecordReader } from './record-reader';

/** A value that means none: numbers are compared as numbers (99 is 99.00), anything else as text. */
export type MissingValue = string | number;

/** The largest float32: values and weights are stored as such, in which 1e39 would be infinite. */
export const LARGEST_FLOAT32 = 3.4028234663852886e38;

/** Whether a number can be held as a weight: 0, or a number above 0 that float32 has. */
export function isWeight(given: number): boolean {
  return given === 0 || (Math.fround(given) > 0 && given <= LARGEST_FLOAT32);
}

/** What stands before the decimals. */
export const DECIMAL_MARKS = ['.', ','] as const;
export type DecimalMark = (typeof DECIMAL_MARKS)[number];

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const COMMA = 44;
const MINUS = 45;
const PLUS = 43;
const POINT = 46;
const ZERO = 48;
/** A whole number of up to 15 digits and a power of ten up to 10^15 are exact doubles: one division rounds correctly. */
const EXACT_DIGITS = 15;
const POWERS = Array.from({ length: EXACT_DIGITS + 1 }, (_, k) => 10 ** k);

/** The number written at [start, end) of the text; NaN where that is not a finite decimal number. */
export function parseDecimal(text: string, start: number, end: number, decimal: DecimalMark = '.'): number {
  const mark = decimal === '.' ? POINT : COMMA;
  let at = start;
  const sign = text.charCodeAt(at);
  if (sign === MINUS || sign === PLUS) at++;
  let whole = 0;
  let digits = 0;
  let point = -1;
  for (; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === mark && point < 0) {
      point = digits;
      continue;
    }
    const digit = code - ZERO;
    if (digit < 0 || digit > 9) break;
    whole = whole * 10 + digit;
    digits++;
  }
  if (at < end || digits === 0 || digits > EXACT_DIGITS) return parseSlowly(text.slice(start, end), decimal);
  const value = point < 0 ? whole : whole / POWERS[digits - point]!;
  return sign === MINUS ? -value : value;
}

/** Exponents and long fractions. */
function parseSlowly(written: string, decimal: DecimalMark): number {
  const text = decimal === '.' ? written : written.replace('.', '?').replace(decimal, '.');
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : Number.NaN;
}

// Times of a rating: numbers since 1970, or an ISO 8601 date. A date without a zone is UTC, so that the same file gives the
// same numbers on every machine (Date.parse would take the local zone for some forms).

/** How many of each unit are a second. */
const UNITS = { seconds: 1, milliseconds: 1e3, microseconds: 1e6, nanoseconds: 1e9 } as const;

/** The ways in which times are written. */
export const DATE_FORMATS = ['auto', 'seconds', 'milliseconds', 'microseconds', 'nanoseconds', 'iso'] as const;

/** How times are written; `auto` takes numbers, in a unit that their size tells, and ISO dates. */
export type DateFormat = (typeof DATE_FORMATS)[number];

/** What numbers are divided by as they are read; under `auto` they stay as they are until all have been seen. */
export function unitOfFormat(format: DateFormat): number {
  return format === 'auto' || format === 'iso' ? 1 : UNITS[format];
}

/** A number of fewer digits is not that large. */
export const LARGE_DIGITS = 12;

/** From which size on a number is to be told to `SeenTimes`. */
export function largeTimeOf(format: DateFormat): number {
  return format === 'auto' ? LARGE_TIME : Infinity;
}

/** What is to be known of a column of times under `auto`, once it is all there. */
export class SeenTimes {
  /** Whether a number is too large for seconds. */
  isLarge = false;
  hasDates = false;
}

/** A year, month and day, perhaps with a time of day, perhaps with its zone. */
const ISO =
  /^(\d{4})([-/])(\d\d)\2(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s?(?:[Zz]|UTC|GMT|([+-])(\d\d)(?::?(\d\d))?)?)?$/;

/** Seconds since 1970-01-01 UTC of the time written at [start, end); NaN where it is none. Under `auto`, see `SeenTimes`. */
export function parseTimestamp(text: string, start: number, end: number, format: DateFormat, seen?: SeenTimes): number {
  if (format !== 'iso') {
    const value = parseDecimal(text, start, end);
    if (format !== 'auto') return value / UNITS[format];
    if (!Number.isNaN(value)) return noted(value, seen);
  }
  const time = parseIso(text.slice(start, end));
  if (seen !== undefined && !Number.isNaN(time)) seen.hasDates = true;
  return time;
}

/** A number as it is, told where it is large. */
export function noted(value: number, seen: SeenTimes | undefined): number {
  if (seen !== undefined && Math.abs(value) >= LARGE_TIME) seen.isLarge = true;
  return value;
}

/** What a time may look like, for a message. */
export function describeFormat(format: DateFormat): string {
  if (format === 'auto') return 'seconds since 1970 or an ISO date such as 2013-11-28';
  return format === 'iso' ? 'an ISO date such as 2013-11-28' : `${format} since 1970, a number`;
}

/** The basic form, without marks between. */
const BASIC = /^(\d{4})(\d\d)(\d\d)(?:[Tt ]?(\d\d)(\d\d)(?:(\d\d))?([Zz])?)?$/;

function parseIso(written: string): number {
  const basic = BASIC.exec(written);
  const text =
    basic === null
      ? written
      : `${basic[1]}-${basic[2]}-${basic[3]}${basic[4] === undefined ? '' : `T${basic[4]}:${basic[5]}:${basic[6] ?? '00'}`}`;
  const parts = ISO.exec(text);
  if (parts === null) return Number.NaN;
  const at = (k: number) => Number(parts[k] ?? 0);
  const [year, month, day, hour, minute, second] = [at(1), at(3), at(4), at(5), at(6), at(7)];
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  // Date.UTC lets 30 February be 2 March; years below 100 become 19xx. Neither is what was written.
  const kept = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  const [zoneHour, zoneMinute] = [at(10), at(11)];
  if (!kept || hour > 23 || minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59) return Number.NaN;
  const offset = (zoneHour * 60 + zoneMinute) * 60 * (parts[9] === '-' ? -1 : 1);
  return date.getTime() / 1000 + Number(`0.${parts[8] ?? 0}`) - offset;
}

// Values that stand for none, such as 0, -1, 'NA': a number is compared as one (99 is 99.00), any other as text.

/** The values, those that are numbers apart. */
export interface Missing {
  readonly numbers: ReadonlySet<number>;
  readonly texts: ReadonlySet<string>;
}

/** Sorts values; undefined where there are none. */
export function missingOf(values: readonly MissingValue[]): Missing | undefined {
  if (values.length === 0) return undefined;
  const numbers = new Set<number>();
  const texts = new Set<string>();
  for (const value of values) {
    const number = typeof value === 'number' ? value : parseDecimal(value, 0, value.length);
    if (Number.isNaN(number)) texts.add(value as string);
    else numbers.add(number);
  }
  return { numbers, texts };
}

/** Whether field `i` of the current record means none: `value` is its number, NaN where it has none. */
export function isMissing({ numbers, texts }: Missing, value: number, records: RecordReader, i: number): boolean {
  return Number.isNaN(value) ? texts.size > 0 && texts.has(records.field(i)) : numbers.has(value);
}
