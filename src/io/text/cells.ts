// Parses decimal numbers from a range of a text without creating a substring: every line has one or more. Not Number(),
// which accepts '', '0x10' and 'Infinity'.

import { LARGE_TIME } from '../../data/rows';
import type { RecordReader } from './record-reader';

/** A value that means "missing": numbers are compared as numbers (99 is 99.00), anything else as text. */
export type MissingValue = string | number;

/** The largest float32, in which values and weights are stored; 1e39 would become infinite. */
export const LARGEST_FLOAT32 = 3.4028234663852886e38;

/** Whether a number is a valid weight: 0, or a positive number that float32 can represent. */
export function isWeight(given: number): boolean {
  return given === 0 || (Math.fround(given) > 0 && given <= LARGEST_FLOAT32);
}

/** The character before the decimals. */
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

/** Parses exponents and long fractions. */
function parseSlowly(written: string, decimal: DecimalMark): number {
  const text = decimal === '.' ? written : written.replace('.', '?').replace(decimal, '.');
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : Number.NaN;
}

// Parses the time of a rating: a number since 1970, or an ISO 8601 date. A date without a zone is UTC, so that a file
// gives the same numbers on every machine (Date.parse would use the local zone for some forms).

/** Units per second. */
const UNITS = { seconds: 1, milliseconds: 1e3, microseconds: 1e6, nanoseconds: 1e9 } as const;

/** The supported time formats. */
export const DATE_FORMATS = ['auto', 'seconds', 'milliseconds', 'microseconds', 'nanoseconds', 'iso'] as const;

/** How times are written; `auto` accepts ISO dates, and numbers whose unit follows from their size. */
export type DateFormat = (typeof DATE_FORMATS)[number];

/** The divisor applied to numbers as they are read; 1 under `auto`, which decides when all have been seen. */
export function unitOfFormat(format: DateFormat): number {
  return format === 'auto' || format === 'iso' ? 1 : UNITS[format];
}

/** A number with fewer digits cannot be that large. */
export const LARGE_DIGITS = 12;

/** The size from which a number is reported to `SeenTimes`. */
export function largeTimeOf(format: DateFormat): number {
  return format === 'auto' ? LARGE_TIME : Infinity;
}

/** What `auto` needs to know of a column of times when it has been read. */
export class SeenTimes {
  /** Whether a number was too large to be seconds. */
  isLarge = false;
  hasDates = false;
}

/** Year, month and day, optionally with a time of day and a zone. */
const ISO =
  /^(\d{4})([-/])(\d\d)\2(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s?(?:[Zz]|UTC|GMT|([+-])(\d\d)(?::?(\d\d))?)?)?$/;

/** Seconds since 1970-01-01 UTC of the time at [start, end); NaN if it is not a time. For `auto`, see `SeenTimes`. */
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

/** Returns a number unchanged, and records whether it is large. */
export function noted(value: number, seen: SeenTimes | undefined): number {
  if (seen !== undefined && Math.abs(value) >= LARGE_TIME) seen.isLarge = true;
  return value;
}

/** Describes the expected form of a time, for a message. */
export function describeFormat(format: DateFormat): string {
  if (format === 'auto') return 'seconds since 1970 or an ISO date such as 2013-11-28';
  return format === 'iso' ? 'an ISO date such as 2013-11-28' : `${format} since 1970, a number`;
}

/** The basic ISO form, without separators. */
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
  // Date.UTC turns 30 February into 2 March, and years below 100 into 19xx: reject both.
  const kept = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  const [zoneHour, zoneMinute] = [at(10), at(11)];
  if (!kept || hour > 23 || minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59) return Number.NaN;
  const offset = (zoneHour * 60 + zoneMinute) * 60 * (parts[9] === '-' ? -1 : 1);
  return date.getTime() / 1000 + Number(`0.${parts[8] ?? 0}`) - offset;
}

// Values that mark a missing rating, such as 0, -1, 'NA': numbers are compared as numbers (99 is 99.00), others as
// text.

/** The values, numbers and texts apart. */
export interface Missing {
  readonly numbers: ReadonlySet<number>;
  readonly texts: ReadonlySet<string>;
}

/** Separates numbers from texts; undefined if there are none. */
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

/** Whether field `i` of the current record marks a missing value; `value` is its number, or NaN. */
export function isMissing({ numbers, texts }: Missing, value: number, records: RecordReader, i: number): boolean {
  return Number.isNaN(value) ? texts.size > 0 && texts.has(records.field(i)) : numbers.has(value);
}
