// Reading what lists are to be made of: the options of recommend, of a trained user and of a folded one alike, and those of
// similar items and users.

import { DataError, isNamed, NotFittedError, OptionError, UnsupportedError } from '../core/errors';
import {
  abortSignal,
  boolean,
  field,
  integer,
  oneOf,
  optional,
  readOptions,
  show,
  threadCount,
  wrong,
} from '../core/options';
import { A_LOOK, now, type Pausable, runToEnd, runYielding, type Scheduler, TaskScheduler } from '../core/scheduler';
import { groupRowsNow } from '../data/csr';
import type { Interactions } from '../data/interactions';
import { type Interaction, type Row, readRows, refuseStrayNames } from '../data/rows';
import { type Id, Vocabulary } from '../data/vocabulary';
import type { Scores } from '../metrics/metric-names';
import { ROWS_A_STEP } from '../metrics/relevant-items';
import { indexMap } from './index-map';
import { ItemMask, type NumberedIds, numbersOf } from './item-mask';
import type {
  HistoryRow,
  Recommendation,
  RecommendationList,
  RecommendManyOptions,
  RecommendOptions,
  SimilarOptions,
} from './questions';
import type { ScoredIndex, SimilarRequest } from './top-k';
import type { Able, FoldedItemState, FoldedUserState, HistoryEntry, ItemRequest, TrainedState } from './trained-state';

/** Who is asked, for messages and masks, and the ids that its rows have. */
export interface Asked {
  readonly owner: string;
  /** The recommender: masks are of one. */
  readonly recommender: object;
  readonly ids: Vocabulary;
}

/** The options of recommend, checked; what is absent follows from the history. */
export interface ReadRecommendOptions {
  readonly n: number;
  readonly filterSeen?: boolean;
  readonly exclude?: Iterable<Id> | ItemMask;
  readonly candidates?: Iterable<Id> | ItemMask;
}

const itemIds = (value: unknown, name: string) =>
  value instanceof ItemMask
    ? value
    : checkList(value as Iterable<Id>, name, 'a list or set of item ids, or an itemMask');

const recommendFields = () => ({
  n: field(integer({ min: 0 }), 10),
  filterSeen: optional(boolean),
  exclude: optional(itemIds),
  candidates: optional(itemIds),
});

/** Checks the options of recommend. */
export function readRecommendOptions(owner: string, given: RecommendOptions | undefined): ReadRecommendOptions {
  return readOptions<ReadRecommendOptions>(owner, given, recommendFields());
}

/** Checks those of recommendMany and recommendEach. */
export function readManyOptions(owner: string, given: RecommendManyOptions | undefined) {
  type Read = ReadRecommendOptions & { readonly signal?: AbortSignal; readonly threads: number | 'auto' };
  return readOptions<Read>(owner, given, {
    ...recommendFields(),
    signal: optional(abortSignal),
    threads: field(threadCount, 'auto'),
  });
}

/** Reads the options of similar items, or users. @throws OptionError as `numbered` */
export function readSimilarOptions(
  asked: Asked,
  given: SimilarOptions | undefined,
  side: 'items' | 'users',
): SimilarRequest {
  const ids = (value: unknown, name: string) => {
    if (side === 'items') return itemIds(value, name);
    return checkList(value as Iterable<Id>, name, 'a list or set of user ids');
  };
  type Read = Pick<ReadRecommendOptions, 'n' | 'exclude' | 'candidates'> & { readonly measure: 'cosine' | 'dot' };
  const read = readOptions<Read>(asked.owner, given, {
    n: field(integer({ min: 0 }), 10),
    measure: field(oneOf('cosine', 'dot'), 'cosine'),
    exclude: optional(ids),
    candidates: optional(ids),
  });
  const { request } = numbered(asked, read, false);
  const wanted = request.candidates && new Set(request.candidates);
  const excluded = new Set(request.exclude);
  return { n: read.n, measure: read.measure, isWanted: (row) => (wanted?.has(row) ?? true) && !excluded.has(row) };
}

/** What the trained state is asked for, and how many of the given ids it does not know. */
export interface NumberedRequest {
  readonly request: ItemRequest;
  /** Of `candidates` and `exclude`; absent where there are none. */
  readonly unknown?: number;
}

/**
 * The request by numbers.
 * @throws OptionError where no candidate is known, or nothing to exclude, and its ids are of a type that no row has; for a
 * mask of another recommender
 */
export function numbered(
  asked: Asked,
  { n, exclude, candidates }: Pick<ReadRecommendOptions, 'n' | 'exclude' | 'candidates'>,
  filterSeen: boolean,
): NumberedRequest {
  const out = find(asked, 'exclude', exclude);
  const wanted = find(asked, 'candidates', candidates);
  if (wanted !== undefined && wanted.ids.length > 0 && wanted.numbers.length === 0)
    throw noneKnown(asked, 'candidates', wanted.ids);
  if (out !== undefined && out.ids.length > 0 && out.numbers.length === 0) {
    // Items that are new to the model may be excluded; ids of a type that no item has are a slip.
    const types = new Set(Array.from(asked.ids, (id) => typeof id));
    if (!out.ids.some((id) => types.has(typeof id))) throw noneKnown(asked, 'exclude', out.ids);
  }
  const request = { n, filterSeen, exclude: out?.numbers ?? [], candidates: wanted?.numbers ?? null };
  const missing = (read: typeof out) => (read === undefined ? 0 : read.ids.length - read.numbers.length);
  const unknown = missing(wanted) + missing(out);
  return { request, ...(unknown > 0 && { unknown }) };
}

function find({ owner, recommender, ids }: Asked, option: string, given: Iterable<Id> | ItemMask | undefined) {
  if (given === undefined) return undefined;
  if (!(given instanceof ItemMask)) return numbersOf(ids, [...given]);
  if (given.of === recommender) return given.in(ids);
  throw new OptionError(
    option,
    given,
    `${owner}: ${option} is the itemMask of another recommender; make one by the itemMask of the one that is asked`,
  );
}

function noneKnown({ owner, ids: known }: Asked, option: string, ids: NumberedIds['ids']): OptionError {
  const [one] = ids;
  const [first] = known;
  return new OptionError(
    option,
    ids,
    `${owner}: ${option} has ${ids.length} ids and the model knows none of them, such as ${show(one)} (a ${typeof one}); ` +
      `want ids of training, such as ${show(first)} (a ${typeof first}): ids are compared with their type`,
  );
}

/** Something to iterate over, but not a string: one id would be taken for the list of its letters. */
export function checkList<T>(value: Iterable<T>, name: string, wanted: string): Iterable<T> {
  if (typeof value === 'object' && value !== null && typeof value[Symbol.iterator] === 'function') return value;
  throw wrong(name, value, wanted);
}

// A user that training never saw, by its history: what a caller holds.

/**
 * A user by its history alone; nothing of the recommender changes, and nothing is kept there. With no known item in the
 * history it is answered as an unknown user: the baseline, and the popular items.
 */
export class FoldedUser {
  private readonly answers: FoldedUserState | null;

  /** @internal */
  constructor(
    private readonly asked: { readonly recommender: object; readonly state: Able<'foldInUser'> },
    { entries, ignored }: ReadHistory,
  ) {
    this.ignored = ignored;
    this.answers = entries.length > 0 ? asked.state.foldInUser(entries) : null;
  }

  /** How many items of the history training never saw: they are passed over. */
  readonly ignored: number;

  /** The user's row, as one of userFactors; null where there is none. */
  get vector(): Float32Array | null {
    return this.answers?.vector ?? null;
  }

  /** The predicted rating; for an item that training never saw the baseline. Cost: O(rank). */
  predict(itemId: Id): number {
    const { answers } = this;
    const { state } = this.asked;
    const item = state.items.indexOf(itemId);
    return answers === null ? state.predict(-1, item) : answers.predict(item);
  }

  /** The best items that are not in the history, best first. Cost: O(items x rank). @throws OptionError */
  recommend(options?: RecommendOptions): RecommendationList {
    const { answers } = this;
    const { state, recommender } = this.asked;
    const { items } = state;
    const owner = 'FoldedUser.recommend';
    const read = readRecommendOptions(owner, options);
    const { request, ...counted } = numbered({ owner, recommender, ids: items }, read, read.filterSeen ?? true);
    const ranked = answers === null ? state.best([-1], request)[0]! : answers.best(request);
    const list = ranked.map(({ index, score }) => ({ itemId: items.idOf(index), score }));
    const basis = answers === null ? ('popularity' as const) : ('model' as const);
    return Object.assign(list, { basis, ...counted });
  }
}

// An item that training never saw, by who has it: what a caller holds.

/** An item by its history alone; nothing of the recommender changes. */
export class FoldedItem {
  private readonly answers: FoldedItemState | null;

  /** @internal */
  constructor(
    private readonly state: Able<'foldInItem'>,
    { entries, ignored }: ReadHistory,
  ) {
    this.ignored = ignored;
    this.answers = entries.length > 0 ? state.foldInItem(entries) : null;
  }

  /** How many users of the history training never saw: they are passed over. */
  readonly ignored: number;

  /** The item's row, as one of itemFactors; null where there is none. */
  get vector(): Float32Array | null {
    return this.answers?.vector ?? null;
  }

  /** The predicted rating of a user; for one that training never saw the baseline. Cost: O(rank). */
  predict(userId: Id): number {
    const { state, answers } = this;
    const user = state.users.indexOf(userId);
    return answers === null ? state.predict(user, -1) : answers.predict(user);
  }
}

// The history of a new user (or item) as a caller writes it, made into indices that a trained state knows.

/** A history, and how many different ids of it training never saw. */
export interface ReadHistory {
  readonly entries: readonly HistoryEntry[];
  readonly ignored: number;
}

/** Reads rows as Interactions.from does, of one user or item that has no name; of repeats the last counts. */
export function readHistory(
  rows: Iterable<HistoryRow<'itemId'> | HistoryRow<'userId'>>,
  side: 'itemId' | 'userId',
  indexOf: (id: Id) => number,
): ReadHistory {
  const wanted = `a list of rows: { ${side}, value?, weight? } or [${side}, value?]`;
  const named = Array.from(checkList<unknown>(rows, 'history', wanted), (row, at) => nameless(row, side, at));
  // By its own vocabulary, so that the model's stays as it is.
  const ids = new Vocabulary();
  const { itemIndex, values, weights } = readRows(named, new Vocabulary(), ids);
  const last = new Map<number, HistoryEntry>();
  for (let k = 0; k < values.length; k++) {
    if (weights?.[k] === 0) continue;
    const item = itemIndex[k]!;
    // The place of the last, too.
    last.delete(item);
    last.set(item, { index: indexOf(ids.idOf(item)), value: values[k]!, weight: weights?.[k] ?? 1 });
  }
  const entries = [...last.values()].filter(({ index }) => index >= 0);
  return { entries, ignored: last.size - entries.length };
}

/** A row of somebody, with what it is about as its item. Misshapen ones are left for readRows to report. */
function nameless(row: unknown, side: 'itemId' | 'userId', at: number): Row {
  if (Array.isArray(row)) return [0, ...row] as unknown as Row;
  if (typeof row !== 'object' || row === null) return row as Row;
  refuseStrayNames(row, at);
  const { [side]: itemId, value, weight, timestamp } = row as Interaction;
  return { userId: 0, itemId, value, weight, timestamp };
}

// What every trained recommender answers: it takes the caller's ids and options, checks them, asks a trained state by
// index, and gives ids back. How it is trained is for its subclasses.

/** A trained state as its user asks it. */
export abstract class Predictor {
  /** The name of its kind: 'mf', 'overparam-mf'. */
  abstract readonly name: string;
  /** The options in force, plain JSON. */
  abstract readonly options: object;
  /** What predictions are: ratings, probabilities of a value of 1, or numbers that mean nothing but their order. */
  abstract readonly scores: Scores;
  /** @internal The trained state, once there is one; subclasses say of which kind. */
  state: TrainedState | undefined;

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

  /** @internal Takes over a trained state. */
  protected install(state: TrainedState): void {
    this.state = state;
  }

  /** @internal The trained state. @throws NotFittedError before there is one */
  protected need(call: string): NonNullable<this['state']> {
    if (this.state === undefined) throw new NotFittedError(this.owner, call);
    return this.state as NonNullable<this['state']>;
  }

  /** @internal The trained state, and who is asked, for what not every kind can do: capabilities.ts. */
  protected ask(call: string) {
    return { owner: `${this.owner}.${call}`, recommender: this as object, state: this.need(call) };
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
    if (isNamed<Interactions>('Interactions', pairs)) return state.predictAll(pairs);
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
    const { request, list } = this.answering(owner, state, readRecommendOptions(owner, options));
    const row = state.users.indexOf(userId);
    return list(row, state.best([row], request)[0]!);
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
   * for await (const [, list] of model.recommendEach(data.users, { n: 5 })) lists += list.basis === 'model' ? 1 : 0;
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
    const { signal, threads, ...read } = readManyOptions(owner, options);
    const { request, list } = this.answering(owner, state, read);
    const inTurns = state.inTurns?.(request);
    const answered: Answered = (ids, rows, lists) => lists.map((ranked, at) => [ids[at]!, list(rows[at]!, ranked)]);
    const answer = function* (ids: readonly Id[]): Pausable<[Id, RecommendationList][]> {
      const rows = ids.map((id) => state.users.indexOf(id));
      return answered(ids, rows, inTurns === undefined ? state.best(rows, request) : yield* inTurns(rows));
    };
    const users = usersOf();
    const begin = (scheduler: Scheduler) => this.onThreads?.(state, request, users, threads, scheduler, answered);
    return (async function* () {
      const scheduler = new TaskScheduler(signal);
      yield* (await begin(scheduler)) ?? inChunks(users, answer, inTurns !== undefined, scheduler);
    })();
  }

  /** @internal The lists of users, some at a time, as threads make them; undefined where one thread does as well. */
  protected onThreads?(
    state: TrainedState,
    request: ItemRequest,
    users: Iterable<Id>,
    threads: number | 'auto',
    scheduler: Scheduler,
    answered: Answered,
  ): Promise<AsyncIterable<[Id, RecommendationList][]> | undefined>;

  /** What is asked of a state, and what makes its answer for a user a list. */
  private answering(owner: string, state: TrainedState, read: ReadRecommendOptions) {
    const { items, seen } = state;
    const { filterSeen = seen.isKept } = read;
    if (filterSeen && !seen.isKept) {
      throw new UnsupportedError(
        `${owner}: filterSeen needs to know who has rated what, and this model was saved with history: false; ` +
          'save it with its history, or pass what the user has rated as exclude',
      );
    }
    const { request, ...counted } = numbered({ owner, recommender: this, ids: items }, read, filterSeen);
    const list = (row: number, ranked: readonly ScoredIndex[]): RecommendationList => {
      const found = ranked.map(({ index, score }): Recommendation => ({ itemId: items.idOf(index), score }));
      const basis: RecommendationList['basis'] = state.hasUser(row) ? (state.basis ?? 'model') : 'popularity';
      return Object.assign(found, { basis, ...counted });
    };
    return { request, list };
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

/** Makes of what a state gives what a caller gets: for some users, by id and by number. */
export type Answered = (
  ids: readonly Id[],
  rows: readonly number[],
  lists: readonly (readonly ScoredIndex[])[],
) => [Id, RecommendationList][];

/** The lists of some users. */
type Answer = (ids: readonly Id[]) => Pausable<[Id, RecommendationList][]>;

/** The users of a chunk whose answer has steps. */
const USERS = 64;
/** The most users of one whose answer has none, and how long that should take, in milliseconds: other tasks wait for it. */
const MOST_USERS = 256;
const CHUNK = 4;

/** Answers for some users at a time, letting other tasks run in between. */
async function* inChunks(userIds: Iterable<Id>, answer: Answer, hasSteps: boolean, scheduler: Scheduler) {
  let [chunk, size]: [Id[], number] = [[], hasSteps ? USERS : 1];
  const answerChunk = async () => {
    const begun = now();
    const lists = await runYielding(answer(chunk), scheduler);
    chunk = [];
    if (hasSteps) return lists;
    const fitting = Math.floor((size * CHUNK) / Math.max(now() - begun, CHUNK / 4));
    size = Math.min(Math.max(fitting, 1), MOST_USERS);
    return lists;
  };
  for (const id of userIds) {
    chunk.push(id);
    if (chunk.length < size) continue;
    yield await answerChunk();
    if (scheduler.isDue(A_LOOK)) await scheduler.yieldNow();
    else scheduler.signal?.throwIfAborted();
  }
  if (chunk.length > 0) yield await answerChunk();
}
