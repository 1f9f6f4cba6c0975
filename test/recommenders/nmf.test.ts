// NMF as a recommender: the contracts of recommenders by either solver; numbers that never fall below 0, under every
// optimizer and product; what it refuses.

import { DataError, OptionError, UnsupportedError } from '../../src/core/errors';
import { Interactions } from '../../src/data/interactions';
import { syntheticInteractions } from '../../src/data/synthetic';
import { NMFModel } from '../../src/models/nmf';
import { OPTIMIZER_NAMES } from '../../src/optimizers/registry';
import { sgd } from '../../src/optimizers/sgd';
import { NMF, type NMFOptions } from '../../src/recommenders/nmf';
import { type Options, odd, type RecommenderUnderTest } from '../contract/odd-ratings';
import { recommenderBitsContract } from '../contract/recommender-bits';
import { recommenderContract } from '../contract/recommenders';
import { faultOf } from '../support/fault-of';

/** The options of the contracts in the words of NMF. */
function worded({ initScale, regularization, optimizer, shuffle, ...options }: Options = {}): NMFOptions {
  const { epochs } = options;
  return {
    ...(options as NMFOptions),
    ...(initScale !== undefined && { initRange: 2 * initScale }),
    ...(regularization !== undefined && { regularization: regularization as number }),
    // A checkerboard takes longer from a start where all is positive.
    ...(epochs === 60 && { epochs: 600 }),
  };
}

const solvers: RecommenderUnderTest[] = [
  { name: 'NMF multiplicative', make: (options) => new NMF(worded(options)), load: NMF.load },
  {
    name: 'NMF by gradients',
    make: (options) =>
      new NMF({
        ...{ solver: 'gradient', biases: false, optimizer: options?.optimizer ?? sgd({ learningRate: 0.02 }) },
        ...worded(options),
      }),
    load: NMF.load,
  },
  {
    name: 'NMF by gradients of a product',
    make: (options) =>
      new NMF({ solver: 'gradient', biases: false, overparam: { kind: 'scalar' }, ...worded(options) }),
    load: NMF.load,
  },
];
/** As many numbers as ratings: what is not rated may be anything. */
const wild: Options = { rank: 7, epochs: 300, initScale: 1, regularization: 1e-9 };
for (const solver of solvers) {
  const one = { ...solver, isSolved: true, isUnbiased: true, flat: { initScale: 0 }, wild };
  recommenderContract(one);
  recommenderBitsContract(one);
}

test('any number of threads and either engine have the same bits, which are those of the definition', async () => {
  const many = syntheticInteractions({ users: 300, items: 90, ratings: 5000, seed: 3 });
  const bits = async (options: NMFOptions) => {
    const model = new NMF({ epochs: 3, rank: 6, ...options });
    const { epochs } = await model.fit(many);
    return [
      epochs.map(({ trainLoss }) => trainLoss),
      ...[...many].map(({ userId, itemId }) => model.predict(userId, itemId)),
    ];
  };
  const alone = await bits({ threads: 1 });
  for (const threads of [2, 3, 4]) expect(await bits({ threads })).toEqual(alone);
  expect(await bits({ kernels: 'js' })).toEqual(alone);
});

const data = syntheticInteractions({ users: 30, items: 20, ratings: 300 });
const overparams = {
  plain: false,
  'scalar-row-2': { kind: 'scalar' },
  'scalar-shared-3': { kind: 'scalar', scope: 'shared', depth: 3 },
  'diagonal-row-2x2': { kind: 'diagonal', width: 2 },
} as const;

describe.each(OPTIMIZER_NAMES)('%s', (optimizer) => {
  test.each(Object.entries(overparams))('no number falls below 0: %s', async (_, overparam) => {
    for (const batchSize of [1, 16]) {
      // Steps so large that without a constraint many would.
      const [learningRate, epochs, seed] = [optimizer === 'adadelta' ? 1 : 0.02, 3, 3];
      const rule = { name: optimizer, learningRate } as never;
      const shape = { solver: 'gradient', biases: false, rank: 4 } as const;
      const options: NMFOptions = { ...shape, epochs, batchSize, seed, optimizer: rule, overparam };
      const model = new NMF({ ...options, regularization: 0.5 });
      await model.fit(data);
      const numbers = model.model.parameters.flatMap(({ factors }) => factors.flatMap((factor) => [...factor.data]));
      expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
      expect(numbers.some((value) => value > 0)).toBe(true);
      expect(Math.min(...model.predictMany(data))).toBeGreaterThan(0);
    }
  });
});

test('by gradients: plain SGD with what falls below 0 put to 0, written out', async () => {
  const few = Interactions.from([
    ['a', 'x', 5],
    ['a', 'y', 0],
    ['b', 'x', 0],
    ['b', 'y', 4],
  ]);
  const [rank, rate, lambda] = [3, 0.3, 0.1];
  const make = (epochs: number) => {
    const optimizer = sgd({ learningRate: rate });
    const plain = { solver: 'gradient', biases: false, shuffle: false } as const;
    return new NMF({ ...plain, rank, epochs, regularization: lambda, optimizer });
  };
  const once = make(1);
  await once.fit(few);
  const [p, q] = ['user', 'item'].map((side) => {
    const model = new NMFModel({ users: 2, items: 2, rank, seed: 1 });
    return [...model[side === 'user' ? 'userEmbedding' : 'itemEmbedding'].collapse()];
  });
  let hits = 0;
  const kept = (value: number) => {
    if (value < 0) hits++;
    return Math.max(value, 0);
  };
  for (let s = 0; s < 4; s++) {
    const [u, i, r] = [few.userIndex[s]! * rank, few.itemIndex[s]! * rank, few.values[s]!];
    let error = -r;
    for (let k = 0; k < rank; k++) error += p![u + k]! * q![i + k]!;
    for (let k = 0; k < rank; k++) {
      const [pk, qk] = [p![u + k]!, q![i + k]!];
      p![u + k] = kept(pk - rate * (error * qk + lambda * pk));
      q![i + k] = kept(qk - rate * (error * pk + lambda * qk));
    }
  }
  expect(hits).toBeGreaterThan(0);
  for (let at = 0; at < 2 * rank; at++) {
    expect(once.model.userEmbedding.values[at]).toBeCloseTo(p![at]!, 4);
    expect(once.model.itemEmbedding.values[at]).toBeCloseTo(q![at]!, 4);
  }
});

test('multiplicative: the loss never rises, and no number is negative', async () => {
  const model = new NMF({ rank: 4, epochs: 200, regularization: 0 });
  const { epochs } = await model.fit(data);
  for (let k = 1; k < 200; k++) expect(epochs[k]!.trainLoss).toBeLessThanOrEqual(epochs[k - 1]!.trainLoss * (1 + 1e-6));
  expect(epochs[199]!.trainRmse).toBeLessThan(0.7 * epochs[1]!.trainRmse!);
  expect(Math.min(...model.model.userEmbedding.values, ...model.model.itemEmbedding.values)).toBeGreaterThanOrEqual(0);
  const pairs = [...data];
  const squares = pairs.map(({ userId, itemId, value }) => (model.predict(userId, itemId) - value!) ** 2);
  expect(Math.sqrt(squares.reduce((sum, square) => sum + square) / pairs.length)).toBeLessThan(
    1.01 * epochs[199]!.trainRmse!,
  );
});

test('with biases: those of either sign, parts that are not, of ratings of either sign; a file of before has none', async () => {
  const rows = [...data].map(({ userId, itemId, value }) => [userId, itemId, value! - 3] as const);
  const model = new NMF({ solver: 'gradient' });
  expect(model.options).toMatchObject({ biases: true, rank: 32, epochs: 20 });
  await model.fit(Interactions.from(rows));
  const { userFactors, itemFactors, userBiases, itemBiases } = model.model;
  expect(Math.min(...userFactors.data, ...itemFactors.data)).toBeGreaterThanOrEqual(0);
  expect(Math.min(...userBiases, ...itemBiases)).toBeLessThan(0);
  expect(Math.max(...userBiases, ...itemBiases)).toBeGreaterThan(0);
  const loaded = NMF.load(model.save());
  expect(loaded.options).toEqual(model.options);
  expect(loaded.predictMany(data)).toEqual(model.predictMany(data));
  expect(() => new NMF({ biases: true })).toThrow(OptionError);
  expect(() => new NMF({ regularization: { embedding: 1 } })).toThrow(OptionError);
  const given = new NMF({ solver: 'gradient', regularization: 0.3 });
  await given.fit(data);
  expect(given.options.regularization).toBe(0.3);
});

test('without biases ratings below 0 are refused', async () => {
  for (const solver of ['multiplicative', 'gradient'] as const)
    await expect(new NMF({ solver, biases: false }).fit(Interactions.from([['a', 'b', -1]]))).rejects.toThrow(
      DataError,
    );
});

test.each<[string, NMFOptions]>([
  ['overparam', { overparam: { kind: 'scalar' } }],
  ['loss', { loss: 'huber' }],
  ['optimizer', { optimizer: 'adam' }],
])('multiplicative: %s is refused', (option, options) => {
  const error = faultOf(() => new NMF(options));
  expect(error).toBeInstanceOf(OptionError);
  expect(error).toMatchObject({ option });
});

test('products that start with negative maps are refused', () => {
  for (const overparam of [{ kind: 'dense' }, { kind: 'scalar', init: -1 }] as const)
    expect(() => new NMF({ solver: 'gradient', overparam })).toThrow(UnsupportedError);
});

test('what training never saw is predicted by the mean, also after a load', async () => {
  const model = new NMF({ rank: 2, epochs: 5 });
  await model.fit(odd);
  const { mean } = odd.stats();
  for (const one of [model, NMF.load(model.save())]) {
    expect(one.predict('cold', 1)).toBeCloseTo(mean, 5);
    expect(one.predict(1, 'nobody')).toBeCloseTo(mean, 5);
    expect(one.foldInUser([{ itemId: 1, value: 4 }]).predict('cold')).toBeCloseTo(mean, 5);
  }
});
