// Negatives: drawn as often as they should be, never what the user has, and the same again from the same stream.

import { DataError } from '../../src/core/errors';
import { Stream } from '../../src/core/random';
import { MFModel } from '../../src/models/factorization';
import type { RatingData } from '../../src/models/model';
import { CandidateBatcher } from '../../src/training/candidate-batches';
import { AliasTable, ItemSampler, type NegativeSampling, Positives, passOver } from '../../src/training/negatives';
import { RatingBatcher } from '../../src/training/rating-batches';
import { NEVER_YIELD, randomRatings } from '../support/training';

const USERS = 12;
const ITEMS = 20;
const UNIFORM: NegativeSampling = { count: 3, sampler: 'uniform', exponent: 0.75 };

function countsOf({ items }: RatingData): Int32Array {
  const counts = new Int32Array(ITEMS);
  for (const item of items) counts[item]!++;
  return counts;
}

const data = (() => {
  const ratings = randomRatings({ users: USERS, items: ITEMS }, 90, 'float32');
  return { ...ratings, counts: { users: new Int32Array(USERS), items: countsOf(ratings) } };
})();

/** Chi-square of some counts against what is expected of them. */
function chiSquare(counts: readonly number[], expected: readonly number[]): number {
  return counts.reduce((sum, count, k) => sum + (count - expected[k]!) ** 2 / expected[k]!, 0);
}

// The last has too many pairs for a bit each.
test.each([
  [USERS, ITEMS],
  [2 ** 14, 2 ** 13 + 1],
])('what a user has is known exactly: %d users, %d items', async (users, items) => {
  const positives = await Positives.of(data, users, items, NEVER_YIELD);
  const pairs = new Set(Array.from(data.users, (user, k) => `${user} ${data.items[k]}`));
  for (let user = 0; user < USERS; user++) {
    for (let item = 0; item < ITEMS; item++) expect(positives.has(user, item)).toBe(pairs.has(`${user} ${item}`));
  }
});

test('an alias table draws in proportion to its weights, and never what has none', () => {
  const weights = [5, 1, 0, 3, 0.5, 2.5];
  const table = new AliasTable(Float64Array.from(weights));
  const stream = Stream.of('alias');
  const counts = new Array<number>(6).fill(0);
  const draws = 60_000;
  for (let k = 0; k < draws; k++) counts[table.draw(stream)]!++;
  expect(counts[2]).toBe(0);
  const used = weights.flatMap((weight, k) => (weight > 0 ? [k] : []));
  const expected = used.map((k) => (draws * weights[k]!) / 12);
  // The 99.999 % point of chi-square with 4 degrees of freedom.
  expect(
    chiSquare(
      used.map((k) => counts[k]!),
      expected,
    ),
  ).toBeLessThan(28.5);
});

test.each(['uniform', 'popularity'] as const)(
  '%s: items that the user does not have, as often as their chance',
  async (sampler) => {
    const positives = await Positives.of(data, USERS, ITEMS, NEVER_YIELD);
    const exponent = 0.5;
    const itemSampler = new ItemSampler(data.counts.items, positives, { count: 1, sampler, exponent });
    const stream = Stream.of(sampler);
    const user = 4;
    const counts = new Array<number>(ITEMS).fill(0);
    const draws = 40_000;
    for (let k = 0; k < draws; k++) counts[itemSampler.draw(user, stream, 0)]!++;
    const chance = (item: number) => {
      if (positives.has(user, item) || data.counts.items[item] === 0) return 0;
      return sampler === 'uniform' ? 1 : data.counts.items[item]! ** exponent;
    };
    const chances = Array.from({ length: ITEMS }, (_, item) => chance(item));
    const sum = chances.reduce((a, b) => a + b);
    const open = chances.flatMap((value, item) => (value > 0 ? [item] : []));
    for (const [item, value] of chances.entries()) if (value === 0) expect(counts[item]).toBe(0);
    // Far beyond the 99.999 % point for at most 19 degrees of freedom.
    expect(
      chiSquare(
        open.map((item) => counts[item]!),
        open.map((item) => (draws * chances[item]!) / sum),
      ),
    ).toBeLessThan(57);
    const total = Array.from(data.counts.items.keys()).reduce(
      (all, item) => all + (data.counts.items[item]! > 0 ? Math.exp(itemSampler.logChance[item]!) : 0),
      0,
    );
    expect(total).toBeCloseTo(1, 5);
  },
);

test('a user who lacks one item gets it, and one who lacks none is an error that says so', async () => {
  const rows = (count: number): RatingData => ({
    size: count,
    users: new Int32Array(count),
    items: Int32Array.from({ length: count }, (_, k) => k),
    targets: new Float32Array(count),
    weights: null,
  });
  const counts = new Int32Array(300).fill(1);
  const sampler = async (count: number) =>
    new ItemSampler(counts, await Positives.of(rows(count), 1, 300, NEVER_YIELD), { ...UNIFORM, count: 1 });
  const lacking = await sampler(299);
  const stream = Stream.of(1);
  for (let k = 0; k < 100; k++) expect(lacking.draw(0, stream, 0)).toBe(299);
  const full = await sampler(300);
  expect(() => full.draw(0, Stream.of(1), 0)).toThrow(DataError);
  expect(() => full.draw(0, Stream.of(1), 0)).toThrow('every one of the 300 items');
});

describe('users who have every item', () => {
  /** Items 0 to 2 occur, of a vocabulary of 5; user 1 has them all, user 0 one of them three times. */
  const given: RatingData = {
    size: 7,
    // What is behind `size` is no row: with it user 2 would have all.
    users: Int32Array.of(0, 1, 0, 1, 1, 0, 2, 2, 2),
    items: Int32Array.of(0, 0, 0, 1, 2, 0, 1, 0, 2),
    targets: Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8),
    weights: Float32Array.of(0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5),
    counts: { users: Int32Array.of(3, 3, 3), items: Int32Array.of(4, 2, 1, 0, 0) },
  };

  test('their rows are left out, the others keep their order, targets and weights', async () => {
    const { users, data: left } = await passOver(given, NEVER_YIELD);
    expect(users).toBe(1);
    expect([...left.users]).toEqual([0, 0, 0, 2]);
    expect([...left.items]).toEqual([0, 0, 0, 1]);
    expect([...left.targets]).toEqual([0, 2, 5, 6]);
    expect([...left.weights!]).toEqual([0.5, 2.5, 5.5, 6.5]);
    expect([left.size, left.counts]).toEqual([4, given.counts]);
  });

  test('nobody: the data themselves; everybody: an error', async () => {
    const none = { ...given, size: 1, counts: { users: Int32Array.of(1, 0, 0), items: Int32Array.of(1, 1, 0, 0, 0) } };
    expect(await passOver(none, NEVER_YIELD)).toEqual({ data: none, users: 0 });
    const only = { ...given, size: 1, counts: { users: Int32Array.of(1, 0, 0), items: Int32Array.of(1, 0, 0, 0, 0) } };
    await expect(passOver(only, NEVER_YIELD)).rejects.toThrow('every one of the 1 items');
  });
});

describe('batches of candidates', () => {
  const batcher = async (of: RatingData & { counts: typeof data.counts } = data, shuffle = true) => {
    const model = new MFModel({ users: USERS, items: ITEMS, rank: 2 });
    const order = { stream: Stream.of(1), shuffle, blocks: { users: 1, items: 1 }, grouping: 1 as const };
    const made = new CandidateBatcher(new RatingBatcher(of, model, order), of, model, UNIFORM, Stream.of(2));
    made.reserve(16);
    await made.prepare(NEVER_YIELD);
    return made;
  };
  const epochOf = (made: CandidateBatcher, epoch: number) => {
    made.begin(epoch);
    const seen: { user: number; items: number[] }[] = [];
    for (let batch = made.next(16); batch !== null; batch = made.next(16)) {
      expect(batch.group).toBe(4);
      for (let s = 0; s < batch.count; s += 4) {
        const users = [...batch.users.subarray(s, s + 4)];
        expect(new Set(users).size).toBe(1);
        expect([...batch.targets.subarray(s, s + 4)]).toEqual([1, 0, 0, 0]);
        seen.push({ user: users[0]!, items: [...batch.items.subarray(s, s + 4)] });
      }
    }
    return seen;
  };

  test('every interaction once an epoch, first in its group, with items that its user does not have', async () => {
    const positives = await Positives.of(data, USERS, ITEMS, NEVER_YIELD);
    const seen = epochOf(await batcher(), 1);
    const firsts = seen.map(({ user, items }) => `${user} ${items[0]}`).sort();
    expect(firsts).toEqual(Array.from(data.users, (user, k) => `${user} ${data.items[k]}`).sort());
    for (const { user, items } of seen)
      for (const item of items.slice(1)) expect(positives.has(user, item)).toBe(false);
  });

  test('one draw for each negative, in order, from the stream of the epoch; its log chance and the weight go with it', async () => {
    const weighted = { ...data, weights: Float32Array.from(data.users, (_, k) => 1 + (k % 7)) };
    const made = await batcher(weighted, false);
    const sampler = new ItemSampler(data.counts.items, await Positives.of(data, USERS, ITEMS, NEVER_YIELD), UNIFORM);
    const stream = Stream.of(2).fork(3);
    made.begin(3);
    let row = 0;
    for (let batch = made.next(16); batch !== null; batch = made.next(16)) {
      for (let s = 0; s < batch.count; s++) {
        const item = s % 4 === 0 ? data.items[row]! : sampler.draw(data.users[row]!, stream, 0);
        expect([batch.users[s], batch.items[s]]).toEqual([data.users[row], item]);
        expect(batch.logQ![s]).toBe(sampler.logChance[item]);
        expect(batch.weights![s]).toBe(weighted.weights[row]);
        if (s % 4 === 3) row++;
      }
    }
    expect(row).toBe(data.size);
  });

  test('an epoch is a function of the stream and its number', async () => {
    const [one, two] = [await batcher(), await batcher()];
    epochOf(one, 1);
    const second = epochOf(one, 2);
    expect(epochOf(two, 2)).toEqual(second);
    expect(epochOf(two, 1)).not.toEqual(second);
  });
});
