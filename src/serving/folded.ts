// A user that training never saw, by its history: what a caller holds.

import type { Interaction, Row } from '../data/rows';
import { readRows, refuseStrayNames } from '../data/rows';
import { type Id, Vocabulary } from '../data/vocabulary';
import type { ItemHistoryRow, RecommendationList, RecommendOptions, UserHistoryRow } from './questions';
import { checkList, numbered, readRecommendOptions } from './recommend-options';
import type { Able, FoldedItemState, FoldedUserState, HistoryEntry } from './trained-state';

/**
 * A user by its history alone; nothing of the recommender changes, and nothing is kept there. With no known item in the
 * history it is answered as an unknown user: the baseline, and the popular items.
 */
export class FoldedUser {
  private readonly answers: FoldedUserState | null;

  /** @internal */
  constructor(
    private readonly asked: { readonly recommender: object; readonly state: Able<'foldInUser'> },
    { entries, ignored }: ReadHistory,
  ) {
    this.ignored = ignored;
    this.answers = entries.length > 0 ? asked.state.foldInUser(entries) : null;
  }

  /** How many items of the history training never saw: they are passed over. */
  readonly ignored: number;

  /** The user's row, as one of userFactors; null where there is none. */
  get vector(): Float32Array | null {
    return this.answers?.vector ?? null;
  }

  /** The predicted rating; for an item that training never saw the baseline. Cost: O(rank). */
  predict(itemId: Id): number {
    const { answers } = this;
    const { state } = this.asked;
    const item = state.items.indexOf(itemId);
    return answers === null ? state.predict(-1, item) : answers.predict(item);
  }

  /** The best items that are not in the history, best first. Cost: O(items x rank). @throws OptionError */
  recommend(options?: RecommendOptions): RecommendationList {
    const { answers } = this;
    const { state, recommender } = this.asked;
    const { items } = state;
    const owner = 'FoldedUser.recommend';
    const read = readRecommendOptions(owner, options);
    const { request, ...counted } = numbered({ owner, recommender, ids: items }, read, read.filterSeen ?? true);
    const ranked = answers === null ? state.best([-1], request)[0]! : answers.best(request);
    const list = ranked.map(({ index, score }) => ({ itemId: items.idOf(index), score }));
    const basis = answers === null ? ('popularity' as const) : ('model' as const);
    return Object.assign(list, { basis, ...counted });
  }
}

// An item that training never saw, by who has it: what a caller holds.

/** An item by its history alone; nothing of the recommender changes. */
export class FoldedItem {
  private readonly answers: FoldedItemState | null;

  /** @internal */
  constructor(
    private readonly state: Able<'foldInItem'>,
    { entries, ignored }: ReadHistory,
  ) {
    this.ignored = ignored;
    this.answers = entries.length > 0 ? state.foldInItem(entries) : null;
  }

  /** How many users of the history training never saw: they are passed over. */
  readonly ignored: number;

  /** The item's row, as one of itemFactors; null where there is none. */
  get vector(): Float32Array | null {
    return this.answers?.vector ?? null;
  }

  /** The predicted rating of a user; for one that training never saw the baseline. Cost: O(rank). */
  predict(userId: Id): number {
    const { state, answers } = this;
    const user = state.users.indexOf(userId);
    return answers === null ? state.predict(user, -1) : answers.predict(user);
  }
}

// The history of a new user (or item) as a caller writes it, made into indices that a trained state knows.

/** A history, and how many different ids of it training never saw. */
export interface ReadHistory {
  readonly entries: readonly HistoryEntry[];
  readonly ignored: number;
}

/** Reads rows as Interactions.from does, of one user or item that has no name; of repeats the last counts. */
export function readHistory(
  rows: Iterable<UserHistoryRow | ItemHistoryRow>,
  side: 'itemId' | 'userId',
  indexOf: (id: Id) => number,
): ReadHistory {
  const wanted = `a list of rows: { ${side}, value?, weight? } or [${side}, value?]`;
  const named = Array.from(checkList<unknown>(rows, 'history', wanted), (row, at) => nameless(row, side, at));
  // By its own vocabulary, so that the model's stays as it is.
  const ids = new Vocabulary();
  const { itemIndex, values, weights } = readRows(named, new Vocabulary(), ids);
  const last = new Map<number, HistoryEntry>();
  for (let k = 0; k < values.length; k++) {
    if (weights?.[k] === 0) continue;
    const item = itemIndex[k]!;
    // The place of the last, too.
    last.delete(item);
    last.set(item, { index: indexOf(ids.idOf(item)), value: values[k]!, weight: weights?.[k] ?? 1 });
  }
  const entries = [...last.values()].filter(({ index }) => index >= 0);
  return { entries, ignored: last.size - entries.length };
}

/** A row of somebody, with what it is about as its item. Misshapen ones are left for readRows to report. */
function nameless(row: unknown, side: 'itemId' | 'userId', at: number): Row {
  if (Array.isArray(row)) return [0, ...row] as unknown as Row;
  if (typeof row !== 'object' || row === null) return row as Row;
  refuseStrayNames(row, at);
  const { [side]: itemId, value, weight, timestamp } = row as Interaction;
  return { userId: 0, itemId, value, weight, timestamp };
}
