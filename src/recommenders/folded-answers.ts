// The answers for a user, or an item, that a factorization was not trained on: its row, beside the tables.

import { contributions, foldRow } from '../training/fold-in/fold-row';
import type { FoldedItemAnswers, FoldedUserAnswers, HistoryEntry, ItemRequest } from './answers';
import type { FilledOptions } from './factorization-options';
import type { Fitted } from './fitted';
import { type Ranked, Ranking } from './ranked';
import { RowFolder } from './row-folder';
import type { Serving } from './serving';

/** A new user. */
export function foldInUser(
  { tables, units, seen, served }: Fitted,
  options: FilledOptions,
  serving: Serving,
  history: readonly HistoryEntry[],
): FoldedUserAnswers {
  const row = foldRow(new RowFolder({ tables, units, seen }, options).user(history));
  const vector = Float32Array.from(row.subarray(0, tables.rank));
  const base = Math.fround(Math.fround(tables.globalMean) + Math.fround(row[tables.rank] ?? 0));
  const own = history.map(({ index }) => index);
  return {
    vector,
    predict: (item) => served.prediction(served.scoreOf(vector, 0, base, item), options.clip),
    best: (request: ItemRequest) =>
      serving.bestItems
        .ofRow({ values: vector, start: 0, base, seen: own }, request)
        .map(({ index, score }) => ({ index, score: served.toRating(score) })),
  };
}

/** A new item. */
export function foldInItem(
  { tables, units, seen, served }: Fitted,
  options: FilledOptions,
  history: readonly HistoryEntry[],
): FoldedItemAnswers {
  const row = foldRow(new RowFolder({ tables, units, seen }, options).item(history));
  const vector = Float32Array.from(row.subarray(0, tables.rank));
  const bias = Math.fround(row[tables.rank] ?? 0);
  return {
    vector,
    predict: (user) => served.prediction(served.scoreOfItem(user, vector, bias), options.clip),
  };
}

/** What each item of a user's history adds to the score of an item, the most first: of the user as a new one. */
export function explain({ tables, units, seen }: Fitted, options: FilledOptions, user: number, item: number): Ranked[] {
  const values = seen.valuesOf(user);
  const history = Array.from(seen.itemsOf(user), (index, k) => ({ index, value: values?.[k] ?? 1, weight: 1 }));
  const problem = new RowFolder({ tables, units, seen }, options).user(history);
  const row = foldRow(problem);
  const query = new Float64Array(row.length).fill(1);
  for (let k = 0; k < tables.rank; k++) query[k] = tables.itemEmbedding[item * tables.rank + k]!;
  const parts = contributions(problem, row, query);
  const ranking = new Ranking(history.length);
  for (const [place, { index }] of history.entries()) ranking.offer(index, parts[place]!);
  return ranking.list();
}
