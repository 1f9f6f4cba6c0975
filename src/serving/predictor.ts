// What every trained recommender answers: it takes the caller's ids and options, checks them, asks a trained state by
// index, and gives ids back. How it is trained is for its subclasses.

import { DataError, NotFittedError, UnsupportedError } from '../core/errors';
import { show } from '../core/options';
import { A_LOOK, now, type Pausable, runToEnd, TaskScheduler } from '../core/scheduler';
import { groupRowsNow } from '../data/csr';
import type { Interactions } from '../data/interactions';
import { isInteractions } from '../data/is-interactions';
import type { Id, Vocabulary } from '../data/vocabulary';
import { ROWS_A_STEP } from '../metrics/relevant-items';
import type { Scores } from '../metrics/scores';
import { indexMap } from './index-map';
import { ItemMask } from './item-mask';
import type { Recommendation, RecommendationList, RecommendManyOptions, RecommendOptions } from './questions';
import {
  checkList,
  numbered,
  type ReadRecommendOptions,
  readManyOptions,
  readRecommendOptions,
} from './recommend-options';
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

  /** @internal The trained state, and who is asked, for what not every kind can do: capabilities.ts. */
  protected ask(call: string): { readonly owner: string; readonly recommender: object; readonly state: State } {
    return { owner: `${this.owner}.${call}`, recommender: this, state: this.need(call) };
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
    const owner = `${this.owner}.recommend`;
    const state = this.need('recommend');
    return this.answering(owner, state, readRecommendOptions(owner, options))([userId])[0]![1];
  }

  /** `recommend` for many users, each once, while other tasks go on. Memory: the lists. @see recommendEach */
  async recommendMany(userIds: Iterable<Id>, options?: RecommendManyOptions): Promise<Map<Id, RecommendationList>> {
    const chunks = this.chunksOf('recommendMany', options, () => new Set(userList(userIds)));
    const lists = new Map<Id, RecommendationList>();
    for await (const chunk of chunks) for (const [id, list] of chunk) lists.set(id, list);
    return lists;
  }

  /**
   * `recommend` for one user after another, in their order, as they are asked for: a few at a time in one pass over the
   * items, while other tasks go on. Users are read as they are needed, and lists are not kept, so that memory does not grow
   * with the number of users. All answers are of the state at the time of the call, whatever is trained meanwhile.
   * @throws OptionError; of the iteration: the signal's reason once it is aborted
   * @example
   * ```ts
   * import { MF, syntheticInteractions } from 'opmf';
   * const data = syntheticInteractions({ users: 60, items: 40, ratings: 900 });
   * const model = new MF({ rank: 4 });
   * await model.fit(data);
   * let lists = 0;
   * for await (const [, list] of model.recommendEach(data.users, { n: 5 })) lists += list.length === 5 ? 1 : 0;
   * console.log(lists); // 60
   * ```
   */
  recommendEach(userIds: Iterable<Id>, options?: RecommendManyOptions): AsyncIterable<[Id, RecommendationList]> {
    const chunks = this.chunksOf('recommendEach', options, () => userList(userIds));
    return (async function* () {
      for await (const chunk of chunks) yield* chunk;
    })();
  }

  private chunksOf(call: string, options: RecommendManyOptions | undefined, usersOf: () => Iterable<Id>) {
    const owner = `${this.owner}.${call}`;
    const state = this.need(call);
    const { signal, ...read } = readManyOptions(owner, options);
    const answer = this.answering(owner, state, read);
    return inChunks(usersOf(), answer, signal);
  }

  /** What makes the lists of some users. */
  private answering(owner: string, state: State, read: ReadRecommendOptions): Answer {
    const { users, items, seen } = state;
    const { filterSeen = seen.isKept } = read;
    if (filterSeen && !seen.isKept) {
      throw new UnsupportedError(
        `${owner}: filterSeen needs to know who has rated what, and this model was saved with history: false; ` +
          'save it with its history, or pass what the user has rated as exclude',
      );
    }
    const { request, ...counted } = numbered({ owner, recommender: this, ids: items }, read, filterSeen);
    return (ids) => {
      const rows = ids.map((id) => users.indexOf(id));
      return state.best(rows, request).map((ranked, at) => {
        const list = ranked.map(({ index, score }): Recommendation => ({ itemId: items.idOf(index), score }));
        const basis: RecommendationList['basis'] = state.hasUser(rows[at]!) ? (state.basis ?? 'model') : 'popularity';
        return [ids[at]!, Object.assign(list, { basis, ...counted })];
      });
    };
  }

  /**
   * A set of items for `candidates` and `exclude`, to be used again and again, as what is in stock: its ids are looked up
   * once. It is of this recommender alone, and stays right after `fit` and `partialFit`.
   */
  itemMask(itemIds: Iterable<Id>): ItemMask {
    this.need('itemMask');
    return new ItemMask(this, [...checkList(itemIds, 'itemIds', 'a list or set of item ids')]);
  }
}

const userList = (ids: Iterable<Id>) => checkList(ids, 'userIds', 'a list or set of user ids');

/** The lists of some users. */
type Answer = (ids: readonly Id[]) => [Id, RecommendationList][];

/** The most users of a chunk, and how long one should take, in milliseconds: other tasks wait for it. */
const MOST_USERS = 256;
const CHUNK = 4;

/** Answers for as many users at a time as take about CHUNK, letting other tasks run in between. */
async function* inChunks(userIds: Iterable<Id>, answer: Answer, signal: AbortSignal | undefined) {
  const scheduler = new TaskScheduler(signal);
  let [chunk, size]: [Id[], number] = [[], 1];
  const answerChunk = () => {
    const begun = now();
    const lists = answer(chunk);
    const fitting = Math.floor((size * CHUNK) / Math.max(now() - begun, CHUNK / 4));
    size = Math.min(Math.max(fitting, 1), MOST_USERS);
    chunk = [];
    return lists;
  };
  for (const id of userIds) {
    chunk.push(id);
    if (chunk.length < size) continue;
    yield answerChunk();
    if (scheduler.isDue(A_LOOK)) await scheduler.yieldNow();
    else signal?.throwIfAborted();
  }
  if (chunk.length > 0) yield answerChunk();
}
