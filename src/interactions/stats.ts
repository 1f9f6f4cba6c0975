// The figures that describe a set of ratings at a glance, in double precision.

import { DataError } from '../core/errors';
import type { Columns } from './row';

/** What `Interactions.stats()` returns. */
export interface InteractionStats {
  /** The number of rows. */
  readonly ratings: number;
  /** Users with at least one row in this set; the vocabulary may hold more. */
  readonly users: number;
  /** Items with at least one row in this set. */
  readonly items: number;
  /** ratings / (users * items). */
  readonly density: number;
  readonly mean: number;
  /** Of the population: the mean squared deviation's root. */
  readonly standardDeviation: number;
  readonly minimum: number;
  readonly maximum: number;
  /** The median number of rows of the users that have any. */
  readonly medianPerUser: number;
  /** The median number of rows of the items that have any. */
  readonly medianPerItem: number;
}

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

/** How often each number occurs that occurs at all, in ascending order. */
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
