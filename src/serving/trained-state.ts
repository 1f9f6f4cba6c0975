// THE SEAM of trained states: what answers questions, by index. Ids, options and errors are predictor.ts's; -1
// stands for a user or an item that is not known.

import type { Pausable } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import type { Vocabulary } from '../data/vocabulary';
import type { InteractionHistory } from './interaction-history';
import type { ScoredIndex, SimilarRequest } from './top-k';

/** What to recommend from. What is not an item is passed over. */
export interface ItemRequest {
  readonly n: number;
  readonly filterSeen: boolean;
  readonly exclude: readonly number[];
  /** Only these; null for every trained item. */
  readonly candidates: readonly number[] | null;
}

/** One interaction of a history, by the index of its item (of a user that is new) or of its user (of a new item). */
export interface HistoryEntry {
  readonly index: number;
  readonly value: number;
  readonly weight: number;
}

/** What a history makes of a user that training never saw. */
export interface FoldedUserState {
  /** Its row of the user table; null where users have none. */
  readonly vector: Float32Array | null;
  /** As Answers.predict. */
  predict(item: number): number;
  /** As Answers.best; what the history names counts as seen. */
  best(request: ItemRequest): ScoredIndex[];
}

/** What a history makes of an item that training never saw. */
export interface FoldedItemState {
  readonly vector: Float32Array | null;
  predict(user: number): number;
}

/** Pairs to be predicted, by number. */
export type PairColumns = Pick<Interactions, 'size' | 'users' | 'items' | 'userIndex' | 'itemIndex'>;

/** A trained state. Scores of lists are those that a caller sees. */
export interface TrainedState {
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  readonly seen: InteractionHistory;
  /** What all lists are made by, where users make no difference. */
  readonly basis?: 'popularity';
  hasUser(user: number): boolean;
  hasItem(item: number): boolean;
  predict(user: number, item: number): number;
  /** The predictions of pairs, whose vocabularies may be others than the model's. */
  predictAll(pairs: PairColumns): Float32Array;
  /** The best items of each user, best first; the popular ones, with their counts, for one not known. */
  best(users: readonly number[], request: ItemRequest): ScoredIndex[][];
  /** What gives the same for some users after others in steps, whatever is asked in between. Absent: `best` is not to be divided. */
  inTurns?(request: ItemRequest): (users: readonly number[]) => Pausable<ScoredIndex[][]>;
  /** Makes what `best` needs, in steps; the first question does what is left of it. */
  layOut?(): Pausable<void>;
}

/** What the trained states of some kinds answer beside: capabilities.ts. */
export interface Abilities {
  similarItems(item: number, request: SimilarRequest): ScoredIndex[];
  similarUsers(user: number, request: SimilarRequest): ScoredIndex[];
  /** What each item of a user's history adds to the score of an item, the most first. */
  explain(user: number, item: number): ScoredIndex[];
  /** Answers for a user, or an item, by its history alone; nothing of the state changes. */
  foldInUser(history: readonly HistoryEntry[]): FoldedUserState;
  foldInItem(history: readonly HistoryEntry[]): FoldedItemState;
}

/** A trained state with some of them. */
export type Able<K extends keyof Abilities> = TrainedState & Pick<Abilities, K>;
