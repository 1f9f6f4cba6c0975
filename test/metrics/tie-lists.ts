// Lists for tests of ranking metrics: from gains by rank, with or without ties, and the enumeration of all orders of ties.

import type { RankedList, RankingMeasure, TieGroup } from '../../src/metrics/ranking-metrics';

/** A list whose k-th item gains gains[k] and has scores[k]; without scores nothing ties. */
export function listOf(
  gains: readonly number[],
  ideal: readonly number[],
  candidates: number,
  scores: readonly number[] = gains.map((_, at) => -at),
): RankedList {
  const groups: TieGroup[] = [];
  for (let from = 0; from < gains.length; ) {
    let to = from + 1;
    while (to < gains.length && scores[to] === scores[from]) to++;
    const relevant = gains.slice(from, to).filter((gain) => gain > 0);
    if (relevant.length > 0) groups.push({ before: from, size: to - from, gains: relevant });
    from = to;
  }
  return { groups, ideal, listed: gains.length, candidates };
}

/** Every order of some entries. */
export function* ordersOf<T>(entries: readonly T[]): Generator<T[]> {
  if (entries.length === 0) yield [];
  for (const [at, entry] of entries.entries())
    for (const rest of ordersOf([...entries.slice(0, at), ...entries.slice(at + 1)])) yield [entry, ...rest];
}

/** The mean of a metric over all orders of the ties, each order a list without ties: the definition. */
export function meanOverOrders(
  measure: RankingMeasure,
  gains: readonly number[],
  scores: readonly number[],
  ideal: readonly number[],
  candidates: number,
  k: number,
): number {
  const ties = [...new Set(scores)].sort((a, b) => b - a).map((score) => gains.filter((_, at) => scores[at] === score));
  let lists: number[][] = [[]];
  for (const tie of ties) {
    const orders = [...ordersOf(tie)];
    lists = lists.flatMap((list) => orders.map((order) => [...list, ...order]));
  }
  return lists.reduce((sum, list) => sum + measure(listOf(list, ideal, candidates), k), 0) / lists.length;
}
