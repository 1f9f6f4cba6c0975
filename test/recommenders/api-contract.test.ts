// The section "Recommenders" of the API contract, line by line: which kind can do what, under which names, with which
// defaults. What an answer is worth is for the other tests.

import { Interactions } from '../../src/data/interactions';
import { syntheticInteractions } from '../../src/data/synthetic';
import { createRecommender, loadRecommender } from '../../src/recommenders/registry';

const ratings = syntheticInteractions({ users: 40, items: 30, ratings: 500 });
const likes = Interactions.from([...ratings].map(({ userId, itemId }) => ({ userId, itemId })));
const pairs = [...ratings].slice(0, 50).map(({ userId, itemId }) => [userId, itemId] as const);
const users = [ratings.users.idOf(0), ratings.users.idOf(7), 'nobody'];

describe('collapse: everything that takes overparam', () => {
  const small = { rank: 4, epochs: 2 } as const;
  const layers = { embeddingDim: 4, hidden: [4], epochs: 2 } as const;
  const scalar = { kind: 'scalar', init: 1.5 } as const;
  const dense = { kind: 'dense' } as const;
  const sized = { ...small, overparam: dense, task: 'regression' } as const;
  const asRatings = { ...layers, task: 'regression' } as const;

  test.each([
    [createRecommender('mf', small), ratings],
    [createRecommender('overparam-mf', { ...small, overparam: scalar }), ratings],
    [createRecommender('overparam-mf', { ...small, overparam: dense, loss: 'bpr' }), likes],
    [createRecommender('overparam-mf', { ...small, overparam: dense, link: 'sigmoid' }), ratings],
    [createRecommender('svdpp', { ...small, overparam: scalar }), ratings],
    [createRecommender('nmf', small), ratings],
    [createRecommender('nmf', { ...small, solver: 'gradient', overparam: scalar }), ratings],
    [createRecommender('neural-cf', { ...layers, rank: 4, overparam: dense }), likes],
    [createRecommender('fm', sized), ratings],
    [createRecommender('wide-deep', { ...asRatings, overparam: dense }), ratings],
    [createRecommender('deep-fm', { ...asRatings, overparam: { embedding: scalar, deep1: dense } }), ratings],
  ])('%#: equal predictions and lists, plain, saved', async (model, data) => {
    await model.fit(data);
    const plain = model.collapse();
    expect(plain.options).toHaveProperty('overparam', false);
    expect(plain.model.parameters.every(({ factors }) => factors.length === 1)).toBe(true);
    for (const one of [plain, loadRecommender(plain.save())]) {
      expect(one.predictMany(pairs)).toEqual(model.predictMany(pairs));
      for (const user of users) expect(one.recommend(user)).toEqual(model.recommend(user));
    }
    // It may be trained anew, as what it is.
    await plain.fresh().fit(data);
  });
});
