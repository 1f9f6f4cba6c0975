// The counts of items as a trained state: the same for every user, but for what each has seen.

import { UnsupportedError } from '../../core/errors';
import type { Vocabulary } from '../../data/vocabulary';
import type { Ranked } from '../../serving/ranked';
import type { Seen } from '../../serving/seen';
import type {
  FoldedUserState,
  HistoryEntry,
  ItemRequest,
  PairColumns,
  TrainedState,
} from '../../serving/trained-state';
import { Marks } from '../marks';
import { popularItems } from '../popular-items';
import { encodeModel } from '../saved-model';
import { predictPairs } from './predict-pairs';

/** The answers of Popularity. */
export class PopularityAnswers implements TrainedState {
  private readonly marks: Marks;

  constructor(
    readonly users: Vocabulary,
    readonly items: Vocabulary,
    readonly seen: Seen,
  ) {
    this.marks = new Marks(seen.itemCounts.length, (item) => this.hasItem(item));
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

  best(users: readonly number[], request: ItemRequest): Ranked[][] {
    return users.map((user) => this.bestBut(this.seen.itemsOf(user), request));
  }

  similarItems(): never {
    throw new UnsupportedError('Popularity.similarItems: counts say nothing of what is alike; use ItemKNN');
  }

  similarUsers(): never {
    throw new UnsupportedError('Popularity.similarUsers: every user is the same to it; use MF');
  }

  foldInUser(history: readonly HistoryEntry[]): FoldedUserState {
    const had = history.map(({ index }) => index);
    return {
      vector: null,
      predict: (item) => this.predict(-1, item),
      best: (request) => this.bestBut(had, request),
    };
  }

  encode(history: boolean): Uint8Array<ArrayBuffer> {
    const { users, items, seen } = this;
    return encodeModel({ recommender: 'popularity', options: {}, users, items, seen, tensors: [] }, history);
  }

  private bestBut(had: ArrayLike<number>, { n, filterSeen, exclude, candidates }: ItemRequest): Ranked[] {
    const { marks } = this;
    return marks.during(candidates, exclude, () =>
      marks.hiding(filterSeen ? [had] : [], () => popularItems(this.seen, marks.check(0, candidates !== null), n)),
    );
  }
}
