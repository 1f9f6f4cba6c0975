// What the scores of each recommender are, and what follows: metrics of ratings are for ratings, and the metrics that are taken
// where nothing is said suit the scores, in fits, evaluations, cross-validations and searches alike.

import { Interactions } from '../../src/data/interactions';
import { splitRandom } from '../../src/data/splits';
import { syntheticInteractions } from '../../src/data/synthetic';
import { compare } from '../../src/evaluation/compare';
import { crossValidate } from '../../src/evaluation/cross-validate';
import { evaluateRanking } from '../../src/evaluation/evaluate-ranking';
import { evaluateRatings } from '../../src/evaluation/evaluate-ratings';
import { defaultSpace } from '../../src/evaluation/search-space';
import { tune } from '../../src/evaluation/tune';
import type { Scores } from '../../src/metrics/metric-names';
import { MF } from '../../src/recommenders/mf';
import {
  createRecommender,
  loadRecommender,
  RECOMMENDER_NAMES,
  type RecommenderName,
} from '../../src/recommenders/registry';

const data = syntheticInteractions({ users: 40, items: 50, ratings: 600 });
const { train, test: held } = splitRandom(data, { testFraction: 0.2 });
const to = (value: (rating: number) => number) => (rows: Interactions) =>
  Interactions.from([...rows].map((row) => ({ ...row, value: value(row.value!) })));
const labels = to((rating) => (rating >= 4 ? 1 : 0));
const events = to(() => 1);

const KINDS: readonly (readonly [RecommenderName, object, Scores])[] = [
  ['mf', { epochs: 1, rank: 2 }, 'rating'],
  ['mf', { epochs: 1, rank: 2, loss: 'absolute' }, 'rating'],
  ['mf', { epochs: 1, rank: 2, loss: 'huber', link: 'sigmoid' }, 'rating'],
  ['overparam-mf', { epochs: 1, rank: 2 }, 'rating'],
  ['svdpp', { epochs: 1, rank: 2 }, 'rating'],
  ['nmf', { epochs: 1, rank: 2 }, 'rating'],
  ['als', { epochs: 1, rank: 2, feedback: 'explicit' }, 'rating'],
  ['fm', { epochs: 1, rank: 2, task: 'regression' }, 'rating'],
  ['wide-deep', { epochs: 1, hidden: [2], task: 'regression' }, 'rating'],
  ['deep-fm', { epochs: 1, hidden: [2], task: 'regression' }, 'rating'],
  ['mf', { epochs: 1, rank: 2, loss: 'logistic' }, 'probability'],
  ['svdpp', { epochs: 1, rank: 2, loss: 'logistic' }, 'probability'],
  ['fm', { epochs: 1, rank: 2 }, 'probability'],
  ['wide-deep', { epochs: 1, hidden: [2] }, 'probability'],
  ['deep-fm', { epochs: 1, hidden: [2] }, 'probability'],
  ['mf', { epochs: 1, rank: 2, loss: 'bpr' }, 'order'],
  ['mf', { epochs: 1, rank: 2, loss: 'warp' }, 'order'],
  ['overparam-mf', { epochs: 1, rank: 2, loss: 'softmax' }, 'order'],
  ['mf', { epochs: 1, rank: 2, loss: 'logistic', negatives: 2 }, 'order'],
  ['als', { epochs: 1, rank: 2 }, 'order'],
  ['neural-cf', { epochs: 1, variant: 'gmf', rank: 2 }, 'order'],
  ['neural-cf', { epochs: 1, variant: 'gmf', rank: 2, loss: 'bpr' }, 'order'],
  ['fm', { epochs: 1, rank: 2, negatives: 2 }, 'order'],
  ['deep-fm', { epochs: 1, hidden: [2], task: 'ranking' }, 'order'],
  ['popularity', {}, 'order'],
  ['item-knn', {}, 'order'],
  ['ease', {}, 'order'],
];

describe.each(KINDS)('%s %j', (name, options, scores) => {
  const as = scores === 'probability' ? labels : (rows: Interactions) => rows;
  const [ofTrain, ofTest] = [as(train), as(held)];
  const make = () => createRecommender(name, options as never);
  const usual = scores === 'rating' ? ['rmse', 'mae'] : ['ndcg@10'];
  const refusal = { name: 'UnsupportedError', message: expect.stringContaining("'ndcg@10'") };

  test(`scores are of the kind ${scores}, before a fit and after, and in a file`, async () => {
    const model = make();
    expect(model.scores).toBe(scores);
    await model.fit(ofTrain);
    expect([model.scores, loadRecommender(model.save()).scores]).toEqual([scores, scores]);
  });

  test('evaluations', async () => {
    const model = make();
    await model.fit(ofTrain);
    const ratings = evaluateRatings(model, ofTest);
    if (scores === 'rating') expect((await ratings).rmse).toBeGreaterThan(0);
    else await expect(ratings).rejects.toThrow(expect.objectContaining(refusal));
    const ranked = await evaluateRanking(model, ofTest, { train: ofTrain, metrics: ['ndcg'] });
    const liked = await evaluateRanking(model, ofTest, {
      train: ofTrain,
      metrics: ['ndcg'],
      relevant: (value) => scores !== 'probability' || value > 0,
    });
    expect(ranked).toEqual(liked);
  });

  test('cross-validation', async () => {
    const data = as(train);
    const { mean } = await crossValidate(make(), data, { folds: 2 });
    expect(Object.keys(mean)).toEqual(usual);
    if (scores !== 'rating')
      await expect(crossValidate(make(), data, { folds: 2, metrics: ['ndcg@5', 'rmse'] })).rejects.toMatchObject(
        refusal,
      );
  });

  test('searches', async () => {
    const space = { seed: [1, 2] };
    const given = 'epochs' in options ? space : { [name === 'item-knn' ? 'neighbors' : 'regularization']: [5, 6] };
    const wanted = name === 'popularity' ? ('default' as const) : given;
    const { metric, best } = await tune(name, wanted, ofTrain, { trials: 1, base: options });
    expect(metric).toBe(usual[0]);
    expect(best.score).toBeGreaterThanOrEqual(0);
    if (scores === 'rating') return;
    await expect(tune(name, wanted, ofTrain, { trials: 1, base: options, metric: 'mae' })).rejects.toMatchObject(
      refusal,
    );
  });

  test('fits', async () => {
    if (!('epochs' in options)) return;
    const isOfFeatures = name === 'fm' || name === 'wide-deep' || name === 'deep-fm';
    const validation = ofTest;
    const { epochs } = await make().fit(ofTrain, { validation, earlyStopping: {} } as never);
    const found = Object.keys(epochs[0]!.metrics);
    if (!isOfFeatures) expect(found).toEqual(usual);
    else expect(found).toEqual({ rating: ['rmse'], probability: ['auc', 'logloss'], order: ['ndcg@10'] }[scores]);
    if (scores === 'rating') return;
    for (const watched of [{ metrics: ['rmse'] }, { earlyStopping: { metric: 'mae' } }])
      await expect(make().fit(ofTrain, { validation, ...watched } as never)).rejects.toMatchObject({
        name: 'UnsupportedError',
      });
  });
});

test('in a fit too the labels 0 are not what should be listed', async () => {
  const model = createRecommender('mf', { epochs: 1, rank: 2, loss: 'logistic' });
  const { epochs } = await model.fit(labels(train), { validation: labels(held), metrics: ['recall@5'] });
  const { metrics } = await evaluateRanking(model, labels(held), { train: labels(train), metrics: ['recall@5'] });
  expect(epochs[0]!.metrics['recall@5']).toBeCloseTo(metrics['recall@5']!, 12);
  const all = await evaluateRanking(model, labels(held), { train, metrics: ['recall@5'], relevant: () => true });
  expect(all.metrics['recall@5']).not.toBeCloseTo(metrics['recall@5']!, 5);
});

describe('default spaces', () => {
  const cheap: Readonly<Partial<Record<RecommenderName, object>>> = {
    popularity: {},
    'item-knn': {},
    ease: {},
    'neural-cf': { epochs: 1, variant: 'gmf' },
    'wide-deep': { epochs: 1, hidden: [4] },
    'deep-fm': { epochs: 1, hidden: [4] },
  };

  test.each(RECOMMENDER_NAMES.flatMap((name) => ['ratings', 'labels', 'events'].map((what) => [name, what] as const)))(
    '%s has one for %s, whose first trial is what it takes by itself',
    async (name, what) => {
      const rows = { ratings: train, labels: labels(train), events: events(train) }[what]!;
      // What predicts values alone has nothing to predict of events.
      if (what === 'events' && (name === 'svdpp' || name === 'nmf')) return;
      const base = cheap[name] ?? { epochs: 1 };
      const { trials, metric } = await tune(name, 'default', rows, { trials: 2, base });
      expect(trials).toHaveLength(name === 'popularity' ? 1 : 2);
      expect(trials[0]!.score).not.toBeNull();
      if (what === 'events') expect(metric).toBe('ndcg@10');
      const chosen = Object.entries(defaultSpace(name, what === 'events' ? 'equal' : (what as 'ratings' | 'labels')));
      for (const [option, range] of chosen)
        if ((!Array.isArray(range) || range.length > 1) && !(option in base)) {
          expect(trials[0]!.options).not.toHaveProperty(option);
          expect(trials[1]?.options).toHaveProperty(option);
        }
      // What is said is not drawn.
      for (const { options } of trials) expect(options).toMatchObject(base);
    },
  );

  test.each([
    ['mf', { loss: 'bpr' }],
    ['overparam-mf', { loss: 'softmax' }],
    ['mf', { loss: 'logistic', negatives: 4 }],
    ['fm', { negatives: 4 }],
    ['fm', { task: 'ranking' }],
    ['deep-fm', { negatives: 2, hidden: [4] }],
  ] as const)('%s with %p is one of orders, of ratings too', async (name, options) => {
    const base = { ...options, epochs: 1 };
    const { metric, trials } = await tune(name, 'default', train, { trials: 2, base });
    expect(metric).toBe('ndcg@10');
    expect(trials[1]!.options).toMatchObject({ ...base, optimizer: { name: 'adam' } });
    const { embedding } = (trials[1]!.options as { regularization: { embedding: number } }).regularization;
    expect(embedding).toBeLessThanOrEqual(0.1);
  });

  test('is for recommenders by name', async () => {
    const make = () => createRecommender('mf');
    await expect(tune(make, 'default', train)).rejects.toMatchObject({ name: 'OptionError', option: 'space' });
    await expect(tune('mff' as never, 'default', train)).rejects.toMatchObject({ name: 'OptionError' });
  });

  test('trials of orders and of ratings are compared by what suits both', async () => {
    const space = { loss: ['squared', 'bpr'] };
    const { metric } = await tune('mf', space, train, { trials: 4, base: { epochs: 1, rank: 2 } });
    expect(metric).toBe('ndcg@10');
    await expect(tune('mf', space, train, { trials: 4, metric: 'rmse' })).rejects.toMatchObject({
      name: 'UnsupportedError',
    });
  });
});

test('what trials are trained on does not judge them', async () => {
  const part = Interactions.from([...train].slice(0, 50));
  const options = { trials: 1, base: { epochs: 1, rank: 2 } };
  for (const validation of [train, part])
    await expect(tune('mf', { rank: [2] }, train, { ...options, validation })).rejects.toThrow(
      'nothing in it is unseen',
    );
});

test('validation rows that trials are trained on are left out, and counted', async () => {
  const options = { trials: 1, base: { epochs: 1, rank: 2 } };
  const mixed = Interactions.from([...held, ...[...train].slice(0, 100)]);
  const expected = await tune('mf', { rank: [2] }, train, { ...options, validation: held });
  const got = await tune('mf', { rank: [2] }, train, { ...options, validation: mixed });
  expect([expected.seen, got.seen, got.best.score]).toEqual([0, 100, expected.best.score]);
  expect(await tune('mf', { rank: [2] }, train, options)).not.toHaveProperty('seen');
});

test.each([
  ['mf', { epochs: 1, rank: 2 }],
  ['als', { epochs: 1, rank: 2 }],
  ['nmf', { epochs: 1, rank: 2 }],
  ['svdpp', { epochs: 1, rank: 2 }],
  ['neural-cf', { epochs: 1, variant: 'gmf' }],
  ['fm', { epochs: 1, rank: 2, task: 'regression' }],
] as const)('a fit of %s says how many validation rows it was trained on', async (name, options) => {
  const validation = Interactions.from([...held, ...[...train].slice(0, 100)]);
  const model = createRecommender(name, options as never);
  expect((await model.fit(train, { validation } as never)).seen).toBe(100);
  // The vocabularies of the training, and rankings.
  expect((await model.fit(train, { validation: held, metrics: ['ndcg@5'] } as never)).seen).toBe(0);
  expect(await model.fit(train)).not.toHaveProperty('seen');
  if (!(model instanceof MF)) return;
  const first = Interactions.from([...train].slice(0, 100));
  expect((await model.partialFit(first, { validation } as never)).seen).toBe(100);
});

test('a fit says how many validation rows are cold, and refuses a set of ids that it does not know', async () => {
  const more = [...held, { userId: 'new', itemId: 1 }, { userId: 1, itemId: 'new', value: 2 }];
  const validation = Interactions.from([...more, { userId: [...train][0]!.userId, itemId: 'other' }]);
  const users = new Set([...train].map(({ userId }) => userId));
  const items = new Set([...train].map(({ itemId }) => itemId));
  const cold = [...validation].filter(({ userId, itemId }) => !users.has(userId) || !items.has(itemId)).length;
  expect(cold).toBeGreaterThanOrEqual(3);
  const numbers = Interactions.from(
    [...held].map((row) => ({ ...row, userId: Number(row.userId), itemId: Number(row.itemId) })),
  );
  for (const [name, options] of [
    ['mf', { epochs: 2, rank: 2 }],
    ['als', { epochs: 2, rank: 2 }],
    ['nmf', { epochs: 2, rank: 2 }],
    ['svdpp', { epochs: 2, rank: 2 }],
    ['neural-cf', { epochs: 2, variant: 'gmf' }],
    ['fm', { epochs: 2, rank: 2, task: 'regression' }],
  ] as const) {
    const model = createRecommender(name, options as never);
    const { epochs } = await model.fit(train, { validation } as never);
    expect([name, ...epochs.map((epoch) => epoch.cold)]).toEqual([name, cold, cold]);
    expect((await model.fit(train)).epochs[0]).not.toHaveProperty('cold');
    const strange = createRecommender(name, options as never).fit(train, { validation: numbers } as never);
    await expect(strange).rejects.toThrow(/none of its \d+ rows has a user or an item of the training data/);
  }
});

test('a test set, or training data, of items that the recommender has not heard of are refused', async () => {
  const model = createRecommender('mf', { epochs: 1, rank: 2 });
  await model.fit(train);
  const numbered = (rows: Interactions) =>
    Interactions.from([...rows].map((row) => ({ ...row, userId: Number(row.userId), itemId: Number(row.itemId) })));
  await expect(evaluateRanking(model, numbered(held))).rejects.toThrow(
    /^test: the recommender knows none of its \d+ items.*a number/,
  );
  await expect(evaluateRanking(model, held, { train: numbered(train) })).rejects.toThrow(
    /^train: the recommender knows none of its \d+ items.*a number/,
  );
  // Cold is not unknown: nothing of it can be listed, and that is measured.
  const cold = Interactions.from([['1', 'cold']], { users: data.users, items: data.items });
  expect((await evaluateRanking(model, cold, { metrics: ['hr'] })).metrics['hr@10']).toBe(0);
});

test.each([5, 'abc', null, {}])('negatives of a user that are %p are refused', async (list) => {
  const model = createRecommender('popularity');
  await model.fit(train);
  const negatives = new Map([...held.users].map((id) => [id, list])) as never;
  await expect(evaluateRanking(model, held, { negatives })).rejects.toThrow(
    /^negatives: the entry of test user .*want a list of item ids/,
  );
});

test('a comparison on values that are all equal has no winner: it is refused', async () => {
  const options = { optimizers: ['sgd'], epochs: 1, rank: 2 } as const;
  const act = compare(events(train), options);
  await expect(act).rejects.toMatchObject({
    name: 'DataError',
    message: expect.stringContaining('nothing to predict'),
  });
  // One value that differs may be held out, and then training has nothing to predict either.
  const rows = [...events(train)].map((row, at) => ({ ...row, value: at === 5 ? 2 : 1 }));
  const outcomes = Array.from({ length: 12 }, (_, seed) =>
    compare(Interactions.from(rows), { ...options, seeds: [seed], testFraction: 0.4 }).then(
      () => 'compared',
      (error) => error.name,
    ),
  );
  expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['compared', 'DataError']));
});
