// What a caller asks of a trained model, and what comes back: by the caller's ids.

import type { Id } from '../data/vocabulary';
import type { ItemMask } from './item-mask';

/** An item with its score: the prediction on the rating scale, not clipped, so that equal clipped ones stay in order. */
export interface Recommendation {
  readonly itemId: Id;
  readonly score: number;
}

/** Recommendations, best first. `basis` is 'popularity' for a user that training never saw; scores are then counts. */
export interface RecommendationList extends Array<Recommendation> {
  readonly basis: 'model' | 'popularity';
  /** How many of `candidates` and `exclude` the model does not know, which it passed over; absent for none. */
  readonly unknown?: number;
}

/** What to recommend from. */
export interface RecommendOptions {
  /** @defaultValue 10 */
  readonly n?: number | undefined;
  /** Leaves out what the user has rated in training. @defaultValue true; false for a model saved without history */
  readonly filterSeen?: boolean | undefined;
  /** Items to leave out; unknown ones are passed over and counted. Ids of a type that no item has: OptionError. */
  readonly exclude?: Iterable<Id> | ItemMask | undefined;
  /** Only these; unknown ones are passed over and counted, and an OptionError where all are. @defaultValue every item with a training rating */
  readonly candidates?: Iterable<Id> | ItemMask | undefined;
}

/** What to recommend from to many, and how. */
export interface RecommendManyOptions extends RecommendOptions {
  /** Ends the work: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * On how many threads, a whole number from 1 to 256; lists never depend on it. `auto`: one for each core, where there is
   * enough to do and it is known how many users are asked for. They are started for the call. Scores that are no inner products,
   * lists of more than 256 items and of few candidates, and `opmf/serve` have one thread. @defaultValue 'auto'
   */
  readonly threads?: number | 'auto' | undefined;
}

/** How alike two rows are, and which are wanted: items where items are asked for, users where users are. */
export interface SimilarOptions {
  /** @defaultValue 10 */
  readonly n?: number | undefined;
  /** @defaultValue 'cosine' */
  readonly measure?: 'cosine' | 'dot' | undefined;
  /** Ids to leave out; unknown ones are passed over. Masks are of items. */
  readonly exclude?: Iterable<Id> | ItemMask | undefined;
  /** Only these, of what training saw; unknown ones are passed over, and an OptionError where all are. @defaultValue all */
  readonly candidates?: Iterable<Id> | ItemMask | undefined;
}

/** One row of a new user's history, `HistoryRow<'itemId'>`: an Interaction without its user; of a new item's, without its item. */
export type HistoryRow<Other extends 'itemId' | 'userId'> =
  | ({ readonly [K in Other]: Id } & { readonly value?: number | undefined; readonly weight?: number | undefined })
  | readonly [id: Id, value?: number | undefined];
