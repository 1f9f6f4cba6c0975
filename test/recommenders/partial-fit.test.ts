// Training that goes on: new users and items get rows, what is not touched keeps its bytes, and answers follow.

import fc from 'fast-check';
import { UnsupportedError } from '../../src/core/errors';
import { Interactions } from '../../src/data/interactions';
import { syntheticInteractions } from '../../src/data/synthetic';
import { type ExtendedHistory, extendSeen } from '../../src/recommenders/extend-seen';
import { MF } from '../../src/recommenders/mf';
import { OverparamMF } from '../../src/recommenders/overparam-mf';
import { countRows, eachUserOf, InteractionHistory, laidOut } from '../../src/serving/interaction-history';

const old = syntheticInteractions({ users: 40, items: 30, ratings: 600, seed: 5 });
const [firstUser, firstItem] = [old.users.idOf(0), old.items.idOf(0)];
const secondItem = old.items.idOf(1);
const fresh = Interactions.from([
  ['newcomer', firstItem, 5],
  ['newcomer', secondItem, 1],
  ['newcomer', 'novelty', 4],
  ['other', 'novelty', 5],
  ['other', firstItem, 3],
]);

describe.each([
  ['MF', MF],
  ['OverparamMF', OverparamMF],
])('%s', (_, Recommender) => {
  let model: MF | OverparamMF;
  beforeEach(async () => {
    model = new Recommender({ rank: 3, epochs: 20 });
    await model.fit(old);
  });

  test('before a fit it is one', async () => {
    const again = new Recommender({ rank: 3, epochs: 20 });
    await again.partialFit(old);
    expect(again.save()).toEqual(model.save());
  });

  test('new users and items are known; rows that nothing new is about keep their bytes', async () => {
    const users = rowsOf(model);
    const history = await model.partialFit(fresh);
    expect(history.epochs.length).toBe(1);
    expect(history.epochs[0]!.trainLoss).toBeGreaterThan(0);
    expect(rowsOf(model, old.users.size)).toEqual(users);
    expect(model.knows('newcomer', 'novelty')).toBe(true);
    expect(model.recommend('newcomer').basis).toBe('model');
    expect(model.recommend('newcomer', { n: 100 }).map(({ itemId }) => itemId)).not.toContain(secondItem);
    expect(model.predict('newcomer', firstItem)).toBeGreaterThan(model.predict('newcomer', secondItem));
    // The data's own vocabulary has not grown.
    expect(old.users.has('newcomer')).toBe(false);
  });

  test('the new user is who folding in says', async () => {
    const known = Interactions.from([
      ['newcomer', firstItem, 5],
      ['newcomer', secondItem, 1],
    ]);
    const folded = model.foldInUser([
      [firstItem, 5],
      [secondItem, 1],
    ]);
    const [minimum, maximum] = [old.stats().minimum, old.stats().maximum];
    expect([minimum <= 1, maximum >= 5]).toEqual([true, true]);
    await model.partialFit(known);
    for (const item of old.items) expect(model.predict('newcomer', item)).toBeCloseTo(folded.predict(item), 5);
  });

  test('a rating again replaces the old one; a file goes on the same; one without history does not', async () => {
    const rows = [...old].filter(({ userId }) => userId === firstUser).map((row) => ({ ...row, value: 5 }));
    const loaded = Recommender.load(model.save());
    const bare = Recommender.load(model.save({ history: false }));
    const count = model.explain(firstUser, firstItem, { n: 1000 }).length;
    await model.partialFit(Interactions.from(rows));
    await loaded.partialFit(Interactions.from(rows));
    expect([...loaded.predictMany(old)]).toEqual([...model.predictMany(old)]);
    expect(model.explain(firstUser, firstItem, { n: 1000 }).length).toBe(count);
    expect(model.predict(firstUser, firstItem)).toBeGreaterThan(4);
    await expect(bare.partialFit(fresh)).rejects.toThrow(UnsupportedError);
  });

  test('an abort leaves it as it was; metrics and onEpoch are those of fit', async () => {
    const bytes = model.save();
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(model.partialFit(fresh, { signal: aborted })).rejects.toThrow('enough');
    expect(model.save()).toEqual(bytes);
    const epochs: number[] = [];
    const { epochs: records } = await model.partialFit(fresh, {
      validation: fresh,
      onEpoch: ({ epoch }) => epochs.push(epoch),
    });
    expect(epochs).toEqual([1]);
    expect(records[0]!.metrics.rmse).toBeGreaterThan(0);
  });
});

/** The user vectors of the users that were there first. */
function rowsOf(model: MF | OverparamMF, users = old.users.size): number[] {
  return Array.from({ length: users * 3 }, (_, k) => model.userFactors.get(Math.floor(k / 3), k % 3));
}

describe('what is new is counted since a row was last fitted', () => {
  const user = old.users.idOf(3);
  const had = [...old].filter(({ userId }) => userId === user).map(({ itemId }) => itemId);
  const others = [...old.items].filter((item) => !had.includes(item));
  const vectorOf = (model: MF) => model.userFactors.get(model.users.indexOf(user), 0);
  const fitted = async () => {
    const model = new MF({ rank: 3, epochs: 20 });
    await model.fit(old);
    return model;
  };

  test('one rating at a time moves a row as soon as they are a quarter of it, and again later', async () => {
    const model = await fitted();
    const moved: number[] = [];
    let before = vectorOf(model);
    for (let k = 0; k < others.length; k++) {
      await model.partialFit(Interactions.from([[user, others[k]!, 5]]));
      if (vectorOf(model) !== before) moved.push(k + 1);
      before = vectorOf(model);
    }
    // n of had + n is a quarter of all; then counted anew.
    const expected: number[] = [];
    for (let [k, fresh] = [1, 1]; k <= others.length; k++, fresh++) {
      if (fresh < 0.25 * (had.length + k)) continue;
      expected.push(k);
      fresh = 0;
    }
    expect(expected.length).toBeGreaterThan(1);
    expect(moved).toEqual(expected);
  });

  test('a rating of a known item again counts too; an item moves like a user', async () => {
    const model = await fitted();
    const item = old.items.idOf(2);
    const fans = [...old].filter(({ itemId }) => itemId === item).map(({ userId }) => userId);
    const factor = () => model.itemFactors.get(model.items.indexOf(item), 0);
    const before = factor();
    let calls = 0;
    while (factor() === before) await model.partialFit(Interactions.from([[fans[calls++ % fans.length]!, item, 1]]));
    expect(calls).toBe(Math.ceil(fans.length / 4));
  });

  test('the count is in a file, and a file without it starts from 0', async () => {
    const model = await fitted();
    const wanted = Math.ceil(had.length / 3);
    for (let k = 0; k < wanted - 1; k++) await model.partialFit(Interactions.from([[user, others[k]!, 5]]));
    const loaded = MF.load(model.save());
    const last = Interactions.from([[user, others[wanted - 1]!, 5]]);
    const before = vectorOf(loaded);
    await model.partialFit(last);
    await loaded.partialFit(last);
    expect(vectorOf(loaded)).not.toBe(before);
    expect(loaded.save()).toEqual(MF.load(model.save()).save());
  });
});

test('predictions reach as far as new ratings do', async () => {
  const model = new MF({ rank: 3, epochs: 20 });
  await model.fit(old);
  const { maximum, minimum } = old.stats();
  const all = (user: string, value: number) => [...old.items].map((item) => [user, item, value] as const);
  await model.partialFit(Interactions.from([...all('keen', maximum + 50), ...all('sour', minimum - 50)]));
  expect(model.predict('keen', firstItem)).toBeGreaterThan(maximum);
  expect(model.predict('sour', firstItem)).toBeLessThan(minimum);
});

describe('a history that grows', () => {
  const scheduler = { isDue: () => false, yieldNow: async () => {} };
  const ofRows = (rows: readonly (readonly [number, number, number])[]) => Interactions.from(rows);

  test('is the one that is laid out, whatever came in whatever parts', async () => {
    const cell = fc.tuple(fc.nat(9), fc.nat(9), fc.integer({ min: 1, max: 5 }));
    const parts = fc.array(fc.array(cell, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.array(cell, { minLength: 1, maxLength: 30 }), parts, async (first, later) => {
        const data = ofRows(first);
        let state: Pick<ExtendedHistory, 'users' | 'items' | 'seen'> = {
          users: data.users,
          items: data.items,
          seen: await InteractionHistory.of(data, await countRows(data, scheduler), scheduler),
        };
        const known = new Map([...data].map(({ userId, itemId, value }) => [`${userId} ${itemId}`, value]));
        for (const rows of later) {
          for (const [u, i, value] of rows) known.set(`${u} ${i}`, value);
          state = await extendSeen(state, ofRows(rows), scheduler);
        }
        const { users, items, seen } = state;
        const flat = laidOut(seen);
        const pairs = new Map<string, number>();
        const byItem = new Map<number, [number, number][]>();
        for (let user = 0; user < seen.userCounts.length; user++) {
          expect([...flat.itemsOf(user)]).toEqual([...seen.itemsOf(user)]);
          expect([...flat.valuesOf(user)!]).toEqual([...seen.valuesOf(user)!]);
          expect(seen.userCounts[user]).toBe(flat.itemsOf(user).length);
          for (const [k, item] of flat.itemsOf(user).entries()) {
            pairs.set(`${users.idOf(user)} ${items.idOf(item)}`, flat.valuesOf(user)![k]!);
            byItem.set(item, [...(byItem.get(item) ?? []), [user, flat.valuesOf(user)![k]!]]);
          }
        }
        expect(new Map([...pairs].sort())).toEqual(new Map([...known].sort()));
        for (let item = 0; item < seen.itemCounts.length; item++) {
          const told: [number, number][] = [];
          await eachUserOf(seen, item, scheduler, (user, value) => told.push([user, value]));
          expect(told).toEqual(byItem.get(item) ?? []);
          expect(seen.itemCounts[item]).toBe(told.length);
        }
      }),
    );
  });

  test('more than a thousand changed users are laid out anew, to the same answers', async () => {
    const rows = Array.from({ length: 1500 }, (_, u) => [u, u % 7, 1 + (u % 5)] as const);
    const news = rows.map(([u]) => [u, 7 + (u % 3), 1 + (u % 4)] as const);
    const [whole, parted] = [new MF({ rank: 2, epochs: 2 }), new MF({ rank: 2, epochs: 2 })];
    await whole.fit(ofRows(rows));
    await parted.fit(ofRows(rows));
    await whole.partialFit(ofRows(news));
    for (let from = 0; from < 1500; from += 500) await parted.partialFit(ofRows(news.slice(from, from + 500)));
    for (let u = 0; u < 1500; u += 97) {
      const [one, other] = [whole, parted].map((model) => model.explain(u, 8, { n: 10 }).map(({ itemId }) => itemId));
      expect(new Set(one)).toEqual(new Set(other));
      expect(one).toHaveLength(2);
    }
  });
});
