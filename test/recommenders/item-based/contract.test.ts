// The recommenders that count and solve, under the contracts of recommenders. Options of a factorization are not theirs.

import { Popularity } from '../../../src/recommenders/item-based/popularity';
import type { ItemBased } from '../../contract/odd-ratings';
import { recommenderBitsContract } from '../../contract/recommender-bits';
import { recommenderContract } from '../../contract/recommenders';

const counting: ItemBased = { basis: 'popularity', similarItems: false, needsHistory: false };

for (const one of [{ name: 'Popularity', make: () => new Popularity(), load: Popularity.load, item: counting }]) {
  recommenderContract(one);
  recommenderBitsContract(one);
}
