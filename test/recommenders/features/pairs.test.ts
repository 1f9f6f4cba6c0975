// Every model of features as a recommender of items: lists, what no user has had, and what a validation of interactions
// tells. What FM predicts of pairs: fm-pairs.test.ts.

import { DataError, OptionError, UnsupportedError } from '../../../src/core/errors';
import { categorical } from '../../../src/data/feature-fields';
import { FeatureTable } from '../../../src/data/feature-table';
import { Interactions } from '../../../src/data/interactions';
import { interactionFeatures } from '../../../src/data/pair-features';
import { createRecommender } from '../../../src/recommenders/registry';
import { circleOf, circles, itemFeatures, SIZE } from './circles';
import { kinds } from './kinds';

/** Whether a user likes an item, of all pairs but one in seven. */
const opinionsOf = (isOfThem: (user: number, item: number) => boolean) =>
  Interactions.from(
    Array.from({ length: SIZE * SIZE }, (_, k) => [Math.floor(k / SIZE), k % SIZE] as const)
      .filter(([user, item]) => (user * 5 + item) % 7 !== 0 && isOfThem(user, item))
      .map(([user, item]) => [`u${user}`, `i${item}`, user % 2 === item % 2 ? 1 : 0]),
  );
const opinions = opinionsOf(() => true);

describe.each(Object.keys(kinds))('%s', (kind) => {
  const make = (more: object = {}) =>
    kinds[kind]!.make({ epochs: 30, batchSize: 16, ...(kind === 'WideDeep' ? { wide: null } : {}), ...more });
  const fitted = async (more: object = {}) => {
    const model = make(more);
    await model.fit(opinions, { itemFeatures });
    return model;
  };

  test('lists what suits a user, by the numbers that predict gives', async () => {
    const model = await fitted();
    for (const user of ['u0', 'u1']) {
      const list = model.recommend(user, { n: SIZE, filterSeen: false });
      // All that somebody has had; the new ones have to be asked for.
      expect(list.map(({ itemId }) => itemId).sort()).toEqual([...opinions.items].sort());
      for (const { itemId, score } of list) expect(score).toBe(model.predict(user, itemId));
      for (const { itemId } of list.slice(0, 8)) expect(circleOf(itemId)).toBe(circleOf(user));
    }
  });

  test('the same bits in either arithmetic, where there is enough to score for the memory of the kernels too', async () => {
    const users = Array.from({ length: 100 }, (_, k) => `u${k % SIZE}`);
    const pairs = users.flatMap((user) => [...opinions.items].map((item) => [user, item] as const));
    const answers = [];
    for (const kernels of ['wasm', 'js']) {
      const model = await fitted({ epochs: 1, kernels });
      answers.push([
        model.predictMany(pairs),
        await model.recommendMany(users),
        model.recommend('u0'),
        model.predict('u0', 'i1'),
      ]);
    }
    expect(answers[1]).toEqual(answers[0]);
  });

  test('knows what nobody has had by its features, where it is a candidate', async () => {
    const model = await fitted();
    const options = { n: 1, candidates: ['new0', 'new1', 'nothing'] };
    expect(model.recommend('u0', options)[0]!.itemId).toBe('new0');
    expect(model.recommend('u1', options)[0]!.itemId).toBe('new1');
    expect(model.recommend('u0', options)[0]!.score).toBe(model.predict('u0', 'new0'));
    expect([model.knows('u0', 'i0'), model.knows('u0', 'new0'), model.knows('nobody', 'i0')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(circleOf(model.similarItems('new0', { n: 1, measure: 'cosine' })[0]!.itemId)).toBe(0);
    const loaded = kinds[kind]!.load(model.save());
    expect(loaded.recommend('u0', options)).toEqual(model.recommend('u0', options));
    expect(loaded.similarItems('new0')).toEqual(model.similarItems('new0'));
    expect(kinds[kind]!.load(model.save({ history: false })).predict('u0', 'new0')).toBe(model.predict('u0', 'new0'));
  });

  test('validation of interactions: metrics of labels and of lists, and the best epoch by a list', async () => {
    const train = opinionsOf((user, item) => (user + 3 * item) % 11 !== 0);
    const validation = opinionsOf((user, item) => (user + 3 * item) % 11 === 0);
    const model = make({ epochs: 8 });
    const watched = { metric: 'ndcg@3', patience: 8 } as const;
    const metrics = ['auc', 'ndcg@3'] as const;
    const { epochs, bestEpoch } = await model.fit(train, { itemFeatures, validation, metrics, earlyStopping: watched });
    for (const epoch of epochs) expect(Object.keys(epoch.metrics).sort()).toEqual(['auc', 'ndcg@3']);
    const lists = epochs.map((epoch) => epoch.metrics['ndcg@3']!);
    expect(lists[bestEpoch! - 1]).toBe(Math.max(...lists));
    expect(Math.min(...lists)).toBeLessThan(Math.max(...lists));
  });

  test('after a fit on rows it answers for rows alone', async () => {
    const model = make({ epochs: 1 });
    await model.fit(interactionFeatures(opinions, { itemFeatures }));
    const calls = [() => model.recommend('u0'), () => model.similarItems('i0'), () => model.knows('u0', 'i0')];
    for (const call of calls) {
      expect(call).toThrow(UnsupportedError);
      expect(call).toThrow('fit it on Interactions to ask for users and items');
    }
    const fit = make().fit(interactionFeatures(opinions), { validation: opinions as never });
    await expect(fit).rejects.toThrow(OptionError);
  });
});

test('values that say nothing but yes are told where to go', async () => {
  const model = createRecommender('fm', { epochs: 1 });
  await expect(model.fit(circles())).rejects.toThrow(DataError);
  await expect(model.fit(circles())).rejects.toThrow('negatives: 4');
});

test('lists of rows that are no interactions are refused', async () => {
  const rows = interactionFeatures(opinions);
  const options = { validation: rows, metrics: ['ndcg@10'] as const };
  await expect(kinds.FM!.make().fit(rows, options)).rejects.toThrow(
    'ndcg@10 ranks items for users, and wants Interactions',
  );
});

test('a user whom only a table knows gets a list', async () => {
  const userFeatures = FeatureTable.from(
    ['u0', 'u1', 'u2', 'u3', 'later'].map((user) => ({ user, circle: user === 'later' ? 1 : circleOf(user) })),
    { id: 'user', fields: { circle: categorical() } },
  );
  const model = kinds.FM!.make({ epochs: 40, batchSize: 16 });
  await model.fit(opinions, { userFeatures, itemFeatures });
  expect(circleOf(model.recommend('later', { n: 1 })[0]!.itemId)).toBe(1);
  expect(model.knows('later', 'i1')).toBe(false);
  expect(circleOf(model.similarUsers('later', { n: 1, measure: 'cosine' })[0]!.userId)).toBe(1);
});
