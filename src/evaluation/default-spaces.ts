// What is tuned of each kind of recommender where nothing is said: the options that matter most, around their defaults. Of
// values that are all equal, as of events, a factorization learns an order, and a model of features what users have.

import type { RecommenderName } from '../recommenders/registry';
import type { SearchRange, SearchSpace } from './search-space';

const log = (min: number, max: number): SearchRange => ({ min, max, scale: 'log' });

const RATINGS: SearchSpace = {
  rank: [16, 32, 64],
  epochs: [10, 20],
  initScale: log(0.01, 0.1),
  'regularization.embedding': log(0.05, 0.6),
};

const ADAM: SearchSpace = { 'optimizer.name': ['adam'], 'optimizer.learningRate': log(0.0005, 0.01) };

const ORDERS: SearchSpace = {
  loss: ['bpr'],
  rank: [16, 32, 64],
  epochs: [10, 20, 40],
  'regularization.embedding': log(0.001, 0.1),
  ...ADAM,
};

const NONE: SearchSpace = {};

/** What the values of some data are: all equal, 0 and 1, or of any other kind. */
export type ValueKind = 'equal' | 'labels' | 'ratings';

const factorization = (values: ValueKind) => (values === 'equal' ? ORDERS : RATINGS);

/** The labels, the numbers or what users have, as the values are. */
function features(values: ValueKind, own: SearchSpace): SearchSpace {
  const task: SearchSpace =
    values === 'ratings'
      ? { task: ['regression'] }
      : { task: ['classification'], ...(values === 'equal' && { negatives: [4] }) };
  return { ...task, ...own, epochs: [10, 20], 'regularization.embedding': log(1e-6, 1e-2), ...ADAM };
}

const layers: SearchSpace = {
  embeddingDim: [8, 16, 32],
  hidden: [[64], [128, 64], [128, 128]],
  dropout: [0, 0.2],
};

const SPACES: { readonly [N in RecommenderName]: (values: ValueKind) => SearchSpace } = {
  mf: factorization,
  'overparam-mf': factorization,
  als: () => ({
    rank: [16, 32, 64],
    epochs: [8, 16],
    regularization: log(0.001, 0.1),
    unobservedWeight: log(0.01, 1),
  }),
  svdpp: () => RATINGS,
  nmf: () => ({ rank: [8, 15, 30], epochs: [25, 50, 100], regularization: log(0.01, 0.3) }),
  popularity: () => NONE,
  'item-knn': () => ({
    neighbors: [10, 20, 50, 100, 200],
    similarity: ['cosine', 'jaccard'],
    shrinkage: [0, 5, 20, 100],
    featureWeighting: ['none', 'tf-idf', 'bm25'],
  }),
  ease: () => ({ regularization: log(10, 2000) }),
  'neural-cf': () => ({
    factors: [8, 16, 32],
    layers: [
      [32, 16, 8],
      [64, 32, 16, 8],
    ],
    epochs: [10, 20],
    ...ADAM,
  }),
  fm: (values) => features(values, { rank: [8, 16, 32] }),
  'wide-deep': (values) => features(values, layers),
  'deep-fm': (values) => features(values, layers),
};

/** The default space of a kind, for data with values of some kind; empty for one without options. */
export function defaultSpace(name: RecommenderName, values: ValueKind): SearchSpace {
  return SPACES[name](values);
}

/** What the values are. */
export function kindOfValues(values: Float32Array): ValueKind {
  if (values.every((value) => value === values[0])) return 'equal';
  return values.every((value) => value === 0 || value === 1) ? 'labels' : 'ratings';
}
