// Which loss a fit takes where the options leave it to the data, and what is refused where values do not differ.

import { DataError, OptionError } from '../../src/core/errors';
import { Interactions } from '../../src/data/interactions';
import { splitRandom } from '../../src/data/splits';
import { syntheticInteractions } from '../../src/data/synthetic';
import { evaluateRanking } from '../../src/evaluation/evaluate-ranking';
import { ALS } from '../../src/recommenders/als';
import { FM } from '../../src/recommenders/features/fm';
import { MF } from '../../src/recommenders/mf';
import { NMF } from '../../src/recommenders/nmf';
import { OverparamMF } from '../../src/recommenders/overparam-mf';
import { loadRecommender } from '../../src/recommenders/registry';
import { SVDpp } from '../../src/recommenders/svdpp';

const rated = syntheticInteractions({ users: 60, items: 40, ratings: 900 });
const withValue = (value: number, weight?: (k: number) => number) =>
  Interactions.from(
    Array.from(rated, ({ userId, itemId }, k) => ({ userId, itemId, value, ...(weight && { weight: weight(k) }) })),
  );
const events = withValue(1);
const quick = { rank: 4, epochs: 3 } as const;
const KINDS = [
  ['MF', (options: object) => new MF(options)],
  ['OverparamMF', (options: object) => new OverparamMF(options)],
] as const;

describe.each(KINDS)('%s', (_, make) => {
  test('auto: squared of values that differ, with the bits of squared; softmax of values that are equal, with those of softmax', async () => {
    for (const [data, loss] of [
      [rated, 'squared'],
      [events, 'softmax'],
      [withValue(4), 'softmax'],
      [withValue(0), 'softmax'],
    ] as const) {
      const [auto, said] = [make(quick), make({ ...quick, loss })];
      expect(auto.options.loss).toBe('auto');
      await auto.fit(data);
      await said.fit(data);
      expect(auto.options).toEqual(said.options);
      expect(auto.options.loss).toBe(loss);
      expect(auto.predictMany(rated)).toEqual(said.predictMany(rated));
      expect(loadRecommender(auto.save()).options).toEqual(auto.options);
    }
  });

  test('the next fit chooses again: of the same, of a fresh and of a loaded recommender', async () => {
    const model = make(quick);
    await model.fit(events);
    const loaded = loadRecommender(model.save()) as MF | OverparamMF;
    for (const next of [model, loaded, model.fresh(), loaded.fresh()]) {
      await next.fit(rated);
      expect(next.options).toMatchObject({ loss: 'squared', negatives: false, batchSize: 1 });
      await next.fit(events);
      expect(next.options).toMatchObject({ loss: 'softmax', negatives: { count: 32 }, batchSize: 64 });
    }
  });

  test('a fit that fails leaves the options of the model that serves', async () => {
    const model = make(quick);
    await model.fit(rated);
    const everything = Interactions.from([
      ['a', 'x'],
      ['b', 'x'],
    ]);
    await expect(model.fit(everything)).rejects.toThrow(DataError);
    expect(model.options.loss).toBe('squared');
  });

  test('what the caller gave stays where orders are learned, and the rest are defaults of orders', async () => {
    const model = make({ rank: 4, epochs: 2, regularization: { bias: 0.02 } });
    await model.fit(events);
    // How many the user of one has, in the mean.
    const counts = new Map<number, number>();
    for (const user of events.userIndex) counts.set(user, (counts.get(user) ?? 0) + 1);
    const ofOne = [...counts.values()].reduce((sum, count) => sum + count ** 2, 0) / events.size;
    expect(model.options).toMatchObject({
      epochs: 2,
      regularization: { embedding: Number((0.023 * ofOne ** -0.25).toPrecision(3)), bias: 0.02, scaling: 'constant' },
      optimizer: { name: 'adam', learningRate: { schedule: 'cosine', rate: 0.01 } },
    });
  });

  test.each(['squared', 'absolute', 'huber', 'logistic'] as const)('%s refuses values that are equal', async (loss) => {
    const refused = await make({ ...quick, loss })
      .fit(events)
      .catch((error) => error);
    expect(refused).toBeInstanceOf(DataError);
    for (const word of ["'bpr'", "'warp'", "'softmax'", 'negatives', 'ALS', loss])
      expect(refused.message).toContain(word);
  });

  test('rows of weight 0 do not count, one value alone is a rating, and orders look at no values', async () => {
    const mixed = Interactions.from(
      Array.from(rated, ({ userId, itemId }, k) => ({
        userId,
        itemId,
        value: k === 7 ? 5 : 1,
        weight: k === 7 ? 0 : 1,
      })),
    );
    const model = make(quick);
    await model.fit(mixed);
    expect(model.options.loss).toBe('softmax');
    await model.fit(Interactions.from([['ann', 'tea', 4]]));
    expect([model.options.loss, model.predict('ann', 'tea')]).toEqual(['squared', 4]);
    for (const loss of ['bpr', 'warp', 'softmax'] as const) await make({ ...quick, loss }).fit(events);
    await make({ ...quick, loss: 'logistic', negatives: 2 }).fit(events);
  });

  test('negatives want a loss that is named, and none leave no loss for equal values', async () => {
    expect(() => make({ negatives: 4 })).toThrow(OptionError);
    await expect(make({ ...quick, negatives: false }).fit(events)).rejects.toThrow(/negatives left out/);
    const model = make({ ...quick, negatives: false });
    await model.fit(rated);
    expect(model.options.loss).toBe('squared');
  });

  test('partialFit takes what is new by the loss of the fit', async () => {
    const model = make(quick);
    await model.fit(rated);
    await model.partialFit(Interactions.from([['new', '1', 3]]));
    expect(model.options.loss).toBe('squared');
    const first = make(quick);
    await first.partialFit(events);
    expect(first.options.loss).toBe('softmax');
  });
});

test.each([
  ['SVDpp', () => new SVDpp(quick), "'bpr'"],
  ['NMF', () => new NMF(quick), "'bpr'"],
  ['NMF by gradients', () => new NMF({ ...quick, solver: 'gradient' }), "'bpr'"],
  ['ALS of ratings', () => new ALS({ ...quick, feedback: 'explicit' }), "'implicit'"],
  ['FM of labels', () => new FM(quick), 'negatives: 4'],
  ['FM of numbers', () => new FM({ ...quick, task: 'regression' }), "'ranking'"],
] as const)('%s refuses values that are equal, and says what learns from them', async (_, make, word) => {
  for (const value of [0, 1]) {
    const refused = await make()
      .fit(withValue(value))
      .catch((error) => error);
    expect(refused).toBeInstanceOf(DataError);
    expect(refused.message).toContain(word);
  }
});

test('SVDpp: auto is squared', async () => {
  const model = new SVDpp(quick);
  expect(model.options.loss).toBe('auto');
  await model.fit(rated);
  expect(model.options.loss).toBe('squared');
  expect(loadRecommender(model.save()).options).toEqual(model.options);
});

test('what is chosen for events ranks them, where chance is far below', async () => {
  const { train, test: held } = splitRandom(withValue(1), { testFraction: 0.2, seed: 1 });
  const [model, chance] = [new OverparamMF({ rank: 8 }), new OverparamMF({ rank: 8, initScale: 0, biases: false })];
  const ndcg = async (of: OverparamMF) => {
    await of.fit(train);
    return (await evaluateRanking(of, held, { train, metrics: ['ndcg@10'] })).metrics['ndcg@10']!;
  };
  expect(await ndcg(model)).toBeGreaterThan(1.3 * (await ndcg(chance)));
});
