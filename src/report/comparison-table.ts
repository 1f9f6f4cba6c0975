// Renders a comparison as plain text for a terminal: one aligned table per optimizer, then notes on how to read it.

import type { Comparison } from '../evaluation/comparison';
import {
  COLUMNS,
  checkComparison,
  comparisonSections,
  comparisonTitle,
  fairLine,
  modelRows,
  readingNotes,
} from './comparison-rows';

/**
 * The comparison as text, lines end with a newline; no colour and no other control characters.
 *
 * @throws OptionError unless `comparison` comes from `compare`.
 * @example
 * ```ts
 * import { compare, comparisonTable, syntheticInteractions } from 'opmf';
 * const data = syntheticInteractions({ users: 60, items: 50, ratings: 900 });
 * const comparison = await compare(data, { optimizers: ['sgd'], seeds: [1], epochs: 2, rank: 4 });
 * console.log(comparisonTable(comparison).includes('plain')); // true
 * ```
 */
export function comparisonTable(comparison: Comparison): string {
  checkComparison(comparison);
  const sections = comparisonSections(comparison);
  const heads = [0, 1].map((line) => COLUMNS.map((head) => head[line as 0 | 1]));
  // The same widths in all sections, so that optimizers can be compared down the page.
  const all = [...heads, ...sections.flatMap(({ rows }) => rows)];
  const widths = widthsOf(all);
  const lines = [printable(comparisonTitle(comparison)), ''];
  for (const { optimizer, targets, rows } of sections) {
    lines.push(printable(`${optimizer}: ${targets}`));
    for (const row of [...heads, ...rows]) lines.push(align(row, widths));
    lines.push('');
  }
  const fair = fairLine(comparison);
  if (fair !== undefined) lines.push(printable(fair), '');
  const models = modelRows(comparison);
  for (const row of models) lines.push(align(row.map(printable), widthsOf(models)));
  if (models.length > 0) lines.push('');
  for (const note of readingNotes(comparison)) lines.push(...wrap(note, 100));
  return `${lines.join('\n')}\n`;
}

/** The width of each column. */
function widthsOf(rows: readonly (readonly string[])[]): number[] {
  return rows[0]!.map((_, column) => Math.max(...rows.map((row) => [...row[column]!].length)));
}

/** The first column to the left, numbers to the right. */
function align(cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map((cell, i) => {
    const space = ' '.repeat(widths[i]! - [...cell].length);
    return i === 0 ? cell + space : space + cell;
  });
  return `  ${padded.join('  ')}`.trimEnd();
}

function wrap(paragraph: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of paragraph.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** The name of a data set may come from a file name: it must not contain terminal control sequences. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}
