// The answers for a user, or an item, that a factorization was not trained on: its row, beside the tables.

import type { Scheduler } from '../core/scheduler';
import { type Ranked, Ranking } from '../serving/ranked';
import type { Seen } from '../serving/seen';
import type { FoldedItemState, FoldedUserState, HistoryEntry, ItemRequest } from '../serving/trained-state';
import { contributions, foldRow, type RowProblem } from '../training/fold-in/fold-row';
import type { NormalEquations } from '../training/fold-in/normal-equations';
import type { Fitted } from './fitted';
import { weighHistory } from './relative-weights';
import type { Serving } from './serving';
import { checkRow } from './too-large';

/** The rows of a trained state as problems of their own, the other side frozen. */
export interface RowProblems {
  /** Whether what a history's values are matters. */
  readonly needsValues: boolean;
  /** Whether training compares items with each other: users say too little about an item then. */
  readonly comparesItems: boolean;
  /** Works out what the rows of a side have in common, letting other tasks run in between. */
  prepare?(side: 'users' | 'items', scheduler: Scheduler): Promise<void>;
  /** A user's row from what it has. */
  user(history: readonly HistoryEntry[]): RowProblem;
  /** An item's row from who has it. @throws UnsupportedError where items are compared */
  item(history: readonly HistoryEntry[]): RowProblem;
}

/** What a user of the training has, with relative weights. */
export function historyOf(seen: Seen, user: number): HistoryEntry[] {
  const values = seen.valuesOf(user);
  const weights = seen.weightsOf(user);
  const items = seen.itemsOf(user);
  const history: HistoryEntry[] = [];
  for (let k = 0; k < items.length; k++)
    history.push({ index: items[k]!, value: values?.[k] ?? 1, weight: weights?.[k] ?? 1 });
  return history;
}

/** A new user. */
export function foldInUser(
  { tables, served, units }: Fitted,
  problems: RowProblems,
  equations: NormalEquations,
  clip: boolean,
  serving: Serving,
  history: readonly HistoryEntry[],
): FoldedUserState {
  const row = foldRow(problems.user(weighHistory(units, history)), equations);
  checkRow(row, tables.rank);
  const vector = Float32Array.from(row.subarray(0, tables.rank));
  const base = Math.fround(Math.fround(tables.globalMean) + Math.fround(row[tables.rank] ?? 0));
  const own = history.map(({ index }) => index);
  return {
    vector,
    predict: (item) => served.prediction(served.scoreOf(vector, 0, base, item), clip),
    best: (request: ItemRequest) =>
      serving.bestItems
        .ofRow({ values: vector, start: 0, base, seen: own }, request)
        .map(({ index, score }) => ({ index, score: served.toRating(score) })),
  };
}

/** A new item. */
export function foldInItem(
  { tables, served, units }: Fitted,
  problems: RowProblems,
  equations: NormalEquations,
  clip: boolean,
  history: readonly HistoryEntry[],
): FoldedItemState {
  const row = foldRow(problems.item(weighHistory(units, history)), equations);
  checkRow(row, tables.rank);
  const vector = Float32Array.from(row.subarray(0, tables.rank));
  const bias = Math.fround(row[tables.rank] ?? 0);
  return {
    vector,
    predict: (user) => served.prediction(served.scoreOfItem(user, vector, bias), clip),
  };
}

/** What each item of a user's history adds to the score of an item, the most first: of the user as a new one. */
export function explain(
  { tables, seen }: Fitted,
  problems: RowProblems,
  equations: NormalEquations,
  user: number,
  item: number,
): Ranked[] {
  const history = historyOf(seen, user);
  const problem = problems.user(history);
  const row = foldRow(problem, equations);
  const query = new Float64Array(row.length).fill(1);
  for (let k = 0; k < tables.rank; k++) query[k] = tables.itemEmbedding[item * tables.rank + k]!;
  const parts = contributions(problem, row, query, equations);
  const ranking = new Ranking(history.length);
  for (const [place, { index }] of history.entries()) ranking.offer(index, parts[place]!);
  return ranking.list();
}
