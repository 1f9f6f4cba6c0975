// What one rating looks like: as a caller writes it (a row), and as the library holds many (columns of numbers).

import type { Id } from './vocabulary';

/**
 * One rating, or one event: a user, an item, and how much.
 *
 * Units: `value` is on the caller's rating scale, `timestamp` is in seconds, `weight` multiplies the row's loss.
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
  /** @defaultValue 1 */
  readonly weight?: number | undefined;
  /** In seconds. Either every row has one, or none. */
  readonly timestamp?: number | undefined;
}

/**
 * A rating as a caller may write it: an object, or a tuple without the names.
 *
 * @example
 * ```ts
 * import { Interactions, type Row } from 'opmf';
 * const rows: Row[] = [['ann', 'tea', 4], { userId: 'bob', itemId: 'tea', value: 2 }];
 * console.log(Interactions.from(rows).stats().mean); // 3
 * ```
 */
export type Row =
  | Interaction
  | readonly [userId: Id, itemId: Id, value?: number | undefined, timestamp?: number | undefined];

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
  return {
    userIndex: positions.map((at) => userIndex[at]!),
    itemIndex: positions.map((at) => itemIndex[at]!),
    values: Float32Array.from(positions, (at) => values[at]!),
    weights: weights && Float32Array.from(positions, (at) => weights[at]!),
    timestamps: timestamps && Float64Array.from(positions, (at) => timestamps[at]!),
  };
}
