// Lists of items and users by id, out of a trained state that knows them by index: the options are read here, and ids
// become numbers and numbers ids.

import { UnknownIdError, UnsupportedError } from '../core/errors';
import { type Filled, field, integer, oneOf, readOptions } from '../core/options';
import type { Id } from '../interactions/vocabulary';
import type { Answers } from './answers';
import { checkList, numbered, readRecommendOptions } from './recommend-options';
import type { Recommendation, RecommendationList, RecommendOptions, SimilarOptions, SimilarUser } from './recommender';

/** What lists are made of. */
export type ListAnswers = Pick<
  Answers,
  'users' | 'items' | 'seen' | 'hasUser' | 'hasItem' | 'best' | 'similarItems' | 'similarUsers'
>;

/** The best items of each user. @throws OptionError; UnsupportedError where the history that is asked for was not kept */
export function listsOf(
  owner: string,
  answers: ListAnswers,
  userIds: Iterable<Id>,
  options: RecommendOptions | undefined,
): Map<Id, RecommendationList> {
  const { users, items, seen } = answers;
  const read = readRecommendOptions(`${owner}.recommend`, options);
  const { filterSeen = seen.isKept } = read;
  if (filterSeen && !seen.isKept) {
    throw new UnsupportedError(
      `${owner}.recommend: filterSeen needs to know who has rated what, and this model was saved with history: false; ` +
        'save it with its history, or pass what the user has rated as exclude',
    );
  }
  const { request, ...counted } = numbered(`${owner}.recommend`, items, read, filterSeen);
  const ids = [...new Set(checkList(userIds, 'userIds', 'a list or set of user ids'))];
  const rows = ids.map((id) => users.indexOf(id));
  const lists = answers.best(rows, request).map((ranked, at): RecommendationList => {
    const list = ranked.map(({ index, score }): Recommendation => ({ itemId: items.idOf(index), score }));
    const basis = answers.hasUser(rows[at]!) ? ('model' as const) : ('popularity' as const);
    return Object.assign(list, { basis, ...counted });
  });
  return new Map(ids.map((id, at) => [id, lists[at]!]));
}

/** The items most like one. @throws OptionError; UnknownIdError */
export function itemsLike(
  owner: string,
  answers: ListAnswers,
  itemId: Id,
  options: SimilarOptions | undefined,
): Recommendation[] {
  const { items } = answers;
  const row = items.indexOf(itemId);
  if (!answers.hasItem(row)) throw new UnknownIdError('item', itemId, `${owner}.similarItems`);
  const found = answers.similarItems(row, readSimilarOptions(`${owner}.similarItems`, options));
  return found.map(({ index, score }) => ({ itemId: items.idOf(index), score }));
}

/** The users most like one. @throws OptionError; UnknownIdError */
export function usersLike(
  owner: string,
  answers: ListAnswers,
  userId: Id,
  options: SimilarOptions | undefined,
): SimilarUser[] {
  const { users } = answers;
  const row = users.indexOf(userId);
  if (!answers.hasUser(row)) throw new UnknownIdError('user', userId, `${owner}.similarUsers`);
  const found = answers.similarUsers(row, readSimilarOptions(`${owner}.similarUsers`, options));
  return found.map(({ index, score }) => ({ userId: users.idOf(index), score }));
}

function readSimilarOptions(owner: string, given: SimilarOptions | undefined): Readonly<Filled<SimilarOptions>> {
  return readOptions<Filled<SimilarOptions>>(owner, given, {
    n: field(integer({ min: 0 }), 10),
    measure: field(oneOf('cosine', 'dot'), 'cosine'),
  });
}
