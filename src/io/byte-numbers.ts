// Numbers and times out of a range of bytes: what decimal.ts and timestamp.ts read from text, to the bit. What is not
// plain digits is made a string and left to them.

import { type DecimalMark, parseDecimal } from './decimal';
import { type DateFormat, noted, parseTimestamp, type SeenTimes, unitOfFormat } from './timestamp';

const COMMA = 44;
const MINUS = 45;
const PLUS = 43;
const POINT = 46;
const ZERO = 48;
/** Digits that a 32-bit integer has room for. */
const HALF = 9;
/** A whole number of up to 15 digits and a power of ten up to 10^15 are exact doubles: one division rounds correctly. */
const EXACT_DIGITS = 15;
const POWERS = Float64Array.from({ length: EXACT_DIGITS + 1 }, (_, k) => 10 ** k);

/** Longer numbers and times are odd enough to be looked at as text. */
const LONG = 1000;

/** The number at [start, end) of `bytes`; NaN where `parseDecimal` says so, or where it is very long. */
export function decimalAt(bytes: Uint8Array, start: number, end: number, decimal: DecimalMark = '.'): number {
  const mark = (decimal === '.' ? POINT : COMMA) - ZERO;
  let at = start;
  const sign = bytes[at]!;
  if (sign === MINUS || sign === PLUS) at++;
  // Integer arithmetic is three times as fast, so the first nine digits and the others are taken apart.
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
  const all = digits > HALF ? first * POWERS[digits - HALF]! + whole : whole;
  const value = point < 0 || point === digits ? all : all / POWERS[digits - point]!;
  return sign === MINUS ? -value : value;
}

/** The time at [start, end) of `bytes`, in seconds; NaN where it is none, or an odd one. */
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

/** A character a byte: numbers and times have no others than ASCII. */
function latin(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}
