// Values that stand for none, such as 0, -1, 'NA': a number is compared as one (99 is 99.00), any other as text.

import { parseDecimal } from './decimal';
import type { MissingValue } from './read-options';
import type { RecordReader } from './record-reader';

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
