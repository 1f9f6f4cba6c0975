// What was left out of a set when its rows were read: reported by the set itself, so that nothing is lost silently.

import { DataError, isInstance } from '../core/errors';
import { optional, readOptions } from '../core/options';
import { runToEnd } from '../core/scheduler';
import { VERSION } from '../core/version';
import { duplicatesField, resolveDuplicates, withoutAbsent } from './duplicates';
import { type Columns, type Interaction, type Row, readColumns, readRows, selectColumns } from './rows';
import { aVocabulary, type Id, Vocabulary } from './vocabulary';

/**
 * What a reader left out of a set of ratings.
 *
 * @example
 * ```ts
 * import { parseInteractions } from 'opmf';
 * const text = 'user,item,rating\nann,tea,4\nbob,tea,?\ncy,tea,NA\n';
 * const { leftOut } = parseInteractions(text, { invalid: 'skip', missing: 'NA' });
 * console.log(leftOut.invalid, leftOut.missing, leftOut.faults[0]?.place.line); // 1 1 3
 * ```
 */
export type LeftOut = Interactions['leftOut'];

/** Nothing was left out. */
export const NOTHING_LEFT_OUT: LeftOut = Object.freeze({
  invalid: 0,
  missing: 0,
  repeated: 0,
  absent: 0,
  faults: Object.freeze([]),
});

// Summary statistics of a set of ratings, in double precision.

/** What `Interactions.stats()` returns. */
export type InteractionStats = ReturnType<Interactions['stats']>;

/** The statistics of some columns. */
export function columnStats(
  { userIndex, itemIndex, values }: Columns,
  userCount: number,
  itemCount: number,
): InteractionStats {
  const ratings = values.length;
  if (ratings === 0)
    throw new DataError('stats() of an empty set of interactions has no mean; check that size is above 0 first');
  let sum = 0;
  let minimum = Infinity;
  let maximum = -Infinity;
  for (const value of values) {
    sum += value;
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
  }
  const mean = sum / ratings;
  let squares = 0;
  for (const value of values) squares += (value - mean) * (value - mean);
  const perUser = positiveCounts(userIndex, userCount);
  const perItem = positiveCounts(itemIndex, itemCount);
  return {
    ratings,
    users: perUser.length,
    items: perItem.length,
    density: ratings / (perUser.length * perItem.length),
    mean,
    standardDeviation: Math.sqrt(squares / ratings),
    minimum,
    maximum,
    medianPerUser: medianOfSorted(perUser),
    medianPerItem: medianOfSorted(perItem),
  };
}

/** The positive counts of a column of numbers, in ascending order. */
function positiveCounts(index: Int32Array, size: number): Int32Array {
  const counts = new Int32Array(size);
  for (const number of index) counts[number]!++;
  counts.sort();
  return counts.subarray(counts.findIndex((count) => count > 0));
}

function medianOfSorted(sorted: Int32Array): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

// The data for training and testing: ratings as columns, over two vocabularies of ids. Immutable; splits are new sets
// over the same vocabularies.

export type { DuplicatePolicy } from './duplicates';
export type { InputColumns, Interaction, Row } from './rows';

/** How rows become a set. */
export interface InteractionsOptions {
  /**
   * How to treat rows of the same user and item: `last` and `first` keep that row, `sum` keeps the last with the sum
   * of the values, `keep` keeps all, `error` throws. A row that is kept keeps its place in the order.
   * @defaultValue 'last'
   */
  readonly duplicates?: 'last' | 'first' | 'sum' | 'keep' | 'error' | undefined;
  /** A vocabulary to share; new ids are added to it. @defaultValue a new one */
  readonly users?: Vocabulary | undefined;
  /** A vocabulary to share; new ids are added to it. @defaultValue a new one */
  readonly items?: Vocabulary | undefined;
}

/**
 * Ratings r_ui of users u and items i, in the order in which they were given.
 *
 * Shapes: `userIndex`, `itemIndex`, `values` (and `weights`, `timestamps` where given) have `size` entries; row k is the
 * rating `values[k]` of user `users.idOf(userIndex[k])` for item `items.idOf(itemIndex[k])`. Values are float32.
 * Cost: 12 bytes a row, 4 more with weights, 8 more with timestamps; a million rows are read in well under a second.
 *
 * @example
 * ```ts
 * import { Interactions } from 'opmf';
 * const data = Interactions.from([
 *   ['ann', 'tea', 4],
 *   ['bob', 'tea', 2],
 *   ['ann', 'milk', 3],
 *   ['ann', 'tea', 5],
 * ]);
 * console.log(data.size); // 3
 * console.log([...data].map((row) => `${row.userId} ${row.itemId} ${row.value}`).join(', ')); // bob tea 2, ann milk 3, ann tea 5
 * ```
 */
export class Interactions implements Iterable<Interaction> {
  /** @internal */
  static readonly opmf = 'Interactions';
  /** @internal */
  static readonly version = VERSION;
  /** @internal Objects of the same class of the other module format are instances too. */
  static [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: subclasses ask for themselves
    return isInstance(this, value);
  }

  /** The number of rows. */
  readonly size: number;
  /** The users' ids; shared by the parts of a split, so some may have no row here. */
  readonly users: Vocabulary;
  /** The items' ids; shared by the parts of a split, so some may have no row here. */
  readonly items: Vocabulary;
  /** Each row's user, as a number of `users`. */
  readonly userIndex: Int32Array;
  /** Each row's item, as a number of `items`. */
  readonly itemIndex: Int32Array;
  /** Each row's value. */
  readonly values: Float32Array;
  /** Each row's weight, above 0; absent if no row was given one. Only their ratios matter to training. */
  declare readonly weights?: Float32Array;
  /** Each row's time in seconds; absent if the rows have none. */
  declare readonly timestamps?: Float64Array;
  /** What was left out when the rows were read; empty for the parts of a split. */
  readonly leftOut: {
    /** Rows that could not be read, under `invalid: 'skip'` or a function; in a wide table, lines. */
    readonly invalid: number;
    /** Rows of a long table whose value is one of `missing`. */
    readonly missing: number;
    /** Rows replaced by, or merged into, another of the same user and item (`duplicates`). */
    readonly repeated: number;
    /** Rows of weight 0, which count as not given. */
    readonly absent: number;
    /** The faults of the first few of the `invalid` rows. */
    readonly faults: readonly DataError[];
  };

  private constructor(
    users: Vocabulary,
    items: Vocabulary,
    columns: Columns,
    leftOut: Interactions['leftOut'] = NOTHING_LEFT_OUT,
  ) {
    this.leftOut = leftOut;
    this.size = columns.values.length;
    this.users = users;
    this.items = items;
    this.userIndex = columns.userIndex;
    this.itemIndex = columns.itemIndex;
    this.values = columns.values;
    if (columns.weights !== undefined) this.weights = columns.weights;
    if (columns.timestamps !== undefined) this.timestamps = columns.timestamps;
  }

  /**
   * Reads rows: objects or tuples, from any iterable.
   *
   * A value or weight that is left out is 1; timestamps are given by all rows or by none. A row of weight 0 is checked and
   * then left out, as if it had not been given: `size`, statistics, splits, histories and vocabularies ignore it.
   * If a row is invalid, a shared vocabulary stays as it was.
   *
   * @throws DataError naming the row (from 1) that is misshapen, has no usable id, a value that is not finite, a negative
   * weight, or, with `duplicates: 'error'`, a duplicate pair.
   * @throws OptionError for an unknown option or a bad value.
   */
  static from(rows: Iterable<Row>, options?: InteractionsOptions): Interactions {
    return build('Interactions.from', options, (users, items) => readRows(rows, users, items));
  }

  /**
   * Reads columns: lists of equal length, plain or typed. The fastest constructor; the lists are copied.
   *
   * @throws DataError as `from`, and if the columns' lengths differ.
   * @throws OptionError for an unknown option or a bad value.
   *
   * @example
   * ```ts
   * import { Interactions } from 'opmf';
   * const data = Interactions.fromColumns({ userIds: [7, 7, 9], itemIds: ['tea', 'milk', 'tea'], values: [4, 3, 5] });
   * console.log(data.stats().mean); // 4
   * ```
   */
  static fromColumns(
    columns: {
      readonly userIds: ArrayLike<Id>;
      readonly itemIds: ArrayLike<Id>;
      /** @defaultValue all 1 */
      readonly values?: ArrayLike<number> | undefined;
      /** @defaultValue all 1 */
      readonly weights?: ArrayLike<number> | undefined;
      /** Since 1970: numbers of seconds (or, where these would lie beyond the year 9999, of milli-, micro- or nanoseconds), or Dates. */
      readonly timestamps?: ArrayLike<number | Date> | undefined;
    },
    options?: InteractionsOptions,
  ): Interactions {
    return build('Interactions.fromColumns', options, (users, items) => readColumns(columns, users, items));
  }

  /** @internal Takes columns as they are, unchecked and uncopied. */
  static ofIndices(
    { users, items, ...columns }: { users: Vocabulary; items: Vocabulary } & Columns,
    leftOut?: Interactions['leftOut'],
  ): Interactions {
    return new Interactions(users, items, columns, leftOut);
  }

  /** @internal The rows at the given positions, in that order, over the same vocabularies. */
  select(positions: Int32Array): Interactions {
    return new Interactions(this.users, this.items, selectColumns(this, positions));
  }

  /** The rows as objects, with the caller's ids. `weight` and `timestamp` are present if the set has them. */
  *[Symbol.iterator](): IterableIterator<Interaction> {
    for (let at = 0; at < this.size; at++) {
      yield {
        userId: this.users.idOf(this.userIndex[at]!),
        itemId: this.items.idOf(this.itemIndex[at]!),
        value: this.values[at]!,
        ...(this.weights && { weight: this.weights[at]! }),
        ...(this.timestamps && { timestamp: this.timestamps[at]! }),
      };
    }
  }

  /**
   * Summary statistics: counts, density, and the values' mean, spread and range; every row counts once, whatever its
   * weight.
   *
   * Cost: three passes over the rows and a sort of the counts; nothing is kept.
   *
   * @throws DataError for an empty set, which has no mean.
   *
   * @example
   * ```ts
   * import { Interactions } from 'opmf';
   * const stats = Interactions.from([['ann', 'tea', 4], ['ann', 'milk', 2], ['bob', 'tea', 3]]).stats();
   * console.log(stats.users, stats.items, stats.density, stats.mean); // 2 2 0.75 3
   * ```
   */
  stats(): {
    /** The number of rows. */
    readonly ratings: number;
    /** Users with at least one row in this set; the vocabulary may hold more. */
    readonly users: number;
    /** Items with at least one row in this set. */
    readonly items: number;
    /** ratings / (users * items). */
    readonly density: number;
    readonly mean: number;
    /** Of the population: the root of the mean squared deviation. */
    readonly standardDeviation: number;
    readonly minimum: number;
    readonly maximum: number;
    /** The median number of rows of the users that have any. */
    readonly medianPerUser: number;
    /** The median number of rows of the items that have any. */
    readonly medianPerItem: number;
  } {
    return columnStats(this, this.users.size, this.items.size);
  }
}

function build(
  owner: string,
  options: InteractionsOptions | undefined,
  read: (users: Vocabulary, items: Vocabulary) => Columns,
): Interactions {
  const {
    duplicates,
    users = new Vocabulary(),
    items = new Vocabulary(),
  } = readOptions(owner, options, {
    duplicates: duplicatesField,
    users: optional(aVocabulary),
    items: optional(aVocabulary),
  });
  const [userCount, itemCount] = [users.size, items.size];
  try {
    const all = read(users, items);
    const count = all.values.length;
    const present = runToEnd(withoutAbsent(all, users, items, { users: userCount, items: itemCount }));
    // Counted before duplicates are dropped, from the same columns.
    const given = present.columns.values.length;
    const absent = count - given;
    const columns = runToEnd(resolveDuplicates(present, duplicates, users, items));
    const repeated = given - columns.values.length;
    return Interactions.ofIndices(
      { users, items, ...columns },
      repeated + absent === 0 ? undefined : { ...NOTHING_LEFT_OUT, repeated, absent },
    );
  } catch (error) {
    users.truncate(userCount);
    items.truncate(itemCount);
    throw error;
  }
}
