// What cannot be an id is refused in every question, as it is in data; rows of a history have no names of their own.

import { DataError, Interactions, MF, type Popularity } from '../../src';
import { createRecommender, RECOMMENDER_NAMES } from '../../src/recommenders/registry';

const data = Interactions.from(Array.from({ length: 60 }, (_, k) => [k % 7, (k * 5) % 11, 1 + (k % 5)] as const));

describe.each([2 ** 53, Infinity, Number.NaN, 10n as never])('%p', (id) => {
  test.each(['mf', 'popularity'] as const)('is refused by %s', async (name) => {
    const model = createRecommender(name, (name === 'mf' ? { epochs: 1, rank: 2 } : {}) as never) as MF;
    await model.fit(data);
    for (const call of [
      () => model.predict(id, 1),
      () => model.predict(1, id),
      () => model.predictMany([[1, id]]),
      () => model.knows(id, 1),
      () => model.recommend(id),
      () => model.recommend(1, { candidates: [1, id] }),
      () => model.recommend(1, { exclude: [id] }),
    ]) {
      expect(call).toThrow(DataError);
    }
    if (!(model instanceof MF)) return;
    expect(() => model.similarItems(id)).toThrow(DataError);
    expect(() => model.foldInUser([[id, 1]])).toThrow(DataError);
    expect(() => model.foldInUser([[1, 4]]).predict(id)).toThrow(DataError);
    expect(() => model.foldInItem([{ userId: id, value: 1 }])).toThrow(DataError);
  });
});

test('a history row with a property of another name is refused by it', async () => {
  const model = new MF({ epochs: 1, rank: 2 });
  await model.fit(data);
  const row = { itemId: 1, value: 5, stars: 3 } as never;
  expect(() => model.foldInUser([{ itemId: 2 }, row])).toThrow(DataError);
  expect(() => model.foldInUser([{ itemId: 2 }, row])).toThrow("row 2 (counting from 1) has 'stars'");
  expect(() => model.foldInItem([{ userId: 1, score: 3 } as never])).toThrow("row 1 (counting from 1) has 'score'");
  const owned = { itemId: 1, value: 5, weight: 2, timestamp: 7, userId: 'who' };
  expect(model.foldInUser([owned]).ignored).toBe(0);
});

test.each(RECOMMENDER_NAMES)('fresh() of a subclass of %s is of the subclass', (name) => {
  const Kind = createRecommender(name, {} as never).constructor as unknown as new (options?: object) => Popularity;
  class Own extends Kind {
    own = true;
  }
  const fresh = new Own({}).fresh();
  expect(fresh).toBeInstanceOf(Own);
  expect(fresh).toMatchObject({ own: true, options: new Own({}).options });
});
