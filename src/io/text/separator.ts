// Guesses the separator of a text from its first lines: the candidate that splits them all into the same number of
// fields. A space comes last, because text columns often contain one.

import type { DataError } from '../../core/errors';
import { show } from '../../core/options';
import type { Faults } from './fault';
import { RecordReader, type TextForm } from './record-reader';

const PUNCTUATION = ['\t', '::', ',', ';', '|'] as const;
/** Lines sampled: enough to tell a ragged split from a steady one. */
const SAMPLE = 20;

/** The separator that fits the first lines best. Three steady columns are better evidence than two. */
export function sniffSeparator(text: string, form: TextForm, faults: Faults): string;
/** The same for the start of a text; undefined if what follows could change the result. */
export function sniffSeparator(text: string, form: TextForm, faults: Faults, isAll: boolean): string | undefined;
export function sniffSeparator(text: string, form: TextForm, faults: Faults, isAll = true): string | undefined {
  let fault: DataError | undefined;
  let touchesEnd = false;
  const cut = [...PUNCTUATION, ' '].map((separator) => {
    const records = new RecordReader(text, separator, form, faults);
    const counts = countFields(records, (error) => {
      fault ??= error;
    });
    touchesEnd ||= records.touchesEnd;
    return { separator, ...counts };
  });
  if (touchesEnd && !isAll) return undefined;
  const isMark = ({ separator }: { separator: string }) => separator !== ' ';
  const steady = (atLeast: number) =>
    cut.filter(({ fewest, most, sound }) => sound && fewest === most && fewest >= atLeast);
  // Most lines agree: the faults of the others are reported when they are read.
  const usual = (atLeast: number) => cut.find((one) => isMark(one) && one.usual >= atLeast && one.share > 1 / 2);
  const found =
    steady(3).find(isMark) ??
    steady(2).find(isMark) ??
    usual(3) ??
    steady(3)[0] ??
    usual(2) ??
    steady(2)[0] ??
    // Ragged lines get a separator too, so that the error can name the line that does not fit.
    cut.find(({ fewest }) => fewest >= 2) ??
    cut.find(({ most }) => most >= 2);
  if (found?.separator === ',' && steady(3).some((one) => !isMark(one)) && hasDecimalCommas(text)) return ' ';
  if (found !== undefined) return found.separator;
  if (fault !== undefined) throw fault;
  const line = text.trimStart().split(/[\r\n]/, 1)[0]!;
  throw faults.inLine(
    1,
    `cannot tell what separates the columns of ${show(line)}; want two or more columns separated by a tab, '::', ` +
      "comma, semicolon, '|' or spaces, or set separator",
  );
}

/** What the first records show about a separator. */
interface Counts {
  readonly fewest: number;
  readonly most: number;
  /** The number of fields that most records have, and the share of records that have it. */
  readonly usual: number;
  readonly share: number;
  /** Whether every record could be split. */
  readonly sound: boolean;
}

/** Counts fields; a record with a fault (a quote that never closes, or closes within a field) is skipped. */
function countFields(records: RecordReader, onFault: (fault: DataError) => void): Counts {
  const counts: number[] = [];
  let seen = 0;
  for (; seen < SAMPLE; seen++) {
    try {
      if (!records.next()) break;
      counts.push(records.fieldCount);
    } catch (error) {
      onFault(error as DataError);
      records.recover();
    }
  }
  const times = (count: number) => counts.reduce((sum, other) => sum + (other === count ? 1 : 0), 0);
  const usual = counts.reduce((best, count) => (times(count) > times(best) ? count : best), counts[0] ?? 0);
  return {
    fewest: counts.length === 0 ? 0 : Math.min(...counts),
    most: Math.max(0, ...counts),
    usual,
    share: seen === 0 ? 0 : times(usual) / seen,
    sound: counts.length === seen,
  };
}

/** Whether the commas of the first lines are decimal commas after two columns, as in `1 2 3,5`. */
function hasDecimalCommas(text: string): boolean {
  const lines = text.slice(0, 1 << 14).split(/[\r\n]+/, SAMPLE);
  const isOf = (line: string) => /^\s*[^\s,]+\s+[^\s,]+(\s+[-+]?\d*(,\d+)?)+\s*$/.test(line);
  return lines.some((line) => line.includes(',')) && lines.every((line) => !line.includes(',') || isOf(line));
}
