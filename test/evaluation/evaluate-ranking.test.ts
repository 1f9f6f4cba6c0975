// evaluateRanking: small cases by hand, every metric again from predictions, and what counts and what does not.

import { DataError, NotFittedError, OptionError } from '../../src/core/errors';
import { Interactions } from '../../src/data/interactions';
import { predefinedSplit, splitRandom } from '../../src/data/splits';
import { syntheticInteractions } from '../../src/data/synthetic';
import type { Id } from '../../src/data/vocabulary';
import { evaluateRanking } from '../../src/evaluation/evaluate-ranking';
import { MF } from '../../src/recommenders/mf';
import { createRecommender, loadRecommender } from '../../src/recommenders/registry';
import { rankerByScores } from '../support/ranker-by-scores';

const items = ['a', 'b', 'c', 'd', 'e', 'f'];
/** Ranks a, b, c, d, e, f for everybody. */
const alphabet = rankerByScores(items, (_, item) => -items.indexOf(String(item)));
const log2 = Math.log2;

describe('by hand', () => {
  const { train, test: held } = predefinedSplit(
    [...items.map((item) => ['everybody', item] as const), ['ann', 'a'], ['bob', 'c']],
    [
      ['ann', 'c', 5],
      ['ann', 'f', 1],
      ['bob', 'a', 4],
      ['cal', 'never trained', 3],
    ],
  );

  test('items of train are hidden; means are over users, those with only cold items too', async () => {
    // Lists of 3: ann b C d, bob A b d, cal a b c.
    const { users, skipped, cold, metrics, perUser } = await evaluateRanking(alphabet, held, {
      train,
      k: 3,
      perUser: true,
    });
    expect({ users, skipped, cold }).toEqual({ users: 3, skipped: 0, cold: 0 });
    expect(perUser!.get('ann')).toEqual({
      'precision@3': 1 / 3,
      'recall@3': 1 / 2,
      'hr@3': 1,
      'ndcg@3': expect.closeTo(1 / log2(3) / (1 + 1 / log2(3)), 14),
      'map@3': 1 / 2 / 2,
      'mrr@3': 1 / 2,
    });
    expect(Object.values(perUser!.get('bob')!)).toEqual([1 / 3, 1, 1, 1, 1, 1]);
    expect(Object.values(perUser!.get('cal')!)).toEqual([0, 0, 0, 0, 0, 0]);
    for (const [name, mean] of Object.entries(metrics)) {
      const values = [...perUser!.values()].map((one) => one[name as 'ndcg@3']!);
      expect(mean).toBeCloseTo(values.reduce((sum, x) => sum + x, 0) / 3, 14);
    }
    expect('perUser' in (await evaluateRanking(alphabet, held, { train }))).toBe(false);
  });

  test('which rows are relevant, and how much', async () => {
    const good = await evaluateRanking(alphabet, held, {
      train,
      relevant: (value) => value >= 4,
      metrics: ['recall@5'],
    });
    expect(good).toEqual({ users: 2, skipped: 1, cold: 0, seen: 0, unknown: 0, metrics: { 'recall@5': 1 } });
    const { perUser } = await evaluateRanking(alphabet, held, {
      train,
      gains: 'exponential',
      perUser: true,
      metrics: ['ndcg@5'],
    });
    // ann: b C(31) d e F(1).
    const expected = (31 / log2(3) + 1 / log2(6)) / (31 + 1 / log2(3));
    expect(perUser!.get('ann')!['ndcg@5']).toBeCloseTo(expected, 14);
  });

  test('the area under the curve needs no cut', async () => {
    const { metrics, perUser } = await evaluateRanking(alphabet, held, {
      train,
      metrics: ['auc', 'auc@1'],
      perUser: true,
    });
    // ann: b C d e F: 2 of the 3 others behind c, none behind f. bob: A first of 5. cal's item is behind all 6.
    expect(perUser!.get('ann')!.auc).toBe(2 / 6);
    expect(metrics.auc).toBeCloseTo((2 / 6 + 1 + 0) / 3, 14);
    // Cut at 1: ann's 2 items before half of 2 others; bob's before all; cal's before half of 5 of 6.
    expect(metrics['auc@1']).toBeCloseTo((2 / 6 + 1 + 2.5 / 6) / 3, 14);
  });

  test('a pair of train is no test pair', async () => {
    const both = Interactions.from([
      ['ann', 'a'],
      ['ann', 'b'],
      ['bob', 'c'],
    ]);
    const { users, skipped, metrics } = await evaluateRanking(alphabet, both, { train, k: 1, metrics: ['recall'] });
    expect({ users, skipped, metrics }).toEqual({ users: 1, skipped: 1, metrics: { 'recall@1': 1 } });
    await expect(evaluateRanking(alphabet, train, { train })).rejects.toThrow('all 8 pairs');
  });

  test('users that training never saw are counted', async () => {
    const known = rankerByScores(
      items,
      () => 0,
      undefined,
      (user) => (user === 'cal' ? 'popularity' : 'model'),
    );
    expect((await evaluateRanking(known, held, { train })).cold).toBe(1);
  });
});

describe('negatives', () => {
  const { train, test: held } = predefinedSplit(
    [...items.map((item) => ['everybody', item] as const), ['ann', 'a'], ['bob', 'c']],
    [
      ['ann', 'c'],
      ['bob', 'e'],
    ],
  );

  test('given: a set of candidates, in which the relevant item counts once', async () => {
    const negatives = new Map<Id, Id[]>([
      ['ann', ['b', 'd', 'd', 'c', 'unknown']],
      ['bob', ['a', 'b', 'd', 'c']],
    ]);
    const { perUser } = await evaluateRanking(alphabet, held, { negatives, metrics: ['mrr@10', 'auc'], perUser: true });
    // ann: b C d; bob: a b c d E.
    expect(perUser!.get('ann')).toEqual({ 'mrr@10': 1 / 2, auc: 1 / 2 });
    expect(perUser!.get('bob')).toEqual({ 'mrr@10': 1 / 5, auc: 0 });
    const partial = new Map(negatives);
    partial.delete('bob');
    await expect(evaluateRanking(alphabet, held, { negatives: partial })).rejects.toThrow(
      'negatives has no entry for test user "bob"',
    );
  });

  test('ids that the ranker does not know are no rivals: counted, and refused where all are', async () => {
    const negatives = new Map<Id, Id[]>([
      ['ann', ['b', 'd', 'unknown', 'x']],
      ['bob', ['a', 3, 'b']],
    ]);
    expect((await evaluateRanking(alphabet, held, { negatives })).unknown).toBe(3);
    for (const [list, reason] of [
      [[1, 2, 3], 'has no item that the model knows (1, a number, is one of 3)'],
      [[], 'has no item beside what is relevant'],
      [['c'], 'has no item beside what is relevant'],
    ] as const) {
      const act = evaluateRanking(alphabet, held, { negatives: new Map([...negatives, ['ann', [...list]]]) });
      await expect(act).rejects.toThrow(DataError);
      await expect(act).rejects.toThrow(`negatives: the list of test user "ann" ${reason}`);
    }
    expect((await evaluateRanking(alphabet, held, { train })).unknown).toBe(0);
  });

  test('drawn: who has fewer items left than are to be drawn is counted', async () => {
    // Of 6 items ann has one in train and one in test: 4 are left.
    const short = async (count: number) =>
      (await evaluateRanking(alphabet, held, { train, negatives: { count } })).short;
    expect([await short(4), await short(5)]).toEqual([0, 2]);
  });

  test('drawn: distinct items that the user has not, the same for a seed and for any order of users', async () => {
    const asked = new Map<Id, Id[]>();
    const spy = {
      ...alphabet,
      recommend: (user: Id, options: { candidates?: Iterable<Id> }) => {
        asked.set(user, [...options.candidates!]);
        return alphabet.recommend(user, options);
      },
    };
    const ask = async (data: Interactions, seed: number) => {
      asked.clear();
      await evaluateRanking(spy, data, { train, negatives: { count: 2, seed } });
      return new Map([...asked].map(([user, ids]) => [user, ids.join('')]));
    };
    const first = await ask(held, 1);
    const backwards = Interactions.from([...held].reverse());
    expect(await ask(backwards, 1)).toEqual(first);
    const drawn = new Map<string, number>();
    for (let seed = 0; seed < 600; seed++) {
      const ann = (await ask(held, seed)).get('ann')!;
      expect(ann).toMatch(/^[bdef]{2}c$/);
      expect(ann[0]).not.toBe(ann[1]);
      for (const item of ann.slice(0, 2)) drawn.set(item, (drawn.get(item) ?? 0) + 1);
    }
    // 600 draws of chance 1/2: five standard deviations are 61.
    for (const item of 'bdef') expect(Math.abs(drawn.get(item)! - 300)).toBeLessThan(61);
    await evaluateRanking(spy, held, { train, negatives: { count: 100 } });
    expect(asked.get('ann')!.sort()).toEqual(['b', 'c', 'd', 'e', 'f']);
  });
});

describe('a fitted model', () => {
  const data = syntheticInteractions({ users: 50, items: 40, ratings: 900 });
  const { train, test: held } = splitRandom(data, { testFraction: 0.3 });
  const model = new MF({ rank: 4, epochs: 3 });
  beforeAll(() => model.fit(train));

  test('is measured by the ranks of its predictions', async () => {
    const has = new Set([...train].map(({ userId, itemId }) => `${userId} ${itemId}`));
    const trained = [...new Set([...train].map(({ itemId }) => itemId))];
    const values = new Map<Id, { recall: number; ndcg: number; auc: number }>();
    for (const userId of new Set([...held].map((row) => row.userId))) {
      const relevant = new Set([...held].filter((row) => row.userId === userId).map(({ itemId }) => itemId));
      const list = trained
        .filter((item) => !has.has(`${userId} ${item}`))
        .map((item) => ({ item, score: model.recommend(userId, { candidates: [item], filterSeen: false })[0]!.score }))
        .sort((a, b) => b.score - a.score || data.items.indexOf(a.item) - data.items.indexOf(b.item))
        .map(({ item }) => item);
      const hit = list.map((item) => relevant.has(item));
      const sum = (flags: readonly boolean[]) =>
        flags.slice(0, 5).reduce((total, flag, at) => total + (flag ? 1 / log2(at + 2) : 0), 0);
      const others = list.filter((item) => !relevant.has(item));
      const before = [...relevant].flatMap((item) =>
        others.filter((other) => list.includes(item) && list.indexOf(item) < list.indexOf(other)),
      );
      values.set(userId, {
        recall: hit.slice(0, 5).filter(Boolean).length / relevant.size,
        ndcg: sum(hit) / sum(new Array(relevant.size).fill(true)),
        auc: others.length === 0 ? 0.5 : before.length / (relevant.size * others.length),
      });
    }
    const result = await evaluateRanking(model, held, { train, metrics: ['recall@5', 'ndcg@5', 'auc'], perUser: true });
    expect(result.users).toBe(values.size);
    for (const [userId, { recall, ndcg, auc }] of values) {
      const one = result.perUser!.get(userId)!;
      expect([one['recall@5'], one['ndcg@5'], one.auc]).toEqual([recall, ndcg, auc].map((x) => expect.closeTo(x, 12)));
    }
  });

  test('what is in its training is no test, in part or in whole, with train or without', async () => {
    const both = Interactions.from([...held, ...[...train].slice(0, 30)]);
    for (const options of [{ train }, {}, { negatives: { count: 5 }, train }]) {
      const result = await evaluateRanking(model, both, options);
      expect(result).toEqual({
        ...(await evaluateRanking(model, Interactions.from([...held]), options)),
        seen: 30,
        skipped: result.skipped,
      });
      await expect(evaluateRanking(model, train, options)).rejects.toThrow('nothing in it is unseen');
    }
  });

  test('of negatives of another type of ids it knows none', async () => {
    const negatives = new Map([...data.users].map((user) => [user, [...data.items].map(Number)]));
    await expect(evaluateRanking(model, held, { negatives })).rejects.toThrow('has no item that the model knows');
  });

  test.each([
    ['popularity', {}],
    ['item-knn', {}],
    ['mf', { epochs: 1 }],
    ['fm', { epochs: 1, task: 'regression' }],
  ] as const)('%s: cold are the users that training never saw, and they alone', async (name, options) => {
    const one = createRecommender(name, options as never);
    await one.fit(train);
    const more = Interactions.from([...held, { userId: 'new', itemId: [...held][0]!.itemId }]);
    const trained = new Set([...train].map(({ userId }) => userId));
    const cold = [...new Set([...held].map(({ userId }) => userId))].filter((id) => !trained.has(id)).length;
    expect((await evaluateRanking(one, held, { train })).cold).toBe(cold);
    expect((await evaluateRanking(one, more, { train })).cold).toBe(cold + 1);
    expect(one.knows('new')).toBe(false);
    expect(one.knows([...train][0]!.userId)).toBe(true);
    const found = [...one.familiarity(more)];
    const trainedItems = new Set([...train].map(({ itemId }) => itemId));
    expect(found).toEqual(
      [...more].map(({ userId, itemId }) => (trained.has(userId) && trainedItems.has(itemId) ? 1 : 0)),
    );
    expect(new Set(one.familiarity(Interactions.from([...train].reverse())))).toEqual(new Set([2]));
  });

  test('without its history it is told what to leave out', async () => {
    const bare = loadRecommender(model.save({ history: false }));
    const options = { train, k: [3, 10] };
    expect(await evaluateRanking(bare, held, options)).toEqual(await evaluateRanking(model, held, options));
  });

  test('with its history it needs no train', async () => {
    expect(await evaluateRanking(model, held)).toEqual(await evaluateRanking(model, held, { train }));
  });

  test('test data may have vocabularies of their own', async () => {
    const foreign = Interactions.from([...held].reverse());
    const metrics = ['ndcg@10', 'auc'] as const;
    const { metrics: expected } = await evaluateRanking(model, held, { train, metrics });
    const { metrics: got } = await evaluateRanking(model, foreign, { train, metrics });
    for (const name of metrics) expect(got[name]).toBeCloseTo(expected[name]!, 12);
  });

  test.each([
    [{ k: 0 }, 'k'],
    [{ k: [] }, 'k'],
    [{ k: [5, 1.5] }, 'k[1]'],
    [{ metrics: ['rmse'] }, 'metrics[0]'],
    [{ metrics: [] }, 'metrics'],
    [{ metrics: ['auc'] }, 'train'],
    [{ negatives: { count: 5 } }, 'train'],
    [{ train: data, negatives: { count: 0 } }, 'negatives.count'],
    [{ negatives: [] }, 'negatives'],
    [{ relevant: 4 }, 'relevant'],
    [{ seeds: 1 }, 'seeds'],
  ])('%p is refused by name', async (options, option) => {
    await expect(evaluateRanking(model, held, options as never)).rejects.toThrow(
      expect.objectContaining({ name: 'OptionError', option }),
    );
  });

  test('needs a fit, a set, and grades', async () => {
    await expect(evaluateRanking(new MF(), held)).rejects.toThrow(NotFittedError);
    await expect(evaluateRanking(model, [] as never)).rejects.toThrow(OptionError);
    const counts = Interactions.from([['1', '1', 5000]]);
    await expect(evaluateRanking(model, counts, { gains: 'exponential' })).rejects.toThrow('want grades from 0 to 50');
  });
});
