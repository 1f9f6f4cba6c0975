// The synthetic set has the shape that it says, and structure that only factors can find.

import fc from 'fast-check';
import { OptionError } from '../../src/core/errors';
import { Stream } from '../../src/core/random';
import type { Interactions } from '../../src/data/interactions';
import { splitRandom } from '../../src/data/splits';
import { apportion, powerLaw, type SyntheticOptions, syntheticInteractions } from '../../src/data/synthetic';
import { processorTime } from '../support/processor-time';

const distinctPairs = ({ userIndex, itemIndex, items }: Interactions) =>
  new Set(Array.from(userIndex, (user, row) => user * items.size + itemIndex[row]!)).size;

describe('the default', () => {
  const data = syntheticInteractions();
  const stats = data.stats();

  test('has the counts, mean and spread of MovieLens 100K', () => {
    expect([stats.ratings, stats.users, stats.items]).toEqual([100_000, 943, 1682]);
    expect([stats.minimum, stats.maximum]).toEqual([1, 5]);
    expect(Math.abs(stats.mean - 3.53)).toBeLessThan(0.02);
    expect(Math.abs(stats.standardDeviation - 1.126)).toBeLessThan(0.03);
  });

  test('has its long tails: the medians are far below the means', () => {
    const { medianPerUser, medianPerItem } = stats;
    expect(medianPerUser).toBeGreaterThan(45);
    expect(medianPerUser).toBeLessThan(75);
    expect(medianPerItem).toBeGreaterThan(17);
    expect(medianPerItem).toBeLessThan(35);
  });

  test('has whole stars, ids 1 to the number of users and items, and no pair twice', () => {
    expect(data.values.every(Number.isInteger)).toBe(true);
    expect([...data.users]).toEqual(Array.from({ length: 943 }, (_, k) => String(k + 1)));
    expect([...data.items]).toEqual(Array.from({ length: 1682 }, (_, k) => String(k + 1)));
    expect(distinctPairs(data)).toBe(100_000);
  });

  test('is the same again, and another under another seed', () => {
    const again = syntheticInteractions({ seed: 1 });
    expect(again.values).toEqual(data.values);
    expect(again.userIndex).toEqual(data.userIndex);
    expect(again.itemIndex).toEqual(data.itemIndex);
    expect(syntheticInteractions({ seed: 2 }).itemIndex).not.toEqual(data.itemIndex);
  });

  test('factors beat biases clearly, as they do on MovieLens 100K', () => {
    const split = splitRandom(data, { testFraction: 0.1 });
    const biasesOnly = testError(split.train, split.test, 0);
    const factors = testError(split.train, split.test, 8);
    expect(biasesOnly).toBeGreaterThan(0.92);
    expect(biasesOnly).toBeLessThan(0.97);
    expect(factors).toBeLessThan(0.975 * biasesOnly);
    expect(factors).toBeGreaterThan(0.88);
  });
});

test('without structure, factors find nothing', () => {
  const { train, test: tested } = splitRandom(syntheticInteractions({ structure: 0, ratings: 50_000 }), {
    testFraction: 0.1,
  });
  expect(testError(train, tested, 8)).toBeGreaterThan(0.995 * testError(train, tested, 0));
});

test('any size and density: exact rows, no pair twice, everyone covered where that is possible', () => {
  const sizes = fc.integer({ min: 1, max: 40 }).chain((users) =>
    fc.integer({ min: 1, max: 40 }).chain((items) =>
      fc.record({
        users: fc.constant(users),
        items: fc.constant(items),
        ratings: fc.integer({ min: 1, max: users * items }),
      }),
    ),
  );
  fc.assert(
    fc.property(sizes, fc.nat(99), (size, seed) => {
      const data = syntheticInteractions({ ...size, rank: 2, seed });
      expect(data.size).toBe(size.ratings);
      expect(distinctPairs(data)).toBe(size.ratings);
      if (size.ratings >= size.users) expect(data.stats().users).toBe(size.users);
      if (size.ratings >= size.items) expect(data.stats().items).toBe(size.items);
      expect(data.values.every((value) => Number.isInteger(value) && value >= 1 && value <= 5)).toBe(true);
    }),
    {
      examples: [
        [{ users: 40, items: 40, ratings: 1600 }, 1],
        [{ users: 1, items: 1, ratings: 1 }, 1],
      ],
    },
  );
});

test('a full and a nearly full table take no longer than their cells', () => {
  const start = processorTime();
  expect(distinctPairs(syntheticInteractions({ users: 300, items: 400, ratings: 120_000 }))).toBe(120_000);
  expect(distinctPairs(syntheticInteractions({ users: 300, items: 400, ratings: 108_000 }))).toBe(108_000);
  expect(processorTime() - start).toBeLessThan(3000);
});

test('shares sum to the whole, follow the weights, and respect floor and cap', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 50 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (count, cap, part) => {
        const total = Math.round(count + part * (cap - 1) * count);
        const shares = apportion(total, powerLaw(count, 0.1, 3), 1, cap);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(total);
        expect(Math.min(...shares)).toBeGreaterThanOrEqual(1);
        expect(Math.max(...shares)).toBeLessThanOrEqual(cap);
      },
    ),
  );
});

test.each<[string, SyntheticOptions]>([
  ['ratings', { users: 10, items: 10, ratings: 101 }],
  ['users', { users: 0 }],
  ['rank', { rank: 0 }],
  ['noise', { noise: -1 }],
  ['rating', { rating: 5 } as object],
])('%s out of range is refused by name', (option, options) => {
  expect(() => syntheticInteractions(options)).toThrow(OptionError);
  expect(() => syntheticInteractions(options)).toThrow(option);
});

/** The test RMSE of biases and, where rank is above 0, factors, after 10 epochs of SGD with the planned default's rates. */
function testError(train: Interactions, tested: Interactions, rank: number): number {
  const stream = Stream.of('test');
  const normals = (count: number, scale: number) => Float64Array.from({ length: count }, () => scale * stream.normal());
  const [users, items] = [train.users.size, train.items.size];
  const [bu, bi] = [normals(users, 0), normals(items, 0)];
  const [p, q] = [normals(users * rank, 0.03), normals(items * rank, 0.03)];
  const [nu, ni] = [new Float64Array(users), new Float64Array(items)];
  for (const user of train.userIndex) nu[user]!++;
  for (const item of train.itemIndex) ni[item]!++;
  const { mean } = train.stats();
  const predict = (user: number, item: number) => {
    let score = mean + bu[user]! + bi[item]!;
    for (let k = 0; k < rank; k++) score += p[user * rank + k]! * q[item * rank + k]!;
    return score;
  };
  for (let epoch = 0; epoch < 10; epoch++) {
    const decay = 1 - epoch / 10;
    for (let row = 0; row < train.size; row++) {
      const [user, item] = [train.userIndex[row]!, train.itemIndex[row]!];
      const error = train.values[row]! - predict(user, item);
      const [pu, pi] = [Math.sqrt(20 / nu[user]!), Math.sqrt(20 / ni[item]!)];
      bu[user]! += 0.05 * decay * (error - 0.18 * pu * bu[user]!);
      bi[item]! += 0.05 * decay * (error - 0.18 * pi * bi[item]!);
      for (let k = 0; k < rank; k++) {
        const [x, y] = [p[user * rank + k]!, q[item * rank + k]!];
        p[user * rank + k] = x + 0.17 * decay * (error * y - 0.245 * pu * x);
        q[item * rank + k] = y + 0.17 * decay * (error * x - 0.245 * pi * y);
      }
    }
  }
  const squares = tested.values.reduce(
    (sum, value, row) => sum + (value - predict(tested.userIndex[row]!, tested.itemIndex[row]!)) ** 2,
    0,
  );
  return Math.sqrt(squares / tested.size);
}
