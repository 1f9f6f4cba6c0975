// Cross-validation by rows: the set is dealt into folds, and each fold is tested once.

import { OptionError } from '../core/errors';
import { field, integer, readOptions, seed as seedCheck } from '../core/options';
import { type Seed, Stream } from '../core/random';
import type { Interactions } from './interactions';
import { positionsOf, range, requireInteractions, requireTwoRows, type Split } from './split';

/** Options of `kFold`. */
export interface KFoldOptions {
  /** How many folds, from 2 to the number of rows. @defaultValue 5 */
  readonly folds?: number | undefined;
  /** @defaultValue 1 */
  readonly seed?: Seed | undefined;
}

/**
 * Deals the rows at random into folds of equal size (they differ by one row at most) and returns one split a fold:
 * the fold is the test part, all others are the train part.
 *
 * Every row is tested exactly once. Rows keep their order within each part. Positions are drawn: the same rows in another
 * order make other folds.
 *
 * Cost: linear in folds * rows, in time and in memory.
 *
 * @throws OptionError for fewer than 2 folds, more folds than rows, or an unknown option.
 * @throws DataError for fewer than 2 rows.
 *
 * @example
 * ```ts
 * import { kFold, syntheticInteractions } from 'opmf';
 * const splits = kFold(syntheticInteractions({ users: 50, items: 40, ratings: 500 }), { folds: 5 });
 * console.log(splits.map(({ test }) => test.size).join(' ')); // 100 100 100 100 100
 * ```
 */
export function kFold(data: Interactions, options?: KFoldOptions): Split[] {
  const { folds, seed } = readOptions<{ folds: number; seed: Seed }>('kFold', options, {
    folds: field(integer({ min: 2 }), 5),
    seed: field<Seed>(seedCheck, 1),
  });
  requireInteractions('kFold', data);
  requireTwoRows('kFold', data.size);
  if (folds > data.size) {
    throw new OptionError('folds', folds, `kFold: folds is ${folds}; want at most ${data.size}, the number of rows`);
  }
  const order = range(data.size);
  Stream.of(seed).fork('k-fold').shuffle(order);
  const foldOf = new Int32Array(data.size);
  for (let k = 0; k < order.length; k++) foldOf[order[k]!] = k % folds;
  return Array.from({ length: folds }, (_, fold) => {
    const isTest = Uint8Array.from(foldOf, (number) => (number === fold ? 1 : 0));
    return { train: data.select(positionsOf(isTest, 0)), test: data.select(positionsOf(isTest, 1)) };
  });
}
