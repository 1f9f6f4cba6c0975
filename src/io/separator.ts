// Guesses what separates the columns of a text from its first lines: the candidate that cuts them all into the same
// number of fields. A space comes last, because names in other columns often contain one.

import type { DataError } from '../core/errors';
import { show } from '../core/options';
import type { Faults } from './fault';
import { RecordReader } from './record-reader';

const PUNCTUATION = ['\t', '::', ',', ';', '|'] as const;
/** Lines looked at: enough to tell a ragged cut from a steady one. */
const SAMPLE = 20;

/** The separator that fits the first lines best. Three steady columns are better evidence than two. */
export function sniffSeparator(text: string, quotes: boolean, faults: Faults): string;
/** The same of the start of a text; undefined where what follows could decide otherwise. */
export function sniffSeparator(text: string, quotes: boolean, faults: Faults, isAll: boolean): string | undefined;
export function sniffSeparator(text: string, quotes: boolean, faults: Faults, isAll = true): string | undefined {
  let fault: DataError | undefined;
  let touchesEnd = false;
  const cut = [...PUNCTUATION, ' '].map((separator) => {
    const records = new RecordReader(text, separator, quotes, faults);
    try {
      const counts = countFields(records);
      touchesEnd ||= records.touchesEnd;
      return { separator, ...counts };
    } catch (error) {
      // A quote that never closes, or closes in the middle of a field: under this separator at least.
      fault ??= error as DataError;
      touchesEnd ||= records.touchesEnd;
      return { separator, fewest: 0, most: 0 };
    }
  });
  if (touchesEnd && !isAll) return undefined;
  const steady = (atLeast: number) => cut.filter(({ fewest, most }) => fewest === most && fewest >= atLeast);
  const found =
    steady(3).find(({ separator }) => separator !== ' ') ??
    steady(2)[0] ??
    // Ragged lines get a separator too, so that the error can name the line that does not fit.
    cut.find(({ fewest }) => fewest >= 2) ??
    cut.find(({ most }) => most >= 2);
  if (found !== undefined) return found.separator;
  if (fault !== undefined) throw fault;
  const line = text.trimStart().split(/[\r\n]/, 1)[0]!;
  throw faults.at(
    1,
    undefined,
    `cannot tell what separates the columns of ${show(line)}; want two or more columns separated by a tab, '::', ` +
      "comma, semicolon, '|' or spaces, or set separator",
  );
}

function countFields(records: RecordReader): { fewest: number; most: number } {
  let fewest = Infinity;
  let most = 0;
  for (let line = 0; line < SAMPLE && records.next(); line++) {
    fewest = Math.min(fewest, records.fieldCount);
    most = Math.max(most, records.fieldCount);
  }
  return { fewest, most };
}
