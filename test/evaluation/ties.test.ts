// Ranking metrics know no order of equal scores: chance for constant scores, the mean over all orders for any ties, and the
// same figures in whatever order rows, users and items come, for every recommender, in fits and evaluations alike.

import fc from 'fast-check';
import { DataError } from '../../src/core/errors';
import { type Interaction, Interactions } from '../../src/data/interactions';
import { splitLeaveOneOut, splitRandom } from '../../src/data/splits';
import { syntheticInteractions } from '../../src/data/synthetic';
import type { Id } from '../../src/data/vocabulary';
import { evaluateRanking } from '../../src/evaluation/evaluate-ranking';
import { type RankingMeasureName, rankingMeasures } from '../../src/metrics/metric-names';
import { ItemKNN } from '../../src/recommenders/item-based/item-knn';
import { MF } from '../../src/recommenders/mf';
import { createRecommender, loadRecommender, RECOMMENDER_NAMES } from '../../src/recommenders/registry';
import { meanOverOrders } from '../metrics/tie-lists';
import { rankerByScores } from '../support/ranker-by-scores';

const MEASURES = Object.keys(rankingMeasures) as RankingMeasureName[];
const harmonic = (n: number) => Array.from({ length: n }, (_, at) => 1 / (at + 1)).reduce((sum, x) => sum + x, 0);
const discounts = (n: number) => Array.from({ length: n }, (_, at) => 1 / Math.log2(at + 2)).reduce((a, b) => a + b, 0);

/** The rows in another order, which also renumbers users and items. */
function shuffled(data: Interactions, seed: number): Interactions {
  const key = ({ userId, itemId }: Interaction) => {
    let hash = seed;
    for (const letter of `${userId} ${itemId}`) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0;
    return Math.imul(hash, 0x9e3779b1) >>> 0;
  };
  return Interactions.from([...data].sort((a, b) => key(a) - key(b)));
}

function expectSame(got: object, expected: object, tolerance = 1e-12) {
  expect(Object.keys(got)).toEqual(Object.keys(expected));
  for (const [name, value] of Object.entries(expected))
    expect([name, Math.abs((got as Record<string, number>)[name]! - value) < tolerance]).toEqual([name, true]);
}

test('a neighbourhood that says nothing of a user gives chance, wherever the item stands in the data', async () => {
  const train = Interactions.from([
    ['a', 'i1'],
    ['b', 'i2'],
    ['c', 'i3'],
    ['d', 'i4'],
    ['u', 'i5'],
  ]);
  const model = new ItemKNN();
  await model.fit(train);
  for (const item of ['i1', 'i2', 'i3', 'i4']) {
    const test = Interactions.from([['u', item]]);
    const { metrics } = await evaluateRanking(model, test, { train, k: 1, metrics: ['auc', 'hr', 'mrr@4'] });
    expectSame(metrics, { auc: 0.5, 'hr@1': 1 / 4, 'mrr@4': harmonic(4) / 4 });
  }
});

describe('constant scores give chance', () => {
  const data = syntheticInteractions({ users: 60, items: 400, ratings: 3000 });
  const { train, test: last } = splitLeaveOneOut(data, { by: 'random' });
  // What training never saw is missed.
  const trained = new Set([...train].map(({ itemId }) => itemId));
  const held = Interactions.from([...last].filter(({ itemId }) => trained.has(itemId)));
  const constant = rankerByScores([...data.items], () => 3);

  test('one relevant item among 99 negatives', async () => {
    const negatives = { count: 99, seed: 7 };
    const { metrics, short } = await evaluateRanking(constant, held, { train, negatives, metrics: [...MEASURES] });
    expect(short).toBe(0);
    expectSame(metrics, {
      'precision@10': 0.01,
      'recall@10': 0.1,
      'hr@10': 0.1,
      'ndcg@10': discounts(10) / 100,
      'map@10': harmonic(10) / 100,
      'mrr@10': harmonic(10) / 100,
      auc: 0.5,
    });
  });

  test('one relevant item among all that a user has not, and a cut within the only tie', async () => {
    const options = { train, metrics: ['hr@10', 'hr@1', 'ndcg@10', 'mrr@10', 'auc', 'auc@3'], perUser: true } as const;
    const { perUser } = await evaluateRanking(constant, held, options);
    for (const [user, metrics] of perUser!) {
      const has = [...train].filter(({ userId }) => userId === user);
      const hidden = new Set(has.map(({ itemId }) => itemId));
      // This ranker lists items that training never saw, too.
      const pool = data.items.size - hidden.size;
      expectSame(metrics, {
        'hr@10': 10 / pool,
        'hr@1': 1 / pool,
        'ndcg@10': discounts(10) / pool,
        'mrr@10': harmonic(10) / pool,
        auc: 0.5,
        'auc@3': 0.5,
      });
    }
  });

  test('where a user has, or should have been shown, every item', async () => {
    const few = rankerByScores(['a', 'b'], () => 1);
    const all = Interactions.from([
      ['u', 'a'],
      ['u', 'b'],
      ['v', 'a'],
    ]);
    const { metrics } = await evaluateRanking(few, all, {
      train: Interactions.from([
        ['w', 'a'],
        ['w', 'b'],
      ]),
      metrics: ['auc', 'auc@1'],
    });
    expectSame(metrics, { auc: 0.5, 'auc@1': 0.5 });
  });

  test('in the validation of a fit, and in the evaluation of the model that it made', async () => {
    // Without biases and with vectors of 0 every score is the mean, and stays so.
    const model = new MF({ biases: false, initScale: 0, epochs: 1 });
    const metrics = ['hr@10', 'recall@3', 'precision@5', 'ndcg@10', 'map@10', 'mrr@10', 'auc'] as const;
    const { epochs } = await model.fit(train, { validation: held, metrics: [...metrics] });
    const evaluated = await evaluateRanking(model, held, { train, metrics: [...metrics] });
    expectSame(epochs[0]!.metrics, evaluated.metrics);
    expect(epochs[0]!.metrics.auc).toBeCloseTo(0.5, 12);
  });
});

test('lists of ties of every size are cut in expectation, with gains and several cuts', async () => {
  const row = fc.record({ gain: fc.integer({ min: 0, max: 2 }), score: fc.integer({ min: 0, max: 2 }) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 1, maxLength: 7 }),
      fc.integer({ min: 1, max: 4 }),
      async (rows, cut) => {
        if (rows.every(({ gain }) => gain === 0)) return;
        const items = rows.map((_, at) => `i${at}`);
        const scoreOf = (item: Id) => rows[items.indexOf(String(item))]!.score;
        const held = Interactions.from(
          rows.flatMap(({ gain }, at) => (gain > 0 ? [['u', items[at]!, gain] as const] : [])),
        );
        const train = Interactions.from(items.map((item) => ['other', item] as const));
        const asked: number[] = [];
        const ranker = rankerByScores(items, (_, item) => scoreOf(item));
        const spy = {
          recommend: ranker.recommend,
          recommendMany: (ids: Iterable<Id>, options: { n: number }) => {
            asked.push(options.n);
            return ranker.recommendMany(ids, options);
          },
        };
        const sorted = [...rows].sort((a, b) => b.score - a.score);
        const gains = sorted.map(({ gain }) => gain);
        const ideal = gains.filter((gain) => gain > 0).sort((a, b) => b - a);
        const scores = sorted.map(({ score }) => score);
        for (const name of MEASURES) {
          const metrics = [name === 'auc' ? 'auc' : (`${name}@${cut}` as const), `${name}@3` as const] as const;
          const got = (await evaluateRanking(spy, held, { train, metrics: [...metrics], gains: 'linear' })).metrics;
          // One place behind the cut is asked for, and no more.
          expect(asked.pop()).toBe(name === 'auc' ? rows.length + 1 : Math.max(cut, 3) + 1);
          const mean = (k: number) => meanOverOrders(rankingMeasures[name], gains, scores, ideal, rows.length, k);
          expectSame(got, { [metrics[0]]: mean(name === 'auc' ? Infinity : cut), [metrics[1]]: mean(3) });
        }
      },
    ),
    { numRuns: 60 },
  );
});

describe('the order of rows, users and items changes no metric', () => {
  // Few values and many items of few users: plenty of ties.
  const data = syntheticInteractions({ users: 40, items: 60, ratings: 500, seed: 3 });
  const split = splitRandom(data, { testFraction: 0.3 });
  // Own vocabularies, without what occurs in the test alone: as a candidate that is scored where vocabularies are shared.
  const train = Interactions.from(split.train);
  const held = Interactions.from(
    [...split.test].filter((row) => train.users.has(row.userId) && train.items.has(row.itemId)),
  );
  const quick: Readonly<Record<string, object>> = {
    popularity: {},
    'item-knn': { neighbors: 3 },
    ease: { regularization: 1 },
    nmf: { epochs: 3, rank: 3 },
    'neural-cf': { epochs: 1, variant: 'gmf' },
    fm: { task: 'regression', epochs: 1 },
    'wide-deep': { task: 'regression', epochs: 1, hidden: [4] },
    'deep-fm': { task: 'regression', epochs: 1, hidden: [4] },
  };
  const protocols = [
    { metrics: [...MEASURES], k: [1, 5, 10] },
    { metrics: [...MEASURES], k: [1, 5], negatives: { count: 9, seed: 2 } },
  ];

  test.each(RECOMMENDER_NAMES)('%s: of the rows that are evaluated, and of the items that are listed', async (name) => {
    const model = createRecommender(name, (quick[name] ?? { epochs: 2, rank: 3 }) as never);
    await model.fit(train);
    for (const protocol of protocols) {
      const expected = await evaluateRanking(model, held, { ...protocol, train });
      for (const seed of [1, 2]) {
        const [heldNow, trainNow] = [shuffled(held, seed), shuffled(train, seed)];
        const loaded = loadRecommender(model.save());
        expectSame(
          (await evaluateRanking(loaded, heldNow, { ...protocol, train: trainNow })).metrics,
          expected.metrics,
        );
        // The same scores by a ranker that lists its items, of equal scores too, in another order.
        const items = [...trainNow.items];
        const scores = new Map<Id, Map<Id, number>>();
        for (const user of train.users) {
          const all = model.recommend(user, { filterSeen: false, n: 1000 });
          scores.set(user, new Map(all.map(({ itemId, score }) => [itemId, score])));
        }
        const has = (user: Id) => [...trainNow].filter(({ userId }) => userId === user).map(({ itemId }) => itemId);
        const ranker = rankerByScores(items, (user, item) => scores.get(user)!.get(item)!, has);
        expectSame(
          (await evaluateRanking(ranker, heldNow, { ...protocol, train: trainNow })).metrics,
          expected.metrics,
        );
      }
    }
  });

  test.each([
    ['popularity', {}],
    ['item-knn', { neighbors: 3 }],
    ['item-knn', { neighbors: 5, similarity: 'jaccard', featureWeighting: 'tf-idf' }],
    ['item-knn', { neighbors: 20, featureWeighting: 'bm25', shrinkage: 3 }],
    ['ease', { regularization: 1 }],
    ['ease', { regularization: 500 }],
  ] as const)('%s %p: of the rows that it is fitted to', async (name, options) => {
    const model = createRecommender(name, options as never);
    await model.fit(train);
    for (const seed of [1, 2, 3, 4]) {
      const trainNow = shuffled(train, seed);
      const again = createRecommender(name, options as never);
      await again.fit(trainNow);
      for (const protocol of protocols) {
        const expected = (await evaluateRanking(model, held, { ...protocol, train })).metrics;
        expectSame(
          (await evaluateRanking(again, shuffled(held, seed), { ...protocol, train: trainNow })).metrics,
          expected,
        );
      }
    }
  });
});

describe('what a caller lists', () => {
  const held = Interactions.from([['u', 'b']]);
  const items = ['a', 'b', 'c'];

  test.each([Number.NaN, Infinity, -Infinity])('a score of %p is refused, and whose it is is said', async (score) => {
    const ranker = rankerByScores(items, (_, item) => (item === 'a' ? score : 1));
    for (const options of [{}, { negatives: new Map([['u', ['a', 'c']]]) }]) {
      const act = evaluateRanking(ranker, held, options);
      await expect(act).rejects.toThrow(DataError);
      await expect(act).rejects.toThrow(/user "u".*finite/);
    }
  });

  test('each item once', async () => {
    const twice = () =>
      Object.assign(
        ['b', 'b'].map((itemId) => ({ itemId, score: 1 })),
        { basis: 'model' as const },
      );
    const ranker = { recommend: twice, recommendMany: () => new Map([['u', twice()]]) };
    await expect(evaluateRanking(ranker, held)).rejects.toThrow('listed before');
  });

  test('one that ignores n is heard once', async () => {
    const all = rankerByScores(items, () => 1);
    const ranker = { recommend: all.recommend, recommendMany: (ids: Iterable<Id>) => all.recommendMany(ids, { n: 3 }) };
    expect((await evaluateRanking(ranker, held, { k: 1, metrics: ['hr'] })).metrics['hr@1']).toBeCloseTo(1 / 3, 14);
  });
});
