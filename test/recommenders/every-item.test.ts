// A user who has every item: nothing can be drawn that they do not have. Trainings with negatives pass them over and say
// how many; others do not mind.

import { DataError } from '../../src/core/errors';
import { Interactions } from '../../src/data/interactions';
import { createRecommender, loadRecommender, type RecommenderName } from '../../src/recommenders/registry';

const ITEMS = [...'abcdefgh'];
const some = [1, 2, 3, 4, 5].flatMap((user) => [0, 1, 2].map((k) => [`u${user}`, ITEMS[(user * 3 + k) % 8]!] as const));
const all = (user: string) => ITEMS.map((item) => [user, item] as const);
const likes = (...rows: (readonly [string, string])[][]) => Interactions.from(rows.flat());
const two = likes(all('first'), some, all('last'));

const sampled = { count: 2, sampler: 'popularity' };
const small = { rank: 3, epochs: 2 };
const deep = { embeddingDim: 2, hidden: [4], epochs: 2 };
const KINDS: readonly (readonly [RecommenderName, object])[] = [
  ['mf', small],
  ...(['mf', 'overparam-mf'] as const).flatMap((name) =>
    ['bpr', 'warp', 'softmax', 'logistic'].flatMap((loss) =>
      [2, sampled].map((negatives) => [name, { ...small, loss, negatives }] as const),
    ),
  ),
  ['mf', { ...small, loss: 'bpr', batchSize: 1, kernels: 'js' }],
  ...['logistic', 'bpr', 'warp', 'softmax'].flatMap((loss) =>
    ['neumf', 'gmf', 'mlp'].map((variant) => {
      return [
        'neural-cf',
        { variant, loss, rank: 2, embeddingDim: 2, hidden: [2], epochs: 2, negatives: sampled },
      ] as const;
    }),
  ),
  ...['bpr', 'warp', 'softmax'].flatMap((loss) => [
    ['fm', { ...small, task: 'ranking', loss }] as const,
    ['wide-deep', { ...deep, task: 'ranking', loss }] as const,
    ['deep-fm', { ...deep, task: 'ranking', loss }] as const,
  ]),
  ['fm', { ...small, negatives: 2 }],
  ['wide-deep', { ...deep, negatives: sampled }],
  ['deep-fm', { ...deep, negatives: 2 }],
];

test.each(KINDS)('%s %j: passed over and counted', async (name, options) => {
  const fit = async (data: Interactions) => {
    const model = createRecommender(name, options as never);
    return { model, history: await model.fit(data) };
  };
  const { model, history } = await fit(two);
  expect(history.usersPassedOver).toBe(2);
  expect((await fit(likes(some, all('one')))).history.usersPassedOver).toBe(1);
  // All but one is not all, though a row may be there twice or weigh nothing.
  const nearly = [...all('nearly').slice(1), ...all('nearly').slice(1)];
  const doubled = Interactions.from([...some, ...nearly], { duplicates: 'keep' });
  expect((await fit(doubled)).history.usersPassedOver).toBe(0);
  const weightless = [...some, ...all('one')].map(([userId, itemId], at) => ({
    userId,
    itemId,
    weight: at === some.length ? 0 : 1,
  }));
  expect((await fit(Interactions.from(weightless))).history.usersPassedOver).toBe(0);

  for (const one of [model, loadRecommender(model.save()) as typeof model]) {
    const list = one.recommend('first', { filterSeen: false });
    expect(list).toHaveLength(8);
    for (const { score } of list) expect(Number.isFinite(score)).toBe(true);
    expect(one.recommend('last')).toHaveLength(0);
    expect([...one.predictMany(two)].every(Number.isFinite)).toBe(true);
  }
  await expect(fit(likes(all('first'), all('last')))).rejects.toThrow(DataError);
});

test.each([
  ['mf', { ...small, loss: 'bpr' }],
  ['overparam-mf', { ...small, loss: 'warp' }],
  ['mf', { ...small, loss: 'softmax' }],
  ['mf', { ...small, loss: 'logistic', negatives: 2 }],
] as const)('%s %j: somebody who comes to have every item', async (name, options) => {
  const model = createRecommender(name, options as never);
  await model.fit(likes(some));
  await model.partialFit(likes(all('u1'), all('new')));
  for (const user of ['u1', 'new']) {
    expect(model.recommend(user)).toHaveLength(0);
    for (const { score } of model.recommend(user, { filterSeen: false })) expect(Number.isFinite(score)).toBe(true);
  }
  const folded = model.foldInUser(ITEMS.map((itemId) => ({ itemId })));
  for (const item of ITEMS) expect(Number.isFinite(folded.predict(item))).toBe(true);
});

test.each([
  ['svdpp', small],
  ['nmf', small],
  ['als', small],
  ['popularity', {}],
  ['item-knn', {}],
  ['ease', {}],
] as const)('%s trains on them as on others', async (name, options) => {
  const rated = Interactions.from([...two].map(({ userId, itemId }, at) => [userId, itemId, 1 + (at % 5)] as const));
  const model = createRecommender(name, options as never);
  expect((await model.fit(rated)).usersPassedOver).toBeUndefined();
  expect(model.recommend('first')).toHaveLength(0);
  expect(Number.isFinite(model.predict('first', 'a'))).toBe(true);
});
