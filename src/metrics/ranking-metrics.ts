// How well a list puts what is relevant first, for one user: pure functions of numbers, so that training may watch them.
// What is averaged over users, and which users count, is the evaluation's affair.

import { naturalLog } from '../core/elementary';

/** One user's list, and what it could have been. */
export interface RankedList {
  /** The gain of what is at each rank, best first; 0 for what is not relevant. May be longer than k, or shorter. */
  readonly gains: ArrayLike<number>;
  /** The gains of all that is relevant to the user, listed or not, the largest first; at least one, all above 0. */
  readonly ideal: ArrayLike<number>;
  /** How many items could have been listed, those of `ideal` included. Only AUC asks. */
  readonly candidates: number;
}

/** A metric of a list cut at rank k. For all of them more is better, and 0 to 1 is the range. */
export type RankingMeasure = (list: RankedList, k: number) => number;

/** hits / k: a list shorter than k counts as filled up with misses. */
export const precision: RankingMeasure = (list, k) => hits(list, k) / k;

/** hits / relevant. */
export const recall: RankingMeasure = (list, k) => hits(list, k) / list.ideal.length;

/** 1 where anything relevant is listed, else 0. */
export const hitRate: RankingMeasure = (list, k) => (hits(list, k) > 0 ? 1 : 0);

/** sum_r gain_r / log2(r + 1), over the same sum of the best possible list of k (Jarvelin and Kekalainen 2002). */
export const ndcg: RankingMeasure = ({ gains, ideal }, k) => discounted(gains, k) / discounted(ideal, k);

/** The mean, over the best possible number of hits min(k, relevant), of the precision at each hit's rank. */
export const averagePrecision: RankingMeasure = ({ gains, ideal }, k) => {
  let found = 0;
  let sum = 0;
  for (let at = 0; at < Math.min(k, gains.length); at++) if (gains[at]! > 0) sum += ++found / (at + 1);
  return sum / Math.min(k, ideal.length);
};

/** 1 / the rank of the first hit; 0 without one. */
export const reciprocalRank: RankingMeasure = ({ gains }, k) => {
  for (let at = 0; at < Math.min(k, gains.length); at++) if (gains[at]! > 0) return 1 / (at + 1);
  return 0;
};

/**
 * The part of all pairs (relevant, not relevant) that are in the right order; what is behind rank k counts as in random
 * order. Without a cut and with a whole list this is the area under the ROC curve. 1 where everything is relevant.
 */
export const auc: RankingMeasure = ({ gains, ideal, candidates }, k) => {
  const relevant = ideal.length;
  const others = candidates - relevant;
  if (others === 0) return 1;
  let found = 0;
  let missed = 0;
  let right = 0;
  for (let at = 0; at < Math.min(k, gains.length); at++) {
    if (gains[at]! > 0) found++;
    else {
      missed++;
      right += found;
    }
  }
  // Every other item still to come is behind what was found, and before half of what was not.
  right += (others - missed) * (found + (relevant - found) / 2);
  return right / (relevant * others);
};

function hits({ gains }: RankedList, k: number): number {
  let found = 0;
  for (let at = 0; at < Math.min(k, gains.length); at++) if (gains[at]! > 0) found++;
  return found;
}

function discounted(gains: ArrayLike<number>, k: number): number {
  let sum = 0;
  for (let at = 0; at < Math.min(k, gains.length); at++) if (gains[at]! > 0) sum += gains[at]! / log2(at + 2);
  return sum;
}

/** Logarithms are asked for again and again: every user has the same ranks. */
const logarithms: number[] = [];

function log2(x: number): number {
  logarithms[x] ??= naturalLog(x) / Math.LN2;
  return logarithms[x]!;
}
