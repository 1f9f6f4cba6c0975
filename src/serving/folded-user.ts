// A user that training never saw, by its history: what a caller holds.

import type { Id } from '../data/vocabulary';
import type { RecommendationList, RecommendOptions } from './questions';
import type { ReadHistory } from './read-history';
import { numbered, readRecommendOptions } from './recommend-options';
import type { FoldedUserState, TrainedState } from './trained-state';

/**
 * A user by its history alone; nothing of the recommender changes, and nothing is kept there. With no known item in the
 * history it is answered as an unknown user: the baseline, and the popular items.
 */
export class FoldedUser {
  private readonly answers: FoldedUserState | null;

  /** @internal */
  constructor(
    private readonly owner: string,
    private readonly state: TrainedState,
    { entries, ignored }: ReadHistory,
  ) {
    this.ignored = ignored;
    this.answers = entries.length > 0 ? state.foldInUser!(entries) : null;
  }

  /** How many items of the history training never saw: they are passed over. */
  readonly ignored: number;

  /** The user's row, as one of userFactors; null where there is none. */
  get vector(): Float32Array | null {
    return this.answers?.vector ?? null;
  }

  /** The predicted rating; for an item that training never saw the baseline. Cost: O(rank). */
  predict(itemId: Id): number {
    const { state, answers } = this;
    const item = state.items.indexOf(itemId);
    return answers === null ? state.predict(-1, item) : answers.predict(item);
  }

  /** The best items that are not in the history, best first. Cost: O(items x rank). @throws OptionError */
  recommend(options?: RecommendOptions): RecommendationList {
    const { state, answers } = this;
    const { items } = state;
    const read = readRecommendOptions(`${this.owner}.recommend`, options);
    const { request, ...counted } = numbered(`${this.owner}.recommend`, items, read, read.filterSeen ?? true);
    const ranked = answers === null ? state.best([-1], request)[0]! : answers.best(request);
    const list = ranked.map(({ index, score }) => ({ itemId: items.idOf(index), score }));
    const basis = answers === null ? ('popularity' as const) : ('model' as const);
    return Object.assign(list, { basis, ...counted });
  }
}
