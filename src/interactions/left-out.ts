// What did not become part of a set when its rows were read: said by the set itself, so that nothing is lost in silence.

import type { DataError } from '../core/errors';

/**
 * What a reader left out of a set of ratings.
 *
 * @example
 * ```ts
 * import { type LeftOut, parseInteractions } from 'opmf';
 * const text = 'user,item,rating\nann,tea,4\nbob,tea,?\ncy,tea,NA\n';
 * const leftOut: LeftOut = parseInteractions(text, { invalid: 'skip', missing: 'NA' }).leftOut;
 * console.log(leftOut.invalid, leftOut.missing, leftOut.faults[0]?.place.line); // 1 1 3
 * ```
 */
export interface LeftOut {
  /** Rows that could not be read, under `invalid: 'skip'` or a function; in a wide table, lines. */
  readonly invalid: number;
  /** Rows of a long table whose value is one of `missing`. */
  readonly missing: number;
  /** Rows that gave way to another of the same user and item (`duplicates`). */
  readonly repeated: number;
  /** Rows of weight 0, which are as rows that were not given. */
  readonly absent: number;
  /** The faults of the first few of the `invalid` rows. */
  readonly faults: readonly DataError[];
}

/** Nothing was left out. */
export const NOTHING_LEFT_OUT: LeftOut = Object.freeze({
  invalid: 0,
  missing: 0,
  repeated: 0,
  absent: 0,
  faults: Object.freeze([]),
});
