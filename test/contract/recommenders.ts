// What every recommender must keep: known answers on a checkerboard, one number for one question however it is asked,
// baselines for what it never saw, typed errors, ids of any kind. Files and seeds: recommender-bits.ts.

import { NotFittedError, OpmfError, OptionError, UnknownIdError, UnsupportedError } from '../../src/core/errors';
import { Interactions } from '../../src/data/interactions';
import type { Id } from '../../src/data/vocabulary';
import { sgd } from '../../src/optimizers/sgd';
import type { RecommendationList } from '../../src/serving/questions';
import {
  type AnyRecommender,
  CAPABILITIES,
  type Capability,
  cells,
  everyPair,
  fittedBy,
  ODD_IDS,
  type Options,
  odd,
  quick,
  type RecommenderUnderTest,
  testWhere,
} from './odd-ratings';

/** Users who rate every item but two; who likes what depends on whether both are even or odd. */
function checkerboard(size: number): Interactions {
  const rows: [string, string, number][] = [];
  for (let u = 0; u < size; u++) {
    for (let i = 0; i < size; i++) {
      if (i !== u && i !== (u + 1) % size) rows.push([`u${u}`, `i${i}`, (u + i) % 2 === 0 ? 5 : 1]);
    }
  }
  return Interactions.from(rows);
}

/** Runs the contract over a recommender. */
export function recommenderContract({
  flat = { initScale: 0, biases: false },
  name,
  make,
  item,
  can = CAPABILITIES,
  isSolved,
  // Equations without a penalty, and starts that training hardly moves.
  wild = isSolved ? { regularization: 1e-6 } : { initScale: 4, optimizer: sgd({ learningRate: 1e-6 }) },
  isUnbiased,
  isRanking = false,
  isOfOccurring = false,
}: RecommenderUnderTest): void {
  /** What only a model of ratings keeps: predictions on the scale of the data, embeddings that options can scale. */
  const isRated = item === undefined && !isRanking;
  const ofRatings = testWhere(isRated);
  const ofVectors = testWhere(item === undefined);
  const basis = item?.basis ?? 'model';
  const fitted = (options?: Options, data?: Interactions) => fittedBy(make, options, data);

  describe(`${name} keeps the contract of a recommender`, () => {
    let model: AnyRecommender;
    let unclipped: AnyRecommender;
    beforeAll(async () => {
      model = await fitted();
      unclipped = isRated ? await fitted({ ...quick, clip: false }) : model;
    });

    ofRatings('recommends the right square of a checkerboard', async () => {
      const size = 16;
      const board = await fitted({ rank: 4, epochs: 60, initScale: 0.3, regularization: 0.01 }, checkerboard(size));
      for (let u = 0; u < size; u++) {
        expect(board.recommend(`u${u}`, { n: 1 })[0]!.itemId).toBe(`i${u}`);
        expect(board.predict(`u${u}`, `i${u}`)).toBeGreaterThan(4);
        expect(board.predict(`u${u}`, `i${(u + 1) % size}`)).toBeLessThan(2);
      }
    });

    test('has the methods of what it can do, and no others', () => {
      expect(CAPABILITIES.filter((name) => name in model)).toEqual(CAPABILITIES.filter((name) => can.includes(name)));
    });

    const questions = {
      similarItems: (of) => of.similarItems!(1),
      similarUsers: (of) => of.similarUsers!(1),
      foldInUser: (of) => of.foldInUser!([]),
      foldInItem: (of) => of.foldInItem!([]),
      explain: (of) => of.explain!(1, 1),
    } satisfies Partial<Record<Capability, (of: AnyRecommender) => unknown>>;
    const asked = (of: AnyRecommender) =>
      Object.entries(questions)
        .filter(([name]) => can.includes(name as Capability))
        .map(([name, ask]): [string, () => unknown] => [name, () => ask(of)]);

    test('before fit every call says so by its name', async () => {
      const fresh = make(quick);
      const calls: [string, () => unknown][] = [
        ['predict', () => fresh.predict(1, 1)],
        ['predictMany', () => fresh.predictMany([[1, 1]])],
        ['recommend', () => fresh.recommend(1)],
        ['recommendEach', () => fresh.recommendEach([1])],
        ['itemMask', () => fresh.itemMask([1])],
        ...asked(fresh),
        ['knows', () => fresh.knows(1, 1)],
        ['save', () => fresh.save()],
      ];
      expect(fresh.isFitted).toBe(false);
      for (const [call, ask] of calls) {
        expect(ask).toThrow(NotFittedError);
        expect(ask).toThrow(`.${call}() needs a fitted model`);
      }
      expect(model.isFitted).toBe(true);
      await expect(fresh.recommendMany([1])).rejects.toThrow('.recommendMany() needs a fitted model');
    });

    test('predict and predictMany agree, over pairs, interactions and other vocabularies', () => {
      const single = everyPair.map(([u, i]) => Math.fround(model.predict(u, i)));
      expect([...model.predictMany(everyPair)]).toEqual(single);
      expect([...model.predictMany(new Map(everyPair.slice(0, 1)))]).toEqual(single.slice(0, 1));
      expect([...model.predictMany(odd)]).toEqual(
        [...odd].map((row) => Math.fround(model.predict(row.userId, row.itemId))),
      );
      const foreign = Interactions.from([...everyPair].reverse().map(([u, i]) => [u, i, 1] as const));
      expect([...model.predictMany(foreign)]).toEqual([...single].reverse());
    });

    ofRatings('an unknown or cold id is predicted by what is known of the other', () => {
      const mean = odd.stats().mean;
      for (const missing of ['cold', 'new', 'hasOwnProperty', 2]) {
        expect(unclipped.predict(missing, missing)).toBeCloseTo(mean, 5);
        expect(unclipped.predict(missing, 1)).toBe(unclipped.predict('new', 1));
        expect(unclipped.predict(1, missing)).toBe(unclipped.predict(1, 'new'));
        expect([unclipped.knows(missing, 1), unclipped.knows(1, missing), unclipped.knows(1, 1)]).toEqual([
          false,
          false,
          true,
        ]);
      }
      if (!isUnbiased) expect(unclipped.predict('new', 1)).not.toBe(unclipped.predict('new', '1'));
    });

    ofRatings('predictions are clipped to the range of the ratings, unless clip is false', async () => {
      const { minimum, maximum } = odd.stats();
      const predictions = async (clip: boolean) => {
        const one = await fitted({ ...quick, ...wild, clip });
        return everyPair.map(([u, i]) => one.predict(u, i));
      };
      const raw = await predictions(false);
      expect(raw.some((value) => value < minimum) && raw.some((value) => value > maximum)).toBe(true);
      expect(await predictions(true)).toEqual(raw.map((rating) => Math.min(Math.max(rating, minimum), maximum)));
    });

    describe('recommend', () => {
      const seenBy = (user: Id) => [...odd].filter(({ userId }) => userId === user).map(({ itemId }) => itemId);
      const idsOf = (list: readonly { itemId: Id }[]) => list.map(({ itemId }) => itemId);

      test('gives every unseen trained item, best first, with the prediction before clipping', () => {
        for (const user of ODD_IDS) {
          const list = model.recommend(user, { n: 100 });
          expect(list.basis).toBe(basis);
          const unseen = ODD_IDS.filter((item) => !seenBy(user).includes(item));
          expect(new Set(idsOf(list))).toEqual(new Set(unseen));
          expect(list.map(({ score }) => score)).toEqual(idsOf(list).map((item) => unclipped.predict(user, item)));
          expect(list.map(({ score }) => score)).toEqual(list.map(({ score }) => score).sort((a, b) => b - a));
        }
      });

      test('takes n, filterSeen, exclude and candidates', () => {
        const all = model.recommend('1', { n: 100, filterSeen: false });
        expect(new Set(idsOf(all))).toEqual(new Set(ODD_IDS));
        expect([...model.recommend('1', { n: 2, filterSeen: false })]).toEqual([...all].slice(0, 2));
        expect([...model.recommend('1', { n: 0 })]).toEqual([]);
        const less = model.recommend('1', { n: 100, filterSeen: false, exclude: new Set<Id>([1, '😀', 'no such']) });
        expect([...less]).toEqual([...all].filter(({ itemId }) => itemId !== 1 && itemId !== '😀'));
        const some = model.recommend('1', { filterSeen: false, candidates: ['', 1, 1, 'no such'] });
        expect([...some]).toEqual([...all].filter(({ itemId }) => itemId === '' || itemId === 1));
        expect([...model.recommend('1', { candidates: seenBy('1') })]).toEqual([]);
        expect([...model.recommend('1', { candidates: [] })]).toEqual([]);
        if (!isOfOccurring) expect(idsOf(model.recommend('1', { candidates: ['cold'] }))).toEqual(['cold']);
        expect([...model.recommend('1', { filterSeen: false, candidates: [1], exclude: [1] })]).toEqual([]);
      });

      test('ids that nothing known has are counted; where all are unknown, or of another type, refused', () => {
        const some = model.recommend('1', { candidates: ['', 'no such', 'nor this'], filterSeen: false });
        expect([some.length, some.unknown]).toEqual([1, 2]);
        expect(model.recommend('1', { candidates: [''] }).unknown).toBeUndefined();
        expect(model.recommend('1', { exclude: ['no such'] }).unknown).toBe(1);
        for (const candidates of [['no such'], [12345]]) {
          const error = catchError(() => model.recommend('1', { candidates }));
          expect(error).toBeInstanceOf(OptionError);
          expect(error).toMatchObject({ option: 'candidates' });
          expect((error as OptionError).message).toContain('knows none of them');
        }
        const numbers = Array.from({ length: 3 }, (_, at) => 1e9 + at);
        // 1 is an item, so numbers may be excluded; what is no id is refused.
        expect(model.recommend('1', { exclude: numbers }).unknown).toBe(3);
        for (const wrong of [null, true, {}] as never[])
          for (const options of [{ candidates: [wrong] }, { exclude: [wrong] }])
            expect(catchError(() => model.recommend('1', options))).toBeInstanceOf(OpmfError);
      });

      ofRatings('ties: the item that came first in the data', async () => {
        const data = Interactions.from(cells);
        const same = await fitted({ ...quick, ...flat }, data);
        expect(idsOf(same.recommend(1, { filterSeen: false }))).toEqual([...data.items]);
        expect(idsOf(same.recommend(1, { filterSeen: false, n: 3 }))).toEqual([...data.items].slice(0, 3));
      });

      test.each(['new', 'cold'])('%s user: popular items, and says so', (user) => {
        const list = model.recommend(user, { n: 100 });
        const count = (item: Id) => [...odd].filter(({ itemId }) => itemId === item).length;
        const expected = ODD_IDS.map((itemId) => ({ itemId, score: count(itemId) })).sort((a, b) => b.score - a.score);
        expect(list.basis).toBe('popularity');
        expect([...list]).toEqual(expected);
        expect([...model.recommend(user, { n: 1, exclude: [expected[0]!.itemId] })]).toEqual([expected[1]]);
      });

      test('recommendMany and recommendEach are recommend, user by user', async () => {
        const users = ['😀', 'new', 0, '__proto__'] as const;
        const lists = await model.recommendMany(new Set<Id>(users), { n: 3, exclude: [1] });
        const each: [Id, RecommendationList][] = [];
        for await (const one of model.recommendEach(users, { n: 3, exclude: [1] })) each.push(one);
        expect(each).toEqual([...lists]);
        expect([...lists.keys()]).toEqual(users);
        for (const [user, list] of lists) expect(list).toEqual(model.recommend(user, { n: 3, exclude: [1] }));
        expect(lists.get('new')).toMatchObject({ basis: 'popularity' });
      });

      test.each([
        [{ n: -1 }, 'n'],
        [{ n: 1.5 }, 'n'],
        [{ n: Number.NaN }, 'n'],
        [{ filterSeen: 'yes' }, 'filterSeen'],
        [{ exclude: 5 }, 'exclude'],
        [{ candidates: 'tea' }, 'candidates'],
        [{ top: 5 }, 'top'],
      ])('%p is refused by name', (options, option) => {
        const error = catchError(() => model.recommend(1, options as never));
        expect(error).toBeInstanceOf(OptionError);
        expect(error).toMatchObject({ option });
      });
    });

    test.each([
      ['userIds', () => model.recommendEach('ann')],
      ['userIds', () => model.recommendEach(undefined as never)],
      ['pairs', () => model.predictMany(null as never)],
      ['pairs', () => model.predictMany('ab' as never)],
    ])('%s must be a list, which a string is not', (option, call) => {
      expect(catchError(call)).toBeInstanceOf(OptionError);
      expect(catchError(call)).toMatchObject({ option });
    });

    ofVectors('similar items and users, by cosine or dot product: others, trained ones, most alike first', () => {
      for (const measure of ['cosine', 'dot'] as const) {
        const items = model.similarItems!('', { n: 100, measure });
        const users = model.similarUsers!('', { n: 100, measure });
        expectAlike(
          items.map(({ itemId, score }) => ({ id: itemId, score })),
          measure === 'cosine',
        );
        expectAlike(
          users.map(({ userId, score }) => ({ id: userId, score })),
          measure === 'cosine',
        );
        expect(model.similarItems!('', { n: 2, measure })).toEqual(items.slice(0, 2));
        expect(model.similarItems!('', { n: 0, measure })).toEqual([]);
      }
    });

    testWhere(can.includes('similarItems'))('similar items by its own measure, which is symmetric', () => {
      const items = model.similarItems!('', { n: 100 });
      expectAlike(
        items.map(({ itemId, score }) => ({ id: itemId, score })),
        true,
      );
      const back = model.similarItems!(1, { n: 100 }).find(({ itemId }) => itemId === '1')!;
      const forth = model.similarItems!('1', { n: 100 }).find(({ itemId }) => itemId === 1)!;
      expect(back.score).toBe(forth.score);
    });

    testWhere(item !== undefined && can.includes('similarItems'))('a measure that is not its own is refused', () => {
      expect(() => model.similarItems!('', { measure: 'dot' })).toThrow(UnsupportedError);
    });

    test.each(['cold', 'new', 2, 'valueOf'])('nothing is similar to %p, which was never trained', (id) => {
      for (const ask of [
        ...(can.includes('similarItems') ? [() => model.similarItems!(id)] : []),
        ...(can.includes('similarUsers') ? [() => model.similarUsers!(id)] : []),
        ...(can.includes('explain') ? [() => model.explain!(id, 1), () => model.explain!(1, id)] : []),
      ]) {
        const error = catchError(ask);
        expect(error).toBeInstanceOf(UnknownIdError);
        expect(error).toMatchObject({ id });
        expect(String(error)).toContain(JSON.stringify(id));
      }
    });

    testWhere(item?.basis !== 'popularity')('ids keep their type: 1 and "1" are two users and two items', () => {
      expect(model.predict(1, 0)).not.toBe(model.predict('1', 0));
      expect(model.predict(0, 1)).not.toBe(model.predict(0, '1'));
    });
  });
}

/** Every other id of the odd data, most alike first. */
function expectAlike(list: readonly { readonly id: Id; readonly score: number }[], isCosine: boolean): void {
  expect(new Set(list.map(({ id }) => id))).toEqual(new Set(ODD_IDS.filter((id) => id !== '')));
  const scores = list.map(({ score }) => score);
  expect(scores).toEqual([...scores].sort((a, b) => b - a));
  if (isCosine) expect(Math.max(...scores.map(Math.abs))).toBeLessThanOrEqual(1 + 1e-6);
}

function catchError(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
