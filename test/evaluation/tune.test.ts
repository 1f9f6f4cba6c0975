// tune: what it draws, what it takes for the best, and halving's rounds.

import fc from 'fast-check';
import {
  categorical,
  DataError,
  FeatureTable,
  FM,
  Interactions,
  MF,
  numeric,
  OptionError,
  syntheticInteractions,
  tune,
  UnsupportedError,
} from 'opmf';
import { Stream } from '../../src/core/random';
import { Space } from '../../src/evaluation/search-space';
import { halvingRungs } from '../../src/evaluation/tune';

const data = syntheticInteractions({ users: 60, items: 50, ratings: 1500 });
const base = { epochs: 3, rank: 2 };

test('the best trial is the one with the least error, and the same seed draws the same', async () => {
  const space = { 'regularization.embedding': { min: 0.05, max: 2, scale: 'log' } } as const;
  const first = await tune('mf', space, data, { trials: 5, base });
  expect(first.best.score).toBe(Math.min(...first.trials.map(({ score }) => score!)));
  const longer = await tune('mf', space, data, { trials: 6, base });
  expect(longer.trials.slice(0, 5).map(({ options }) => options)).toEqual(first.trials.map(({ options }) => options));
  expect(new Set(longer.trials.map(({ score }) => score)).size).toBeGreaterThan(3);
});

test('of a ranking metric the most is best, and validation data of the caller is used whole', async () => {
  const validation = Interactions.from([...data].slice(0, 100));
  const train = Interactions.from([...data].slice(100));
  const made: object[] = [];
  const make = (options: object) => {
    made.push(options);
    return new MF({ ...base, ...options });
  };
  const { best, trials } = await tune(make, { rank: [1, 2, 4] }, train, { trials: 4, metric: 'ndcg@10', validation });
  expect(best.score).toBe(Math.max(...trials.map(({ score }) => score!)));
  expect(made).toHaveLength(4);
});

test('halving: all for a few epochs, a third for three times as many, the last in full', async () => {
  const seen: [number, number][] = [];
  const { best, trials } = await tune('mf', { rank: { min: 1, max: 8, integer: true } }, data, {
    trials: 9,
    strategy: 'halving',
    base: { epochs: 9 },
    onProgress: ({ done, total, trial: { trial, epochs } }) => {
      expect([done, total]).toEqual([seen.length + 1, 13]);
      seen.push([trial, epochs!]);
    },
  });
  expect(seen.map(([, epochs]) => epochs)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 3, 9]);
  const rank = (from: number, to: number) => trials.slice(from, to).sort((a, b) => a.score! - b.score!);
  expect(trials.slice(9, 12).map(({ trial }) => trial)).toEqual(
    rank(0, 9)
      .slice(0, 3)
      .map(({ trial }) => trial),
  );
  expect(best.score).toBe(trials[12]!.score);
});

test('rounds of halving never grow, and end with a full fit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 200 }), (trials, epochs) => {
      const rungs = halvingRungs(trials, epochs);
      expect(rungs[0]!.trials).toBe(trials);
      expect(rungs.at(-1)!.epochs).toBe(epochs);
      for (const [at, rung] of rungs.entries()) {
        expect(rung.epochs).toBeGreaterThanOrEqual(1);
        if (at === 0) continue;
        expect(rung.trials).toBe(Math.ceil(rungs[at - 1]!.trials / 3));
        expect(rung.epochs).toBeGreaterThan(rungs[at - 1]!.epochs);
      }
    }),
  );
});

test('draws keep to their ranges, whole numbers reach both ends, names nest', () => {
  const space = new Space({
    rank: { min: 1, max: 3, integer: true },
    'optimizer.learningRate': { min: 0.001, max: 1, scale: 'log' },
    'optimizer.name': ['sgd', 'adam'],
  });
  const drawn = Array.from({ length: 300 }, (_, at) =>
    space.sample(Stream.of(1).fork(at), { optimizer: { beta1: 0.8 } }),
  );
  const ranks = drawn.map(({ rank }) => rank);
  expect(new Set(ranks)).toEqual(new Set([1, 2, 3]));
  const rates = drawn.map(({ optimizer }) => (optimizer as { learningRate: number }).learningRate);
  expect(Math.min(...rates)).toBeGreaterThanOrEqual(0.001);
  expect(Math.max(...rates)).toBeLessThanOrEqual(1);
  // A third of the draws in each decade.
  expect(rates.filter((rate) => rate < 0.01).length / 300).toBeCloseTo(1 / 3, 1);
  expect(drawn[0]).toMatchObject({ optimizer: { beta1: 0.8 } });
});

test('trials that diverge are null, and where all do it is said', async () => {
  const wild = { 'optimizer.learningRate': [1e6] };
  await expect(tune('mf', wild, data, { trials: 2, base: { ...base, optimizer: { name: 'sgd' } } })).rejects.toThrow(
    UnsupportedError,
  );
});

test.each<[unknown, unknown]>([
  [{}, {}],
  [{ rank: [] }, {}],
  [{ rank: { min: 3, max: 2 } }, {}],
  [{ rate: { min: 0, max: 1, scale: 'log' } }, {}],
  [{ rank: { min: 1.5, max: 3, integer: true } }, {}],
  [{ rank: { min: 1, max: 3, step: 2 } }, {}],
  [{ rank: [2] }, { trials: 0 }],
  [{ rank: [2] }, { metric: 'rsme' }],
  [{ rank: [2] }, { strategy: 'grid' }],
  [{ rank: [0] }, { trials: 1 }],
  [{ __proto__x: [1] }, { trials: 1 }],
])('refuses the space %j with %j', async (space, options) => {
  await expect(tune('mf', space as never, data, options as never)).rejects.toThrow(OptionError);
});

test('stops where it is told to, and refuses no data', async () => {
  const reason = new Error('enough');
  await expect(tune('mf', { rank: [2] }, data, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  await expect(tune('mf', { rank: [2] }, Interactions.from([]))).rejects.toThrow(DataError);
});

describe('rows of features', () => {
  const rows = Array.from({ length: 200 }, (_, k) => {
    const [x, city] = [(k * 7) % 11, `c${(k * 3) % 5}`];
    return { x, city, y: x / 5 + (city === 'c1' ? 1 : 0), clicked: x > 5 ? 1 : 0 };
  });
  const table = (label: 'y' | 'clicked') =>
    FeatureTable.from(rows, { fields: { x: numeric(), city: categorical() }, label });

  test.each([
    ['fm', { rank: [1, 2] }, {}],
    ['wide-deep', { embeddingDim: [1, 2] }, { hidden: [4] }],
    ['deep-fm', { embeddingDim: [1, 2] }, { hidden: [4] }],
  ] as const)('%s is tuned by what its scores are, or as is asked', async (name, space, own) => {
    const fixed = { ...own, epochs: 2 };
    const numbers = await tune(name, space, table('y'), { trials: 3, base: { ...fixed, task: 'regression' } });
    expect(numbers.metric).toBe('rmse');
    expect(numbers.best.score).toBe(Math.min(...numbers.trials.map(({ score }) => score!)));
    const labels = await tune(name, space, table('clicked'), { trials: 2, base: fixed });
    expect(labels.metric).toBe('logloss');
    const auc = await tune(name, 'default', table('clicked'), { trials: 3, metric: 'auc', base: fixed });
    expect(auc.best.score).toBe(Math.max(...auc.trials.map(({ score }) => score!)));
  });

  test('the best is what a fit and its validation say', async () => {
    const { train, test: validation } = table('clicked').split({ testFraction: 0.25 });
    const { best } = await tune('fm', { rank: [2] }, train, { trials: 1, base: { epochs: 3 }, validation });
    const { epochs } = await new FM({ rank: 2, epochs: 3 }).fit(train, { validation, metrics: ['logloss'] });
    expect(best.score).toBe((epochs.at(-1)!.metrics as Record<string, number>).logloss);
    const drawn = await tune('fm', { rank: [2] }, table('clicked'), {
      trials: 1,
      base: { epochs: 3 },
      testFraction: 0.25,
      seed: 1,
    });
    expect(drawn.best.score).toBe(best.score);
  });

  test.each<[object, string]>([
    [{ metric: 'ndcg@10' }, 'metric'],
    [{ metric: 'hr' }, 'metric'],
    [{ validation: data }, 'validation'],
  ])('refuses %p', async (options, option) => {
    const tuned = tune('fm', { rank: [2] }, table('clicked'), options);
    await expect(tuned).rejects.toMatchObject({ name: 'OptionError', option });
  });

  test('of interactions and of rows each has its own metrics', async () => {
    await expect(tune('mf', { rank: [2] }, data, { metric: 'logloss' })).rejects.toMatchObject({ option: 'metric' });
    await expect(tune('fm', { rank: [2] }, table('clicked'), { metric: 'rmse' })).rejects.toThrow(UnsupportedError);
    const unlabelled = FeatureTable.encode(
      rows.map(({ x, city }) => ({ x, city })),
      table('y').schema!,
    );
    await expect(tune('fm', { rank: [2] }, unlabelled)).rejects.toThrow(DataError);
  });
});
