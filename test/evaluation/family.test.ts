// What the evaluations have in common: options, aborts, turns for other tasks, recommenders of the caller's own.

import {
  compare,
  createRecommender,
  crossValidate,
  evaluateRanking,
  evaluateRatings,
  type Interactions,
  MF,
  OptionError,
  splitRandom,
  syntheticInteractions,
  tune,
} from 'opmf';

const data = syntheticInteractions({ users: 60, items: 50, ratings: 1500 });
const { train, test: held } = splitRandom(data, { seed: 1 });
const small = { rank: 2, epochs: 2 };
let model: MF;
beforeAll(async () => {
  model = new MF(small);
  await model.fit(train);
});

/** One call of each, with options that all of them take. */
const FAMILY: Readonly<Record<string, (options: object) => Promise<unknown>>> = {
  evaluateRatings: (options) => evaluateRatings(model, held, options),
  evaluateRanking: (options) => evaluateRanking(model, held, { train, ...options }),
  'evaluateRanking among negatives': (options) =>
    evaluateRanking(model, held, { train, negatives: { count: 5 }, ...options }),
  crossValidate: (options) => crossValidate(new MF(small), data, { folds: 3, ...options }),
  tune: (options) => tune('mf', { rank: [1, 2] }, data, { trials: 3, base: { epochs: 1 }, ...options }),
  'tune by halving': (options) =>
    tune('mf', { rank: [1, 2] }, data, { trials: 3, base: { epochs: 3 }, strategy: 'halving', ...options }),
};
const ALL = Object.entries(FAMILY);
const withoutSeconds = (result: unknown) =>
  JSON.parse(JSON.stringify(result), (name, value) => (name === 'seconds' ? 0 : value));

test.each(ALL)('%s takes a seed, a signal, onProgress and threads', async (_, call) => {
  const progress: { done: number; total: number }[] = [];
  const { signal } = new AbortController();
  const onProgress = (at: { done: number; total: number }) => progress.push(at);
  const result = await call({ seed: 1, threads: 1, signal, onProgress });
  expect(withoutSeconds(result)).toEqual(withoutSeconds(await call({})));
  const last = progress.at(-1)!;
  expect(last.total).toBeGreaterThan(0);
  expect(last.done).toBe(last.total);
  for (const [at, { done, total }] of progress.entries()) {
    expect(done).toBeGreaterThan(progress[at - 1]?.done ?? 0);
    expect(total).toBe(last.total);
  }
});

test.each(ALL)('%s rejects with the reason of an abort, before it begins or while it goes on', async (_, call) => {
  const reason = new Error('enough');
  await expect(call({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const failure = new Error('the caller fails');
  const onProgress = () => {
    throw failure;
  };
  await expect(call({ onProgress })).rejects.toBe(failure);
});

test.each(['seed', 'signal', 'onProgress', 'threads'])(
  'a wrong %s is refused by all in the same words',
  async (name) => {
    const messages = new Set<string>();
    for (const [, call] of ALL) {
      const error = await call({ [name]: {} }).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(OptionError);
      expect(error).toMatchObject({ option: name });
      messages.add((error as Error).message);
    }
    expect(messages.size).toBe(1);
  },
);

/** An abort that comes by a timer is noticed where other tasks get their turns. */
async function abortedSoon(call: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort('now'), 1);
  await expect(call(controller.signal)).rejects.toBe('now');
  clearTimeout(timer);
}

test('other tasks get their turn: a timer ends a long evaluation', async () => {
  const large = syntheticInteractions({ users: 3000, items: 2000, ratings: 200_000 });
  const parts = splitRandom(large, { testFraction: 0.9 });
  const wide = new MF({ rank: 64, epochs: 1 });
  await wide.fit(parts.train);
  await abortedSoon((signal) => evaluateRatings(wide, parts.test, { signal }));
  await abortedSoon((signal) => evaluateRanking(wide, parts.test, { train: parts.train, signal }));
  const negatives = { count: 99 };
  await abortedSoon((signal) => evaluateRanking(wide, parts.test, { train: parts.train, negatives, signal }));
  await abortedSoon((signal) => crossValidate(new MF({ epochs: 1 }), large, { folds: 2, signal }));
  await abortedSoon((signal) => tune('mf', { rank: [4] }, large, { trials: 2, signal }));
  await abortedSoon((signal) => compare(large, { epochs: 1, signal }));
});

test('a large test set is predicted in parts, to the bits of the whole', async () => {
  const large = syntheticInteractions({ users: 300, items: 200, ratings: 30_000 });
  const own = new MF(small);
  await own.fit(large);
  const sizes: number[] = [];
  const spy = {
    predictMany: (pairs: Interactions) => {
      sizes.push(pairs.size);
      return own.predictMany(pairs);
    },
    knows: () => true,
    users: large.users,
    items: large.items,
  };
  const { rmse } = await evaluateRatings(spy, large);
  expect(sizes.length).toBeGreaterThan(3);
  const predictions = own.predictMany(large);
  let sum = 0;
  for (let k = 0; k < large.size; k++)
    sum += (predictions[k]! - large.values[k]!) * (predictions[k]! - large.values[k]!);
  expect(rmse).toBe(Math.sqrt(sum / large.size));
});

test('a recommender of the caller may answer later', async () => {
  const later = <T>(value: T) => new Promise<T>((resolve) => setTimeout(() => resolve(value), 1));
  const slow = {
    scores: model.scores,
    users: model.users,
    items: model.items,
    knows: model.knows.bind(model),
    familiarity: (rows: Interactions) => later(model.familiarity(rows)),
    predictMany: (rows: Interactions) => later(model.predictMany(rows)),
    recommend: (...given: Parameters<MF['recommend']>) => later(model.recommend(...given)),
    recommendMany: async (...given: Parameters<MF['recommendMany']>) => later(await model.recommendMany(...given)),
  };
  expect(await evaluateRatings(slow, held)).toEqual(await evaluateRatings(model, held));
  for (const options of [{ train }, { train, negatives: { count: 5 } }])
    expect(await evaluateRanking(slow, held, options)).toEqual(await evaluateRanking(model, held, options));
});

test('negatives are drawn by the seed of the evaluation, or by one of their own', async () => {
  const drawn = async (seed: number, own?: number) => {
    const { metrics } = await evaluateRanking(model, held, { train, seed, negatives: { count: 5, seed: own } });
    return metrics['ndcg@10'];
  };
  expect(await drawn(2)).toBe(await drawn(1, 2));
  expect(await drawn(2)).not.toBe(await drawn(3));
});

test.each(['fm', 'wide-deep', 'deep-fm'] as const)('%s on interactions is evaluated as any other', async (name) => {
  const base = { ...small, task: 'regression', ...(name === 'fm' ? {} : { embeddingDim: 2, hidden: [4] }) };
  const { rank: _, ...deep } = base;
  const options = (name === 'fm' ? base : deep) as object;
  const recommender = createRecommender(name, options);
  await recommender.fit(train);
  expect((await evaluateRatings(recommender, held)).rmse).toBeGreaterThan(0);
  expect((await evaluateRanking(recommender, held, { train })).metrics['ndcg@10']).toBeGreaterThan(0);
  const { mean } = await crossValidate(createRecommender(name, options), data, {
    folds: 2,
    metrics: ['rmse', 'ndcg@10'],
  });
  expect(mean.rmse).toBeGreaterThan(0);
  expect(mean['ndcg@10']).toBeGreaterThan(0);
  for (const space of ['default', { 'optimizer.learningRate': [0.01] }] as const) {
    const { best } = await tune(name, space, data, { trials: 2, base: { ...options, epochs: 1 } });
    expect(best.score).toBeGreaterThan(0);
  }
});
