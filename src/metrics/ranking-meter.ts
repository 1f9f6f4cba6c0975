// Averages ranking metrics over users, one list at a time: the one place where scores become ranks, for evaluations and
// for the validation during a fit.

import { DataError } from '../core/errors';
import type { RankingMetric, RankingMetricName } from './metric-names';
import type { RankedList, TieGroup } from './ranking-metrics';
import type { RelevantUser } from './relevant-items';

/** Takes lists and returns means. */
export class RankingMeter {
  /** The last rank that matters; Infinity if a metric uses all ranks. See `closeTies` for the length that a list needs. */
  readonly depth: number;
  private readonly sums: Float64Array;
  private users = 0;

  constructor(private readonly metrics: readonly RankingMetric[]) {
    this.depth = Math.max(...metrics.map(({ k, needsCandidates }) => (needsCandidates ? Infinity : k)));
    this.sums = new Float64Array(metrics.length);
  }

  /**
   * Adds a user's list and returns its metrics. `items` are numbers of the test set, best first, -1 for items outside
   * it; `scores` are their scores: neighbours with equal scores are tied.
   * @throws DataError for a score that is not a finite number, or a relevant item that is listed twice
   */
  add(user: RelevantUser, items: ArrayLike<number>, scores: ArrayLike<number>): Record<RankingMetricName, number> {
    const list = rankedList(user, items, scores);
    this.users++;
    return this.byName((at) => {
      const { measure, k } = this.metrics[at]!;
      const value = measure(list, k);
      this.sums[at]! += value;
      return value;
    });
  }

  /** The means over the users so far; NaN if there are none. */
  means(): Record<RankingMetricName, number> {
    return this.byName((at) => this.sums[at]! / this.users);
  }

  private byName(value: (at: number) => number) {
    return Object.fromEntries(this.metrics.map(({ name }, at) => [name, value(at)])) as Record<
      RankingMetricName,
      number
    >;
  }
}

/** The list length to request first, with which `closeTies` can tell whether a tie extends beyond the cut-off. */
export function listLength(depth: number, items: number): number {
  return Math.min(depth, items) + 1;
}

/** The growth factor of a list whose last tie may be incomplete. */
export const GROWTH = 8;

/** Whether the tie at rank `depth` may continue beyond the end of a list for which `asked` items were requested. */
export function mayTieGoOn(list: readonly { readonly score: number }[], asked: number, depth: number): boolean {
  return list.length === asked && list[Math.min(depth, list.length) - 1]!.score === list.at(-1)!.score;
}

/**
 * Extends a list until it contains all items tied with rank `depth`. `list` is the result of `ask(asked)`,
 * best first; a longer one is requested only while its end belongs to that tie.
 */
export function closeTies<T extends { readonly score: number }>(
  list: readonly T[],
  asked: number,
  depth: number,
  ask: (n: number) => readonly T[],
): readonly T[] {
  while (mayTieGoOn(list, asked, depth)) {
    asked *= GROWTH;
    list = ask(asked);
  }
  return list;
}

/** The ties of a list that contain relevant items. */
function rankedList({ gains, ideal }: RelevantUser, items: ArrayLike<number>, scores: ArrayLike<number>): RankedList {
  const groups: TieGroup[] = [];
  const found = new Set<number>();
  for (let from = 0; from < items.length; ) {
    const score = scores[from]!;
    if (!Number.isFinite(score))
      throw new DataError(`the score at rank ${from + 1} is ${score}; want a finite number for every item`);
    let to = from;
    let ofGroup: number[] | undefined;
    do {
      const gain = gains.get(items[to]!);
      if (gain === undefined) continue;
      if (found.has(items[to]!))
        throw new DataError(`the item at rank ${to + 1} is listed before; want each item once`);
      found.add(items[to]!);
      ofGroup ??= [];
      ofGroup.push(gain);
    } while (++to < items.length && scores[to] === score);
    if (ofGroup !== undefined) groups.push({ before: from, size: to - from, gains: ofGroup });
    from = to;
  }
  return { groups, ideal, listed: items.length, candidates: items.length + ideal.length - found.size };
}
