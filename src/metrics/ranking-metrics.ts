// How well a list ranks the relevant items first, for one user: pure functions of numbers, so that training can monitor
// them. Items with equal scores have no order of their own, so a metric is its expected value over all orders of each
// tie, in closed form (McSherry and Najork, ECIR 2008). test/metrics compares them with the enumeration of all orders.

import { naturalLog } from '../core/elementary';

/** The relevant items among all items of one score. */
export interface TieGroup {
  /** How many items have a higher score. */
  readonly before: number;
  /** How many items have this score, relevant or not; 1 means no tie. */
  readonly size: number;
  /** The gains of the relevant items among them, at least one, all above 0. */
  readonly gains: readonly number[];
}

/** One user's list, and the ideal one. */
export interface RankedList {
  /** The groups of equal scores that contain relevant items, best first; those within the cut-off are required. */
  readonly groups: readonly TieGroup[];
  /** The gains of all items relevant to the user, listed or not, in descending order; at least one, all above 0. */
  readonly ideal: ArrayLike<number>;
  /** How many items are listed. Used, like `candidates`, by AUC only. */
  readonly listed: number;
  /** How many items could have been listed, those of `ideal` included. */
  readonly candidates: number;
}

/** A metric of a list cut off at rank k, in expectation over the orders of ties. All are in [0, 1], and higher is better. */
export type RankingMeasure = (list: RankedList, k: number) => number;

/** hits / k: a list shorter than k is padded with misses. */
export const precision: RankingMeasure = (list, k) => hits(list, k) / k;

/** hits / relevant. */
export const recall: RankingMeasure = (list, k) => hits(list, k) / list.ideal.length;

/** The probability that any relevant item is listed: 1 - C(m - r, t) / C(m, t) for r relevant of m items that tie for t places. */
export const hitRate: RankingMeasure = ({ groups }, k) => {
  let missed = 1;
  for (const { before, size, gains } of groups) {
    const places = placesWithin(before, size, k);
    if (places === 0) break;
    // Place the relevant items one after the other: each misses the t places.
    for (let drawn = 0; drawn < gains.length; drawn++) missed *= Math.max(0, size - places - drawn) / (size - drawn);
  }
  return 1 - missed;
};

/** sum_r gain_r / log2(r + 1), divided by its value for the best possible list of k (Jarvelin and Kekalainen 2002). */
export const ndcg: RankingMeasure = ({ groups, ideal }, k) => {
  let sum = 0;
  for (const { before, size, gains } of groups) {
    const end = before + placesWithin(before, size, k);
    if (end === before) break;
    let gain = 0;
    for (const one of gains) gain += one;
    let weights = 0;
    for (let at = before; at < end; at++) weights += 1 / log2(at + 2);
    sum += size === 1 ? gain / log2(before + 2) : (gain / size) * weights;
  }
  let best = 0;
  for (let at = 0; at < Math.min(k, ideal.length); at++) best += ideal[at]! / log2(at + 2);
  return sum / best;
};

/** The sum of the precisions at each hit's rank, divided by the best possible number of hits min(k, relevant). */
export const averagePrecision: RankingMeasure = ({ groups, ideal }, k) => {
  let found = 0;
  let sum = 0;
  for (const { before, size, gains } of groups) {
    const places = placesWithin(before, size, k);
    if (places === 0) break;
    // Of a hit at place p of the group: the hits before the group, itself, and of its p - 1 equals each by its chance.
    const chance = gains.length / size;
    const another = size > 1 ? (gains.length - 1) / (size - 1) : 0;
    for (let p = 0; p < places; p++) sum += (chance * (found + 1 + p * another)) / (before + p + 1);
    found += gains.length;
  }
  return sum / Math.min(k, ideal.length);
};

/** 1 / the rank of the first hit; 0 without one. */
export const reciprocalRank: RankingMeasure = ({ groups }, k) => {
  const [first] = groups;
  if (first === undefined) return 0;
  const { before, size, gains } = first;
  const places = placesWithin(before, size, k);
  let sum = 0;
  let none = 1;
  for (let p = 0; p < places && none > 0; p++) {
    const left = size - p;
    sum += (none * (gains.length / left)) / (before + p + 1);
    none *= Math.max(0, left - gains.length) / left;
  }
  return sum;
};

/**
 * The fraction of pairs (relevant, not relevant) in the right order, ties counted half; items beyond rank k count
 * as in random order. Without a cut-off and with a complete list this is the area under the ROC curve. If everything is
 * relevant there are no pairs, and the result is 1/2, as for random scores.
 */
export const auc: RankingMeasure = (list, k) => {
  const { groups, ideal, listed, candidates } = list;
  const others = candidates - ideal.length;
  if (others === 0) return 1 / 2;
  // The expected number of irrelevant items beyond the cut-off: a relevant item there precedes half of them.
  const behind = others - (Math.min(k, listed) - hits(list, k));
  let right = 0;
  let found = 0;
  for (const { before, size, gains } of groups) {
    const rivals = size - gains.length;
    const after = others - (before - found) - rivals;
    const within = placesWithin(before, size, k) / size;
    right += gains.length * (within > 0 ? ((1 + within) / 2) * after + rivals / 2 : behind / 2);
    found += gains.length;
  }
  // Relevant items that are not listed.
  right += ((ideal.length - found) * behind) / 2;
  return right / (ideal.length * others);
};

/** How many places of a group of equal scores are within the cut-off. */
function placesWithin(before: number, size: number, k: number): number {
  return Math.min(size, Math.max(0, k - before));
}

function hits({ groups }: RankedList, k: number): number {
  let found = 0;
  for (const { before, size, gains } of groups) {
    const places = placesWithin(before, size, k);
    if (places === 0) break;
    found += places === size ? gains.length : (gains.length * places) / size;
  }
  return found;
}

/** Cached logarithms: every user has the same ranks. */
const logarithms: number[] = [];

function log2(x: number): number {
  logarithms[x] ??= naturalLog(x) / Math.LN2;
  return logarithms[x]!;
}
