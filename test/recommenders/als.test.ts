// ALS: the contracts of recommenders with ratings; implicit feedback, and what is its own.

import { DataError, OptionError } from '../../src/core/errors';
import { Interactions } from '../../src/data/interactions';
import { splitRandom } from '../../src/data/splits';
import { syntheticInteractions } from '../../src/data/synthetic';
import { ALS, type ALSOptions } from '../../src/recommenders/als';
import { loadRecommender } from '../../src/recommenders/registry';
import type { EpochRecord } from '../../src/training/fit';
import { bitsOf, odd, type RecommenderUnderTest } from '../contract/odd-ratings';
import { recommenderBitsContract } from '../contract/recommender-bits';
import { recommenderContract } from '../contract/recommenders';

for (const solver of ['cholesky', 'conjugate-gradient'] as const) {
  const explicit: RecommenderUnderTest = {
    name: `ALS of ratings, ${solver}`,
    make: ({ shuffle, optimizer, ...options } = {}) =>
      new ALS({ feedback: 'explicit', solver, ...(options as ALSOptions) }),
    load: ALS.load,
    isSolved: true,
  };
  recommenderContract(explicit);
  recommenderBitsContract(explicit);
  recommenderBitsContract({
    ...explicit,
    name: `ALS of implicit feedback, ${solver}`,
    make: ({ shuffle, optimizer, ...options } = {}) => new ALS({ solver, ...(options as ALSOptions) }),
  });
}

/** Two groups of users who have the items of their group, each but one. */
const groups = Interactions.from(
  Array.from({ length: 12 }, (_, u) => u).flatMap((u) =>
    Array.from({ length: 12 }, (_, i) => i)
      .filter((i) => i % 2 === u % 2 && i !== u)
      .map((i) => [u, i] as const),
  ),
);

test('implicit: what the others of a group have comes first, near 1; the rest is near 0', async () => {
  const model = new ALS({ rank: 2, regularization: 0.007 });
  await model.fit(groups);
  for (let u = 0; u < 12; u++) {
    const [first, second] = model.recommend(u);
    expect(first).toEqual({ itemId: u, score: expect.closeTo(1, 0) });
    expect(Math.abs(second!.score)).toBeLessThan(0.1);
    expect(first!.score).toBe(model.predict(u, u));
  }
});

test('at rank 1 and without interaction between rows the score is the solution by hand', async () => {
  // One user, one item: p (q^2 + alpha0 q^2 + lambda (1 + alpha0)) = q, and the same for q.
  const model = new ALS({ rank: 1, epochs: 200, unobservedWeight: 0.5, regularization: 0.1 });
  await model.fit(Interactions.from([['ann', 'tea']]));
  // p = q: p^2 (1.5) + 0.15 = 1.
  expect(model.predict('ann', 'tea')).toBeCloseTo(0.85 / 1.5, 6);
});

test("'auto' weighs a pair at 0.3, and where few are filled at 6.75 times the filled part", async () => {
  const fitted = async (data: Interactions, unobservedWeight: number | 'auto') => {
    const model = new ALS({ rank: 2, epochs: 3, unobservedWeight });
    await model.fit(data);
    const [folded] = model.foldInUser([['0']]).recommend({ n: 1 });
    return [...model.userFactors.data, folded!.score];
  };
  expect(await fitted(groups, 'auto')).toEqual(await fitted(groups, 0.3));
  // 60 pairs of 60 x 60, each user one item.
  const sparse = Interactions.fromColumns({
    userIds: Array.from({ length: 60 }, (_, u) => String(u)),
    itemIds: Array.from({ length: 60 }, (_, u) => String(u)),
  });
  expect(await fitted(sparse, 'auto')).toEqual(await fitted(sparse, 6.75 / 60));
});

test("'auto' is numbers after the fit; a fresh and a loaded one choose again; numbers hold", async () => {
  const auto = { regularization: 'auto', unobservedWeight: 'auto' };
  const model = new ALS({ rank: 2, epochs: 2 });
  expect(model.options).toMatchObject(auto);
  // Each user of 60 one item of its own: all pairs weigh 6.75 times as much, and the noise is at most the first value.
  const own = (rows: number) => Interactions.from(Array.from({ length: rows }, (_, row) => [row, row] as const));
  await model.fit(own(60));
  const chosen = { regularization: Number(((0.8 * 4) / 7.75).toPrecision(3)), unobservedWeight: 6.75 / 60 };
  expect(model.options).toMatchObject(chosen);
  const loaded = ALS.load(model.save());
  expect(loaded.options).toEqual(model.options);
  for (const next of [model, model.fresh(), loaded, loaded.fresh()]) {
    await next.fit(own(100));
    expect(next.options).toMatchObject({ ...chosen, unobservedWeight: 6.75 / 100 });
  }
  const numbers = { regularization: 0.1, unobservedWeight: 0.2 };
  const given = new ALS({ rank: 2, epochs: 2, ...numbers });
  await given.fit(own(60));
  expect(given.options).toMatchObject(numbers);
  expect(ALS.load(given.save()).fresh().options).toMatchObject(numbers);
});

test("the penalty of 'auto' falls with what rows have, and is of nu 1 whatever nu", async () => {
  const of = async (data: Interactions, options: ALSOptions = {}) => {
    const model = new ALS({ rank: 2, epochs: 1, unobservedWeight: 0, ...options });
    await model.fit(data);
    return model.options.regularization as number;
  };
  const [few, many] = [300, 1200].map((ratings) => syntheticInteractions({ users: 60, items: 40, ratings }));
  expect(await of(few!)).toBeGreaterThan(1.5 * (await of(many!)));
  expect(await of(many!, { regularizationExponent: 0 })).toBeGreaterThan(10 * (await of(many!)));
});

test('explicit: noise is left to biases, structure is not; what was chosen is numbers, and gives the same again', async () => {
  const rmse = async (structure: number, options: ALSOptions = {}) => {
    const rows = Array.from({ length: 60 * 40 }, (_, at): [number, number, number] => {
      const [user, item] = [at % 60, Math.floor(at / 60)];
      const noise = Math.sin(at * at) * 0.8;
      return [user, item, 3 + Math.cos(user) / 2 + structure * Math.sin(user) * Math.cos(item) + noise];
    });
    const model = new ALS({ feedback: 'explicit', rank: 8, ...options });
    const history = await model.fit(Interactions.from(rows));
    return { model, trained: history.epochs.at(-1)!.trainRmse! };
  };
  const noise = await rmse(0);
  const signal = await rmse(2);
  const { regularization: high } = noise.model.options;
  const { regularization: low, biasRegularization: biases } = signal.model.options;
  expect(high).toBeGreaterThan(2 * (low as number));
  expect(Math.max(...noise.model.userFactors.data.map(Math.abs))).toBeLessThan(0.05);
  expect(signal.trained).toBeLessThan(0.7);
  expect(biases).toMatchObject({ user: expect.any(Number), item: expect.any(Number) });
  const again = await rmse(2, { regularization: low, biasRegularization: biases });
  expect(again.model.userFactors.data).toEqual(signal.model.userFactors.data);
  // A number is for biases as well, where nothing is said of them.
  const given = new ALS({ feedback: 'explicit', regularization: 0.5 });
  await given.fit(odd);
  expect(given.options).toMatchObject({ regularization: 0.5, biasRegularization: 'auto' });
  expect(() => new ALS({ biasRegularization: { user: -1, item: 0 } })).toThrow(OptionError);
});

test('alpha makes a value weigh 1 + alpha value, as a weight does that is relative to nothing', async () => {
  const rows = [...odd];
  const predicted = async (options: ALSOptions, data: Interactions) => {
    // What a row has does not matter to its penalty.
    const model = new ALS({ rank: 3, regularizationExponent: 0, ...options });
    await model.fit(data);
    return model.predictMany(odd);
  };
  const { users, items } = odd;
  const weighted = Interactions.from(
    rows.map((row) => ({ ...row, value: 9, weight: 1 + 2 * row.value! })),
    { users, items },
  );
  const mean = weighted.weights!.reduce((sum, weight) => sum + weight, 0) / odd.size;
  const alpha = await predicted({ alpha: 2, unobservedWeight: 0.3, regularization: 0.1 }, odd);
  const same = await predicted({ unobservedWeight: 0.3 / mean, regularization: 0.1 / mean }, weighted);
  const none = await predicted({ unobservedWeight: 0.3, regularization: 0.1 }, odd);
  for (const [k, value] of alpha.entries()) expect(value).toBeCloseTo(same[k]!, 5);
  expect(none).not.toEqual(alpha);
});

test('WebAssembly and JavaScript give the same bits', async () => {
  for (const rank of [3, 21]) {
    const [js, wasm] = ['js', 'wasm'].map((kernels) => new ALS({ rank, kernels: kernels as 'js' }));
    await js!.fit(odd);
    await wasm!.fit(odd);
    expect(bitsOf(js!)).toBe(bitsOf(wasm!));
  }
});

test('a value that gives a negative weight is refused by its place', async () => {
  const data = Interactions.from([
    [1, 1, 1],
    [1, 2, -3],
  ]);
  const fit = new ALS({ alpha: 1 }).fit(data);
  await expect(fit).rejects.toThrow(DataError);
  await expect(fit).rejects.toThrow('interaction 2 (counting from 1) has value -3');
  await new ALS({ epochs: 1 }).fit(data);
});

test('explicit: ratings are predicted better than by their mean, and trainRmse is on their scale', async () => {
  const data = syntheticInteractions({ users: 200, items: 100, ratings: 6000 });
  const { train, test: rest } = splitRandom(data);
  const model = new ALS({ feedback: 'explicit', rank: 4 });
  const history = await model.fit(train, { validation: rest });
  const last = history.epochs[history.epochs.length - 1]!;
  expect(last.metrics.rmse).toBeLessThan(0.95 * rest.stats().standardDeviation);
  const errors = [...train].map((row) => model.predict(row.userId, row.itemId) - row.value!);
  // Predictions are clipped, and what is trained is not.
  const rmse = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / train.size);
  expect(rmse).toBeLessThanOrEqual(last.trainRmse! + 1e-6);
  expect(rmse).toBeGreaterThan(0.97 * last.trainRmse!);
  expect(history.epochs.map(({ learningRate }) => learningRate)).toEqual(new Array(12).fill(0));
});

test('implicit: trainLoss is the mean over interactions of half the data part', async () => {
  const model = new ALS({ rank: 2, epochs: 3, unobservedWeight: 0.4 });
  const { epochs } = await model.fit(groups);
  let sum = 0;
  for (const { userId, itemId } of groups) sum += (model.predict(userId, itemId) - 1) ** 2;
  for (const user of groups.users) for (const item of groups.items) sum += 0.4 * model.predict(user, item) ** 2;
  expect(epochs[2]!.trainLoss).toBeCloseTo(sum / (2 * groups.size), 6);
  expect(epochs[2]!.trainRmse).toBeUndefined();
});

test('an abort keeps the last whole epoch; early stopping puts the best back', async () => {
  const controller = new AbortController();
  const model = new ALS({ rank: 2, epochs: 50 });
  const onEpoch = ({ epoch }: EpochRecord) => epoch === 2 && controller.abort(new Error('enough'));
  await expect(model.fit(groups, { signal: controller.signal, onEpoch })).rejects.toThrow('enough');
  const two = new ALS({ rank: 2, epochs: 2 });
  await two.fit(groups);
  expect(Buffer.from(model.predictMany(groups).buffer)).toEqual(Buffer.from(two.predictMany(groups).buffer));

  const { train, test: validation } = splitRandom(syntheticInteractions({ users: 60, items: 40, ratings: 800 }));
  const stopping = new ALS({ feedback: 'explicit', rank: 8, regularization: 1e-4, epochs: 60 });
  const history = await stopping.fit(train, { validation, earlyStopping: { metric: 'rmse', patience: 2 } });
  expect(history.stopped).toBe('early');
  const best = new ALS({ ...stopping.options, epochs: history.bestEpoch });
  await best.fit(train);
  expect(stopping.predictMany(validation)).toEqual(best.predictMany(validation));
});

test('a file of ALS is one of ALS for loadRecommender', async () => {
  const model = new ALS({ rank: 2 });
  await model.fit(groups);
  const loaded = loadRecommender(model.save());
  expect(loaded).toBeInstanceOf(ALS);
  expect(loaded.recommend(3)).toEqual(model.recommend(3));
});

test.each([
  [{ rank: 0 }, 'rank'],
  [{ regularization: 0 }, 'regularization'],
  [{ unobservedWeight: -1 }, 'unobservedWeight'],
  [{ unobservedWeight: Number.NaN }, 'unobservedWeight'],
  [{ feedback: 'explicit', unobservedWeight: 0.1 }, 'unobservedWeight'],
  [{ feedback: 'explicit', alpha: 1 }, 'alpha'],
  [{ biases: true }, 'biases'],
  [{ solver: 'cholsky' }, 'solver'],
  [{ overparam: false }, 'overparam'],
])('%p is refused by name', (options, option) => {
  expect(() => new ALS(options as ALSOptions)).toThrow(OptionError);
  expect(() => new ALS(options as ALSOptions)).toThrow(expect.objectContaining({ option }));
});

test.each(['cholesky', 'conjugate-gradient'] as const)(
  '%s: any number of threads and either engine have the same bits',
  async (solver) => {
    const data = syntheticInteractions({ users: 3000, items: 400, ratings: 30_000, seed: 2 });
    const bits = async (more: ALSOptions) => {
      const model = new ALS({ rank: 10, epochs: 2, solver, regularization: 0.01, ...more });
      const history = await model.fit(data);
      const pairs = Array.from({ length: 2000 }, (_, k) => [k % 3000, (7 * k) % 400] as const);
      return [history.epochs.map(({ trainLoss }) => trainLoss), ...model.predictMany(pairs)];
    };
    const alone = await bits({ threads: 1 });
    for (const threads of [2, 3, 4]) expect(await bits({ threads })).toEqual(alone);
    expect(await bits({ kernels: 'js' })).toEqual(alone);
  },
);

test('a fit on threads that is aborted leaves none behind', async () => {
  const data = syntheticInteractions({ users: 3000, items: 400, ratings: 30_000, seed: 2 });
  const aborting = new AbortController();
  const fit = new ALS({ rank: 10, threads: 2 }).fit(data, {
    signal: aborting.signal,
    onEpoch: () => aborting.abort(),
  });
  await expect(fit).rejects.toThrow();
  const left = () =>
    (process as unknown as { getActiveResourcesInfo(): string[] })
      .getActiveResourcesInfo()
      .filter((name) => name.includes('Worker') || name === 'MessagePort');
  // Node closes the port of a thread that was ended a little later.
  for (const end = Date.now() + 5000; left().length > 0 && Date.now() < end; ) await new Promise(setImmediate);
  expect(left()).toEqual([]);
});
