// Events: NDCG@20 of all items. Untouched ALS, softmax, BPR, ItemKNN and EASE beside the best of a search over their own
// options, `new OverparamMF()` beside the best of all of these, and all of them beside popularity.

import {
  ALS,
  adam,
  cosine,
  DivergenceError,
  EASE,
  evaluateRanking,
  ItemKNN,
  OverparamMF,
  type OverparamMFOptions,
  Popularity,
  type Recommender,
  type Split,
} from 'opmf';
import type { Piece, Point, Search, Space } from './bounds';
import { EVENT_SETS } from './event-sets';

export interface EventSplit extends Split {
  readonly size: number;
}

export async function ndcg(model: Recommender, { train, test }: EventSplit): Promise<number> {
  try {
    await model.fit(train);
  } catch (error) {
    if (error instanceof DivergenceError) return 0;
    throw error;
  }
  return (await evaluateRanking(model, test, { train, metrics: ['ndcg@20'] })).metrics['ndcg@20']!;
}

const search = (space: Space, make: (point: Point) => Recommender, isFor?: (set: string) => boolean) => ({
  space,
  ...(isFor && { isFor }),
  trial: (point: Point, split: EventSplit) => ndcg(make(point), split),
});

/** A search over the options of a loss of orders. */
function orders(loss: 'bpr' | 'softmax', space: Space): Search<EventSplit> {
  return search(space, ({ rank, rate, lambda, biasLambda, epochs, negatives, sampler, start, batchSize }) => {
    const options = {
      loss,
      rank,
      epochs,
      batchSize,
      initScale: start,
      optimizer: adam({ learningRate: cosine(rate) }),
      regularization: { embedding: lambda, bias: lambda * biasLambda, scaling: 'constant' },
      negatives: { count: negatives, sampler, exponent: 0.5 },
    };
    return new OverparamMF(options as OverparamMFOptions);
  });
}

/** EASE is dense over items, and refuses more than 5,000. */
const FEW_ITEMS = (set: string) => !/gowalla|ciaodvd|lastfm|ml-latest|steam/.test(set);

const searches: Readonly<Record<string, Search<EventSplit>>> = {
  'item-knn': search(
    {
      neighbors: { from: 10, to: 1000 },
      similarity: ['cosine', 'cosine', 'jaccard', 'dot'],
      shrinkage: { from: 0.3, to: 3000 },
      featureWeighting: ['none', 'tf-idf', 'bm25'],
    },
    ({ neighbors, ...options }) => new ItemKNN({ ...options, neighbors: Math.round(neighbors) }),
  ),
  ease: search({ regularization: { from: 5, to: 5000 } }, (point) => new EASE(point), FEW_ITEMS),
  als: search(
    {
      rank: [16, 32, 64, 128],
      regularization: { from: 0.001, to: 1 },
      unobservedWeight: { from: 0.0005, to: 1 },
      regularizationExponent: [0.5, 0.75, 1],
      epochs: [6, 12, 20],
    },
    (point) => new ALS(point),
  ),
  bpr: orders('bpr', {
    rank: [8, 16, 32, 64, 128],
    rate: { from: 0.001, to: 0.06 },
    lambda: { from: 0.001, to: 0.6 },
    biasLambda: { from: 0.001, to: 2 },
    epochs: [10, 20, 40],
    negatives: [1, 1, 4],
    sampler: ['uniform', 'popularity'],
    start: { from: 0.01, to: 0.5 },
    batchSize: [256],
  }),
  softmax: orders('softmax', {
    rank: [16, 32, 64, 128],
    rate: { from: 0.001, to: 0.06 },
    lambda: { from: 0.0005, to: 0.2 },
    biasLambda: { from: 0.001, to: 2 },
    epochs: [5, 10, 20],
    negatives: [8, 16, 32, 64],
    sampler: ['uniform', 'popularity'],
    start: { from: 0.01, to: 0.5 },
    batchSize: [256],
  }),
};

/** Per cent below the best of its search that each may be. */
const within = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, () => 5]));

export const events: Piece<EventSplit> = {
  better: 'more',
  sets: Object.fromEntries(
    Object.entries(EVENT_SETS).map(([name, load]) => [
      name,
      async (seed) => {
        const split = await load(seed);
        return { ...split, size: split.train.size + split.test.size };
      },
    ]),
  ),
  seeds: () => [1],
  searches,
  untouched: {
    'overparam-mf': {
      run: (split) => ndcg(new OverparamMF(), split),
      bounds: within('softmax', 'als', 'ease', 'item-knn', 'bpr'),
    },
    als: { run: (split) => ndcg(new ALS(), split), bounds: within('als') },
    bpr: { run: (split) => ndcg(new OverparamMF({ loss: 'bpr' }), split), bounds: within('bpr') },
    'item-knn': { run: (split) => ndcg(new ItemKNN(), split), bounds: within('item-knn') },
    ease: { run: (split: EventSplit) => ndcg(new EASE(), split), isFor: FEW_ITEMS, bounds: within('ease') },
    warp: { run: (split) => ndcg(new OverparamMF({ loss: 'warp' }), split), bounds: {} },
  },
  references: { popularity: { run: (split) => ndcg(new Popularity(), split) } },
};
