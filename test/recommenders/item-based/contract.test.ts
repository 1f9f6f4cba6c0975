// The recommenders that count and solve, under the contracts of recommenders. Options of a factorization are not theirs.

import { Interactions } from '../../../src/data/interactions';
import { EASE } from '../../../src/recommenders/item-based/ease';
import { ItemKNN } from '../../../src/recommenders/item-based/item-knn';
import { Popularity } from '../../../src/recommenders/item-based/popularity';
import { loadRecommender } from '../../../src/serve';
import type { ItemBased } from '../../contract/odd-ratings';
import { recommenderBitsContract } from '../../contract/recommender-bits';
import { recommenderContract } from '../../contract/recommenders';

const counting: ItemBased = { basis: 'popularity', needsHistory: false };

const scoring: ItemBased = { basis: 'model', needsHistory: true };

const OF_ITEMS = ['similarItems', 'foldInUser', 'explain'] as const;

for (const one of [
  {
    name: 'Popularity',
    make: () => new Popularity(),
    load: Popularity.load,
    item: counting,
    can: ['foldInUser', 'partialFit'] as const,
  },
  { name: 'ItemKNN', make: () => new ItemKNN({ shrinkage: 3 }), load: ItemKNN.load, item: scoring, can: OF_ITEMS },
  { name: 'EASE', make: () => new EASE({ regularization: 2 }), load: EASE.load, item: scoring, can: OF_ITEMS },
]) {
  recommenderContract(one);
  recommenderBitsContract(one);
}

describe.each([
  ['ItemKNN', ItemKNN, new ItemKNN({ shrinkage: 100 })],
  ['EASE', EASE, new EASE({ regularization: 100 })],
] as const)('%s, left to the data', (_, Kind, given) => {
  const data = Interactions.from([
    ['ann', 'tea'],
    ['bob', 'tea'],
    ['bob', 'milk'],
    ['cy', 'soup'],
    ['di', 'soup'],
    ['ed', 'soup'],
    ['fay', 'rice'],
    ['gus', 'rice'],
    ['hal', 'oats'],
  ]);
  const listOf = (model: ItemKNN | EASE) => model.recommend('ann', { n: 4 }).map(({ itemId }) => itemId);

  test('what a history says nothing of comes by popularity, after what it says something of', async () => {
    const model = new Kind();
    await model.fit(data);
    expect(listOf(model)).toEqual(['milk', 'soup', 'rice', 'oats']);
    expect(model.foldInUser([{ itemId: 'tea' }]).recommend({ n: 4 })).toEqual(model.recommend('ann', { n: 4 }));
    expect(model.predict('ann', 'soup')).toBeGreaterThan(model.predict('ann', 'rice'));
    const loaded = Kind.load(model.save());
    for (const { itemId, score } of loaded.recommend('ann')) expect(score).toBe(model.predict('ann', itemId));
    expect(loadRecommender(model.save()).predict('ann', 'oats')).toBe(model.predict('ann', 'oats'));
  });

  test('a number of the caller shrinks to 0', async () => {
    await given.fit(data);
    expect(given.predict('ann', 'soup')).toBeCloseTo(0, 10);
    expect(given.state!.base).toBe(null);
  });
});
