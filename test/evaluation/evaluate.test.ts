// evaluateRatings and crossValidate, worked out again from predictions and folds.

import { DataError, NotFittedError, OptionError } from '../../src/core/errors';
import { Interactions } from '../../src/data/interactions';
import { kFold } from '../../src/data/splits';
import { syntheticInteractions } from '../../src/data/synthetic';
import { crossValidate, type FoldResult } from '../../src/evaluation/cross-validate';
import { evaluateRanking } from '../../src/evaluation/evaluate-ranking';
import { evaluateRatings } from '../../src/evaluation/evaluate-ratings';
import { spread } from '../../src/evaluation/fits';
import { MF } from '../../src/recommenders/mf';

const data = syntheticInteractions({ users: 40, items: 30, ratings: 400 });

describe('evaluateRatings', () => {
  test('pools all ratings, cold ones too, and counts them', async () => {
    const model = new MF({ rank: 2, epochs: 2 });
    await model.fit(data);
    const held = Interactions.from([
      ['1', '1', 5],
      ['1', 'new', 4],
      ['new', '2', 1],
      ['new', 'new', 3],
    ]);
    const errors = [...held].map(({ userId, itemId, value }) => Math.fround(model.predict(userId, itemId)) - value!);
    expect(await evaluateRatings(model, held)).toEqual({
      rmse: Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / 4),
      mae: errors.reduce((sum, error) => sum + Math.abs(error), 0) / 4,
      count: 4,
      cold: 3,
      // '1' has '1' in the training data.
      seen: 1,
    });
  });

  test('takes anything that predicts', async () => {
    const test = Interactions.from([
      ['a', 'x', 1],
      ['b', 'y', 4],
    ]);
    const always3 = { predictMany: () => Float32Array.of(3, 3), knows: (user: unknown) => user === 'a' };
    expect(await evaluateRatings(always3, test)).toEqual({
      rmse: Math.sqrt(2.5),
      mae: 1.5,
      count: 2,
      cold: 1,
      seen: 0,
    });
  });

  test('needs a fitted recommender and a test set', async () => {
    await expect(evaluateRatings(new MF(), data)).rejects.toThrow(NotFittedError);
    const model = new MF({ rank: 2, epochs: 1 });
    await model.fit(data);
    await expect(evaluateRatings(model, Interactions.from([]))).rejects.toThrow(DataError);
    await expect(evaluateRatings(model, [['a', 'b', 3]] as never)).rejects.toThrow(OptionError);
  });
});

describe('crossValidate', () => {
  test('is a fit and an evaluation for each fold, mean and sample deviation over them', async () => {
    const recommender = new MF({ rank: 2, epochs: 2 });
    const seen: FoldResult[] = [];
    const { folds, mean, std } = await crossValidate(recommender, data, {
      folds: 3,
      seed: 4,
      onProgress: ({ done, total, fold }) => {
        expect([done, total]).toEqual([fold.fold, 3]);
        seen.push(fold);
      },
    });
    expect(recommender.isFitted).toBe(false);
    expect(seen).toEqual(folds);
    expect(folds.map(({ fold }) => fold)).toEqual([1, 2, 3]);
    const expected: number[] = [];
    for (const { train, test } of kFold(data, { folds: 3, seed: 4 })) {
      const model = new MF({ rank: 2, epochs: 2 });
      await model.fit(train);
      expected.push((await evaluateRatings(model, test)).rmse);
    }
    expect(folds.map(({ metrics }) => metrics.rmse)).toEqual(expected);
    const average = (expected[0]! + expected[1]! + expected[2]!) / 3;
    expect(mean.rmse).toBeCloseTo(average, 12);
    expect(std.rmse).toBeCloseTo(Math.sqrt(expected.reduce((sum, x) => sum + (x - average) ** 2, 0) / 2), 12);
    expect(Object.keys(mean)).toEqual(['rmse', 'mae']);
  });

  test('ranks too: all items but those of the other folds', async () => {
    const metrics = ['ndcg@5', 'mae'] as const;
    const recommender = new MF({ rank: 2, epochs: 2 });
    const { folds, mean } = await crossValidate(recommender, data, { folds: 3, seed: 4, metrics });
    const expected: number[] = [];
    for (const { train, test } of kFold(data, { folds: 3, seed: 4 })) {
      const model = new MF({ rank: 2, epochs: 2 });
      await model.fit(train);
      expected.push((await evaluateRanking(model, test, { train, k: 5 })).metrics['ndcg@5']!);
    }
    expect(folds.map((fold) => fold.metrics['ndcg@5'])).toEqual(expected);
    expect(Object.keys(mean)).toEqual(['ndcg@5', 'mae']);
    expect(mean['ndcg@5']).toBe(spread(expected).mean);
  });

  test('takes a maker, and the metrics asked for', async () => {
    let made = 0;
    const make = () => new MF({ rank: 2, epochs: 1, seed: ++made });
    const { folds, mean } = await crossValidate(make, data, { folds: 2, metrics: ['mae'] });
    expect(made).toBe(2);
    expect(Object.keys(folds[0]!.metrics)).toEqual(['mae']);
    expect(Object.keys(mean)).toEqual(['mae']);
  });

  test.each([
    [{ folds: 1 }, 'folds'],
    [{ metrics: ['rsme'] }, 'metrics[0]'],
    [{ metrics: [] }, 'metrics'],
    [{ fold: 3 }, 'fold'],
  ])('%p is refused by name', async (options, option) => {
    await expect(crossValidate(new MF(), data, options as never)).rejects.toMatchObject({
      name: 'OptionError',
      option,
    });
  });
});

test('the spread of a few numbers', () => {
  expect(spread([1, 2, 3])).toEqual({ mean: 2, std: 1 });
  expect(spread([5])).toEqual({ mean: 5, std: 0 });
});
