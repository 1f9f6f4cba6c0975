// Splits of a set into two parts, and the arithmetic that all splitters share. Both parts share the whole's
// vocabularies: a test item that never occurs in train is cold to a model, but known to the data.

import { DataError, OptionError } from '../core/errors';
import { field, integer, number, oneOf, readOptions, seed as seedCheck, show } from '../core/options';
import { type Seed, Stream } from '../core/random';
import { duplicatesField } from './duplicates';
import { Interactions, type InteractionsOptions, type Row } from './interactions';
import { Vocabulary } from './vocabulary';

/**
 * Ratings to train on and ratings to test with, over the same vocabularies.
 *
 * @example
 * ```ts
 * import { splitRandom, syntheticInteractions, type Split } from 'opmf';
 * const split: Split = splitRandom(syntheticInteractions({ users: 50, items: 40, ratings: 500 }));
 * console.log(split.train.users === split.test.users); // true
 * ```
 */
export interface Split {
  readonly train: Interactions;
  readonly test: Interactions;
}

/** Declares an option for the fraction of a set that is tested: above 0 and below 1. */
export const part = (fallback: number) => field(number({ min: 0, max: 1, above: true, below: true }), fallback);

/** The positions, in ascending order, that are assigned to this part. */
export function positionsOf(parts: Uint8Array | Int32Array, part: number): Int32Array {
  let count = 0;
  for (const number of parts) if (number === part) count++;
  const positions = new Int32Array(count);
  for (let at = 0, next = 0; at < parts.length; at++) if (parts[at] === part) positions[next++] = at;
  return positions;
}

/** round(fraction * whole), but at least 1 and less than `whole`, which is at least 2. */
export function partSize(fraction: number, whole: number): number {
  return Math.min(Math.max(Math.round(fraction * whole), 1), whole - 1);
}

/** The numbers 0 to count - 1. */
export function range(count: number): Int32Array {
  const numbers = new Int32Array(count);
  for (let at = 0; at < count; at++) numbers[at] = at;
  return numbers;
}

/** Throws unless `data` is a set of ratings. */
export function requireInteractions(owner: string, data: unknown): void {
  if (data instanceof Interactions) return;
  throw new DataError(`${owner}: data is ${show(data)}; want Interactions: make them with Interactions.from(rows)`);
}

/** Throws if a set is too small for two parts. */
export function requireTwoRows(splitter: string, size: number): void {
  if (size >= 2) return;
  throw new DataError(`${splitter}: the set has ${size} rows; want at least 2, one for each part`);
}

// The split by rows: every row is tested with the same probability, independently of its user.

/** Options of `splitRandom`. */
export type SplitRandomOptions = Parameters<typeof splitRandom>[1];

/**
 * Splits rows at random: round(testFraction * size) of them become the test part, but neither part is ever empty.
 *
 * Rows keep their order within each part. The same seed and number of rows give the same positions. Rows of one pair,
 * if `duplicates: 'keep'` left any, may fall into both parts.
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
export function splitRandom(
  data: Interactions,
  options?: {
    /** The fraction of the rows that is tested, above 0 and below 1. @defaultValue 0.2 */
    readonly testFraction?: number | undefined;
    /** @defaultValue 1 */
    readonly seed?: number | string | undefined;
  },
): Split {
  const { testFraction, seed } = readOptions('splitRandom', options, {
    testFraction: part(0.2),
    seed: field(seedCheck, 1),
  });
  requireInteractions('splitRandom', data);
  requireTwoRows('splitRandom', data.size);
  const order = range(data.size);
  Stream.of(seed).fork('split-random').shuffle(order);
  const parts = new Uint8Array(data.size);
  for (const at of order.subarray(0, partSize(testFraction, data.size))) parts[at] = 1;
  return { train: data.select(positionsOf(parts, 0)), test: data.select(positionsOf(parts, 1)) };
}

// The split by time: a model is trained on the past and tested on what came after, as in production.

/**
 * Splits by time: the latest round(testFraction * size) rows become the test part, but neither part is ever empty.
 *
 * No row of train is later than one of test. Of rows at exactly the time of the split, those that come last in the data
 * are tested. Rows keep their order within each part. Nothing is drawn at random.
 *
 * Where a user may have an item more than once, as with clicks, make the data with `duplicates: 'first'`: by default only
 * the last row of a pair is there, so that a pair from before and after the split is in test and missing in train.
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
export function splitByTime(
  data: Interactions,
  options?: {
    /** The fraction of the rows that is tested, above 0 and below 1. @defaultValue 0.2 */
    readonly testFraction?: number | undefined;
  },
): Split {
  const { testFraction } = readOptions('splitByTime', options, {
    testFraction: part(0.2),
  });
  requireInteractions('splitByTime', data);
  requireTwoRows('splitByTime', data.size);
  const times = timestampsOf('splitByTime', data);
  const first = data.size - partSize(testFraction, data.size);
  const sorted = times.slice().sort();
  const moment = sorted[first]!;
  // Of the rows at exactly the time of the split, this many stay in train.
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

// The split that leaves out one row of each user (He et al. 2017): the latest, or one drawn at random.

/**
 * Leaves one row of every user out for testing: the latest (of rows at the same time, the last in the data), or one drawn
 * at random.
 *
 * A user with a single row stays in train. Rows keep their order within each part.
 *
 * Cost: linear in the rows and users.
 *
 * @throws OptionError for an unknown option or a bad value.
 * @throws DataError for rows without timestamps (by time); if no user has 2 rows.
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
export function splitLeaveOneOut(
  data: Interactions,
  options?: {
    /** Which row of a user is tested: the latest, or a random one. @defaultValue 'time' */
    readonly by?: 'time' | 'random' | undefined;
    /** The seed of `by: 'random'`. @defaultValue 1 */
    readonly seed?: number | string | undefined;
  },
): Split {
  const { by, seed } = readOptions('splitLeaveOneOut', options, {
    by: field(oneOf('time', 'random'), 'time'),
    seed: field(seedCheck, 1),
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

// The split by users (strong generalisation: Marlin 2004; Liang et al. 2018): the tested users are unseen in training,
// and some of their rows, the history, are given to the model.

const TRAIN = 0;
const HISTORY = 1;
const TEST = 2;

/**
 * Splits users at random: round(testFraction * users) of them (at least one, never all) have no row in train.
 *
 * Of a tested user's n rows, round(holdOutPerUser * n) are the test part, at least one and never all; the others are the
 * history. Users with a single row cannot have both a history and a test row, so they are always trained on. Rows keep
 * their order within each part. Users without rows in `data` do not count.
 *
 * Cost: linear in the rows and users.
 *
 * @throws OptionError for a fraction outside (0, 1) or an unknown option.
 * @throws DataError for fewer than 2 users, or if no user has 2 rows.
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
export function splitByUser(
  data: Interactions,
  options?: {
    /** The fraction of the users that is tested, above 0 and below 1. @defaultValue 0.2 */
    readonly testFraction?: number | undefined;
    /** The fraction of a tested user's rows that is tested; the others are the history. Above 0 and below 1. @defaultValue 0.2 */
    readonly holdOutPerUser?: number | undefined;
    /** @defaultValue 1 */
    readonly seed?: number | string | undefined;
  },
): Split & {
  /** The rows of the tested users from which a model may fold them in. */
  readonly history: Interactions;
} {
  const fraction = part(0.2);
  const { testFraction, holdOutPerUser, seed } = readOptions('splitByUser', options, {
    testFraction: fraction,
    holdOutPerUser: fraction,
    seed: field(seedCheck, 1),
  });
  requireInteractions('splitByUser', data);
  requireTwoRows('splitByUser', data.size);
  const stream = Stream.of(seed).fork('split-by-user');
  const rowsOf = new Int32Array(data.users.size);
  for (const user of data.userIndex) rowsOf[user]!++;

  const chosen = chooseUsers(rowsOf, testFraction, stream.fork('users'));
  const heldOut = new Int32Array(data.users.size);
  for (const user of chosen) heldOut[user] = partSize(holdOutPerUser, rowsOf[user]!);

  // The first `heldOut` rows of a user in random order are tested.
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

/** Chooses the users to test: at least one of those with 2 rows or more, and never all users. */
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

// Cross-validation by rows: the set is divided into folds, and each fold is tested once.

/**
 * Assigns the rows at random to folds of equal size (they differ by at most one row) and returns one split per fold:
 * the fold is the test part, all others are the train part.
 *
 * Every row is tested exactly once. Rows keep their order within each part. The draw is by position: the same rows in
 * another order give other folds.
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
export function kFold(
  data: Interactions,
  options?: {
    /** How many folds, from 2 to the number of rows. @defaultValue 5 */
    readonly folds?: number | undefined;
    /** @defaultValue 1 */
    readonly seed?: number | string | undefined;
  },
): Split[] {
  const { folds, seed } = readOptions('kFold', options, {
    folds: field(integer({ min: 2 }), 5),
    seed: field(seedCheck, 1),
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

// A given split (u1.base and u1.test, the sets of a paper): two lists of rows become two parts.

/**
 * Joins two lists of rows into a split over shared vocabularies: train's ids first, then those that only test has.
 *
 * The parts are not changed: a pair that is in both stays in both. `duplicates` treats repeats within a part.
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
  const { duplicates } = readOptions('predefinedSplit', options, {
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
