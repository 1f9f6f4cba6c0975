// Text tables and numbers for the terminal.

import type { Spread } from './interleave';

/** Columns as wide as their widest cell; the first one is flush left. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[at]!))).join('  ');
  return [line(header), ...rows.map(line)].map((text) => text.trimEnd()).join('\n');
}

/** Three digits, without an exponent. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const places = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(places, 6));
}

/** Median, quartiles and range as text. */
export function spreadText({ median, q1, q3, min, max }: Spread): string {
  return `${digits(median)}  [${digits(q1)} ${digits(q3)}] (${digits(min)}-${digits(max)})`;
}

export const SPREAD_TITLE = 'median  [quartiles] (range)';
