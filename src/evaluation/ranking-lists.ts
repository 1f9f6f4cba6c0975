// The lists that a ranking evaluation looks at: of all items, or of a user's relevant items among negatives.

import { DataError, OptionError } from '../core/errors';
import { show } from '../core/options';
import { type Seed, Stream } from '../core/random';
import { now, type Scheduler } from '../core/scheduler';
import { compareIds, groupRows } from '../data/csr';
import type { Interactions } from '../data/interactions';
import type { Id, Vocabulary } from '../data/vocabulary';
import { GROWTH, listLength, mayTieGoOn } from '../metrics/ranking-meter';
import type { RelevantUser } from '../metrics/relevant-items';
import type { Recommender } from '../recommenders/recommender';
import type { Recommendation, RecommendationList, RecommendManyOptions, RecommendOptions } from '../serving/questions';

/** A source of ranked lists, synchronous or not: a recommender, or any object with these methods. Equal scores are a tie. */
export interface Ranker extends Partial<Pick<Recommender, 'knows' | 'scores'>> {
  recommend(userId: Id, options?: RecommendOptions): RecommendationList | Promise<RecommendationList>;
  recommendMany(
    userIds: Iterable<Id>,
    options?: RecommendOptions,
  ): ReadonlyMap<Id, RecommendationList> | Promise<ReadonlyMap<Id, RecommendationList>>;
  /** The same, one after another; asked where it is there. */
  recommendEach?(userIds: Iterable<Id>, options?: RecommendManyOptions): AsyncIterable<[Id, RecommendationList]>;
  familiarity?(data: Interactions): ArrayLike<number> | Promise<ArrayLike<number>>;
  readonly items?: Vocabulary | undefined;
}

/** Negatives to be drawn: how many a user; all there are where they are fewer. */
export interface Draw {
  readonly count: number;
  readonly seed: Seed;
}

/** A user's list, and the negatives of it that the ranker does not know. */
export interface UserList {
  readonly list: readonly Recommendation[];
  readonly basis: RecommendationList['basis'];
  readonly unknown: number;
  /** Whether fewer negatives were drawn than were wanted. */
  readonly isShort: boolean;
}

/** The most users of one call: lists of a few are in memory at once. */
const MOST_USERS_A_CALL = 64;
/** How long a call should hold others up, in milliseconds. */
const CALL = 10;

/** The lists of users, in order: their first `depth` places, and all that ties with the last of them. */
export async function* rankAll(
  ranker: Ranker,
  test: Interactions,
  users: readonly RelevantUser[],
  train: ItemsByUser | undefined,
  depth: number,
  how: Pick<RecommendManyOptions, 'threads' | 'signal'>,
): AsyncGenerator<UserList> {
  const n = listLength(depth, depth === Infinity ? train!.present.length : Infinity);
  const ids = users.map(({ user }) => test.users.idOf(user));
  const asked = ranker.recommendEach?.(ids, { n, ...how }) ?? inCalls(ranker, ids, n);
  for await (const [id, first] of asked) {
    // A model without its history, or with another one, gets the items to leave out.
    const has = new Set(train?.of(id));
    const exclude = first.some(({ itemId }) => has.has(itemId)) ? has : undefined;
    let list = exclude === undefined ? first : await ranker.recommend(id, { n, exclude });
    for (let length = n; mayTieGoOn(list, length, depth); ) {
      length *= GROWTH;
      list = await ranker.recommend(id, { n: length, exclude });
    }
    yield { list, basis: first.basis, unknown: 0, isShort: false };
  }
}

/** The lists of a ranker that gives no one after another. */
async function* inCalls(ranker: Ranker, ids: readonly Id[], n: number): AsyncGenerator<[Id, RecommendationList]> {
  let usersACall = 8;
  for (let from = 0; from < ids.length; ) {
    const some = ids.slice(from, from + usersACall);
    const begun = now();
    const asked = ranker.recommendMany(some, { n });
    const held = now() - begun;
    const lists = await asked;
    from += some.length;
    const fitting = Math.floor((usersACall * CALL) / Math.max(held, CALL / 2));
    usersACall = Math.min(Math.max(fitting, 1), MOST_USERS_A_CALL);
    for (const id of some) yield [id, lists.get(id)!];
  }
}

/** The lists of users' relevant items among negatives; an item that is both counts once, as relevant. */
export async function* rankAmongNegatives(
  ranker: Ranker,
  test: Interactions,
  users: readonly RelevantUser[],
  train: ItemsByUser | undefined,
  negatives: ReadonlyMap<Id, Iterable<Id>> | Draw,
  scheduler: Scheduler,
): AsyncGenerator<UserList> {
  const isGiven = negatives instanceof Map;
  const find = isGiven ? given(negatives) : drawn(await ItemsByUser.of(test, scheduler), train!, negatives as Draw);
  for (const { user, gains } of users) {
    const id = test.users.idOf(user);
    const relevant = new Set(Array.from(gains.keys(), (item) => test.items.idOf(item)));
    const found = find(id);
    const rivals = new Set(found);
    for (const item of relevant) rivals.delete(item);
    if (isGiven && rivals.size === 0) throw noRivals(id, 'has no item beside what is relevant to the user');
    const list = await rankAmong(ranker, id, [...rivals, ...relevant]);
    const known = list.reduce((count, { itemId }) => count + (rivals.has(itemId) ? 1 : 0), 0);
    if (known === 0 && rivals.size > 0) {
      const [one] = rivals;
      throw noRivals(id, `has no item that the model knows (${show(one)}, a ${typeof one}, is one of ${rivals.size})`);
    }
    const isShort = !isGiven && rivals.size < (negatives as Draw).count;
    yield { list, basis: list.basis, unknown: rivals.size - known, isShort };
  }
}

/** All candidates that the ranker knows, best first. */
async function rankAmong(ranker: Ranker, userId: Id, candidates: readonly Id[]): Promise<RecommendationList> {
  try {
    return await ranker.recommend(userId, { n: candidates.length, candidates, filterSeen: false });
  } catch (error) {
    // Recommenders refuse candidates of which they know none.
    if (error instanceof OptionError && error.option === 'candidates')
      return Object.assign([], { basis: 'model' as const });
    throw error;
  }
}

function noRivals(userId: Id, what: string): DataError {
  return new DataError(
    `negatives: the list of test user ${show(userId)} ${what}; want ids of other items that were trained on (ids are compared with their type: 1 and "1" differ)`,
  );
}

function given(negatives: ReadonlyMap<Id, Iterable<Id>>): (userId: Id) => Iterable<Id> {
  return (userId) => {
    const found: unknown = negatives.get(userId);
    if (typeof found === 'object' && found !== null && Symbol.iterator in found) return found as Iterable<Id>;
    if (found !== undefined)
      throw new DataError(
        `negatives: the entry of test user ${show(userId)} is ${show(found)}; want a list of item ids`,
      );
    throw new DataError(
      `negatives has no entry for test user ${show(userId)}; want one for every user with a relevant item (ids are compared with their type)`,
    );
  };
}

function drawn(test: ItemsByUser, train: ItemsByUser, { count, seed }: Draw): (userId: Id) => Iterable<Id> {
  const stream = Stream.of(seed).fork('evaluation-negatives');
  return (userId) => {
    const taken = new Set([...train.of(userId), ...test.of(userId)]);
    return drawNegatives(train, taken, count, stream.fork(userId));
  };
}

/** `count` training items that are not in `taken`; all such items where they are fewer. */
export function drawNegatives(train: ItemsByUser, taken: ReadonlySet<Id>, count: number, stream: Stream): Id[] {
  const pool = train.present.slice();
  const drawn: Id[] = [];
  // The shuffle of Fisher and Yates, from the end, as far as it is needed.
  for (let left = pool.length; left > 0 && drawn.length < count; left--) {
    const at = stream.below(left);
    const id = train.idOf(pool[at]!);
    pool[at] = pool[left - 1]!;
    if (!taken.has(id)) drawn.push(id);
  }
  return drawn;
}

/** Who has which items in some data, asked by user id: compressed rows. */
export class ItemsByUser {
  private ownPresent: Int32Array | undefined;

  private constructor(
    private readonly data: Interactions,
    private readonly offsets: Int32Array,
    private readonly rows: Int32Array,
  ) {}

  /** Groups the rows, with pauses for other tasks. */
  static async of(data: Interactions, scheduler: Scheduler): Promise<ItemsByUser> {
    const { users, userIndex, itemIndex } = data;
    const { starts, order } = await groupRows(userIndex, users.size, scheduler);
    return new ItemsByUser(
      data,
      starts,
      order.map((at) => itemIndex[at]!),
    );
  }

  /** Items with at least one row, by number, in the order of their ids: that of the rows is to change no draw. */
  get present(): Int32Array {
    this.ownPresent ??= Int32Array.from(new Set(this.rows)).sort((a, b) => compareIds(this.idOf(a), this.idOf(b)));
    return this.ownPresent;
  }

  /** The ids of a user's items. */
  of(userId: Id): Id[] {
    const user = this.data.users.indexOf(userId);
    const [from, to] = [this.offsets[user] ?? 0, this.offsets[user + 1] ?? 0];
    return Array.from(this.rows.subarray(from, to), (item) => this.idOf(item));
  }

  /** The id of an item by number. */
  idOf(item: number): Id {
    return this.data.items.idOf(item);
  }
}
