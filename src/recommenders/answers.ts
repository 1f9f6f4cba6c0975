// THE SEAM of trained states: what answers questions, by index. Ids, options and errors are id-recommender.ts's; -1
// stands for a user or an item that is not known.

import type { Interactions } from '../interactions/interactions';
import type { Vocabulary } from '../interactions/vocabulary';
import type { Ranked } from './ranked';
import type { Seen } from './seen';

/** What to recommend from. What is not an item is passed over. */
export interface ItemRequest {
  readonly n: number;
  readonly filterSeen: boolean;
  readonly exclude: readonly number[];
  /** Only these; null for every trained item. */
  readonly candidates: readonly number[] | null;
}

/** How alike rows are, and how many of them are wanted. */
export interface SimilarRequest {
  readonly n: number;
  readonly measure: 'cosine' | 'dot';
}

/** A trained state. Scores of lists are those that a caller sees. */
export interface Answers {
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  readonly seen: Seen;
  hasUser(user: number): boolean;
  hasItem(item: number): boolean;
  predict(user: number, item: number): number;
  /** The predictions of interactions, whose vocabularies may be others than the model's. */
  predictAll(pairs: Interactions): Float32Array;
  /** The best items of each user, best first; the popular ones, with their counts, for one not known. */
  best(users: readonly number[], request: ItemRequest): Ranked[][];
  similarItems(item: number, request: SimilarRequest): Ranked[];
  similarUsers(user: number, request: SimilarRequest): Ranked[];
  /** The bytes of a file. */
  encode(history: boolean): Uint8Array;
}
