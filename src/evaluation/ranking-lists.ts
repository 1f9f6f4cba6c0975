// The lists that a ranking evaluation looks at: of all items, or of a user's relevant ones among negatives.

import { DataError } from '../core/errors';
import { show } from '../core/options';
import { Stream } from '../core/random';
import type { Interactions } from '../interactions/interactions';
import type { Id } from '../interactions/vocabulary';
import type { RelevantUser } from '../metrics/relevant-items';
import type { RecommendationList, Recommender } from '../recommenders/recommender';
import { drawNegatives } from './draw-negatives';
import type { FilledRankingOptions } from './ranking-options';
import type { TrainItems } from './train-items';

/** What gives lists. */
export type Ranker = Pick<Recommender, 'recommend' | 'recommendMany'>;

/** The users of one call: lists of a few are in memory at once. */
const USERS_A_CALL = 64;

/** The lists of users, in order. `depth` is how long they have to be. */
export function* rankAll(
  ranker: Ranker,
  test: Interactions,
  users: readonly RelevantUser[],
  train: TrainItems | undefined,
  depth: number,
): Generator<RecommendationList> {
  const n = Math.min(depth, train?.present.length ?? Infinity);
  for (let from = 0; from < users.length; from += USERS_A_CALL) {
    const ids = users.slice(from, from + USERS_A_CALL).map(({ user }) => test.users.idOf(user));
    const lists = ranker.recommendMany(ids, { n });
    for (const id of ids) yield withoutTrain(ranker, id, lists.get(id)!, train, n);
  }
}

/** A model that does not keep its history, or kept another one, is told what to leave out. */
function withoutTrain(ranker: Ranker, id: Id, list: RecommendationList, train: TrainItems | undefined, n: number) {
  const exclude = new Set(train?.of(id));
  return list.some(({ itemId }) => exclude.has(itemId)) ? ranker.recommend(id, { n, exclude }) : list;
}

/** The lists of users' relevant items among negatives; an item that is both counts once, as relevant. */
export function* rankAmongNegatives(
  ranker: Ranker,
  test: Interactions,
  users: readonly RelevantUser[],
  train: TrainItems | undefined,
  negatives: NonNullable<FilledRankingOptions['negatives']>,
  depth: number,
): Generator<RecommendationList> {
  const find = negatives instanceof Map ? given(negatives) : drawn(test, train!, negatives as Draw);
  for (const { user, gains } of users) {
    const id = test.users.idOf(user);
    const candidates = new Set(find(id));
    for (const item of gains.keys()) candidates.add(test.items.idOf(item));
    yield ranker.recommend(id, { n: Math.min(depth, candidates.size), candidates, filterSeen: false });
  }
}

type Draw = Exclude<NonNullable<FilledRankingOptions['negatives']>, ReadonlyMap<Id, Iterable<Id>>>;

function given(negatives: ReadonlyMap<Id, Iterable<Id>>): (userId: Id) => Iterable<Id> {
  return (userId) => {
    const found = negatives.get(userId);
    if (found !== undefined) return found;
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
