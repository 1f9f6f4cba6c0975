// Ratings: untouched MF and OverparamMF at 10, 4 and 1 epochs beside plain MF tuned against the test set at the same budget
// and at any (up to 60 epochs, the best counted), damped biases and the mean.

import {
  constant,
  cosine,
  DivergenceError,
  evaluateRatings,
  type Interactions,
  MF,
  type MFOptions,
  type OptimizerName,
  OverparamMF,
  sgd,
  splitRandom,
  type TableRecommender,
} from 'opmf';
import type { Constant, Piece, Point, Search, Space, Untouched } from './bounds';
import { RATING_SETS } from './rating-sets';

export interface RatingSplit {
  readonly size: number;
  readonly train: Interactions;
  readonly test: Interactions;
}

/** The middle of the rates that are tried of each rule, on standardized ratings. FTRL's takes no schedule. */
const RATES: Record<Exclude<OptimizerName, 'ftrl'>, number> = {
  sgd: 0.04,
  momentum: 0.004,
  nesterov: 0.004,
  adagrad: 0.07,
  adadelta: 0.7,
  rmsprop: 0.0015,
  adam: 0.0015,
};
const SPACE: Space = {
  rule: Object.keys(RATES),
  rate: { from: 1 / 12, to: 12 },
  /** The rate of biases by that of embeddings: they have fewer numbers, and often want another. */
  biasRate: { from: 0.1, to: 4 },
  schedule: ['constant', 'cosine', 'cosine'],
  start: { from: 0.003, to: 0.3 },
  embedding: { from: 0.02, to: 1.5 },
  bias: { from: 0.02, to: 1.5 },
  scaling: ['constant', 'frequency', 'frequency'],
};

/** Plain MF at a budget, or at any: the best epoch counts, as if `epochs` had been tuned too. */
function plainMf(epochs?: number): Search<RatingSplit> {
  return {
    space: epochs === undefined ? { ...SPACE, epochs: [10, 20, 40, 60] } : SPACE,
    isFor: (set, seed) => set !== 'ml-1m' || seed === 1,
    trial: (point, split, best) => run(optionsOf({ epochs, ...point }), split, best),
  };
}

function optionsOf({ rule, rate, biasRate, schedule, start, embedding, bias, scaling, epochs }: Point): MFOptions {
  const embeddings = RATES[rule as keyof typeof RATES] * rate;
  const rates = { embedding: embeddings, bias: embeddings * biasRate };
  return {
    epochs,
    optimizer: { name: rule, learningRate: schedule === 'constant' ? constant(rates) : cosine(rates) },
    initScale: start,
    regularization: { embedding, bias, scaling },
  } as MFOptions;
}

/** Trains a trial; one that is 5 % behind the best of the others after 10 epochs will not win, and is given up. */
async function run(options: MFOptions, { train, test }: RatingSplit, best: number): Promise<number> {
  const giveUp = new AbortController();
  let rmse = Infinity;
  try {
    await new MF(options).fit(train, {
      validation: test,
      metrics: ['rmse'],
      earlyStopping: { patience: 5 },
      signal: giveUp.signal,
      onEpoch: ({ epoch, metrics }) => {
        rmse = Math.min(rmse, metrics.rmse!);
        if (epoch >= 10 && metrics.rmse! > 1.05 * best) giveUp.abort();
      },
    });
  } catch (error) {
    if (!(error instanceof DivergenceError) && !giveUp.signal.aborted) throw error;
  }
  return rmse;
}

/** RMSE untouched but for `epochs`; a divergence is Infinity. */
export async function rmseOf(model: TableRecommender, { train, test }: RatingSplit): Promise<number> {
  try {
    await model.fit(train);
  } catch (error) {
    if (error instanceof DivergenceError) return Infinity;
    throw error;
  }
  return (await evaluateRatings(model, test)).rmse;
}

/** RMSE of mu + b_u + b_i, clipped to the scale, at the best of 64 dampings judged on the test set itself. */
export async function bestBiases({ train, test }: RatingSplit): Promise<number> {
  const { mean, minimum, maximum } = train.stats();
  let best = Infinity;
  for (let users = 0.5; users <= 64; users *= 2) {
    for (let items = 0.5; items <= 64; items *= 2) {
      const user = new Float64Array(train.users.size);
      const item = new Float64Array(train.items.size);
      for (let round = 0; round < 6; round++) {
        fitSide(item, train.itemIndex, items, (k) => train.values[k]! - mean - user[train.userIndex[k]!]!);
        fitSide(user, train.userIndex, users, (k) => train.values[k]! - mean - item[train.itemIndex[k]!]!);
      }
      let squares = 0;
      for (let k = 0; k < test.size; k++) {
        const score = mean + user[test.userIndex[k]!]! + item[test.itemIndex[k]!]!;
        squares += (test.values[k]! - Math.min(maximum, Math.max(minimum, score))) ** 2;
      }
      best = Math.min(best, Math.sqrt(squares / test.size));
    }
  }
  return best;
}

/** The biases of a side: what is left of a row's ratings, damped. */
export function fitSide(side: Float64Array, rows: Int32Array, damping: number, rest: (k: number) => number): void {
  const counts = new Float64Array(side.length).fill(damping);
  side.fill(0);
  for (let k = 0; k < rows.length; k++) {
    side[rows[k]!]! += rest(k);
    counts[rows[k]!]!++;
  }
  for (let row = 0; row < side.length; row++) side[row]! /= counts[row]!;
}

async function ofMean({ train, test }: RatingSplit): Promise<number> {
  const { mean } = train.stats();
  return Math.sqrt(test.values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / test.size);
}

/** Per cent above the search that each number of epochs may be. Fewer than 20,000 ratings: 2 in place of 1. */
const MOST: Readonly<Record<number, (data: { readonly size: number }) => number>> = {
  10: ({ size }) => (size < 20_000 ? 2 : 1),
  4: ({ size }) => (size < 20_000 ? 2 : 1.5),
  1: () => 3,
};

function untouched(epochs: number): Record<string, Untouched<RatingSplit>> {
  // Judged against the same budget, and at the default number against any as well; the others are shown beside any.
  const bounds = { [`mf-${epochs}`]: MOST[epochs]!, 'mf-any': epochs === 10 ? MOST[10] : undefined };
  return {
    [`overparam-mf ${epochs}`]: { run: (split) => rmseOf(new OverparamMF({ epochs }), split), bounds },
    [`mf ${epochs}`]: { run: (split) => rmseOf(new MF({ epochs }), split), bounds },
  };
}

/** A constant of the default times each of some numbers: the default with what it chose given, but for that. */
function scaled(
  candidates: readonly number[],
  epochs: number,
  powers: { readonly penalty?: number; readonly bias?: number; readonly embedding?: number },
): Constant<RatingSplit> {
  return {
    candidates,
    chosen: 1,
    async run(split, times) {
      const model = new OverparamMF({ epochs });
      // A divergence of the default is one of all.
      if ((await rmseOf(model, split)) === Infinity) return Infinity;
      const { regularization, optimizer, biasDamping } = model.options;
      const { rate } = optimizer.learningRate as { rate: { embedding: number; bias: number; map: number } };
      const by = (power = 0) => times ** power;
      const rates = { ...rate, embedding: rate.embedding * by(powers.embedding), bias: rate.bias * by(powers.bias) };
      return rmseOf(
        new OverparamMF({
          epochs,
          biasDamping,
          optimizer: sgd({ learningRate: cosine(rates) }),
          regularization: { ...regularization, embedding: regularization.embedding * by(powers.penalty) },
        }),
        split,
      );
    },
  };
}

/** A tenth of each set held out. */
export function splitsOf(sets: Readonly<Record<string, () => Promise<Interactions>>>): Piece<RatingSplit>['sets'] {
  const split = (load: () => Promise<Interactions>) => async (seed: number) => {
    const data = await load();
    const { train, test } = splitRandom(data, { testFraction: 0.1, seed });
    return { size: data.size, train, test };
  };
  return Object.fromEntries(Object.entries(sets).map(([name, load]) => [name, split(load)]));
}

export const ratings: Piece<RatingSplit> = {
  better: 'less',
  sets: splitsOf(RATING_SETS),
  seeds: () => [1, 2, 3],
  searches: { 'mf-10': plainMf(10), 'mf-4': plainMf(4), 'mf-1': plainMf(1), 'mf-any': plainMf() },
  untouched: { ...untouched(10), ...untouched(4), ...untouched(1) },
  references: { biases: { run: bestBiases }, mean: { run: ofMean } },
  constants: {
    'embedding penalty, times': scaled([0.6, 0.75, 0.87, 1, 1.15, 1.33, 1.6], 10, { penalty: 1 }),
    'bias rate, times': scaled([0.25, 0.5, 1, 2, 4], 10, { bias: 1 }),
    'embedding rate at 1 epoch, times': scaled([0.5, 0.7, 1, 1.2, 1.4], 1, { embedding: 1 }),
  },
};
