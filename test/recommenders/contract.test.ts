// MF and OverparamMF, with every kind of product, under the contract of recommenders.

import { recommenderContract } from '../contract/recommenders';
import { CASES } from './cases';

for (const one of CASES) recommenderContract(one);
