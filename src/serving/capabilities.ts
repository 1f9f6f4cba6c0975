// What some kinds of recommender can answer and others cannot: an interface each, and the functions that its methods are. A
// class has the methods of what its trained states can do, and no others.

import { UnknownIdError } from '../core/errors';
import { field, integer, readOptions } from '../core/options';
import type { Id } from '../data/vocabulary';
import { FoldedItem, FoldedUser, readHistory, readSimilarOptions } from './predictor';
import type { HistoryRow, Recommendation, SimilarOptions } from './questions';
import type { Abilities, Able } from './trained-state';

/** Who has vectors of items and users, to be compared. */
export interface Similar {
  /** The items most like one, by the cosine (or dot product) of their vectors, best first. @throws UnknownIdError; OptionError */
  similarItems(itemId: Id, options?: SimilarOptions): Recommendation[];
  /** The users most like one, by the cosine (or dot product) of their vectors, best first. @throws UnknownIdError; OptionError */
  similarUsers(userId: Id, options?: SimilarOptions): { readonly userId: Id; readonly score: number }[];
}

/** Who answers for users and items that training never saw, by their history. */
export interface FoldsIn {
  /**
   * A user that training never saw, by its history: its row fitted to the trained items, which stay as they are. Of an
   * item that occurs twice the last row counts; items that training never saw are passed over (`ignored`). Weights are
   * relative to the mean of those of the fit, or to their own where it had none; a row of weight 0 is left out.
   *
   * minimize over p, b: sum over the history of loss + 1/2 lambda (|p|^2 + b^2), as in training; with negatives, the
   * expected loss over what might be drawn, so that there is one answer.
   *
   * Cost: O(n rank^2 + rank^3) for n ratings of a squared loss, some such steps for others, and there with negatives n is
   * all items (bpr, warp: n x items beside).
   * @throws DataError for a row that is none
   * @see Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (ICDM 2008), equation 4
   */
  foldInUser(history: Iterable<HistoryRow<'itemId'>>): FoldedUser;
  /**
   * An item that training never saw, by who has rated it: as `foldInUser`, with the trained users as they are.
   * @throws DataError for a row that is none; UnsupportedError for losses that compare an item with others
   */
  foldInItem(history: Iterable<HistoryRow<'userId'>>): FoldedItem;
}

/** Whose scores are sums over a history. */
export interface Explains {
  /**
   * What each item that a user has rated adds to the score of an item, the most first: the user as `foldInUser` has it is
   * a sum over its history, p = A^-1 sum_j c_j r_j q_j, and so is every score <q, p>, less the mean and the item's bias.
   *
   * `n`: how many, 10 where it is left out. Units: those of the score. Cost: that of foldInUser.
   * @throws UnknownIdError; UnsupportedError for a model saved with `history: false`
   * @see Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (ICDM 2008), section 5
   */
  explain(
    userId: Id,
    itemId: Id,
    options?: { readonly n?: number | undefined },
  ): { readonly itemId: Id; readonly contribution: number }[];
}

/** A trained state that can do something, and whose it is. */
export interface Question<K extends keyof Abilities> {
  /** The class and the call, for messages. */
  readonly owner: string;
  /** Whom masks are of. */
  readonly recommender: object;
  readonly state: Able<K>;
}

/** @see Similar */
export function similarItems(asked: Question<'similarItems'>, itemId: Id, options?: SimilarOptions): Recommendation[] {
  const { owner, state } = asked;
  const ids = state.items;
  const row = ids.indexOf(itemId);
  if (!state.hasItem(row)) throw new UnknownIdError('item', itemId, owner);
  const found = state.similarItems(row, readSimilarOptions({ ...asked, ids }, options, 'items'));
  return found.map(({ index, score }) => ({ itemId: ids.idOf(index), score }));
}

/** @see Similar */
export function similarUsers(
  asked: Question<'similarUsers'>,
  userId: Id,
  options?: SimilarOptions,
): { readonly userId: Id; readonly score: number }[] {
  const { owner, state } = asked;
  const ids = state.users;
  const row = ids.indexOf(userId);
  if (!state.hasUser(row)) throw new UnknownIdError('user', userId, owner);
  const found = state.similarUsers(row, readSimilarOptions({ ...asked, ids }, options, 'users'));
  return found.map(({ index, score }) => ({ userId: ids.idOf(index), score }));
}

/** @see FoldsIn */
export function foldInUser(asked: Question<'foldInUser'>, history: Iterable<HistoryRow<'itemId'>>): FoldedUser {
  const { state } = asked;
  const known = (id: Id) => {
    const item = state.items.indexOf(id);
    return state.hasItem(item) ? item : -1;
  };
  return new FoldedUser(asked, readHistory(history, 'itemId', known));
}

/** @see FoldsIn */
export function foldInItem({ state }: Question<'foldInItem'>, history: Iterable<HistoryRow<'userId'>>): FoldedItem {
  const known = (id: Id) => {
    const user = state.users.indexOf(id);
    return state.hasUser(user) ? user : -1;
  };
  return new FoldedItem(state, readHistory(history, 'userId', known));
}

/** @see Explains */
export function explain(
  { owner, state }: Question<'explain'>,
  userId: Id,
  itemId: Id,
  options?: { readonly n?: number | undefined },
): { readonly itemId: Id; readonly contribution: number }[] {
  const { n } = readOptions<{ readonly n: number }>(owner, options, { n: field(integer({ min: 0 }), 10) });
  const { users, items } = state;
  const [user, item] = [users.indexOf(userId), items.indexOf(itemId)];
  if (!state.hasUser(user)) throw new UnknownIdError('user', userId, owner);
  if (!state.hasItem(item)) throw new UnknownIdError('item', itemId, owner);
  const found = state.explain(user, item).slice(0, n);
  return found.map(({ index, score }) => ({ itemId: items.idOf(index), contribution: score }));
}
