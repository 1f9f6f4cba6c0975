// A recommender that is a function: what an evaluation asks of one, and no more. Equal scores keep the order of the items.

import type { Id } from '../../src/data/vocabulary';
import type { RecommendationList, RecommendOptions } from '../../src/serving/questions';

/** Ranks `items` by a score; what `seenBy` names is left out unless filterSeen is false. */
export function rankerByScores(
  items: readonly Id[],
  score: (userId: Id, itemId: Id) => number,
  seenBy: (userId: Id) => Iterable<Id> = () => [],
  basis: (userId: Id) => RecommendationList['basis'] = () => 'model',
) {
  const recommend = (userId: Id, options: RecommendOptions = {}): RecommendationList => {
    const { n = 10, filterSeen = true, exclude = [], candidates } = options;
    const hidden = new Set([...(exclude as Iterable<Id>), ...(filterSeen ? seenBy(userId) : [])]);
    const wanted = candidates === undefined ? undefined : new Set(candidates as Iterable<Id>);
    const list = items
      .filter((item) => !hidden.has(item) && (wanted === undefined || wanted.has(item)))
      .map((itemId) => ({ itemId, score: score(userId, itemId) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, n);
    return Object.assign(list, { basis: basis(userId) });
  };
  const recommendMany = (userIds: Iterable<Id>, options?: RecommendOptions) =>
    new Map(Array.from(userIds, (id) => [id, recommend(id, options)]));
  return { recommend, recommendMany };
}
