// The split by rows: every row has the same chance of being tested, whoever it is from.

import { field, number, readOptions, seed as seedCheck } from '../core/options';
import { type Seed, Stream } from '../core/random';
import type { Interactions } from './interactions';
import { partSize, positionsOf, range, requireInteractions, requireTwoRows, type Split } from './split';

/** Options of `splitRandom`. */
export interface SplitRandomOptions {
  /** The part of the rows that is tested, above 0 and below 1. @defaultValue 0.2 */
  readonly testFraction?: number | undefined;
  /** @defaultValue 1 */
  readonly seed?: Seed | undefined;
}

/**
 * Splits rows at random: round(testFraction * size) of them become the test part, but neither part is ever empty.
 *
 * Rows keep their order within each part. The same seed and number of rows give the same positions. Rows of one pair,
 * where `duplicates: 'keep'` left any, may come to lie in both parts.
 *
 * Cost: linear in the rows.
 *
 * @throws OptionError for a fraction outside (0, 1) or an unknown option.
 * @throws DataError for fewer than 2 rows.
 *
 * @example
 * ```ts
 * import { splitRandom, syntheticInteractions } from 'opmf';
 * const { train, test } = splitRandom(syntheticInteractions({ users: 50, items: 40, ratings: 500 }), { testFraction: 0.1 });
 * console.log(train.size, test.size); // 450 50
 * ```
 */
export function splitRandom(data: Interactions, options?: SplitRandomOptions): Split {
  const { testFraction, seed } = readOptions<{ testFraction: number; seed: Seed }>('splitRandom', options, {
    testFraction: field(number({ min: 0, max: 1, above: true, below: true }), 0.2),
    seed: field<Seed>(seedCheck, 1),
  });
  requireInteractions('splitRandom', data);
  requireTwoRows('splitRandom', data.size);
  const order = range(data.size);
  Stream.of(seed).fork('split-random').shuffle(order);
  const parts = new Uint8Array(data.size);
  for (const at of order.subarray(0, partSize(testFraction, data.size))) parts[at] = 1;
  return { train: data.select(positionsOf(parts, 0)), test: data.select(positionsOf(parts, 1)) };
}
