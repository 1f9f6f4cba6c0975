// The split that leaves one row of each user out (He et al. 2017): the latest, or one drawn at random.

import { DataError } from '../core/errors';
import { field, oneOf, readOptions, seed as seedCheck } from '../core/options';
import { type Seed, Stream } from '../core/random';
import type { Interactions } from './interactions';
import { positionsOf, range, requireInteractions, type Split } from './split';
import { timestampsOf } from './split-by-time';

/** Options of `splitLeaveOneOut`. */
export interface SplitLeaveOneOutOptions {
  /** Which row of a user is tested: the latest, or any. @defaultValue 'time' */
  readonly by?: 'time' | 'random' | undefined;
  /** Of `by: 'random'`. @defaultValue 1 */
  readonly seed?: Seed | undefined;
}

/**
 * Leaves one row of every user out for testing: the latest (of rows at the same time, the last in the data), or one drawn
 * at random.
 *
 * A user with a single row stays in train. Rows keep their order within each part.
 *
 * Cost: linear in the rows and users.
 *
 * @throws OptionError for an unknown option or a bad value.
 * @throws DataError by time for rows without timestamps; where no user has 2 rows.
 * @see He et al., "Neural Collaborative Filtering" (WWW 2017), section 4.1
 *
 * @example
 * ```ts
 * import { Interactions, splitLeaveOneOut } from 'opmf';
 * const data = Interactions.from([['ann', 'tea', 4, 30], ['bob', 'tea', 2, 10], ['ann', 'milk', 3, 20]]);
 * const { train, test } = splitLeaveOneOut(data);
 * console.log(train.size, test.size, [...test][0]?.itemId); // 2 1 tea
 * ```
 */
export function splitLeaveOneOut(data: Interactions, options?: SplitLeaveOneOutOptions): Split {
  const { by, seed } = readOptions<{ by: 'time' | 'random'; seed: Seed }>('splitLeaveOneOut', options, {
    by: field(oneOf('time', 'random'), 'time'),
    seed: field<Seed>(seedCheck, 1),
  });
  requireInteractions('splitLeaveOneOut', data);
  const rowsOf = new Int32Array(data.users.size);
  for (const user of data.userIndex) rowsOf[user]!++;
  const left = by === 'time' ? latestRows(data) : drawnRows(data, seed);
  const parts = new Uint8Array(data.size);
  let tested = 0;
  for (let user = 0; user < rowsOf.length; user++) {
    if (rowsOf[user]! < 2) continue;
    parts[left[user]!] = 1;
    tested++;
  }
  if (tested === 0) {
    throw new DataError(
      `splitLeaveOneOut: no user of the set's ${data.size} rows has 2 of them; want at least one user with one row for each part`,
    );
  }
  return { train: data.select(positionsOf(parts, 0)), test: data.select(positionsOf(parts, 1)) };
}

/** The position of each user's latest row. */
function latestRows(data: Interactions): Int32Array {
  const times = timestampsOf('splitLeaveOneOut', data);
  const latest = new Int32Array(data.users.size).fill(-1);
  for (let at = 0; at < data.size; at++) {
    const user = data.userIndex[at]!;
    const held = latest[user]!;
    if (held < 0 || times[at]! >= times[held]!) latest[user] = at;
  }
  return latest;
}

/** The position of one row of each user: its last in a random order of all rows. */
function drawnRows(data: Interactions, seed: Seed): Int32Array {
  const order = range(data.size);
  Stream.of(seed).fork('split-leave-one-out').shuffle(order);
  const drawn = new Int32Array(data.users.size);
  for (const at of order) drawn[data.userIndex[at]!] = at;
  return drawn;
}
