// What every recommender must keep of itself: a file, a seed, its options as JSON and a fresh copy give the same bits.

import { UnsupportedError } from '../../src/core/errors';
import { Interactions } from '../../src/data/interactions';
import { loadRecommender } from '../../src/recommenders/registry';
import {
  type AnyRecommender,
  bitsOf,
  fittedBy,
  ODD_IDS,
  type Options,
  odd,
  quick,
  type RecommenderUnderTest,
  testWhere,
} from './odd-ratings';

/** Runs the contract over a recommender. */
export function recommenderBitsContract({ name, make, load, item, isSolved }: RecommenderUnderTest): void {
  /** Where a file without history still knows its users. */
  const ofUsers = testWhere(item?.needsHistory !== true);
  const fitted = (options?: Options, data?: Interactions) => fittedBy(make, options, data);

  describe(`${name} gives the same bits`, () => {
    let model: AnyRecommender;
    beforeAll(async () => {
      model = await fitted();
    });

    describe('save and load', () => {
      const users = [...ODD_IDS, 'cold', 'new'];
      const answers = async (of: AnyRecommender, filterSeen: boolean) => [
        ...(await of.recommendMany(users, { n: 4, filterSeen })).values(),
        ...(of.similarItems === undefined ? [] : [of.similarItems(1)]),
        ...(of.similarUsers === undefined ? [] : [of.similarUsers('😀', { measure: 'dot' })]),
      ];

      test('gives the same bits and answers, by its class and by loadRecommender', async () => {
        for (const loaded of [load(model.save()), loadRecommender(model.save())] as AnyRecommender[]) {
          expect(loaded.name).toBe(model.name);
          expect(loaded.constructor).toBe(model.constructor);
          expect(loaded.options).toEqual(model.options);
          expect(bitsOf(loaded)).toBe(bitsOf(model));
          expect(await answers(loaded, true)).toEqual(await answers(model, true));
          for (const user of users) expect(loaded.knows(user, 1)).toBe(model.knows(user, 1));
        }
      });

      ofUsers(
        'without history, predictions are the same, and nothing is filtered unless asked, which is refused',
        async () => {
          const bytes = model.save({ history: false });
          expect(bytes.length).toBeLessThan(model.save().length);
          const loaded = load(bytes);
          expect(bitsOf(loaded)).toBe(bitsOf(model));
          expect(await answers(loaded, false)).toEqual(await answers(model, false));
          expect(loaded.recommend(odd.users.idOf(0))).toEqual(
            loaded.recommend(odd.users.idOf(0), { filterSeen: false }),
          );
          await expect(answers(loaded, true)).rejects.toThrow(UnsupportedError);
        },
      );

      test('what was loaded can be saved again', async () => {
        for (const history of item?.needsHistory === true ? [true] : [true, false]) {
          const once = load(model.save({ history }));
          expect(bitsOf(load(once.save()))).toBe(bitsOf(model));
          expect(await answers(load(once.save()), history)).toEqual(await answers(once, history));
        }
      });

      test('what was loaded can be trained again, from the start', async () => {
        const loaded = load(model.save());
        await loaded.fit(odd);
        expect(bitsOf(loaded)).toBe(bitsOf(model));
      });

      test('a fitted recommender does not change when its vocabularies are extended for other data', async () => {
        const own = Interactions.from([...odd]);
        const before = await fitted(quick, own);
        const bytes = before.save();
        const predictions = bitsOf(before);
        const list = [...before.recommend('nobody', { n: 100 })];
        Interactions.from([['later', 'later', 3]], { users: own.users, items: own.items });
        expect(bitsOf(before)).toBe(predictions);
        expect(before.knows('later', 'later')).toBe(false);
        expect([...before.recommend('nobody', { n: 100 })]).toEqual(list);
        expect(before.recommend('nobody', { n: 100, candidates: ['later', 1] }).every(({ score }) => score >= 0)).toBe(
          true,
        );
        expect(bitsOf(load(before.save()))).toBe(predictions);
        expect(before.save()).toEqual(bytes);
      });
    });

    describe('from seeds and options', () => {
      test('twice from one seed, in a new recommender, a fresh one and the same one; others from another seed', async () => {
        expect(bitsOf(await fitted())).toBe(bitsOf(model));
        const fresh = model.fresh();
        expect([fresh.isFitted, fresh.name]).toEqual([false, model.name]);
        expect(fresh.options).toEqual(make(quick).options);
        await fresh.fit(odd);
        expect(fresh.options).toEqual(model.options);
        expect(bitsOf(fresh)).toBe(bitsOf(model));
        await fresh.fit(odd);
        expect(bitsOf(fresh)).toBe(bitsOf(model));
        if (item !== undefined) return;
        expect(bitsOf(await fitted({ ...quick, seed: 2 }))).not.toBe(bitsOf(model));
        if (!isSolved) expect(bitsOf(await fitted({ ...quick, shuffle: false }))).not.toBe(bitsOf(model));
      });

      test('from the options once they were JSON', async () => {
        const again = make(JSON.parse(JSON.stringify(model.options)));
        expect(again.options).toEqual(model.options);
        await again.fit(odd);
        expect(bitsOf(again)).toBe(bitsOf(model));
      });
    });
  });
}
