// MF and OverparamMF, with every kind of product, under the contracts of recommenders.

import type { Options } from '../contract/odd-ratings';
import { recommenderBitsContract } from '../contract/recommender-bits';
import { recommenderContract } from '../contract/recommenders';
import { CASES } from './cases';

for (const one of CASES) {
  // Its biases are products: a model without biases has none to name.
  const overparam = { userEmbedding: { kind: 'dense' } };
  const flat = one.name.endsWith('by name') ? { flat: { initScale: 0, biases: false, overparam } as Options } : {};
  recommenderContract({ ...one, ...flat });
  recommenderBitsContract(one);
}
