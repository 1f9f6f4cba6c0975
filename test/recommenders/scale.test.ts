// Predictions go with the rating scale: a r + b for every rating r gives a p + b for every prediction p.

import fc from 'fast-check';
import { DataError } from '../../src/core/errors';
import { Interactions } from '../../src/data/interactions';
import { syntheticInteractions } from '../../src/data/synthetic';
import { CASES } from './cases';

const data = syntheticInteractions({ users: 30, items: 20, ratings: 300 });
const { standardDeviation } = data.stats();
const pairs = [...data].slice(0, 50).map(({ userId, itemId }) => [userId, itemId] as const);
const unseen = [
  ['1', 'new'],
  ['new', '1'],
  ['new', 'new'],
] as const;
const every = [...pairs, ...unseen];

function mapped(a: number, b: number): Interactions {
  const rows = [...data].map(({ userId, itemId, value }) => [userId, itemId, a * value! + b] as const);
  // The same vocabularies: a row's random start goes with its number.
  return Interactions.from(rows, { users: data.users, items: data.items });
}

for (const { name, make } of CASES) {
  describe(`${name} follows the rating scale`, () => {
    let base: Float32Array;
    beforeAll(async () => {
      const model = make({ rank: 4 });
      await model.fit(data);
      base = model.predictMany(every);
    });

    const expectMapped = async (a: number, b: number) => {
      const model = make({ rank: 4 });
      await model.fit(mapped(a, b));
      const found = model.predictMany(every);
      // Of a standard deviation: what rounding ratings of this size to float32 can do in ten epochs.
      for (const [k, p] of base.entries()) {
        expect(Math.abs(found[k]! - (a * p + b))).toBeLessThan(1e-4 * a * standardDeviation + 1e-6 * Math.abs(b));
      }
    };

    test.each([
      [1, 3],
      [5, -15],
      [2.25, -1.25],
      [0.001, 0],
      [1000, -1e5],
      [25, -25],
    ])('a = %p, b = %p', expectMapped);

    test('any a above 0 and any b', async () => {
      const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
      await fc.assert(
        fc.asyncProperty(number(-3, 3), number(-20, 20), async (power, shift) => {
          const a = 10 ** power;
          await expectMapped(a, shift * a);
        }),
        { numRuns: 8 },
      );
    });
  });
}

test.each(['squared', 'huber', 'absolute'] as const)(
  'a sigmoid link follows the scale too, with loss %s',
  async (loss) => {
    const make = CASES[1]!.make;
    const options = { rank: 4, loss, link: 'sigmoid', initScale: 0.1 } as const;
    const [model, other] = [make(options), make(options)];
    await model.fit(data);
    await other.fit(mapped(5, -15));
    const found = other.predictMany(every);
    for (const [k, p] of model.predictMany(every).entries())
      expect(Math.abs(found[k]! - (5 * p - 15))).toBeLessThan(2e-3);
  },
);

describe('sets with nothing to learn from', () => {
  test.each(CASES.map((one) => [one.name, one] as const))('%s: all-equal ratings', async (_, { make }) => {
    for (const value of [0, 3.3, -1e6]) {
      const equal = Interactions.from([...data].map(({ userId, itemId }) => [userId, itemId, value]));
      for (const loss of ['squared', 'absolute', 'huber'] as const)
        await expect(make({ rank: 4, loss }).fit(equal)).rejects.toThrow(DataError);
    }
  });

  test.each(CASES.map((one) => [one.name, one] as const))('%s: one rating, one user, one item', async (_, { make }) => {
    for (const link of ['identity', 'sigmoid'] as const) {
      const one = make({ rank: 4, link });
      await one.fit(Interactions.from([['ann', 'tea', 4]]));
      expect(one.predict('ann', 'tea')).toBe(4);
      expect([...one.recommend('ann')]).toEqual([]);
      expect(one.recommend('bob')).toEqual(Object.assign([{ itemId: 'tea', score: 1 }], { basis: 'popularity' }));
      expect(one.similarItems('tea')).toEqual([]);
      const user = make({ rank: 4, link, clip: false });
      await user.fit(
        Interactions.from([
          ['ann', 'tea', 5],
          ['ann', 'milk', 1],
        ]),
      );
      expect(user.predict('ann', 'tea')).toBeGreaterThan(user.predict('ann', 'milk'));
      const item = make({ rank: 4, link });
      await item.fit(
        Interactions.from([
          ['ann', 'tea', 5],
          ['bob', 'tea', 1],
        ]),
      );
      expect(item.predict('ann', 'tea')).toBeGreaterThan(item.predict('bob', 'tea'));
    }
  });
});
