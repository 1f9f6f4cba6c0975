// A whole fit: what it reports, how it stops early, and what an abort and a divergence leave behind.

import { DivergenceError, NotFittedError } from '../../src/core/errors';
import { Interactions } from '../../src/data/interactions';
import { splitRandom } from '../../src/data/splits';
import { syntheticInteractions } from '../../src/data/synthetic';
import { evaluateRanking } from '../../src/evaluation/evaluate-ranking';
import { evaluateRatings } from '../../src/evaluation/evaluate-ratings';
import { MFModel } from '../../src/models/factorization';
import { OverparamMFModel } from '../../src/models/overparam-mf';
import { linear, warmup } from '../../src/optimizers/learning-rate';
import { sgd } from '../../src/optimizers/sgd';
import { MF } from '../../src/recommenders/mf';
import { OverparamMF } from '../../src/recommenders/overparam-mf';
import type { EpochRecord } from '../../src/training/fit';

const small = syntheticInteractions({ users: 60, items: 50, ratings: 900 });
const { train, test: held } = splitRandom(small, { testFraction: 0.3 });
/** A rate that does not depend on how long the fit is: k epochs of a longer fit are then a fit of k epochs. */
const steady = sgd({ learningRate: 0.02 });
const kinds = [
  ['MF', MF],
  ['OverparamMF', OverparamMF],
] as const;

function bitsOf(model: MF | OverparamMF): string {
  const { userFactors, itemFactors, userBiases, itemBiases } = model;
  return [userFactors.data, itemFactors.data, userBiases, itemBiases]
    .map((table) => Buffer.from(table.buffer).toString('hex'))
    .join(' ');
}

describe('onEpoch', () => {
  test('is awaited', async () => {
    let done = 0;
    const onEpoch = async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      done++;
    };
    await new MF({ rank: 2, epochs: 3 }).fit(train, { onEpoch });
    expect(done).toBe(3);
  });
  test('what it rejects with, fit rejects with', async () => {
    const onEpoch = async () => {
      throw new Error('the disk is full');
    };
    await expect(new MF({ rank: 2, epochs: 3 }).fit(train, { onEpoch })).rejects.toThrow('the disk is full');
  });
});

describe('the history', () => {
  test('has one record an epoch, the same that onEpoch was given', async () => {
    const seen: EpochRecord[] = [];
    const model = new MF({ rank: 4, epochs: 3, optimizer: sgd({ learningRate: linear(0.03) }) });
    const history = await model.fit(train, { validation: held, onEpoch: (epoch) => seen.push(epoch) });
    expect(history.epochs).toEqual(seen);
    expect(seen.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    for (const [k, rate] of [0.03, 0.02, 0.01].entries()) expect(seen[k]!.learningRate).toBeCloseTo(rate, 14);
    expect(history).toMatchObject({ bestEpoch: 3, stopped: 'epochs' });
    for (const { seconds, ratingsPerSecond } of seen) {
      expect(seconds).toBeGreaterThan(0);
      expect(ratingsPerSecond * seconds).toBeCloseTo(train.size, 6);
    }
    // Up to rounding.
    const parts = seen.reduce((sum, { seconds }) => sum + seconds, history.setupSeconds);
    expect(history.seconds).toBeGreaterThanOrEqual(parts - 1e-9);
    expect(history.setupSeconds).toBeGreaterThan(0);
  });

  test('measures the validation ratings as evaluateRatings does, and nothing without them', async () => {
    const model = new OverparamMF({ rank: 4, epochs: 2 });
    const { epochs } = await model.fit(train, { validation: held });
    const { rmse, mae } = await evaluateRatings(model, held);
    // During the fit the tables are in the unit of training: the same numbers up to rounding.
    expect(epochs[1]!.metrics.rmse).toBeCloseTo(rmse, 5);
    expect(epochs[1]!.metrics.mae).toBeCloseTo(mae, 5);
    const one = await model.fit(train, { validation: held, metrics: ['mae'] });
    expect(Object.keys(one.epochs[0]!.metrics)).toEqual(['mae']);
    const none = await model.fit(train);
    expect(none.epochs[0]!.metrics).toEqual({});
  });

  test('ranks for validation users as evaluateRanking does, beside ratings and without', async () => {
    const model = new MF({ rank: 4, epochs: 2, kernels: 'js' });
    const metrics = ['ndcg@5', 'auc', 'rmse'] as const;
    const { epochs } = await model.fit(train, { validation: held, metrics });
    const { metrics: expected } = await evaluateRanking(model, held, { train, metrics: ['ndcg@5', 'auc'] });
    expect(Object.keys(epochs[1]!.metrics).sort()).toEqual(['auc', 'ndcg@5', 'rmse']);
    for (const name of ['ndcg@5', 'auc'] as const) expect(epochs[1]!.metrics[name]).toBeCloseTo(expected[name]!, 12);
    const only = await model.fit(train, { validation: held, metrics: ['auc'] });
    expect(only.epochs[1]!.metrics).toEqual({ auc: epochs[1]!.metrics.auc });
    expect(model.recommend('1', { n: 100 }).length).toBeLessThan(50);
    await expect(model.fit(train, { validation: train, metrics: ['auc'] })).rejects.toThrow('nothing to rank');
  });

  test('trainLoss is the mean of 1/2 error^2 before each step, in the unit of training, without the penalty', async () => {
    // So small a rate that nothing moves: every error is that of the start, where all products are 0.
    const options = { rank: 4, epochs: 1, initScale: 0, optimizer: sgd({ learningRate: 1e-30 }), regularization: 5 };
    const deviation = train.stats().standardDeviation;
    const { epochs } = await new MF(options).fit(train);
    expect(epochs[0]!.trainLoss).toBeCloseTo(0.5, 5);
    expect(epochs[0]!.trainRmse).toBeCloseTo(deviation, 5);
    const raw = await new MF({ ...options, standardize: false }).fit(train);
    expect(raw.epochs[0]!.trainLoss).toBeCloseTo(0.5 * deviation * deviation, 5);
    expect(raw.epochs[0]!.trainRmse).toBeCloseTo(deviation, 5);
    // By weight, in the mean and the deviation too; a heavy rating is a few steps.
    const some = Interactions.from([...train].map((row, at) => ({ ...row, weight: at % 10 === 0 ? 4 : 0.25 })));
    const weighted = await new MF(options).fit(some);
    expect(weighted.epochs[0]!.trainLoss).toBeCloseTo(0.5, 5);
    const absolute = await new MF({ ...options, loss: 'absolute' }).fit(train);
    expect(absolute.epochs[0]).not.toHaveProperty('trainRmse');
  });

  test('trainLoss falls on data that can be learnt', async () => {
    const { epochs } = await new OverparamMF({ rank: 8 }).fit(train);
    expect(epochs.at(-1)!.trainLoss).toBeLessThan(0.98 * epochs[0]!.trainLoss);
  });

  test('an error of onEpoch rejects the fit', async () => {
    const boom = new Error('boom');
    const onEpoch = () => {
      throw boom;
    };
    await expect(new MF({ rank: 2 }).fit(train, { onEpoch })).rejects.toBe(boom);
  });
});

describe('early stopping', () => {
  // No penalty, a high rate and more numbers than ratings: it learns for a while, then by heart.
  const options = { rank: 24, epochs: 60, regularization: 0, initScale: 0.3, optimizer: sgd({ learningRate: 0.03 }) };

  test.each(kinds)('%s: puts back the best epoch, to the bit', async (_, Kind) => {
    const stopped = new Kind(options);
    const history = await stopped.fit(train, { validation: held, earlyStopping: { patience: 2 } });
    const curve = history.epochs.map(({ metrics }) => metrics.rmse!);
    const best = curve.indexOf(Math.min(...curve)) + 1;
    expect(history).toMatchObject({ stopped: 'early', bestEpoch: best });
    expect(history.epochs.length).toBe(best + 2);
    const short = new Kind({ ...options, epochs: best });
    await short.fit(train);
    expect(bitsOf(stopped)).toBe(bitsOf(short));
  });

  test('of a ranking metric the highest is the best', async () => {
    const model = new MF(options);
    const earlyStopping = { metric: 'ndcg@10', patience: 3 } as const;
    const { epochs, bestEpoch, stopped } = await model.fit(train, { validation: held, earlyStopping });
    const curve = epochs.map(({ metrics }) => metrics['ndcg@10']!);
    expect([stopped, bestEpoch]).toEqual(['early', curve.indexOf(Math.max(...curve)) + 1]);
    expect(bestEpoch).toBeGreaterThan(1);
    expect((await evaluateRanking(model, held, { train })).metrics['ndcg@10']).toBeCloseTo(curve[bestEpoch - 1]!, 12);
  });

  test('a minDelta that nothing meets stops after the patience, with the first epoch', async () => {
    const model = new MF(options);
    const earlyStopping = { metric: 'mae', patience: 3, minDelta: 100 } as const;
    const history = await model.fit(train, { validation: held, metrics: ['rmse'], earlyStopping });
    expect([history.bestEpoch, history.epochs.length, history.stopped]).toEqual([1, 4, 'early']);
    expect(Object.keys(history.epochs[0]!.metrics).sort()).toEqual(['mae', 'rmse']);
  });

  test('a patience longer than the fit ends with the epochs, and still puts back the best', async () => {
    const model = new MF({ ...options, epochs: 30 });
    const history = await model.fit(train, { validation: held, earlyStopping: { patience: 30 } });
    expect(history.stopped).toBe('epochs');
    expect(history.epochs.length).toBe(30);
    expect(history.bestEpoch).toBeLessThan(30);
    const best = history.epochs[history.bestEpoch - 1]!.metrics.rmse!;
    expect((await evaluateRatings(model, held)).rmse).toBeCloseTo(best, 5);
  });
});

describe('an abort', () => {
  const larger = syntheticInteractions({ users: 400, items: 300, ratings: 40_000 });

  // An epoch in JavaScript takes several turns of the event loop, one in WebAssembly less than one.
  describe.each(['js', 'wasm'] as const)('kernels: %s', (kernels) => {
    test.each(kinds)('%s: keeps the last whole epoch, to the bit', async (_, Kind) => {
      const controller = new AbortController();
      const reason = new Error('enough');
      let epochs = 0;
      const model = new Kind({ epochs: 1000, optimizer: steady, kernels });
      const onEpoch = () => {
        if (++epochs === 2) setTimeout(() => controller.abort(reason), 0);
      };
      const outcome = await model.fit(larger, { signal: controller.signal, onEpoch }).catch((error: unknown) => error);
      expect(outcome).toBe(reason);
      if (kernels === 'js') expect(epochs).toBe(2);
      const short = new Kind({ epochs, optimizer: steady });
      await short.fit(larger);
      expect(bitsOf(model)).toBe(bitsOf(short));
      expect(model.recommend('1', { n: 3 })).toEqual(short.recommend('1', { n: 3 }));
    });
  });

  test('before the first epoch is done leaves the recommender as it was', async () => {
    const model = new MF({ rank: 2, epochs: 2 });
    const early = AbortSignal.abort('not today');
    await expect(model.fit(train, { signal: early })).rejects.toBe('not today');
    expect(model.isFitted).toBe(false);
    expect(() => model.predict('1', '1')).toThrow(NotFittedError);
    await model.fit(train);
    const before = bitsOf(model);
    await expect(model.fit(held, { signal: early })).rejects.toBe('not today');
    expect(bitsOf(model)).toBe(before);
  });

  test('between two epochs works too, and without a reason it is an AbortError', async () => {
    const controller = new AbortController();
    const model = new MF({ rank: 2, epochs: 5, optimizer: steady });
    const onEpoch = ({ epoch }: EpochRecord) => epoch === 3 && controller.abort();
    await expect(model.fit(train, { signal: controller.signal, onEpoch })).rejects.toMatchObject({
      name: 'AbortError',
    });
    const short = new MF({ rank: 2, epochs: 3, optimizer: steady });
    await short.fit(train);
    expect(bitsOf(model)).toBe(bitsOf(short));
  });
});

test('a batch larger than the data is all of the data, and needs no more room', async () => {
  const whole = new MF({ rank: 4, epochs: 2, batchSize: train.size });
  const beyond = new MF({ rank: 4, epochs: 2, batchSize: 2 ** 40 });
  const [{ epochs: some }, { epochs: more }] = [await whole.fit(train), await beyond.fit(train)];
  expect(more.map(({ trainLoss }) => trainLoss)).toEqual(some.map(({ trainLoss }) => trainLoss));
});

describe('a divergence', () => {
  test.each(kinds)('%s: rejects with what to change, and leaves the recommender as it was', async (_, Kind) => {
    const model = new Kind({ rank: 4, epochs: 3, optimizer: sgd({ learningRate: 1e6 }) });
    const error: unknown = await model.fit(train).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DivergenceError);
    expect(error).toMatchObject({ epoch: 1, learningRate: 1e6 });
    expect(model.fresh().isFitted || model.isFitted).toBe(false);
    expect((error as DivergenceError).message).toContain((error as DivergenceError).parameter);
  });

  test('under a warm-up, which starts at 0, names a rate that can be lowered', async () => {
    const model = new MF({ rank: 4, epochs: 3, optimizer: sgd({ learningRate: warmup(1e6) }) });
    const error: unknown = await model.fit(train).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DivergenceError);
    expect((error as DivergenceError).learningRate).toBeGreaterThan(0);
  });
});

test('the start that a fit draws piece by piece is the start of the bare model', async () => {
  const still = {
    rank: 70,
    epochs: 1,
    initScale: 0.3,
    seed: 9,
    standardize: false,
    optimizer: sgd({ learningRate: 1e-30 }),
  };
  const [users, items] = [small.users.size, small.items.size];
  const bare = new MFModel({ users, items, rank: 70, initScale: 0.3, seed: 9 });
  const model = new MF(still);
  await model.fit(small);
  expect(model.userFactors.data).toEqual(bare.userFactors.data);
  expect(model.itemFactors.data).toEqual(bare.itemFactors.data);
  const overparam = { kind: 'diagonal', scope: 'row', width: 2, init: 1.3 } as const;
  const product = new OverparamMF({ ...still, overparam });
  await product.fit(small);
  const bareProduct = new OverparamMFModel({ users, items, rank: 70, initScale: 0.3, seed: 9, overparam });
  expect(product.userFactors.data).toEqual(bareProduct.userFactors.data);
});
