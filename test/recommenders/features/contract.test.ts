// Models of features, fitted on interactions, under the contracts of recommenders.

import { DeepFM } from '../../../src/recommenders/features/deep-fm';
import { FM } from '../../../src/recommenders/features/fm';
import { WideDeep } from '../../../src/recommenders/features/wide-deep';
import type { Recommender } from '../../../src/recommenders/recommender';
import type { Options, RecommenderUnderTest } from '../../contract/odd-ratings';
import { recommenderBitsContract } from '../../contract/recommender-bits';
import { recommenderContract } from '../../contract/recommenders';

type Make = (options: object) => Recommender;

/** A short fit of a factorization, as options of these: it is rows a batch, and numbers, that are to be predicted. */
const CASES: Readonly<Record<string, { make: Make; load: RecommenderUnderTest['load']; dim: string; own?: object }>> = {
  FM: { make: (options) => new FM(options), load: FM.load, dim: 'rank' },
  'FM of scalar products': {
    make: (options) => new FM(options),
    load: FM.load,
    dim: 'rank',
    own: { overparam: { kind: 'scalar' } },
  },
  WideDeep: { make: (options) => new WideDeep(options), load: WideDeep.load, dim: 'embeddingDim' },
  DeepFM: { make: (options) => new DeepFM(options), load: DeepFM.load, dim: 'embeddingDim' },
  'DeepFM of dense products': {
    make: (options) => new DeepFM(options),
    load: DeepFM.load,
    dim: 'embeddingDim',
    own: { overparam: { kind: 'dense' } },
  },
};

for (const [name, { make, load, dim, own }] of Object.entries(CASES)) {
  const form = dim === 'rank' ? {} : { hidden: [6, 4] };
  const one: RecommenderUnderTest = {
    name: `${name} on interactions`,
    make: ({ rank, ...rest }: Options = {}) =>
      rank === undefined
        ? make(rest)
        : make({ task: 'regression', batchSize: 4, [dim]: rank, ...form, ...own, ...rest }),
    load,
    // Predictions are no ratings: nothing is clipped.
    isRanking: true,
    isOfOccurring: true,
    can: ['similarItems', 'similarUsers'],
  };
  recommenderContract(one);
  recommenderBitsContract(one);
}
