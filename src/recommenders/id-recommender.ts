// What every recommender does alike: it takes the caller's ids and options, checks them, asks a trained state by index,
// and gives ids back.

import { retoldAllocation } from '../core/allocate';
import { DataError, NotFittedError, UnknownIdError, UnsupportedError } from '../core/errors';
import { boolean, type Filled, field, integer, readOptions, show } from '../core/options';
import { untilAborted } from '../core/until-aborted';
import { Interactions } from '../interactions/interactions';
import { runThrough, type Steps } from '../interactions/steps';
import type { Id, Vocabulary } from '../interactions/vocabulary';
import { ROWS_A_STEP } from '../metrics/relevant-items';
import type { Scores } from '../metrics/scores';
import { Breather } from '../training/breather';
import type { History } from '../training/history';
import type { Answers } from './answers';
import { checkInteractions, type FilledFitOptions, readFitOptions } from './fit-options';
import { FoldedItem } from './folded-item';
import { FoldedUser } from './folded-user';
import { itemsLike, listsOf, usersLike } from './lists';
import { readHistory } from './read-history';
import { checkList } from './recommend-options';
import type {
  ExplainOptions,
  Explanation,
  FitOptions,
  ItemHistoryRow,
  Recommendation,
  RecommendationList,
  Recommender,
  RecommendOptions,
  SaveOptions,
  SimilarOptions,
  SimilarUser,
  UserHistoryRow,
} from './recommender';
import { translation } from './translation';

/** A recommender over a trained state of one kind. */
export abstract class IdRecommender<A extends Answers> implements Recommender {
  abstract readonly name: string;
  abstract readonly options: object;
  private answers: A | undefined;

  protected constructor(
    /** The name of the class, for messages. */
    protected readonly owner: string,
  ) {}

  abstract readonly scores: Scores;
  /** A recommender of the same kind and options, not fitted. */
  abstract fresh(): Recommender;

  /**
   * Trains on the interactions, from the start. Other tasks of the process go on meanwhile, and the recommender answers
   * from its last complete state. Several calls of `fit` and `partialFit` run one after another, in the order of the calls.
   *
   * After an abort or an error a recommender that was fitted before stays as it was; otherwise it keeps the last whole
   * epoch, that is, the last one that was trained and measured, where there was one.
   *
   * @throws DataError without interactions, or with values that the kind does not take; OptionError; DivergenceError; the
   * signal's reason after an abort; what `onEpoch` or `checkpoint.write` throws or rejects with
   */
  async fit(data: Interactions, options?: FitOptions): Promise<History> {
    checkInteractions(data, 'data');
    const fitOptions = readFitOptions(`${this.owner}.fit`, options, this.scoresFor(data));
    return this.inTurn(fitOptions.signal, () => this.withSeen(this.train(data, fitOptions), fitOptions.validation));
  }

  /**
   * Goes on training with new interactions; where nothing has been fitted when its turn comes, it is `fit`.
   * @throws UnsupportedError where the kind cannot
   */
  async partialFit(data: Interactions, options?: FitOptions): Promise<History> {
    checkInteractions(data, 'data');
    const scores = this.isFitted ? this.scores : this.scoresFor(data);
    const fitOptions = readFitOptions(`${this.owner}.partialFit`, options, scores);
    return this.inTurn(fitOptions.signal, () => {
      const training = this.isFitted ? this.update(data, fitOptions) : this.train(data, fitOptions);
      return this.withSeen(training, fitOptions.validation);
    });
  }

  /** What a training tells, and how much of its validation it was trained on. */
  protected async withSeen(training: Promise<History>, validation: unknown): Promise<History> {
    const history = await training;
    if (!(validation instanceof Interactions)) return history;
    const turns = new Breather(undefined);
    const steps = this.familiaritySteps(validation);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return { ...history, seen: value.reduce((count, kind) => count + (kind === 2 ? 1 : 0), 0) };
      if (turns.isDue(ROWS_A_STEP)) await turns.breathe();
    }
  }

  /** What scores are after a fit to some data: where the data choose the loss, they choose this too. */
  protected scoresFor(_data: Interactions): Scores {
    return this.scores;
  }

  /** Trains from the start and installs the result. */
  protected abstract train(data: Interactions, options: FilledFitOptions): Promise<History>;

  /** Goes on training and installs the result. */
  protected async update(_data: Interactions, _options?: FilledFitOptions): Promise<History> {
    throw new UnsupportedError(
      `${this.owner} has no partialFit: what is new changes all that it knows; fit it again to all interactions`,
    );
  }

  /** The last training that was asked for, while there is one; it never rejects. */
  private queue: Promise<unknown> | undefined;

  /**
   * Runs a training when those before it have ended, well or not. An abort takes it out of the queue, whose order stays.
   * @throws what the training throws; the signal's reason
   */
  protected inTurn<T>(signal: AbortSignal | undefined, training: () => Promise<T>): Promise<T> {
    const before = this.queue;
    const result = (before === undefined ? training() : untilAborted(before, signal).then(training)).catch((error) =>
      retoldAllocation(error, `a training of ${this.owner}`),
    );
    const queue: Promise<unknown> = Promise.allSettled([before, result]).then(() => {
      if (this.queue === queue) this.queue = undefined;
    });
    this.queue = queue;
    return result;
  }

  get isFitted(): boolean {
    return this.answers !== undefined;
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
  protected install(answers: A): void {
    this.answers = answers;
  }

  /** The trained state. @throws NotFittedError before there is one */
  protected need(call: string): A {
    if (this.answers === undefined) throw new NotFittedError(this.owner, call);
    return this.answers;
  }

  /** Whether training saw the user and the item, or the user, where no item is given. */
  knows(userId: Id, itemId?: Id): boolean {
    const answers = this.need('knows');
    const { users, items } = answers;
    return answers.hasUser(users.indexOf(userId)) && (itemId === undefined || answers.hasItem(items.indexOf(itemId)));
  }

  /**
   * What training saw of each row of some data: 2, the pair of its user and item; 1, both, but not together; 0, not
   * both. After a load without history no pair is known.
   * Cost: O(rows + what the users of the rows have).
   */
  familiarity(data: Interactions): Uint8Array {
    return runThrough(this.familiaritySteps(data));
  }

  /** `familiarity`, in steps of about ROWS_A_STEP rows. */
  private *familiaritySteps(data: Interactions): Steps<Uint8Array> {
    const { users, items, seen } = this.need('familiarity');
    const userOf = translation(data.users, users);
    const itemOf = translation(data.items, items);
    const isKnown = Uint8Array.from(data.users, (id) => (this.knows(id) ? 1 : 0));
    // The rows of one user after the other, whose items are marked by its number.
    const starts = new Int32Array(data.users.size + 1);
    for (let k = 0; k < data.size; k++) starts[data.userIndex[k]! + 1]!++;
    for (let user = 0; user < data.users.size; user++) starts[user + 1]! += starts[user]!;
    const next = starts.slice();
    const rows = new Int32Array(data.size);
    for (let k = 0; k < data.size; k++) rows[next[data.userIndex[k]!]!++] = k;
    const marks = new Int32Array(seen.itemCounts.length).fill(-1);
    const found = new Uint8Array(data.size);
    let done = 0;
    for (let user = 0; user < data.users.size; user++) {
      if (isKnown[user] === 0 || starts[user] === starts[user + 1]) continue;
      const has = seen.itemsOf(userOf?.[user] ?? user);
      for (const item of has) marks[item] = user;
      for (let at = starts[user]!; at < starts[user + 1]!; at++) {
        const row = rows[at]!;
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
    const answers = this.need('predict');
    return answers.predict(answers.users.indexOf(userId), answers.items.indexOf(itemId));
  }

  /** The predicted ratings of many pairs, in order. Cost: O(rank) a pair. @throws DataError for a pair that is none */
  predictMany(pairs: Iterable<readonly [Id, Id]> | Interactions): Float32Array {
    const answers = this.need('predictMany');
    if (pairs instanceof Interactions) return answers.predictAll(pairs);
    const { users, items } = answers;
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
    return answers.predictAll({ size: userIndex.length, users, items, ...columns });
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
    const answers = this.need('recommendMany');
    return listsOf(this.owner, answers, userIds, options);
  }

  /** The items most like one, by the cosine (or dot product) of their vectors. @throws UnknownIdError */
  similarItems(itemId: Id, options?: SimilarOptions): Recommendation[] {
    return itemsLike(this.owner, this.need('similarItems'), itemId, options);
  }

  /** The users most like one, by the cosine (or dot product) of their vectors. @throws UnknownIdError */
  similarUsers(userId: Id, options?: SimilarOptions): SimilarUser[] {
    return usersLike(this.owner, this.need('similarUsers'), userId, options);
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
    const answers = this.needOne('foldInUser');
    const known = (id: Id) => {
      const item = answers.items.indexOf(id);
      return answers.hasItem(item) ? item : -1;
    };
    return new FoldedUser('FoldedUser', answers, readHistory(history, 'itemId', known));
  }

  /** An item that training never saw, by who has rated it: as `foldInUser`, with the trained users as they are. */
  foldInItem(history: Iterable<ItemHistoryRow>): FoldedItem {
    const answers = this.needOne('foldInItem');
    const known = (id: Id) => {
      const user = answers.users.indexOf(id);
      return answers.hasUser(user) ? user : -1;
    };
    return new FoldedItem(answers, readHistory(history, 'userId', known));
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
    const answers = this.needOne('explain');
    const { n } = readOptions<Filled<ExplainOptions>>(`${this.owner}.explain`, options, {
      n: field(integer({ min: 0 }), 10),
    });
    const { users, items } = answers;
    const [user, item] = [users.indexOf(userId), items.indexOf(itemId)];
    if (!answers.hasUser(user)) throw new UnknownIdError('user', userId, `${this.owner}.explain`);
    if (!answers.hasItem(item)) throw new UnknownIdError('item', itemId, `${this.owner}.explain`);
    const found = answers.explain!(user, item).slice(0, n);
    return found.map(({ index, score }) => ({ itemId: items.idOf(index), contribution: score }));
  }

  /** The trained state, where it has a method that not every kind has. */
  private needOne(call: 'foldInUser' | 'foldInItem' | 'explain'): A {
    const answers = this.need(call);
    if (answers[call] !== undefined) return answers;
    throw new UnsupportedError(`${this.owner}.${call}: this kind of recommender has no answer to that`);
  }

  /** The trained state, the ids and the options as one safetensors file. `loadRecommender` reads it. */
  save(options?: SaveOptions): Uint8Array<ArrayBuffer> {
    const answers = this.need('save');
    const { history } = readOptions<Filled<SaveOptions>>(`${this.owner}.save`, options, {
      history: field(boolean, true),
    });
    return answers.encode(history);
  }
}
