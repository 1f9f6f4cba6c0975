// Decimal numbers out of a range of a text, without making a string of it: a file has one or more on every line.
// Not Number(): '', '0x10' and 'Infinity' are not ratings.

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
