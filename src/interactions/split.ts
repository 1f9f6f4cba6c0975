// A set in two parts, and the arithmetic that all splitters share. Both parts share the whole's vocabularies: a test
// item that train never saw is cold to a model, not unknown to the data.

import { DataError } from '../core/errors';
import { show } from '../core/options';
import { Interactions } from './interactions';

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

/** The positions, in ascending order, whose part has this number. */
export function positionsOf(parts: Uint8Array | Int32Array, part: number): Int32Array {
  let count = 0;
  for (const number of parts) if (number === part) count++;
  const positions = new Int32Array(count);
  for (let at = 0, next = 0; at < parts.length; at++) if (parts[at] === part) positions[next++] = at;
  return positions;
}

/** round(fraction * whole), but neither nothing nor all; `whole` is at least 2. */
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

/** Throws where a set is too small for two parts. */
export function requireTwoRows(splitter: string, size: number): void {
  if (size >= 2) return;
  throw new DataError(`${splitter}: the set has ${size} rows; want at least 2, one for each part`);
}
