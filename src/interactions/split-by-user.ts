// The split by users (strong generalisation: Marlin 2004; Liang et al. 2018): the tested users are unseen in training,
// and a part of their rows, the history, tells a model who they are.

import { DataError } from '../core/errors';
import { field, number, readOptions, seed as seedCheck } from '../core/options';
import { type Seed, Stream } from '../core/random';
import type { Interactions } from './interactions';
import { partSize, positionsOf, range, requireInteractions, requireTwoRows, type Split } from './split';

/** Options of `splitByUser`. */
export interface SplitByUserOptions {
  /** The part of the users that is tested, above 0 and below 1. @defaultValue 0.2 */
  readonly testFraction?: number | undefined;
  /** The part of a tested user's rows that is tested; the others are the history. Above 0 and below 1. @defaultValue 0.2 */
  readonly holdOutPerUser?: number | undefined;
  /** @defaultValue 1 */
  readonly seed?: Seed | undefined;
}

/** A split whose tested users are unseen in training. */
export interface UserSplit extends Split {
  /** The rows of the tested users that a model may be told, to fold them in. */
  readonly history: Interactions;
}

const TRAIN = 0;
const HISTORY = 1;
const TEST = 2;

/**
 * Splits users at random: of round(testFraction * users) of them (at least one, never all), train has no row.
 *
 * Of a tested user's n rows, round(holdOutPerUser * n) are the test part, at least one and never all; the others are the
 * history. Users with a single row cannot be both known and tested, so they are always trained on. Rows keep their order
 * within each part. Users without rows in `data` do not count.
 *
 * Cost: linear in the rows and users.
 *
 * @throws OptionError for a fraction outside (0, 1) or an unknown option.
 * @throws DataError for fewer than 2 users, or where no user has 2 rows.
 * @see Liang, Krishnan, Hoffman, Jebara, "Variational Autoencoders for Collaborative Filtering" (WWW 2018), section 4.3
 *
 * @example
 * ```ts
 * import { splitByUser, syntheticInteractions } from 'opmf';
 * const data = syntheticInteractions({ users: 50, items: 40, ratings: 500 });
 * const { train, history, test } = splitByUser(data, { testFraction: 0.1 });
 * console.log(train.stats().users, history.stats().users, test.stats().users); // 45 5 5
 * ```
 */
export function splitByUser(data: Interactions, options?: SplitByUserOptions): UserSplit {
  const fraction = field(number({ min: 0, max: 1, above: true, below: true }), 0.2);
  const { testFraction, holdOutPerUser, seed } = readOptions<{
    testFraction: number;
    holdOutPerUser: number;
    seed: Seed;
  }>('splitByUser', options, {
    testFraction: fraction,
    holdOutPerUser: fraction,
    seed: field<Seed>(seedCheck, 1),
  });
  requireInteractions('splitByUser', data);
  requireTwoRows('splitByUser', data.size);
  const stream = Stream.of(seed).fork('split-by-user');
  const rowsOf = new Int32Array(data.users.size);
  for (const user of data.userIndex) rowsOf[user]!++;

  const chosen = chooseUsers(rowsOf, testFraction, stream.fork('users'));
  const heldOut = new Int32Array(data.users.size);
  for (const user of chosen) heldOut[user] = partSize(holdOutPerUser, rowsOf[user]!);

  // A user's first `heldOut` rows in random order are tested; the count runs down to -1 rows left to test.
  const isChosen = new Uint8Array(data.users.size);
  for (const user of chosen) isChosen[user] = 1;
  const order = range(data.size);
  stream.fork('rows').shuffle(order);
  const parts = new Uint8Array(data.size);
  for (const at of order) {
    const user = data.userIndex[at]!;
    if (isChosen[user] === 1) parts[at] = heldOut[user]!-- > 0 ? TEST : HISTORY;
  }
  return {
    train: data.select(positionsOf(parts, TRAIN)),
    history: data.select(positionsOf(parts, HISTORY)),
    test: data.select(positionsOf(parts, TEST)),
  };
}

/** The users to test: of those with at least 2 rows, at least one, and never all that there are. */
function chooseUsers(rowsOf: Int32Array, testFraction: number, stream: Stream): Int32Array {
  const present = rowsOf.reduce((count, rows) => count + (rows > 0 ? 1 : 0), 0);
  const eligible = range(rowsOf.length).filter((user) => rowsOf[user]! >= 2);
  if (present < 2 || eligible.length === 0) {
    throw new DataError(
      `splitByUser: ${present} users have rows, ${eligible.length} of them at least 2; want at least 2 users, one of them with 2 rows`,
    );
  }
  stream.shuffle(eligible);
  return eligible.subarray(0, partSize(testFraction, present));
}
