// The counts of items as a trained state: the same for every user, but for what each has seen.

import type { Vocabulary } from '../data/vocabulary';
import { predictPairs } from './index-map';
import type { InteractionHistory } from './interaction-history';
import { CandidateMask, popularItems, type ScoredIndex } from './top-k';
import type { Able, FoldedUserState, HistoryEntry, ItemRequest, PairColumns } from './trained-state';

/** The answers of Popularity. */
export class PopularityState implements Able<'foldInUser'> {
  readonly basis = 'popularity';
  private readonly marks: CandidateMask;

  constructor(
    readonly users: Vocabulary,
    readonly items: Vocabulary,
    readonly seen: InteractionHistory,
  ) {
    this.marks = new CandidateMask(seen.itemCounts.length, (item) => this.hasItem(item));
  }

  hasUser(user: number): boolean {
    return user >= 0 && this.seen.userCounts[user]! > 0;
  }

  hasItem(item: number): boolean {
    return item >= 0 && this.seen.itemCounts[item]! > 0;
  }

  predict(_user: number, item: number): number {
    return this.hasItem(item) ? this.seen.itemCounts[item]! : 0;
  }

  predictAll(pairs: PairColumns): Float32Array {
    return predictPairs(this, pairs);
  }

  best(users: readonly number[], request: ItemRequest): ScoredIndex[][] {
    return users.map((user) => this.bestBut(this.seen.itemsOf(user), request));
  }

  foldInUser(history: readonly HistoryEntry[]): FoldedUserState {
    const had = history.map(({ index }) => index);
    return {
      vector: null,
      predict: (item) => this.predict(-1, item),
      best: (request) => this.bestBut(had, request),
    };
  }

  private bestBut(had: ArrayLike<number>, { n, filterSeen, exclude, candidates }: ItemRequest): ScoredIndex[] {
    const { marks } = this;
    return marks.during(candidates, exclude, () =>
      marks.hiding(filterSeen ? had : [], () => popularItems(this.seen, marks.check(candidates !== null), n)),
    );
  }
}
