// An item that training never saw, by who has it: what a caller holds.

import type { Id } from '../data/vocabulary';
import type { ReadHistory } from './read-history';
import type { FoldedItemState, TrainedState } from './trained-state';

/** An item by its history alone; nothing of the recommender changes. */
export class FoldedItem {
  private readonly answers: FoldedItemState | null;

  /** @internal */
  constructor(
    private readonly state: TrainedState,
    { entries, ignored }: ReadHistory,
  ) {
    this.ignored = ignored;
    this.answers = entries.length > 0 ? state.foldInItem!(entries) : null;
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
