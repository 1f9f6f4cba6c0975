// What the defaults for ratings make of data of other shapes: counts and hours, few epochs and many, little signal.

import { Stream } from '../../src/core/random';
import { Interactions } from '../../src/data/interactions';
import { splitRandom } from '../../src/data/splits';
import { evaluateRatings } from '../../src/evaluation/evaluate-ratings';
import { MF } from '../../src/recommenders/mf';
import { OverparamMF } from '../../src/recommenders/overparam-mf';
import { SVDpp } from '../../src/recommenders/svdpp';

/** Values of users x items, about `each` a user, by the effects of both and noise. */
function drawn(
  { users, items, each }: { users: number; items: number; each: number },
  value: (user: number, item: number, noise: number) => number,
): Interactions {
  const stream = Stream.of('rating defaults');
  const effects = [users, items].map((count) => Array.from({ length: count }, () => stream.normal()));
  const rows = Array.from({ length: users * each }, (_, k) => {
    const user = k % users;
    const item = Math.floor(items * stream.uniform() ** 2);
    return [`u${user}`, `i${item}`, value(effects[0]![user]!, effects[1]![item]!, stream.normal())] as const;
  });
  return Interactions.from(rows);
}

async function rmseOf(model: MF | OverparamMF | SVDpp, data: Interactions): Promise<number> {
  const { train, test: held } = splitRandom(data, { testFraction: 0.1, seed: 1 });
  await model.fit(train);
  return (await evaluateRatings(model, held)).rmse;
}

const KINDS = [
  ['MF', (options: object) => new MF({ rank: 8, ...options })],
  ['OverparamMF', (options: object) => new OverparamMF({ rank: 8, ...options })],
  ['SVDpp', (options: object) => new SVDpp({ rank: 8, ...options })],
] as const;

describe.each(KINDS)('%s', (_, make) => {
  test('trains on play counts, whose largest is 60 standard deviations out, in any number of epochs', async () => {
    const counts = drawn({ users: 400, items: 200, each: 25 }, (a, b, noise) =>
      Math.ceil(Math.exp(2 + a + 0.7 * b + 1.2 * noise)),
    );
    const { mean, standardDeviation, maximum } = counts.stats();
    expect((maximum - mean) / standardDeviation).toBeGreaterThan(30);
    for (const epochs of [1, 4, 10, 30]) {
      expect(await rmseOf(make({ epochs }), counts)).toBeLessThan(1.01 * standardDeviation);
    }
  });
});

test('rates by epochs: those of 10 as they are, higher for fewer, as much less for more; a rate of the caller holds', () => {
  const ratesOf = (options: object) => {
    const { learningRate } = new OverparamMF(options).options.optimizer as unknown as {
      learningRate: { rate: object };
    };
    return learningRate.rate;
  };
  const usual = { embedding: 0.024, map: 0.02, bias: 0.0108 };
  expect(ratesOf({})).toEqual(usual);
  expect(ratesOf({ epochs: 40 })).toEqual({ embedding: 0.024 / 4, map: 0.02 / 4, bias: 0.0108 / 4 });
  expect(ratesOf({ epochs: 4 })).toEqual({ embedding: 0.024 * 2.5 ** 0.35, map: 0.02, bias: 0.0108 });
  // Of biases that start at 0.
  const times = Math.sqrt(10 / 4);
  const zero = { embedding: 0.024 * Math.sqrt(times), map: 0.02, bias: 0.0433 * times };
  expect(ratesOf({ epochs: 4, biasDamping: false })).toEqual(zero);
  expect(ratesOf({ epochs: 1, optimizer: { learningRate: { bias: 0.05 } } })).toMatchObject({ bias: 0.05 });
});

test('little but noise: penalties are higher, shown after the fit, and predictions as good as the mean; else as ever', async () => {
  const noisy = drawn({ users: 300, items: 200, each: 8 }, (a, b, noise) => 3 + 0.1 * a + 0.1 * b + noise);
  const model = new OverparamMF();
  expect(await rmseOf(model, noisy)).toBeLessThan(1.03 * noisy.stats().standardDeviation);
  expect(model.options.regularization.bias).toBeGreaterThan(0.6);
  const held = new OverparamMF({ regularization: { bias: 0.2 } });
  await rmseOf(held, noisy);
  expect(held.options.regularization.bias).toBe(0.2);
  const rated = drawn({ users: 300, items: 200, each: 30 }, (a, b, noise) => 3 + 0.5 * a + 0.5 * b + noise);
  await rmseOf(model, rated);
  expect(model.options.regularization).toMatchObject({ bias: 0.15, scaling: 'frequency' });
  expect(model.options.regularization.embedding).toBeGreaterThan(0.235);
});

test('structure: embeddings are penalized less where items are alike beyond their biases', async () => {
  const stream = Stream.of('structure');
  const taste = Array.from({ length: 300 }, () => stream.normal());
  const rows = Array.from({ length: 300 * 30 }, (_, k) => {
    const item = stream.below(60);
    const value = 3 + (item % 2 === 0 ? 1 : -1) * taste[k % 300]! + 0.3 * stream.normal();
    return [`u${k % 300}`, `i${item}`, value] as const;
  });
  const model = new OverparamMF();
  await model.fit(Interactions.from(rows));
  expect(model.options.regularization.embedding).toBeLessThan(0.1);
});

describe('where biases start', () => {
  const rated = drawn({ users: 300, items: 200, each: 12 }, (a, b, noise) => 3 + 0.5 * a + 0.5 * b + noise);

  test('in one epoch as near as damped biases tuned by hand; false: at 0', async () => {
    const { train, test: held } = splitRandom(rated, { testFraction: 0.1, seed: 1 });
    const of = async (options: object) => {
      const model = new OverparamMF({ epochs: 1, ...options });
      await model.fit(train);
      return (await evaluateRatings(model, held)).rmse;
    };
    const start = await of({});
    expect(start).toBeLessThan(0.99 * (await of({ biasDamping: false })));
    for (const user of [1, 2, 4, 8]) {
      for (const item of [1, 2, 4, 8]) expect(start).toBeLessThan(1.01 * (await of({ biasDamping: { user, item } })));
    }
  });

  test('dampings are shown after the fit: those of the data, or of the caller', async () => {
    const model = new MF();
    expect(model.options.biasDamping).toBe('auto');
    await model.fit(rated);
    // Noise 1 by a variance of 1/4.
    const { user, item } = model.options.biasDamping as { user: number; item: number };
    for (const damping of [user, item]) expect(Math.abs(Math.log2(damping / 4))).toBeLessThan(1);
    const given = new MF({ biasDamping: { user: 3 }, epochs: 1 });
    await given.fit(rated);
    expect(given.options.biasDamping).toEqual({ user: 3, item: 5 });
    expect(MF.load(given.save()).options).toEqual(given.options);
    const huber = new MF({ loss: 'huber', epochs: 1 });
    await huber.fit(rated);
    expect(huber.options.biasDamping).toBe(false);
  });

  test('rates or strengths that are all given are for biases that start at 0', () => {
    const damping = (options: object) => new OverparamMF(options).options.biasDamping;
    expect(damping({ optimizer: 'adam' })).toBe(false);
    expect(damping({ optimizer: { learningRate: 0.02 } })).toBe(false);
    expect(damping({ optimizer: { learningRate: { embedding: 0.02, bias: 0.02 } } })).toBe(false);
    expect(damping({ regularization: 0.1 })).toBe(false);
    expect(damping({ regularization: { embedding: 0.1, bias: 0.1 } })).toBe(false);
    expect(damping({ optimizer: { learningRate: { map: 0.02 } }, regularization: { embedding: 0.1 } })).toBe('auto');
    expect(damping({ regularization: 0.1, biasDamping: 'auto' })).toBe('auto');
  });
});

test('where an epoch moves rows more often than in MovieLens 100K, few epochs have lower rates; not below those of 10', async () => {
  const rateOf = async (side: number, epochs: number) => {
    const rows = Array.from({ length: side * side }, (_, k) => ({
      ...{ userId: k % side, itemId: Math.floor(k / side), value: 1 + ((k * 7) % 5) },
    }));
    const model = new MF({ rank: 2, epochs });
    await model.fit(Interactions.from(rows));
    const { learningRate } = model.options.optimizer as unknown as { learningRate: { rate: { embedding: number } } };
    return learningRate.rate.embedding;
  };
  // Every user has rated every item: the ratings a row are their number.
  expect(await rateOf(100, 1)).toBeCloseTo(0.16 * 10 ** 0.35, 12);
  expect(await rateOf(368, 1)).toBeCloseTo(0.16 * 5 ** 0.35, 3);
  expect(await rateOf(368, 4)).toBeCloseTo(0.16 * 1.25 ** 0.35, 3);
  expect(await rateOf(500, 4)).toBe(0.16);
  expect(await rateOf(500, 20)).toBe(0.08);
});
