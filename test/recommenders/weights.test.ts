// Weights, over every recommender: only their ratios matter, a row of weight 0 is absent, and a row of weight w counts as w
// rows do.

import { DataError } from '../../src/core/errors';
import { Interactions } from '../../src/data/interactions';
import { splitRandom } from '../../src/data/splits';
import { syntheticInteractions } from '../../src/data/synthetic';
import { ALS, type ALSOptions } from '../../src/recommenders/als';
import { MF } from '../../src/recommenders/mf';
import { NMF } from '../../src/recommenders/nmf';
import { OverparamMF } from '../../src/recommenders/overparam-mf';
import { createRecommender, loadRecommender, type RecommenderName } from '../../src/recommenders/registry';
import { SVDpp } from '../../src/recommenders/svdpp';

const { train, test: held } = splitRandom(syntheticInteractions({ users: 40, items: 25, ratings: 600, seed: 3 }));
const rows = [...train].map(({ userId, itemId, value }) => ({ userId, itemId, value: value! }));
const pairs = [...held].map(({ userId, itemId }) => [userId, itemId] as const);
const weightOf = (at: number) => [1, 2, 0.3, 5, 1][at % 5]!;
const weighted = (by: number, weight = weightOf) =>
  Interactions.from(rows.map((row, at) => ({ ...row, weight: by * weight(at) })));

/** Element by element a test takes seconds. */
const isSame = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

/** Kinds of training, by recommender. */
const KINDS: readonly (readonly [RecommenderName, object])[] = [
  ['mf', {}],
  ['mf', { kernels: 'js' }],
  ['mf', { grouping: 4 }],
  ['mf', { optimizer: 'adam', loss: 'huber' }],
  ['mf', { optimizer: 'adagrad', link: 'sigmoid' }],
  ['mf', { loss: 'absolute', optimizer: { name: 'momentum', learningRate: 0.005 } }],
  ['mf', { batchSize: 16, optimizer: { name: 'sgd', learningRate: 0.5 } }],
  ['mf', { loss: 'bpr', negatives: 2, epochs: 3 }],
  ['mf', { loss: 'softmax', negatives: 2, epochs: 3 }],
  ['overparam-mf', {}],
  ['overparam-mf', { overparam: { kind: 'diagonal' }, optimizer: { name: 'sgd', learningRate: 0.02 } }],
  ['overparam-mf', { overparam: { kind: 'dense' }, optimizer: { name: 'sgd', learningRate: 0.02 }, rank: 4 }],
  ['svdpp', { rank: 8 }],
  ['svdpp', { rank: 8, batchSize: 4, optimizer: { name: 'sgd', learningRate: 0.1 } }],
  ['nmf', {}],
  ['nmf', { solver: 'gradient', optimizer: 'adam' }],
  ['als', { rank: 8 }],
  ['als', { rank: 8, solver: 'conjugate-gradient', alpha: 1 }],
  ['als', { rank: 8, feedback: 'explicit' }],
  ['als', { rank: 8, feedback: 'explicit', regularizationExponent: 0.5 }],
  ['neural-cf', { epochs: 2 }],
  ['fm', { epochs: 2, task: 'regression', negatives: false }],
  ['fm', { epochs: 2, negatives: 2 }],
  ['wide-deep', { epochs: 1, negatives: 1, hidden: [8] }],
  ['deep-fm', { epochs: 1, task: 'regression', negatives: false, hidden: [8] }],
  ['popularity', {}],
  ['item-knn', {}],
  ['ease', {}],
];

const deviation = held.stats().standardDeviation;
const rmse = (predictions: Float32Array) =>
  Math.sqrt(predictions.reduce((sum, value, k) => sum + (value - held.values[k]!) ** 2, 0) / held.size);

async function fitted<N extends RecommenderName>(name: N, options: object, data: Interactions) {
  const model = createRecommender(name, options as never);
  await model.fit(data);
  return model;
}

describe.each(KINDS)('%s %p', (name, options) => {
  test('only the ratios matter', async () => {
    const given = (await fitted(name, options, weighted(1))).predictMany(pairs);
    const size = Math.max(...given) - Math.min(...given);
    for (const by of [2, 10, 1 / 3]) {
      const scaled = (await fitted(name, options, weighted(by))).predictMany(pairs);
      for (const [k, value] of scaled.entries()) expect(Math.abs(value - given[k]!)).toBeLessThan(1e-3 * size);
    }
  });

  test('weights that are all equal are none, to the bit', async () => {
    const none = (await fitted(name, options, Interactions.from(rows))).save();
    for (const weight of [1, 2, 0.3]) {
      const equal = weighted(weight, () => 1);
      expect(isSame((await fitted(name, options, equal)).save(), none)).toBe(true);
    }
  });

  test('rows of weight 0 are as rows that were not given, to the bit', async () => {
    const given = rows.map((row, at) => ({ ...row, weight: weightOf(at) }));
    const absent = given.flatMap((row, at) => [
      { userId: `u${at}`, itemId: `i${at}`, value: 100, weight: 0 },
      row,
      { ...row, value: -50, weight: 0 },
    ]);
    const [some, without] = [
      await fitted(name, options, Interactions.from(absent)),
      await fitted(name, options, weighted(1)),
    ];
    expect(isSame(some.save(), without.save())).toBe(true);
    const none = Interactions.from(rows.map((row) => ({ ...row, weight: 0 })));
    await expect(fitted(name, options, none)).rejects.toThrow(DataError);
  });

  test('one heavy row does not spoil the rest', async () => {
    const heavy = await fitted(
      name,
      options,
      weighted(1, (at) => (at === 7 ? 100 : 1)),
    );
    const predictions = heavy.predictMany(pairs);
    expect(predictions.every(Number.isFinite)).toBe(true);
    // Those that predict ratings still do.
    const plain = (await fitted(name, options, Interactions.from(rows))).predictMany(pairs);
    if (rmse(plain) < deviation) expect(rmse(predictions)).toBeLessThan(1.1 * rmse(plain));
  });
});

test('a heavy row is predicted as what it says', async () => {
  for (const model of [new MF(), new OverparamMF(), new SVDpp(), new NMF(), new ALS({ feedback: 'explicit' })]) {
    const { userId, itemId } = rows[7]!;
    const odd = rows.map((row, at) => (at === 7 ? { ...row, value: 1, weight: 100 } : row));
    await model.fit(Interactions.from(odd));
    expect(model.predict(userId, itemId)).toBeLessThan(1.5);
  }
});

test('the same bits in WebAssembly and JavaScript, and on threads', async () => {
  const data = weighted(1);
  for (const more of [
    {},
    { grouping: 4 as const },
    { optimizer: 'adam' as const },
    { batchSize: 8, optimizer: 'adam' as const },
  ]) {
    for (const overparam of [false, { kind: 'scalar' }, { kind: 'diagonal' }] as const) {
      const models = ([{ kernels: 'js' }, { kernels: 'wasm' }, { kernels: 'wasm', threads: 2 }] as const).map(
        (how) => new OverparamMF({ rank: 5, epochs: 3, overparam, ...more, ...how }),
      );
      for (const model of models) await model.fit(data);
      const [js, wasm, threads] = models.map((model) => model.predictMany(pairs));
      expect(wasm).toEqual(js);
      expect(threads).toEqual(js);
    }
  }
});

describe('as so many rows', () => {
  const count = (at: number) => [1, 1, 3, 2, 1, 5][at % 6]!;
  const repeated = Interactions.from(
    rows.flatMap((row, at) => Array.from({ length: count(at) }, () => row)),
    { duplicates: 'keep' },
  );

  test.each<ALSOptions>([
    { feedback: 'explicit' },
    { feedback: 'explicit', regularizationExponent: 0.5, biases: false },
    {},
    { unobservedWeight: 0.2, regularizationExponent: 0.7 },
    { alpha: 2, unobservedWeight: 1 },
    { solver: 'conjugate-gradient' },
  ])('ALS %p: the same, and its folded rows too', async (options) => {
    const [once, often] = [new ALS({ rank: 6, ...options }), new ALS({ rank: 6, ...options })];
    for (const by of [1, 3]) {
      await once.fit(weighted(by, count));
      await often.fit(repeated);
      const [a, b] = [once.predictMany(pairs), often.predictMany(pairs)];
      for (const [k, value] of a.entries()) expect(value).toBeCloseTo(b[k]!, 4);
      // The items were solved for last: an item by its history is what it is.
      if (options.solver !== undefined) continue;
      const { itemId } = rows[0]!;
      const history = [...weighted(by, count)].filter((row) => row.itemId === itemId);
      for (const model of [once, loadRecommender(once.save()) as ALS]) {
        const folded = model.foldInItem(history);
        for (const [userId] of pairs.slice(0, 9))
          expect(folded.predict(userId)).toBeCloseTo(once.predict(userId, itemId), 4);
      }
    }
  });

  test('NMF: the same', async () => {
    const [once, often] = [new NMF({ rank: 6 }), new NMF({ rank: 6 })];
    await once.fit(weighted(1, count));
    await often.fit(repeated);
    const [a, b] = [once.predictMany(pairs), often.predictMany(pairs)];
    for (const [k, value] of a.entries()) expect(value).toBeCloseTo(b[k]!, 3);
  });

  // Repeated rows are that many more steps an epoch, so they get fewer epochs; and another order, which is as much noise.
  const constant = { rank: 4, regularization: { embedding: 0.05, bias: 0.05, scaling: 'constant' } };
  test.each([
    ['mf', { ...constant, epochs: 13, optimizer: { learningRate: { embedding: 0.16, bias: 0.0433 } } }, 0.5],
    ['mf', { ...constant, epochs: 39, batchSize: 16, optimizer: { name: 'sgd', learningRate: 0.5 } }, 0.25],
  ] as const)('%s %p: nearly', async (name, options, part) => {
    const [once, often, plain] = [
      await fitted(name, options, weighted(1, count)),
      await fitted(name, { ...options, epochs: (options.epochs * 6) / 13 }, repeated),
      await fitted(name, options, Interactions.from(rows)),
    ].map((model) => model.predictMany(pairs));
    const between = (a: Float32Array, b: Float32Array) =>
      Math.sqrt(a.reduce((sum, value, k) => sum + (value - b[k]!) ** 2, 0) / a.length);
    expect(between(once!, often!)).toBeLessThan(part * between(plain!, often!));
  });
});

describe('what comes after training', () => {
  const history = rows.slice(0, 12).map(({ itemId, value }, at) => ({ itemId, value, weight: weightOf(at) }));
  const scaled = (by: number) => history.map((row) => ({ ...row, weight: by * row.weight }));
  const cases = [
    ['mf', {}],
    ['mf', { loss: 'bpr', negatives: 2 }],
    ['als', { rank: 8 }],
    ['als', { rank: 8, feedback: 'explicit' }],
    ['nmf', {}],
  ] as const;

  test.each(cases)('%s %p folds in by the ratios', async (name, options) => {
    const model = await fitted(name, options, Interactions.from(rows));
    const vector = model.foldInUser(scaled(1)).vector!;
    for (const by of [2, 10, 1 / 3]) {
      for (const [k, value] of model.foldInUser(scaled(by)).vector!.entries()) expect(value).toBeCloseTo(vector[k]!, 4);
    }
    const plain = history.map(({ weight: _, ...row }) => row);
    const even = history.map((row) => ({ ...row, weight: 7 }));
    expect(model.foldInUser(even).vector).toEqual(model.foldInUser(plain).vector);
    expect(model.foldInUser(plain).vector).not.toEqual(vector);
    const odd = [{ itemId: rows[20]!.itemId, value: 1, weight: 0 }, ...scaled(1)];
    expect(model.foldInUser(odd).vector).toEqual(vector);
  });

  test.each(cases)('%s %p goes on training by the ratios, after a load too', async (name, options) => {
    const more = (by: number) =>
      Interactions.from([
        ...history.map((row, at) => ({ ...row, userId: `new${at % 2}`, weight: by * row.weight })),
        { userId: 'absent', itemId: rows[0]!.itemId, value: 1, weight: 0 },
      ]);
    const results: Float32Array[] = [];
    for (const by of [1, 10, 1]) {
      const trained = await fitted(name, options, weighted(by));
      const model = results.length < 2 ? trained : (loadRecommender(trained.save()) as MF);
      await model.partialFit(more(by));
      expect(model.users.has('absent')).toBe(false);
      results.push(
        model.predictMany(
          rows.slice(20).flatMap(
            ({ itemId }) =>
              [
                ['new0', itemId],
                ['new1', itemId],
              ] as const,
          ),
        ),
      );
    }
    const [given, times, loaded] = results as [Float32Array, Float32Array, Float32Array];
    for (const [k, value] of times.entries()) expect(value).toBeCloseTo(given[k]!, 3);
    expect(loaded).toEqual(given);
    const even = await fitted(name, options, weighted(1));
    await even.partialFit(Interactions.from([...more(1)].map((row) => ({ ...row, weight: 1 }))));
    expect(even.predict('new0', rows[30]!.itemId)).not.toBe(
      given[rows.slice(20).findIndex(({ itemId }) => itemId === rows[30]!.itemId) * 2],
    );
  });
});
