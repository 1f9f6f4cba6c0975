// The recommenders that count and solve, under the contracts of recommenders. Options of a factorization are not theirs.

import { EASE } from '../../../src/recommenders/item-based/ease';
import { ItemKNN } from '../../../src/recommenders/item-based/item-knn';
import { Popularity } from '../../../src/recommenders/item-based/popularity';
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
