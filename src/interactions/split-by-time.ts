// The split at a moment: a model is trained on the past and tested on what came after, as it is used.

import { DataError } from '../core/errors';
import { field, number, readOptions } from '../core/options';
import type { Interactions } from './interactions';
import { partSize, positionsOf, requireInteractions, requireTwoRows, type Split } from './split';

/** Options of `splitByTime`. */
export interface SplitByTimeOptions {
  /** The part of the rows that is tested, above 0 and below 1. @defaultValue 0.2 */
  readonly testFraction?: number | undefined;
}

/**
 * Splits at a moment: the latest round(testFraction * size) rows become the test part, but neither part is ever empty.
 *
 * No row of train is later than one of test. Of rows at the very moment of the split, those that come last in the data are
 * tested. Rows keep their order within each part. Nothing is drawn at random.
 *
 * Cost: a sort of the timestamps.
 *
 * @throws OptionError for a fraction outside (0, 1) or an unknown option.
 * @throws DataError for rows without timestamps, or fewer than 2 rows.
 * @see Meng et al., "Exploring Data Splitting Strategies for the Evaluation of Recommendation Models" (RecSys 2020)
 *
 * @example
 * ```ts
 * import { Interactions, splitByTime } from 'opmf';
 * const data = Interactions.from([['ann', 'tea', 4, 30], ['bob', 'tea', 2, 10], ['ann', 'milk', 3, 20], ['bob', 'milk', 5, 40]]);
 * const { train, test } = splitByTime(data, { testFraction: 0.25 });
 * console.log(train.size, [...test][0]?.timestamp); // 3 40
 * ```
 */
export function splitByTime(data: Interactions, options?: SplitByTimeOptions): Split {
  const { testFraction } = readOptions<{ testFraction: number }>('splitByTime', options, {
    testFraction: field(number({ min: 0, max: 1, above: true, below: true }), 0.2),
  });
  requireInteractions('splitByTime', data);
  requireTwoRows('splitByTime', data.size);
  const times = timestampsOf('splitByTime', data);
  const first = data.size - partSize(testFraction, data.size);
  const sorted = times.slice().sort();
  const moment = sorted[first]!;
  // Of the rows at the moment itself, this many stay in train.
  let early = first - sorted.indexOf(moment);
  const parts = new Uint8Array(data.size);
  for (let at = 0; at < data.size; at++) {
    if (times[at]! > moment || (times[at] === moment && early-- <= 0)) parts[at] = 1;
  }
  return { train: data.select(positionsOf(parts, 0)), test: data.select(positionsOf(parts, 1)) };
}

/** The timestamps of a set that is to be split by them. */
export function timestampsOf(splitter: string, { timestamps }: Interactions): Float64Array {
  if (timestamps !== undefined) return timestamps;
  throw new DataError(
    `${splitter}: the set has no timestamps; give every row one, in seconds, or split at random (splitRandom, or splitLeaveOneOut by 'random')`,
  );
}
