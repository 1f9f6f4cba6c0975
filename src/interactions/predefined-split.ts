// A split that somebody else made (u1.base and u1.test, the sets of a paper): two lists of rows become two parts.

import { DataError } from '../core/errors';
import { readOptions } from '../core/options';
import { type DuplicatePolicy, duplicatesField } from './duplicates';
import { Interactions, type InteractionsOptions, type Row } from './interactions';
import type { Split } from './split';
import { Vocabulary } from './vocabulary';

/**
 * Joins two lists of rows into a split over shared vocabularies: train's ids first, then those that only test has.
 *
 * The parts are taken as they are: a pair that is in both stays in both. `duplicates` treats repeats within a part.
 *
 * @throws DataError as `Interactions.from`; the row is counted within its own part.
 * @throws OptionError for an unknown option or a bad value.
 *
 * @example
 * ```ts
 * import { predefinedSplit } from 'opmf';
 * const { train, test } = predefinedSplit([['ann', 'tea', 4], ['bob', 'tea', 2]], [['ann', 'milk', 3]]);
 * console.log(train.size, test.size, train.items.has('milk')); // 2 1 true
 * ```
 */
export function predefinedSplit(
  train: Iterable<Row>,
  test: Iterable<Row>,
  options?: Pick<InteractionsOptions, 'duplicates'>,
): Split {
  const { duplicates } = readOptions<{ duplicates: DuplicatePolicy }>('predefinedSplit', options, {
    duplicates: duplicatesField,
  });
  const shared = { duplicates, users: new Vocabulary(), items: new Vocabulary() };
  const read = (part: string, rows: Iterable<Row>) => {
    try {
      return Interactions.from(rows, shared);
    } catch (error) {
      throw error instanceof DataError
        ? new DataError(`predefinedSplit, ${part}: ${error.message}`, error.place)
        : error;
    }
  };
  return { train: read('train', train), test: read('test', test) };
}
