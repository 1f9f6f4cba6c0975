// Times of a rating: seconds since 1970, milliseconds, or an ISO 8601 date. A date without a zone is UTC, so that
// the same file gives the same numbers on every machine (Date.parse would take the local zone for some forms).

import { parseDecimal } from './decimal';

/** The ways in which times are written. */
export const DATE_FORMATS = ['auto', 'seconds', 'milliseconds', 'iso'] as const;

/** How times are written; `auto` decides per cell between seconds and ISO dates. */
export type DateFormat = (typeof DATE_FORMATS)[number];

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?\s?(?:Z|UTC|([+-])(\d\d):?(\d\d))?)?$/;

/** Seconds since 1970-01-01 UTC of the time written at [start, end); NaN where it is none. */
export function parseTimestamp(text: string, start: number, end: number, format: DateFormat): number {
  if (format !== 'iso') {
    const value = parseDecimal(text, start, end);
    if (format === 'milliseconds') return value / 1000;
    if (format === 'seconds' || !Number.isNaN(value)) return value;
  }
  return parseIso(text.slice(start, end));
}

/** What a time may look like, for a message. */
export function describeFormat(format: DateFormat): string {
  if (format === 'auto') return 'seconds since 1970 or an ISO date such as 2013-11-28';
  return format === 'iso' ? 'an ISO date such as 2013-11-28' : `${format} since 1970, a number`;
}

function parseIso(text: string): number {
  const parts = ISO.exec(text);
  if (parts === null) return Number.NaN;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map((part) => Number(part ?? 0));
  const date = new Date(Date.UTC(year!, month! - 1, day!, hour!, minute!, second!));
  // Date.UTC lets 30 February be 2 March; years below 100 become 19xx. Neither is what was written.
  const kept = date.getUTCFullYear() === year && date.getUTCMonth() === month! - 1 && date.getUTCDate() === day;
  if (!kept || hour! > 23 || minute! > 59 || second! > 59) return Number.NaN;
  const offset = (Number(parts[9] ?? 0) * 60 + Number(parts[10] ?? 0)) * 60 * (parts[8] === '-' ? -1 : 1);
  return date.getTime() / 1000 + Number(parts[7] ?? 0) - offset;
}
