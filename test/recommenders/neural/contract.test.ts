// NeuralCF, each variant and some products, under the contracts of recommenders.

import { NeuralCF } from '../../../src/recommenders/neural/neural-cf';
import type { NeuralCFOptions } from '../../../src/recommenders/neural/neural-options';
import type { Options } from '../../contract/odd-ratings';
import { recommenderBitsContract } from '../../contract/recommender-bits';
import { recommenderContract } from '../../contract/recommenders';

const CASES: Readonly<Record<string, NeuralCFOptions>> = {
  neumf: { variant: 'neumf' },
  gmf: { variant: 'gmf', loss: 'bpr' },
  mlp: { variant: 'mlp', loss: 'softmax', dropout: 0.2 },
  'neumf of dense products': { overparam: { kind: 'dense' }, regularization: 0.01 },
  'neumf of scalar products': { overparam: { gmfUser: { kind: 'scalar' }, mlp1: { kind: 'diagonal' } }, loss: 'warp' },
};

for (const [name, own] of Object.entries(CASES)) {
  /** What a short fit of a factorization is given, as it is said here. */
  const make = ({ rank, ...rest }: Options = {}) => {
    const form = rank === undefined ? {} : { ...own, rank, embeddingDim: 2, hidden: [3, 2] };
    return new NeuralCF({ ...form, ...(rest as NeuralCFOptions) });
  };
  const one = {
    name: `NeuralCF ${name}`,
    make,
    load: NeuralCF.load,
    isRanking: true,
    can: ['similarItems', 'similarUsers'] as const,
  };
  recommenderContract(one);
  recommenderBitsContract(one);
}
