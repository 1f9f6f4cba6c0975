// The section "Recommenders" of the API contract, line by line: which kind can do what, under which names, with which
// defaults. What an answer is worth is for the other tests.

import { NotFittedError, OptionError } from '../../src/core/errors';
import { Interactions } from '../../src/data/interactions';
import { syntheticInteractions } from '../../src/data/synthetic';
import { MF } from '../../src/recommenders/mf';
import { createRecommender, loadRecommender } from '../../src/recommenders/registry';
import type { AnyRecommender } from '../contract/odd-ratings';

const ratings = syntheticInteractions({ users: 40, items: 30, ratings: 500 });
const likes = Interactions.from([...ratings].map(({ userId, itemId }) => ({ userId, itemId })));
const pairs = [...ratings].slice(0, 50).map(({ userId, itemId }) => [userId, itemId] as const);
const users = [ratings.users.idOf(0), ratings.users.idOf(7), 'nobody'];

describe('collapse: everything that takes overparam', () => {
  const small = { rank: 4, epochs: 2 } as const;
  const layers = { embeddingDim: 4, hidden: [4], epochs: 2 } as const;
  const scalar = { kind: 'scalar', init: 1.5 } as const;
  const dense = { kind: 'dense' } as const;
  const sized = { ...small, overparam: dense, task: 'regression' } as const;
  const asRatings = { ...layers, task: 'regression' } as const;

  test.each([
    [createRecommender('mf', small), ratings],
    [createRecommender('overparam-mf', { ...small, overparam: scalar }), ratings],
    [createRecommender('overparam-mf', { ...small, overparam: dense, loss: 'bpr' }), likes],
    [createRecommender('overparam-mf', { ...small, overparam: dense, link: 'sigmoid' }), ratings],
    [createRecommender('svdpp', { ...small, overparam: scalar }), ratings],
    [createRecommender('nmf', small), ratings],
    [createRecommender('nmf', { ...small, solver: 'gradient', overparam: scalar }), ratings],
    [createRecommender('neural-cf', { ...layers, rank: 4, overparam: dense }), likes],
    [createRecommender('fm', sized), ratings],
    [createRecommender('wide-deep', { ...asRatings, overparam: dense }), ratings],
    [createRecommender('deep-fm', { ...asRatings, overparam: { embedding: scalar, deep1: dense } }), ratings],
  ])('%#: equal predictions and lists, plain, saved', async (model, data) => {
    await model.fit(data);
    const plain = model.collapse();
    expect(plain.options).toHaveProperty('overparam', false);
    expect(plain.model.parameters.every(({ factors }) => factors.length === 1)).toBe(true);
    for (const one of [plain, loadRecommender(plain.save())]) {
      expect(one.predictMany(pairs)).toEqual(model.predictMany(pairs));
      for (const user of users) expect(one.recommend(user)).toEqual(model.recommend(user));
    }
    // It may be trained anew, as what it is.
    await plain.fresh().fit(data);
  });
});

describe('many users', () => {
  const many = syntheticInteractions({ users: 600, items: 400, ratings: 9000 });
  const everybody = [...many.users, 'nobody'];
  let model: MF;
  beforeAll(async () => {
    model = new MF({ rank: 8, epochs: 2 });
    await model.fit(many);
  });

  test.each(['mf', 'neural-cf', 'item-knn', 'popularity'] as const)('%s: the lists of recommend', async (name) => {
    const one = createRecommender(name, name === 'neural-cf' ? { epochs: 1, hidden: [4] } : {});
    await one.fit(many);
    for (const [user, list] of await one.recommendMany(everybody.slice(-40), { n: 5 })) {
      expect(list).toEqual(one.recommend(user, { n: 5 }));
      expect(list.basis).toBe(one.recommend(user, { n: 5 }).basis);
    }
  });

  test('recommendMany: each user once, in the order of the first time; recommendEach: as often as asked', async () => {
    const twice = [everybody[3]!, everybody[1]!, everybody[3]!];
    expect([...(await model.recommendMany(twice)).keys()]).toEqual(twice.slice(0, 2));
    const each: unknown[] = [];
    for await (const [user, list] of model.recommendEach(twice)) each.push([user, list.length]);
    expect(each).toEqual(twice.map((user) => [user, 10]));
  });

  test('reads users as they are needed, and stops when the consumer stops', async () => {
    let [read, isClosed] = [0, false];
    const endless = function* () {
      try {
        for (;;) yield everybody[read++ % everybody.length]!;
      } finally {
        isClosed = true;
      }
    };
    let lists = 0;
    for await (const _ of model.recommendEach(endless(), { n: 3 })) if (++lists === 500) break;
    expect(isClosed).toBe(true);
    expect(read).toBeLessThanOrEqual(500 + 256);
    isClosed = false;
    const iterator = model.recommendEach(endless())[Symbol.asyncIterator]();
    await iterator.next();
    await iterator.return?.();
    expect(isClosed).toBe(true);
    expect((await iterator.next()).done).toBe(true);
  });

  test('other tasks go on meanwhile', async () => {
    let [beats, isOver] = [0, false];
    const beat = () => {
      beats++;
      if (!isOver) setImmediate(beat);
    };
    setImmediate(beat);
    const work = function* () {
      for (let round = 0; round < 20; round++) yield* everybody;
    };
    let lists = 0;
    for await (const _ of model.recommendEach(work(), { n: 100 })) lists++;
    isOver = true;
    expect(lists).toBe(20 * everybody.length);
    expect(beats).toBeGreaterThan(5);
  });

  test('answers are of the state at the time of the call', async () => {
    const own = new MF({ rank: 4, epochs: 1 });
    await own.fit(many);
    const wanted = everybody.map((user) => own.recommend(user));
    const lists = own.recommendEach(everybody);
    const fit = own.fit(likes);
    const found: unknown[] = [];
    for await (const [, list] of lists) {
      if (found.length === 0) await fit;
      found.push(list);
    }
    expect(found).toEqual(wanted);
  });

  test('signal ends both with its reason', async () => {
    const reason = new Error('enough');
    const gone = AbortSignal.abort(reason);
    await expect(model.recommendMany(everybody, { signal: gone })).rejects.toBe(reason);
    const controller = new AbortController();
    let lists = 0;
    const run = async () => {
      for await (const _ of model.recommendEach(everybody, { signal: controller.signal }))
        if (++lists === 1) controller.abort(reason);
    };
    await expect(run()).rejects.toBe(reason);
    expect(lists).toBeLessThan(everybody.length);
  });

  test('what is wrong is said at the call of recommendEach, and by a rejection of recommendMany', async () => {
    for (const [options, option] of [
      [{ n: -1 }, 'n'],
      [{ signal: 5 }, 'signal'],
      [{ exclude: 'ab' }, 'exclude'],
      [{ threads: 0 }, 'threads'],
    ] as const) {
      expect(() => model.recommendEach(everybody, options as never)).toThrow(OptionError);
      await expect(model.recommendMany(everybody, options as never)).rejects.toMatchObject({ option });
    }
    expect(() => model.recommend(everybody[0]!, { signal: AbortSignal.abort() } as never)).toThrow(OptionError);
  });
});

describe('itemMask', () => {
  const inStock = [...ratings.items].slice(5, 15);
  const [user] = ratings.users;
  const some = { n: 3, filterSeen: false } as const;
  let model: MF;
  beforeAll(async () => {
    model = new MF({ rank: 4, epochs: 2 });
    await model.fit(ratings);
  });

  test.each(['mf', 'als', 'svdpp', 'nmf', 'popularity', 'item-knn', 'ease', 'neural-cf', 'fm', 'deep-fm'] as const)(
    '%s: a mask is the list that it was made of, for candidates and for exclude',
    async (name) => {
      const known = createRecommender(name).options;
      const small = { epochs: 1, rank: 4, hidden: [4], task: 'regression' };
      const options = Object.fromEntries(Object.entries(small).filter(([option]) => option in known));
      const one = createRecommender(name, options as never) as AnyRecommender;
      await one.fit(ratings);
      const mask = one.itemMask([...inStock, 'unheard of']);
      const list = [...inStock, 'unheard of'];
      for (const option of ['candidates', 'exclude']) {
        const [byMask, byList] = [
          { ...some, [option]: mask },
          { ...some, [option]: list },
        ];
        expect(one.recommend(user!, byMask)).toEqual(one.recommend(user!, byList));
        expect(one.recommend(user!, byMask).unknown).toBe(1);
        expect(await one.recommendMany([user!, 'nobody'], byMask)).toEqual(
          await one.recommendMany([user!, 'nobody'], byList),
        );
      }
    },
  );

  test('similar items and folded users take it too', () => {
    const mask = model.itemMask(inStock);
    const [item] = ratings.items;
    for (const measure of ['cosine', 'dot'] as const) {
      const similar = model.similarItems(item!, { n: 100, measure, candidates: mask });
      expect(similar).toEqual(model.similarItems(item!, { n: 100, measure, candidates: inStock }));
      expect(new Set(similar.map(({ itemId }) => itemId))).toEqual(new Set(inStock));
      const others = model.similarItems(item!, { n: 100, measure, exclude: mask });
      expect([...similar, ...others].sort((a, b) => b.score - a.score)).toEqual(
        model.similarItems(item!, { n: 100, measure }),
      );
    }
    const folded = model.foldInUser([{ itemId: item!, value: 5 }]);
    expect(folded.recommend({ n: 5, candidates: mask })).toEqual(folded.recommend({ n: 5, candidates: inStock }));
    expect(folded.recommend({ n: 5, exclude: mask })).toEqual(folded.recommend({ n: 5, exclude: inStock }));
  });

  test('of another recommender it is refused, by the name of the option', async () => {
    const other = model.collapse();
    const mask = other.itemMask(inStock);
    const folded = model.foldInUser([{ itemId: inStock[0]!, value: 5 }]);
    for (const option of ['candidates', 'exclude'] as const) {
      for (const ask of [
        () => model.recommend(user!, { [option]: mask }),
        () => model.recommendEach([user!], { [option]: mask }),
        () => model.similarItems(inStock[0]!, { [option]: mask }),
        () => folded.recommend({ [option]: mask }),
      ]) {
        expect(ask).toThrow(OptionError);
        expect(ask).toThrow(`${option} is the itemMask of another recommender`);
      }
    }
    expect(() => model.similarUsers(user!, { exclude: model.itemMask(inStock) })).toThrow(OptionError);
    expect(() => model.itemMask('ab')).toThrow(OptionError);
    expect(() => new MF().itemMask([])).toThrow(NotFittedError);
  });

  test('it stays right when the recommender is trained further: what was unknown may be known then', async () => {
    const own = new MF({ rank: 4, epochs: 2 });
    await own.fit(ratings);
    const mask = own.itemMask([...inStock, 'brand new']);
    expect(mask.size).toBe(11);
    expect(own.recommend(user!, { n: 50, candidates: mask }).unknown).toBe(1);
    await own.partialFit(
      Interactions.from([
        [user!, 'brand new', 5],
        ['di', 'brand new', 5],
        ['di', inStock[0]!, 1],
      ]),
    );
    const list = own.recommend('nobody', { n: 50, candidates: mask });
    expect(list.unknown).toBeUndefined();
    expect(new Set(list.map(({ itemId }) => itemId))).toEqual(new Set([...inStock, 'brand new']));
    // Of other data the items have other numbers.
    await own.fit(Interactions.from([...ratings].reverse()));
    expect(own.recommend(user!, { ...some, candidates: mask })).toEqual(
      own.recommend(user!, { ...some, candidates: [...inStock, 'brand new'] }),
    );
  });

  test('similarUsers takes ids of users', () => {
    const [one, two, three] = [...ratings.users].slice(3);
    expect(
      model
        .similarUsers(user!, { candidates: [one!, two!] })
        .map(({ userId }) => userId)
        .sort(),
    ).toEqual([one, two].sort());
    const without = model.similarUsers(user!, { n: 100, exclude: [three!, 'nobody'] });
    expect(without).toEqual(model.similarUsers(user!, { n: 100 }).filter(({ userId }) => userId !== three));
    expect(() => model.similarUsers(user!, { candidates: ['nobody'] })).toThrow(OptionError);
  });
});
