// MF and OverparamMF, with every kind of product, under the contracts of recommenders.

import { recommenderBitsContract } from '../contract/recommender-bits';
import { recommenderContract } from '../contract/recommenders';
import { CASES } from './cases';

for (const one of CASES) {
  recommenderContract(one);
  recommenderBitsContract(one);
}
