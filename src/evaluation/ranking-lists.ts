// The lists that a ranking evaluation looks at: of all items, or of a user's relevant items among negatives.

import { DataError, OptionError } from '../core/errors';
import { show } from '../core/options';
import { Stream } from '../core/random';
import type { Interactions } from '../interactions/interactions';
import { compareIds } from '../interactions/order-ids';
import type { Id, Vocabulary } from '../interactions/vocabulary';
import { closeTies, listLength } from '../metrics/ranking-meter';
import type { RelevantUser } from '../metrics/relevant-items';
import type { Recommender } from '../recommenders/recommender';
import type { Recommendation, RecommendationList } from '../serving/questions';
import type { FilledRankingOptions } from './evaluate-ranking';

/** What gives lists. Scores that are equal are a tie. */
export type Ranker = Pick<Recommender, 'recommend' | 'recommendMany'> &
  Partial<Pick<Recommender, 'knows' | 'familiarity' | 'scores'>> & { readonly items?: Vocabulary | undefined };

/** A user's list, and the negatives of it that the ranker does not know. */
export interface UserList {
  readonly list: readonly Recommendation[];
  readonly basis: RecommendationList['basis'];
  readonly unknown: number;
  /** Whether fewer negatives were drawn than were wanted. */
  readonly isShort: boolean;
}

/** The users of one call: lists of a few are in memory at once. */
const USERS_A_CALL = 64;

/** The lists of users, in order: their first `depth` places, and all that ties with the last of them. */
export function* rankAll(
  ranker: Ranker,
  test: Interactions,
  users: readonly RelevantUser[],
  train: TrainItems | undefined,
  depth: number,
): Generator<UserList> {
  const n = listLength(depth, depth === Infinity ? train!.present.length : Infinity);
  for (let from = 0; from < users.length; from += USERS_A_CALL) {
    const ids = users.slice(from, from + USERS_A_CALL).map(({ user }) => test.users.idOf(user));
    const lists = ranker.recommendMany(ids, { n });
    for (const id of ids) {
      const first = lists.get(id)!;
      // A model that does not keep its history, or kept another one, is told what to leave out.
      const has = new Set(train?.of(id));
      const exclude = first.some(({ itemId }) => has.has(itemId)) ? has : undefined;
      const ask = (length: number) => ranker.recommend(id, { n: length, exclude });
      const list = closeTies(exclude === undefined ? first : ask(n), n, depth, ask);
      yield { list, basis: first.basis, unknown: 0, isShort: false };
    }
  }
}

/** The lists of users' relevant items among negatives; an item that is both counts once, as relevant. */
export function* rankAmongNegatives(
  ranker: Ranker,
  test: Interactions,
  users: readonly RelevantUser[],
  train: TrainItems | undefined,
  negatives: NonNullable<FilledRankingOptions['negatives']>,
): Generator<UserList> {
  const isGiven = negatives instanceof Map;
  const find = isGiven ? given(negatives) : drawn(test, train!, negatives as Draw);
  for (const { user, gains } of users) {
    const id = test.users.idOf(user);
    const relevant = new Set(Array.from(gains.keys(), (item) => test.items.idOf(item)));
    const found = find(id);
    const rivals = new Set(found);
    for (const item of relevant) rivals.delete(item);
    if (isGiven && rivals.size === 0) throw noRivals(id, 'has no item beside what is relevant to the user');
    const list = rankAmong(ranker, id, [...rivals, ...relevant]);
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
function rankAmong(ranker: Ranker, userId: Id, candidates: readonly Id[]): RecommendationList {
  try {
    return ranker.recommend(userId, { n: candidates.length, candidates, filterSeen: false });
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

type Draw = Exclude<NonNullable<FilledRankingOptions['negatives']>, ReadonlyMap<Id, Iterable<Id>>>;

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

function drawn(test: Interactions, train: TrainItems, { count, seed }: Draw): (userId: Id) => Iterable<Id> {
  const stream = Stream.of(seed).fork('evaluation-negatives');
  const tested = new Map<Id, Id[]>();
  for (const { userId, itemId } of test) {
    const items = tested.get(userId);
    if (items === undefined) tested.set(userId, [itemId]);
    else items.push(itemId);
  }
  return (userId) => {
    const taken = new Set([...train.of(userId), ...(tested.get(userId) ?? [])]);
    return drawNegatives(train, taken, count, stream.fork(userId));
  };
}

/** `count` training items that are not in `taken`; all such items where they are fewer. */
export function drawNegatives(train: TrainItems, taken: ReadonlySet<Id>, count: number, stream: Stream): Id[] {
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

/** The training items of users. */
export class TrainItems {
  private readonly offsets: Int32Array;
  private readonly rows: Int32Array;
  private ownPresent: Int32Array | undefined;

  constructor(private readonly train: Interactions) {
    const { users, userIndex, itemIndex } = train;
    this.offsets = new Int32Array(users.size + 1);
    for (const user of userIndex) this.offsets[user + 1]!++;
    for (let user = 0; user < users.size; user++) this.offsets[user + 1]! += this.offsets[user]!;
    const next = this.offsets.slice();
    this.rows = new Int32Array(train.size);
    for (let at = 0; at < train.size; at++) this.rows[next[userIndex[at]!]!++] = itemIndex[at]!;
  }

  /** Items with at least one row, by number, in the order of their ids: that of the rows is to change no draw. */
  get present(): Int32Array {
    this.ownPresent ??= Int32Array.from(new Set(this.rows)).sort((a, b) => compareIds(this.idOf(a), this.idOf(b)));
    return this.ownPresent;
  }

  /** The ids of a user's items. */
  of(userId: Id): Id[] {
    const user = this.train.users.indexOf(userId);
    return Array.from(this.rows.subarray(this.offsets[user] ?? 0, this.offsets[user + 1] ?? 0), (item) =>
      this.idOf(item),
    );
  }

  /** The id of an item by number. */
  idOf(item: number): Id {
    return this.train.items.idOf(item);
  }
}
