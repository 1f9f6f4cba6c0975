// What one rating looks like: as a caller writes it (a row), and as the library holds many (columns of numbers).

import type { Id } from './vocabulary';

/**
 * One rating, or one event: a user, an item, and how much.
 *
 * Units: `value` is on the caller's rating scale, `timestamp` is in seconds. Of weights only the ratios matter: a row of
 * `weight` 2 counts as two rows of weight 1, and one of weight 0 as none.
 *
 * @example
 * ```ts
 * import { Interactions, type Interaction } from 'opmf';
 * const row: Interaction = { userId: 'ann', itemId: 'tea', value: 4 };
 * console.log(Interactions.from([row]).size); // 1
 * ```
 */
export interface Interaction {
  readonly userId: Id;
  readonly itemId: Id;
  /** @defaultValue 1 */
  readonly value?: number | undefined;
  /** At least 0; 0: the row is left out. @defaultValue 1 */
  readonly weight?: number | undefined;
  /** In seconds since 1970. Either every row has one, or none. */
  readonly timestamp?: number | undefined;
}

/**
 * A rating as a caller may write it: an object, or a tuple without the names. A time may be a Date. Numbers are seconds, unless
 * the largest of all rows would then lie beyond the year 9999: milliseconds, and by the same rule micro- and nanoseconds.
 *
 * @example
 * ```ts
 * import { Interactions, type Row } from 'opmf';
 * const rows: Row[] = [['ann', 'tea', 4], { userId: 'bob', itemId: 'tea', value: 2 }];
 * console.log(Interactions.from(rows).stats().mean); // 3
 * ```
 */
export type Row =
  | (Omit<Interaction, 'timestamp'> & { readonly timestamp?: number | Date | undefined })
  | readonly [userId: Id, itemId: Id, value?: number | undefined, timestamp?: number | Date | undefined];

/** The numbers of many ratings, a column each, all of one length. Users and items are given by their vocabulary numbers. */
export interface Columns {
  readonly userIndex: Int32Array;
  readonly itemIndex: Int32Array;
  readonly values: Float32Array;
  readonly weights?: Float32Array | undefined;
  readonly timestamps?: Float64Array | undefined;
}

/** The columns of the rows at some positions, in the order of the positions. */
export function selectColumns(columns: Columns, positions: Int32Array): Columns {
  const { userIndex, itemIndex, values, weights, timestamps } = columns;
  const count = positions.length;
  return {
    userIndex: gather(userIndex, positions, new Int32Array(count)),
    itemIndex: gather(itemIndex, positions, new Int32Array(count)),
    values: gather(values, positions, new Float32Array(count)),
    weights: weights && gather(weights, positions, new Float32Array(count)),
    timestamps: timestamps && gather(timestamps, positions, new Float64Array(count)),
  };
}

function gather<T extends Int32Array | Float32Array | Float64Array>(from: T, positions: Int32Array, to: T): T {
  for (let at = 0; at < positions.length; at++) to[at] = from[positions[at]!]!;
  return to;
}
