// Explicit ALS, SVDpp and NMF by gradients, untouched, beside the best of a search over their own options (the best epoch
// counts) and damped biases. Searches are of the first split, and of sets of up to 100,000 ratings.

import { ALS, cosine, DivergenceError, NMF, OpmfError, type OptimizerName, SVDpp } from 'opmf';
import type { Piece, Point, Search, Space } from './bounds';
import { bestBiases, type RatingSplit, rmseOf, splitsOf } from './bounds-ratings';
import { made, RATING_SETS } from './rating-sets';

/** Sets that took no part in choosing anything of MF. */
const OTHERS = {
  binary: { users: 1500, items: 800, perUser: 25, userBias: 0.4, structure: 0.4, low: 0, high: 1 },
  hundred: { users: 1200, items: 900, perUser: 30, userBias: 0.5, noise: 0.6, low: 0, high: 100 },
  'few a user': { users: 5000, items: 8000, perUser: 4, userBias: 0.5, itemBias: 0.5, structure: 0.3, noise: 0.7 },
  'many a user': { users: 300, items: 4000, perUser: 120, userBias: 0.6, itemBias: 0.15, noise: 0.7, skew: 0.6 },
  'many an item': { users: 6000, items: 150, perUser: 9, userBias: 0.15, itemBias: 0.6, structure: 0.35 },
} as const;
const SETS = {
  ...Object.fromEntries(Object.entries(OTHERS).map(([name, shape]) => [name, async () => made(name, shape)])),
  ...RATING_SETS,
};

/** What is searched, fitted with the test rows as validation. */
type Fitted = ALS | SVDpp | NMF;

/** The least RMSE of the epochs; a trial that is 10 % behind the best of the others after `patience` epochs is given up. */
function search(space: Space, make: (point: Point) => Fitted, patience: number): Search<RatingSplit> {
  return {
    space,
    isFor: (set, seed) => set !== 'ml-1m' && seed === 1,
    async trial(point, { train, test }, best) {
      const giveUp = new AbortController();
      let rmse = Infinity;
      try {
        await make(point).fit(train, {
          validation: test,
          metrics: ['rmse'],
          earlyStopping: { patience },
          signal: giveUp.signal,
          onEpoch: ({ epoch, metrics }) => {
            rmse = Math.min(rmse, metrics.rmse!);
            if (epoch >= patience && metrics.rmse! > 1.1 * best) giveUp.abort();
          },
        });
      } catch (error) {
        if (!(error instanceof DivergenceError) && !giveUp.signal.aborted) throw error;
      }
      return rmse;
    },
  };
}

const als = search(
  {
    rank: [4, 8, 16, 32],
    epochs: [12, 25],
    exponent: [0, 0.25, 0.5, 0.75, 1],
    /** The penalty of a row of 50 ratings by the root of 50, whatever the exponent. */
    penalty: { from: 0.1, to: 12 },
    biases: ['as vectors', 'of their own'],
    user: { from: 0.3, to: 300 },
    item: { from: 0.3, to: 300 },
    start: { from: 0.003, to: 1 },
  },
  ({ rank, epochs, exponent, penalty, biases, user, item, start }) =>
    new ALS({
      feedback: 'explicit',
      rank,
      epochs,
      regularization: penalty * 50 ** (0.5 - exponent),
      regularizationExponent: exponent,
      biasRegularization: biases === 'as vectors' ? 'auto' : { user, item },
      initScale: start,
    }),
  5,
);

const SGD: Space = {
  rank: [8, 16, 32, 64],
  epochs: [10, 20, 40],
  rate: { from: 0.01, to: 0.5 },
  /** The rate of biases by that of embeddings. */
  biasRate: { from: 0.03, to: 3 },
  start: { from: 0.003, to: 0.3 },
  embedding: { from: 0.02, to: 1.5 },
  bias: { from: 0.02, to: 1.5 },
  scaling: ['constant', 'frequency', 'frequency'],
};

/** Plain tables with SGD a rating, whose sets are followed in closed form: other rules are hundreds of times slower. */
const svdpp = search(
  SGD,
  ({ rank, epochs, rate, biasRate, start, embedding, bias, scaling }) =>
    new SVDpp({
      rank,
      epochs,
      optimizer: { name: 'sgd', learningRate: cosine({ embedding: rate, bias: rate * biasRate }) },
      initScale: start,
      regularization: { embedding, bias, scaling },
    }),
  8,
);

/** The middle of the rates that are tried, on ratings as they are. */
const RATES: Partial<Record<OptimizerName, number>> = { sgd: 0.02, momentum: 0.002, adagrad: 0.1, adam: 0.002 };

const nmf = search(
  {
    rule: Object.keys(RATES),
    rank: [4, 8, 15, 32],
    epochs: [20, 40],
    rate: { from: 1 / 12, to: 12 },
    penalty: { from: 0.005, to: 1 },
    start: { from: 0.01, to: 1.5 },
  },
  ({ rule, rank, epochs, rate, penalty, start }) =>
    new NMF({
      solver: 'gradient',
      rank,
      epochs,
      optimizer: { name: rule, learningRate: cosine(RATES[rule as keyof typeof RATES]! * rate) },
      regularization: penalty,
      initRange: start,
    }),
  8,
);

/** Per cent above the best of its own search. */
const most = () => 1.5;

/** Ratings below 0 are refused by some. */
const unlessRefused = async (model: Fitted, split: RatingSplit) => {
  try {
    return await rmseOf(model, split);
  } catch (error) {
    if (error instanceof OpmfError) return Infinity;
    throw error;
  }
};

export const alsAndOthers: Piece<RatingSplit> = {
  better: 'less',
  sets: splitsOf(SETS),
  seeds: () => [1, 2, 3],
  searches: { 'als search': als, 'svdpp search': svdpp, 'nmf search': nmf },
  untouched: {
    als: { run: (split) => rmseOf(new ALS({ feedback: 'explicit' }), split), bounds: { 'als search': most } },
    svdpp: { run: (split) => rmseOf(new SVDpp(), split), bounds: { 'svdpp search': most } },
    nmf: { run: (split) => unlessRefused(new NMF({ solver: 'gradient' }), split), bounds: { 'nmf search': most } },
  },
  references: { biases: { run: bestBiases } },
};
