// Weights between items as a trained state: a user is the items of its history, and nothing else. Scores are summed in double
// and rounded to float32, so that those of equal sums stay equal in whatever order the history is added.

import { UnsupportedError } from '../core/errors';
import type { Vocabulary } from '../data/vocabulary';
import { predictPairs } from './index-map';
import type { InteractionHistory } from './interaction-history';
import type { ItemWeights } from './item-weights';
import { checkFinite, type SavedModel, type SavedPeople, taker } from './saved-model';
import { CandidateMask, popularItems, type ScoredIndex, type SimilarRequest, TopK } from './top-k';
import type { Able, FoldedUserState, HistoryEntry, ItemRequest, PairColumns } from './trained-state';

/** Scoring one candidate on its own takes as long as this many items in a pass over all. */
const PASS_SPEED = 4;
/** The tensor of what items have beside the weights. */
export const BASE = 'itemBase';

/** The base of items in a file; null where it has none, as those of before the first version. @throws FormatError */
export function decodeBase({ items, tensors }: SavedModel): Float32Array | null {
  if (!tensors.has(BASE)) return null;
  const base = taker(tensors)(BASE, Float32Array, items.size);
  checkFinite({ [BASE]: base });
  return base;
}

/** The answers of a recommender over item weights. */
export class ItemState<W extends ItemWeights = ItemWeights> implements Able<'similarItems' | 'explain' | 'foldInUser'> {
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  /** Each item at most once for a user. */
  readonly seen: InteractionHistory;
  private readonly marks: CandidateMask;
  private readonly scores: Float64Array;

  constructor(
    private readonly owner: string,
    { users, items, seen }: SavedPeople,
    readonly weights: W,
    /** What items have beside the weights from a history; null: nothing. */
    readonly base: Float32Array | null = null,
  ) {
    this.users = users;
    this.items = items;
    this.seen = seen;
    this.scores = new Float64Array(seen.itemCounts.length);
    this.marks = new CandidateMask(this.scores.length, (item) => this.hasItem(item));
  }

  /** A user whose history is not kept is not known. */
  hasUser(user: number): boolean {
    return this.seen.isKept && user >= 0 && this.seen.userCounts[user]! > 0;
  }

  hasItem(item: number): boolean {
    return item >= 0 && this.seen.itemCounts[item]! > 0;
  }

  predict(user: number, item: number): number {
    return this.hasUser(user) ? this.scoreOf(this.seen.itemsOf(user), item) : 0;
  }

  predictAll(pairs: PairColumns): Float32Array {
    return predictPairs(this, pairs);
  }

  best(users: readonly number[], request: ItemRequest): ScoredIndex[][] {
    return users.map((user) => this.bestOf(this.hasUser(user) ? this.seen.itemsOf(user) : [], request));
  }

  similarItems(item: number, { n, measure, isWanted }: SimilarRequest): ScoredIndex[] {
    if (measure === 'dot') {
      throw new UnsupportedError(`${this.owner}.similarItems has one measure, its own; leave measure out`);
    }
    const ranking = new TopK(Math.min(n, this.scores.length));
    this.weights.alike(item, (other, similarity) => {
      if (other !== item && this.hasItem(other) && isWanted(other)) ranking.offer(other, similarity);
    });
    return ranking.list();
  }

  /** The items of the history that add something. */
  explain(user: number, item: number): ScoredIndex[] {
    if (!this.hasUser(user) || !this.hasItem(item)) return [];
    return Array.from(this.seen.itemsOf(user), (index) => ({ index, score: this.weights.at(index, item) }))
      .filter(({ score }) => score !== 0)
      .sort((a, b) => b.score - a.score || a.index - b.index);
  }

  /** By the trained items of the history, each once, whatever its value. */
  foldInUser(history: readonly HistoryEntry[]): FoldedUserState {
    const items = new Set(history.map(({ index }) => index).filter((item) => this.hasItem(item)));
    const row = Int32Array.from(items);
    return {
      vector: null,
      predict: (item) => this.scoreOf(row, item),
      best: (request) => this.bestOf(row, request),
    };
  }

  private scoreOf(history: ArrayLike<number>, item: number): number {
    if (!this.hasItem(item)) return 0;
    let sum = this.base?.[item] ?? 0;
    for (let k = 0; k < history.length; k++) sum += this.weights.at(history[k]!, item);
    return Math.fround(sum);
  }

  /** The best items for a history; the popular ones, with their counts, for none. */
  private bestOf(history: ArrayLike<number>, { n, filterSeen, exclude, candidates }: ItemRequest): ScoredIndex[] {
    const { marks, scores, seen } = this;
    return marks.during(candidates, exclude, (given) =>
      marks.hiding(filterSeen ? history : [], () => {
        const isAllowed = marks.check(given !== null);
        if (history.length === 0) return popularItems(seen, isAllowed, n);
        const ranking = new TopK(Math.min(n, scores.length));
        if (given !== null && given.length * PASS_SPEED < scores.length) {
          for (const item of given) if (isAllowed(item)) ranking.offer(item, this.scoreOf(history, item));
          return ranking.list();
        }
        if (this.base === null) scores.fill(0);
        else scores.set(this.base);
        for (let k = 0; k < history.length; k++) this.weights.addTo(scores, history[k]!);
        for (let item = 0; item < scores.length; item++) {
          if (isAllowed(item)) ranking.offer(item, Math.fround(scores[item]!));
        }
        return ranking.list();
      }),
    );
  }
}
