// What every trained recommender answers: it takes the caller's ids and options, checks them, asks a trained state by
// index, and gives ids back. How it is trained is for its subclasses.

import { DataError, NotFittedError, UnknownIdError, UnsupportedError } from '../core/errors';
import { type Filled, field, integer, oneOf, readOptions, show } from '../core/options';
import { type Pausable, runToEnd } from '../core/scheduler';
import { groupRowsNow } from '../data/csr';
import type { Interactions } from '../data/interactions';
import { isInteractions } from '../data/is-interactions';
import type { Id, Vocabulary } from '../data/vocabulary';
import { ROWS_A_STEP } from '../metrics/relevant-items';
import type { Scores } from '../metrics/scores';
import { FoldedItem, FoldedUser, readHistory } from './folded';
import { indexMap } from './index-map';
import type {
  ExplainOptions,
  Explanation,
  ItemHistoryRow,
  Recommendation,
  RecommendationList,
  RecommendOptions,
  SimilarOptions,
  SimilarUser,
  UserHistoryRow,
} from './questions';
import { checkList, numbered, readRecommendOptions } from './recommend-options';
import type { TrainedState } from './trained-state';

/** A trained state as its user asks it. */
export abstract class Predictor<State extends TrainedState = TrainedState> {
  /** The name of its kind: 'mf', 'overparam-mf'. */
  abstract readonly name: string;
  /** The options in force, plain JSON. */
  abstract readonly options: object;
  /** What predictions are: ratings, probabilities of a value of 1, or numbers that mean nothing but their order. */
  abstract readonly scores: Scores;
  private state: State | undefined;

  protected constructor(
    /** The name of the class, for messages. */
    protected readonly owner: string,
  ) {}

  get isFitted(): boolean {
    return this.state !== undefined;
  }

  /** The users, by id and index, in the order of the training's rows. */
  get users(): Vocabulary {
    return this.need('users').users;
  }
  /** The items, by id and index, in the order of the training's rows. */
  get items(): Vocabulary {
    return this.need('items').items;
  }

  /** Takes over a trained state. */
  protected install(state: State): void {
    this.state = state;
  }

  /** The trained state. @throws NotFittedError before there is one */
  protected need(call: string): State {
    if (this.state === undefined) throw new NotFittedError(this.owner, call);
    return this.state;
  }

  /** Whether training saw the user and the item, or the user, where no item is given. */
  knows(userId: Id, itemId?: Id): boolean {
    const state = this.need('knows');
    const { users, items } = state;
    return state.hasUser(users.indexOf(userId)) && (itemId === undefined || state.hasItem(items.indexOf(itemId)));
  }

  /**
   * What training saw of each row of some data: 2, the pair of its user and item; 1, both, but not together; 0, not
   * both. After a load without history no pair is known.
   * Cost: O(rows + what the users of the rows have).
   */
  familiarity(data: Interactions): Uint8Array {
    return runToEnd(this.familiaritySteps(data));
  }

  /** @internal `familiarity`, in steps of about ROWS_A_STEP rows. */
  *familiaritySteps(data: Interactions): Pausable<Uint8Array> {
    const { users, items, seen } = this.need('familiarity');
    const userOf = indexMap(data.users, users);
    const itemOf = indexMap(data.items, items);
    const isKnown = Uint8Array.from(data.users, (id) => (this.knows(id) ? 1 : 0));
    // The rows of one user after the other, whose items are marked by its number.
    const { starts, order } = groupRowsNow(data.userIndex, data.users.size);
    const marks = new Int32Array(seen.itemCounts.length).fill(-1);
    const found = new Uint8Array(data.size);
    let done = 0;
    for (let user = 0; user < data.users.size; user++) {
      if (isKnown[user] === 0 || starts[user] === starts[user + 1]) continue;
      const has = seen.itemsOf(userOf?.[user] ?? user);
      for (const item of has) marks[item] = user;
      for (let at = starts[user]!; at < starts[user + 1]!; at++) {
        const row = order[at]!;
        const item = itemOf?.[data.itemIndex[row]!] ?? data.itemIndex[row]!;
        if (seen.itemCounts[item]! > 0) found[row] = marks[item] === user ? 2 : 1;
      }
      done += has.length + starts[user + 1]! - starts[user]!;
      if (done >= ROWS_A_STEP) {
        done = 0;
        yield;
      }
    }
    return found;
  }

  /**
   * The predicted rating. For ids that training never saw it is the baseline: the mean and the biases that are known.
   * Clipped to the range of the training ratings unless `clip: false`. Cost: O(rank).
   */
  predict(userId: Id, itemId: Id): number {
    const state = this.need('predict');
    return state.predict(state.users.indexOf(userId), state.items.indexOf(itemId));
  }

  /** The predicted ratings of many pairs, in order. Cost: O(rank) a pair. @throws DataError for a pair that is none */
  predictMany(pairs: Iterable<readonly [Id, Id]> | Interactions): Float32Array {
    const state = this.need('predictMany');
    if (isInteractions(pairs)) return state.predictAll(pairs);
    const { users, items } = state;
    const [userIndex, itemIndex]: [number[], number[]] = [[], []];
    for (const pair of checkList(pairs, 'pairs', 'Interactions, or a list of [userId, itemId]')) {
      if (!Array.isArray(pair) || pair.length < 2) {
        const at = userIndex.length + 1;
        throw new DataError(`pair ${at} (counting from 1) is ${show(pair)}; want [userId, itemId]`);
      }
      userIndex.push(users.indexOf(pair[0]));
      itemIndex.push(items.indexOf(pair[1]));
    }
    const columns = { userIndex: Int32Array.from(userIndex), itemIndex: Int32Array.from(itemIndex) };
    return state.predictAll({ size: userIndex.length, users, items, ...columns });
  }

  /**
   * The best unseen items of a user, best first; the popular ones for a user without training ratings, and `basis`
   * says so. Ties: the item that came first in the data. Cost: O(items x rank).
   */
  recommend(userId: Id, options?: RecommendOptions): RecommendationList {
    this.need('recommend');
    return this.recommendMany([userId], options).get(userId)!;
  }

  /** `recommend` for many users, a few at a time in one pass over the items. Memory: the lists. */
  recommendMany(userIds: Iterable<Id>, options?: RecommendOptions): Map<Id, RecommendationList> {
    const state = this.need('recommendMany');
    const { users, items, seen } = state;
    const owner = `${this.owner}.recommend`;
    const read = readRecommendOptions(owner, options);
    const { filterSeen = seen.isKept } = read;
    if (filterSeen && !seen.isKept) {
      throw new UnsupportedError(
        `${owner}: filterSeen needs to know who has rated what, and this model was saved with history: false; ` +
          'save it with its history, or pass what the user has rated as exclude',
      );
    }
    const { request, ...counted } = numbered(owner, items, read, filterSeen);
    const ids = [...new Set(checkList(userIds, 'userIds', 'a list or set of user ids'))];
    const rows = ids.map((id) => users.indexOf(id));
    const lists = state.best(rows, request).map((ranked, at): RecommendationList => {
      const list = ranked.map(({ index, score }): Recommendation => ({ itemId: items.idOf(index), score }));
      const basis: RecommendationList['basis'] = state.hasUser(rows[at]!) ? (state.basis ?? 'model') : 'popularity';
      return Object.assign(list, { basis, ...counted });
    });
    return new Map(ids.map((id, at) => [id, lists[at]!]));
  }

  /** The items most like one, by the cosine (or dot product) of their vectors. @throws UnknownIdError */
  similarItems(itemId: Id, options?: SimilarOptions): Recommendation[] {
    const state = this.need('similarItems');
    const { items } = state;
    const owner = `${this.owner}.similarItems`;
    const row = items.indexOf(itemId);
    if (!state.hasItem(row)) throw new UnknownIdError('item', itemId, owner);
    const found = state.similarItems(row, readSimilarOptions(owner, options));
    return found.map(({ index, score }) => ({ itemId: items.idOf(index), score }));
  }

  /** The users most like one, by the cosine (or dot product) of their vectors. @throws UnknownIdError */
  similarUsers(userId: Id, options?: SimilarOptions): SimilarUser[] {
    const state = this.need('similarUsers');
    const { users } = state;
    const owner = `${this.owner}.similarUsers`;
    const row = users.indexOf(userId);
    if (!state.hasUser(row)) throw new UnknownIdError('user', userId, owner);
    const found = state.similarUsers(row, readSimilarOptions(owner, options));
    return found.map(({ index, score }) => ({ userId: users.idOf(index), score }));
  }

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
   * @throws DataError for a row that is none; UnsupportedError where this kind of recommender cannot
   * @see Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (ICDM 2008), equation 4
   */
  foldInUser(history: Iterable<UserHistoryRow>): FoldedUser {
    const state = this.needOne('foldInUser');
    const known = (id: Id) => {
      const item = state.items.indexOf(id);
      return state.hasItem(item) ? item : -1;
    };
    return new FoldedUser('FoldedUser', state, readHistory(history, 'itemId', known));
  }

  /** An item that training never saw, by who has rated it: as `foldInUser`, with the trained users as they are. */
  foldInItem(history: Iterable<ItemHistoryRow>): FoldedItem {
    const state = this.needOne('foldInItem');
    const known = (id: Id) => {
      const user = state.users.indexOf(id);
      return state.hasUser(user) ? user : -1;
    };
    return new FoldedItem(state, readHistory(history, 'userId', known));
  }

  /**
   * What each item that a user has rated adds to the score of an item, the most first: the user as `foldInUser` has it is
   * a sum over its history, p = A^-1 sum_j c_j r_j q_j, and so is every score <q, p>, less the mean and the item's bias.
   *
   * Units: those of the score. Cost: that of foldInUser.
   * @throws UnknownIdError; UnsupportedError where this kind cannot, or was saved with `history: false`
   * @see Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (ICDM 2008), section 5
   */
  explain(userId: Id, itemId: Id, options?: ExplainOptions): Explanation[] {
    const state = this.needOne('explain');
    const { n } = readOptions(`${this.owner}.explain`, options, {
      n: field(integer({ min: 0 }), 10),
    });
    const { users, items } = state;
    const [user, item] = [users.indexOf(userId), items.indexOf(itemId)];
    if (!state.hasUser(user)) throw new UnknownIdError('user', userId, `${this.owner}.explain`);
    if (!state.hasItem(item)) throw new UnknownIdError('item', itemId, `${this.owner}.explain`);
    const found = state.explain!(user, item).slice(0, n);
    return found.map(({ index, score }) => ({ itemId: items.idOf(index), contribution: score }));
  }

  /** The trained state, where it has a method that not every kind has. */
  private needOne(call: 'foldInUser' | 'foldInItem' | 'explain'): State {
    const state = this.need(call);
    if (state[call] !== undefined) return state;
    throw new UnsupportedError(`${this.owner}.${call}: this kind of recommender has no answer to that`);
  }
}

function readSimilarOptions(owner: string, given: SimilarOptions | undefined): Readonly<Filled<SimilarOptions>> {
  return readOptions(owner, given, {
    n: field(integer({ min: 0 }), 10),
    measure: field(oneOf('cosine', 'dot'), 'cosine'),
  });
}
