// The recommenders that count and solve, under the contracts of recommenders. Options of a factorization are not theirs.

import { EASE } from '../../../src/recommenders/item-based/ease';
import { ItemKNN } from '../../../src/recommenders/item-based/item-knn';
import { Popularity } from '../../../src/recommenders/item-based/popularity';
import type { ItemBased } from '../../contract/odd-ratings';
import { recommenderBitsContract } from '../../contract/recommender-bits';
import { recommenderContract } from '../../contract/recommenders';

const counting: ItemBased = { basis: 'popularity', similarItems: false, needsHistory: false };

const scoring: ItemBased = { basis: 'model', similarItems: true, needsHistory: true };

for (const one of [
  { name: 'Popularity', make: () => new Popularity(), load: Popularity.load, item: counting },
  { name: 'ItemKNN', make: () => new ItemKNN(), load: ItemKNN.load, item: scoring },
  { name: 'EASE', make: () => new EASE({ regularization: 2 }), load: EASE.load, item: scoring },
]) {
  recommenderContract(one);
  recommenderBitsContract(one);
}
