// Batches: every rating once an epoch, in an order that is a function of the data, the stream and the epoch alone.

import { Stream } from '../../src/core/random';
import type { RatingData } from '../../src/models/model';
import type { OrderOptions } from '../../src/training/per-rating/block-schedule';

import { RatingBatcher } from '../../src/training/rating-batches';
import { NEVER_YIELD, randomRatings } from '../support/training';

const SIZE = 93;
const ROWS = { users: 9, items: 8 };
const data: RatingData = {
  ...randomRatings(ROWS, SIZE, 'float32'),
  weights: Float32Array.from({ length: SIZE }, (_, i) => i / 2),
};

async function batcherOf(options: Partial<OrderOptions> = {}, ratings = data): Promise<RatingBatcher> {
  const defaults: OrderOptions = { stream: Stream.of(1), shuffle: true, blocks: { users: 1, items: 1 }, grouping: 1 };
  const batcher = new RatingBatcher(ratings, ROWS, { ...defaults, ...options });
  await batcher.prepare(NEVER_YIELD);
  return batcher;
}

/** The ratings of an epoch as text, in order, and the sizes of its batches. */
function epochOf(batcher: RatingBatcher, epoch: number, limit: number) {
  const ratings: string[] = [];
  const sizes: number[] = [];
  const groups: [number, number][][] = [];
  batcher.begin(epoch);
  for (let batch = batcher.next(limit); batch !== null; batch = batcher.next(limit)) {
    const { count, users, items, targets, weights } = batch;
    sizes.push(count);
    for (let s = 0; s < count; s++) ratings.push([users[s], items[s], targets[s], weights?.[s]].join());
    if (batch.sizes !== null)
      for (let s = 0; s < count; s += batch.sizes[s]!)
        groups.push(Array.from({ length: batch.sizes[s]! }, (_, j) => [users[s + j]!, items[s + j]!]));
  }
  return { ratings, sizes, groups };
}
const inOrder = Array.from({ length: SIZE }, (_, i) =>
  [data.users[i], data.items[i], data.targets[i], data.weights![i]].join(),
);

test.each([1, 4, 93, 100])('batches of %d hold every rating once, in data order without a shuffle', async (limit) => {
  const { ratings, sizes } = epochOf(await batcherOf({ shuffle: false }), 1, limit);
  expect(ratings).toEqual(inOrder);
  expect(Math.max(...sizes)).toBe(Math.min(limit, SIZE));
  expect(sizes.length).toBe(Math.ceil(SIZE / limit));
});

test.each([1, 3])(
  'a shuffled epoch over %d blocks is a permutation of whole ratings, another each epoch',
  async (users) => {
    const batcher = await batcherOf({ blocks: { users, items: 2 } });
    const first = epochOf(batcher, 1, 5).ratings;
    const second = epochOf(batcher, 2, 5).ratings;
    expect([...first].sort()).toEqual([...inOrder].sort());
    expect([...second].sort()).toEqual([...inOrder].sort());
    expect(first).not.toEqual(inOrder);
    expect(second).not.toEqual(first);
  },
);

test('the order of an epoch depends on neither the epochs before nor the size of the batches', async () => {
  const batcher = await batcherOf({ blocks: { users: 2, items: 2 } });
  epochOf(batcher, 1, 5);
  const third = epochOf(batcher, 3, 5).ratings;
  expect(epochOf(await batcherOf({ blocks: { users: 2, items: 2 } }), 3, 7).ratings).toEqual(third);
  expect(epochOf(batcher, 3, 1).ratings).toEqual(third);
  expect(epochOf(await batcherOf({ blocks: { users: 2, items: 2 }, stream: Stream.of(2) }), 3, 5).ratings).not.toEqual(
    third,
  );
});

test('groups are of one user, with up to four different items, and cover every rating once', async () => {
  const batcher = await batcherOf({ blocks: { users: 2, items: 2 }, grouping: 4 });
  const { ratings, groups } = epochOf(batcher, 1, 3);
  expect([...ratings].sort()).toEqual([...inOrder].sort());
  expect(groups.length).toBe(batcher.steps);
  expect(groups.some((group) => group.length === 4)).toBe(true);
  for (const group of groups) {
    expect(group.length).toBeLessThanOrEqual(4);
    expect(new Set(group.map(([user]) => user)).size).toBe(1);
    expect(new Set(group.map(([, item]) => item)).size).toBe(group.length);
  }
});

test('ratings without weights have batches without', async () => {
  const batcher = await batcherOf({}, { ...data, weights: null });
  batcher.begin(1);
  expect(batcher.next(4)!.weights).toBeNull();
});
