// What is true of matrix factorizations and not of every recommender: the tables that can be looked at, the product
// multiplied out, weights, and rules of the caller's own.

import { DataError, OptionError, UnsupportedError } from '../../src/core/errors';
import { Interactions } from '../../src/data/interactions';
import { splitRandom } from '../../src/data/splits';
import { syntheticInteractions } from '../../src/data/synthetic';
import { evaluateRanking } from '../../src/evaluation/evaluate-ranking';
import { MFModel } from '../../src/models/factorization';
import type { Optimizer } from '../../src/optimizers/optimizer';
import { sgd } from '../../src/optimizers/sgd';
import type { OverparamMFOptions } from '../../src/recommenders/factorization-options';
import { MF } from '../../src/recommenders/mf';
import { OverparamMF } from '../../src/recommenders/overparam-mf';
import { loadRecommender } from '../../src/recommenders/registry';
import { CASES } from './cases';

const { train, test: held } = splitRandom(syntheticInteractions({ users: 40, items: 30, ratings: 600 }));
const named = CASES.map((one) => [one.name, one] as const);

function dot(a: { get(r: number, k: number): number }, row: number, b: typeof a, other: number, rank: number): number {
  let sum = 0;
  for (let k = 0; k < rank; k++) sum += a.get(row, k) * b.get(other, k);
  return sum;
}

describe('the tables', () => {
  test.each(named)('%s: predict = globalMean + b_u + b_i + <p_u, q_i>', async (_, { make }) => {
    for (const biases of [true, false]) {
      if (!biases && JSON.stringify(make({ rank: 4 }).options.overparam).includes('itemBias')) continue;
      const model = make({ rank: 4, clip: false, biases, initScale: 0.3 });
      await model.fit(train);
      const { userFactors, itemFactors, userBiases, itemBiases, globalMean, users, items } = model;
      expect(userFactors.shape).toEqual([train.users.size, 4]);
      expect(itemFactors.shape).toEqual([train.items.size, 4]);
      expect([userBiases.length, itemBiases.length]).toEqual([train.users.size, train.items.size]);
      expect(globalMean).toBeCloseTo(train.stats().mean, 6);
      for (const { userId, itemId } of train) {
        const [u, i] = [users.indexOf(userId), items.indexOf(itemId)];
        const score = globalMean + userBiases[u]! + itemBiases[i]! + dot(userFactors, u, itemFactors, i, 4);
        // Scores are float32: half a unit in the last place for each of the additions to a number of this size.
        const size = Math.abs(globalMean) + Math.abs(userBiases[u]!) + Math.abs(itemBiases[i]!) + 1;
        expect(Math.abs(model.predict(userId, itemId) - score)).toBeLessThan(8 * 2 ** -24 * size);
        expect(Math.abs(model.model.score(u, i) - score)).toBeLessThan(1e-5);
      }
    }
  });

  test.each(named)('%s: similarity is that of the vectors', async (_, { make }) => {
    const model = make({ rank: 4, initScale: 0.3 });
    await model.fit(train);
    for (const [table, list] of [
      [model.itemFactors, (measure: 'cosine' | 'dot') => model.similarItems(train.items.idOf(3), { measure })],
      [model.userFactors, (measure: 'cosine' | 'dot') => model.similarUsers(train.users.idOf(3), { measure })],
    ] as const) {
      const ids = table === model.itemFactors ? train.items : train.users;
      for (const entry of list('dot')) {
        const row = ids.indexOf('itemId' in entry ? entry.itemId : entry.userId);
        expect(entry.score).toBeCloseTo(dot(table, 3, table, row, 4), 5);
      }
      for (const entry of list('cosine')) {
        const row = ids.indexOf('itemId' in entry ? entry.itemId : entry.userId);
        const norms = Math.sqrt(dot(table, 3, table, 3, 4) * dot(table, row, table, row, 4));
        expect(entry.score).toBeCloseTo(dot(table, 3, table, row, 4) / norms, 5);
      }
    }
  });

  test('a plain table is seen without a copy', async () => {
    const model = new MF({ rank: 4 });
    await model.fit(train);
    expect(model.userFactors.data).toBe(model.userFactors.data);
    expect(model.userFactors.data).toBe(model.model.userEmbedding.values);
  });
});

describe('collapse', () => {
  const products = named.filter(([name]) => name !== 'MF');
  test.each(products)('%s: a plain MF with the same answers', async (_, { make }) => {
    const model = make({ rank: 4, initScale: 0.3 }) as OverparamMF;
    await model.fit(train);
    const plain = model.collapse();
    expect(plain).toBeInstanceOf(MF);
    expect(plain.model).toBeInstanceOf(MFModel);
    expect(plain.options).toEqual({ ...model.options, overparam: false });
    expect(plain.predictMany(held)).toEqual(model.predictMany(held));
    const users = [...train.users, 'new'];
    expect(await plain.recommendMany(users)).toEqual(await model.recommendMany(users));
    expect(plain.similarItems(train.items.idOf(0))).toEqual(model.similarItems(train.items.idOf(0)));
    expect(MF.load(plain.save()).predictMany(held)).toEqual(model.predictMany(held));
    for (const { factors } of plain.model.parameters) expect(factors.length).toBe(1);
    expect(OverparamMF.load(model.save()).model).toBeInstanceOf(MFModel);
  });

  test('what is collapsed does not change when the product is trained on', async () => {
    const model = new OverparamMF({ rank: 4 });
    await model.fit(train);
    const plain = model.collapse();
    const before = plain.predictMany(held);
    await model.fit(held);
    expect(plain.predictMany(held)).toEqual(before);
  });
});

describe('weights', () => {
  const over = { duplicates: 'keep', users: train.users, items: train.items } as const;
  const weighted = (weight: (row: number) => number) =>
    Interactions.from(
      [...train].map((row, at) => ({ ...row, weight: weight(at) })),
      over,
    );
  const still = { rank: 3, regularization: 0, initScale: 0.3, standardize: false };
  const trained = async (data: Interactions, learningRate: number, epochs = 3) => {
    const model = new MF({ ...still, epochs, batchSize: data.size, optimizer: sgd({ learningRate }) });
    await model.fit(data);
    return [...model.userFactors.data, ...model.itemBiases];
  };
  const expectClose = (a: number[], b: number[]) => {
    for (const [k, value] of a.entries()) expect(Math.abs(value - b[k]!)).toBeLessThan(1e-5);
  };

  test('that are all alike are none', async () => {
    for (const weight of [1, 3, 1 / 3, 1e-9]) {
      expect(
        await trained(
          weighted(() => weight),
          0.5,
        ),
      ).toEqual(await trained(train, 0.5));
    }
  });

  test('of 2 count as a rating twice', async () => {
    const rows = [...weighted((at) => (at % 3 === 0 ? 2 : 1))];
    const twice = rows.flatMap((row) => Array.from({ length: row.weight! }, () => ({ ...row, weight: 1 })));
    const [once, repeated] = [Interactions.from(rows, over), Interactions.from(twice, over)];
    expect(repeated.size).toBeGreaterThan(once.size);
    expectClose(await trained(once, 0.5), await trained(repeated, 0.5));
  });

  test('of 0 teach nothing', async () => {
    const halves = [...train].map((row, at) => ({ ...row, value: at % 2 === 0 ? 99 : row.value!, weight: at % 2 }));
    const present = halves.filter(({ weight }) => weight > 0);
    expect(await trained(Interactions.from(halves, over), 0.5)).toEqual(
      await trained(Interactions.from(present, over), 0.5),
    );
    const none = weighted(() => 0);
    await expect(new MF().fit(none)).rejects.toThrow(DataError);
  });
});

test('validation ratings may have vocabularies of their own, in another order and with ids that training lacks', async () => {
  const foreign = Interactions.from([...[...held].reverse(), { userId: 'new', itemId: 'new', value: 1 }]);
  const model = new OverparamMF({ rank: 4, epochs: 2 });
  const metrics = ['rmse', 'recall@5', 'auc'] as const;
  const { epochs } = await model.fit(train, { validation: foreign, metrics });
  let square = 0;
  for (const { userId, itemId, value } of foreign) square += (model.predict(userId, itemId) - value!) ** 2;
  expect(epochs[1]!.metrics.rmse).toBeCloseTo(Math.sqrt(square / foreign.size), 5);
  const rankings = await evaluateRanking(model, foreign, { train, metrics: ['recall@5', 'auc'] });
  expect(rankings.cold).toBe(1);
  expect(epochs[1]!.metrics).toEqual({
    rmse: epochs[1]!.metrics.rmse,
    'recall@5': expect.closeTo(rankings.metrics['recall@5']!, 12),
    auc: expect.closeTo(rankings.metrics.auc, 12),
  });
});

describe("a rule of the caller's own", () => {
  const rule: Optimizer = {
    config: { name: 'sign-sgd', learningRate: 0.01 },
    slots: [],
    update({ data, cols }, { ids, count, values }, _state, step) {
      for (let k = 0; k < count * cols; k++) {
        const row = ids === null ? Math.floor(k / cols) : ids[Math.floor(k / cols)]!;
        data[row * cols + (k % cols)]! -= 0.01 * Math.sign(values[k]!) * (1 - step.progress);
      }
    },
  };

  test.each([MF, OverparamMF])('%p trains, collapses, is saved and serves', async (Kind) => {
    const model = new Kind({ rank: 3, epochs: 2, optimizer: rule });
    await model.fit(train);
    expect(model.options.optimizer).toEqual(rule.config);
    const loaded = loadRecommender(model.save());
    expect(loaded.predictMany(held)).toEqual(model.predictMany(held));
    expect(loaded.options).toEqual(model.options);
    await expect(loaded.fit(train)).rejects.toThrow(UnsupportedError);
    await expect(loaded.fit(train)).rejects.toThrow("'sign-sgd' is the caller's own");
    expect(loaded.predictMany(held)).toEqual(model.predictMany(held));
    if (model instanceof OverparamMF) {
      const plain = model.collapse();
      await plain.fit(train);
      expect(plain.isFitted).toBe(true);
    }
    const again = model.fresh();
    await again.fit(train);
    expect(again.predictMany(held)).toEqual(model.predictMany(held));
  });
});

describe('the default rates', () => {
  const product = { kind: 'scalar', depth: 3, init: 2 } as const;
  const ratesOf = (overparam: OverparamMFOptions['overparam'] & {}) => {
    const { learningRate } = new OverparamMF({ overparam }).options.optimizer;
    return (learningRate as { rate: { embedding: number; map?: number; bias: number } }).rate;
  };

  test('products of one kind have their rates, plain tables theirs', () => {
    expect(ratesOf({ userEmbedding: product, itemEmbedding: product })).toEqual(ratesOf(product));
    expect(ratesOf({ userEmbedding: false, itemEmbedding: false })).toEqual(ratesOf(false));
    expect(ratesOf(false)).not.toHaveProperty('map');
  });

  test('tables that are not alike share the least of their rates, whichever is the product', async () => {
    expect(ratesOf({ itemEmbedding: product })).toEqual(ratesOf(product));
    expect(ratesOf({ userEmbedding: product })).toEqual(ratesOf(product));
    const small = { ...product, init: 0.1 };
    expect(ratesOf({ itemEmbedding: small }).embedding).toBe(ratesOf(false).embedding);
    const model = new OverparamMF({ overparam: { itemEmbedding: { kind: 'scalar', depth: 2, init: 6 } } });
    const { epochs } = await model.fit(train);
    expect(epochs.at(-1)!.trainLoss).toBeLessThan(epochs[0]!.trainLoss);
  });
});

test('MF refuses a product, rather than training without it', () => {
  const make = () => new MF({ overparam: { kind: 'scalar' } } as never);
  expect(make).toThrow(OptionError);
  expect(make).toThrow('OverparamMF');
});

describe('the logistic loss', () => {
  const liked = Interactions.from([...train].map(({ userId, itemId, value }) => [userId, itemId, value! > 3 ? 1 : 0]));

  test('gives probabilities, higher for what is liked', async () => {
    const model = new OverparamMF({ rank: 4, loss: 'logistic', clip: false });
    const { epochs } = await model.fit(liked);
    const predictions = model.predictMany(liked);
    expect(predictions.every((p) => p > 0 && p < 1)).toBe(true);
    const mean = (value: number) => {
      const of = [...predictions].filter((_, k) => liked.values[k] === value);
      return of.reduce((sum, p) => sum + p, 0) / of.length;
    };
    expect(mean(1)).toBeGreaterThan(mean(0) + 0.1);
    expect(epochs.at(-1)!.trainLoss).toBeLessThan(epochs[0]!.trainLoss);
  });

  test('refuses values outside 0 to 1', async () => {
    await expect(new MF({ loss: 'logistic' }).fit(train)).rejects.toThrow(DataError);
    await expect(new MF({ loss: 'logistic' }).fit(train)).rejects.toThrow('1 to 5');
  });
});

describe('what a caller cannot change by accident', () => {
  test('options are a copy: what was passed may change afterwards', () => {
    const overparam = { kind: 'scalar' as const, depth: 2 };
    const model = new OverparamMF({ overparam });
    overparam.depth = 5;
    expect(model.options.overparam).toEqual({ kind: 'scalar', scope: 'row', depth: 2, init: 2.6 });
    expect(Object.isFrozen(model.options.overparam)).toBe(true);
    // The preset's numbers are of all recommenders: none may change them through its own options.
    expect(Object.isFrozen(new MF().options.regularization)).toBe(true);
    expect(Object.isFrozen(new MF({ regularization: { embedding: 0.1 } }).options.regularization)).toBe(true);
  });

  test('a view of a loaded model is of the tables that answer, as after a fit', async () => {
    const fitted = new MF({ rank: 2, epochs: 1, clip: false });
    await fitted.fit(train);
    for (const model of [fitted, MF.load(fitted.save())]) {
      const [userId, itemId] = [model.users.idOf(train.userIndex[0]!), model.items.idOf(train.itemIndex[0]!)];
      const before = model.predict(userId, itemId);
      model.userBiases[train.userIndex[0]!]! += 1;
      expect(model.predict(userId, itemId)).toBeCloseTo(before + 1, 5);
    }
  });

  test('a rank beyond reason is an OptionError, not an allocation that fails', () => {
    expect(() => new MF({ rank: 1e9 })).toThrow(OptionError);
    expect(() => new MFModel({ users: 1e12, items: 1 })).toThrow(OptionError);
  });
});
