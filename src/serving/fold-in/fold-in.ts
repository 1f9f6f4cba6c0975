// The answers for a user, or an item, that a factorization was not trained on: its row, beside the tables.

import { DataError } from '../../core/errors';
import type { Scheduler } from '../../core/scheduler';
import { MOST } from '../../kernels/kernels';
import type { FactorizationLists, RatingScale, ServedFactorization } from '../factorization-tables';
import type { InteractionHistory } from '../interaction-history';
import { type ScoredIndex, TopK } from '../top-k';
import type { FoldedItemState, FoldedUserState, HistoryEntry, ItemRequest } from '../trained-state';
import { contributions, foldRow, type NormalEquations, type RidgeProblem } from './fold-row';

/** The rows of a trained state as problems of their own, the other side frozen. */
export interface FoldIn {
  /** Whether what a history's values are matters. */
  readonly needsValues: boolean;
  /** Whether training compares items with each other: users say too little about an item then. */
  readonly comparesItems: boolean;
  /** Works out what the rows of a side have in common, letting other tasks run in between. */
  prepare?(side: 'users' | 'items', scheduler: Scheduler): Promise<void>;
  /** A user's row from what it has. */
  user(history: readonly HistoryEntry[]): RidgeProblem;
  /** An item's row from who has it. @throws UnsupportedError where items are compared */
  item(history: readonly HistoryEntry[]): RidgeProblem;
}

/** What a user of the training has, with relative weights. */
export function historyOf(seen: InteractionHistory, user: number): HistoryEntry[] {
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
  { tables, served, units }: ServedFactorization,
  problems: FoldIn,
  equations: NormalEquations,
  clip: boolean,
  serving: FactorizationLists,
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
  { tables, served, units }: ServedFactorization,
  problems: FoldIn,
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
  { tables, seen }: ServedFactorization,
  problems: FoldIn,
  equations: NormalEquations,
  user: number,
  item: number,
): ScoredIndex[] {
  const history = historyOf(seen, user);
  const problem = problems.user(history);
  const row = foldRow(problem, equations);
  const query = new Float64Array(row.length).fill(1);
  for (let k = 0; k < tables.rank; k++) query[k] = tables.itemEmbedding[item * tables.rank + k]!;
  const parts = contributions(problem, row, query, equations);
  const ranking = new TopK(history.length);
  for (const [place, { index }] of history.entries()) ranking.offer(index, parts[place]!);
  return ranking.list();
}

/** Checks a row that was folded in. @throws DataError where scores with it might overflow */
export function checkRow(row: Float64Array, rank: number): void {
  for (let k = 0; k < row.length; k++) {
    const most = k < rank ? Math.sqrt(MOST / rank) : MOST / 10;
    if (Math.abs(row[k]!) <= most) continue;
    throw new DataError(
      'values or weights of a history lead to scores beyond float32; correct them, or scale all values and fit again',
    );
  }
}

/** A history with weights relative to the mean of those of training, or where that had none to their own. */
export function weighHistory({ meanWeight }: RatingScale, history: readonly HistoryEntry[]): readonly HistoryEntry[] {
  const first = history[0]?.weight ?? 1;
  if (meanWeight === undefined && history.every(({ weight }) => weight === first)) {
    return first === 1 ? history : history.map((entry) => ({ ...entry, weight: 1 }));
  }
  const mean = meanWeight ?? history.reduce((sum, { weight }) => sum + weight, 0) / history.length;
  return history.map((entry) => ({ ...entry, weight: entry.weight / mean }));
}

// A history as columns of numbers. Loops, as `from` with a function takes ten times as long, and rows are many.

/** A number of each entry. */
export function columnOf(history: readonly HistoryEntry[], read: (entry: HistoryEntry) => number): Float64Array {
  const column = new Float64Array(history.length);
  for (let k = 0; k < column.length; k++) column[k] = read(history[k]!);
  return column;
}

/** The rows that a history names. */
export function indicesOf(history: readonly HistoryEntry[]): Int32Array {
  const indices = new Int32Array(history.length);
  for (let k = 0; k < indices.length; k++) indices[k] = history[k]!.index;
  return indices;
}

/** What the score of each row is without the one that is sought: mu, and its bias where there are biases. */
export function basesOf(rows: Int32Array, globalMean: number, biases: ArrayLike<number>): Float64Array {
  const bases = new Float64Array(rows.length).fill(globalMean);
  if (biases.length > 0) for (let k = 0; k < bases.length; k++) bases[k] = globalMean + biases[rows[k]!]!;
  return bases;
}
