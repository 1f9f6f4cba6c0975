// Batches: every rating once an epoch, in an order that is a function of the stream and the epoch alone.

import { Stream } from '../../src/core/random';
import type { RatingData } from '../../src/models/model';
import { RatingBatcher } from '../../src/models/rating-batcher';
import { randomRatings } from '../support/training';

const SIZE = 23;
const data: RatingData = {
  ...randomRatings({ users: 9, items: 8 }, SIZE, 'float32'),
  weights: Float32Array.from({ length: SIZE }, (_, i) => i / 2),
};

/** The ratings of an epoch as text, in order, and the sizes of its batches. */
function epochOf(batcher: RatingBatcher, epoch: number, shuffle: boolean, limit: number) {
  const ratings: string[] = [];
  const sizes: number[] = [];
  batcher.begin(epoch, shuffle);
  for (let batch = batcher.next(limit); batch !== null; batch = batcher.next(limit)) {
    const { count, users, items, targets, weights } = batch;
    sizes.push(count);
    for (let s = 0; s < count; s++) ratings.push([users[s], items[s], targets[s], weights?.[s]].join());
  }
  return { ratings, sizes };
}
const inOrder = Array.from({ length: SIZE }, (_, i) =>
  [data.users[i], data.items[i], data.targets[i], data.weights![i]].join(),
);

test.each([1, 4, 23, 100])('batches of %d hold every rating once, in data order without a shuffle', (limit) => {
  const { ratings, sizes } = epochOf(new RatingBatcher(data, Stream.of(1)), 1, false, limit);
  expect(ratings).toEqual(inOrder);
  expect(Math.max(...sizes)).toBe(Math.min(limit, SIZE));
  expect(sizes.length).toBe(Math.ceil(SIZE / limit));
});

test('a shuffled epoch is a permutation of whole ratings, and another one each epoch', () => {
  const batcher = new RatingBatcher(data, Stream.of(1));
  const first = epochOf(batcher, 1, true, 5).ratings;
  const second = epochOf(batcher, 2, true, 5).ratings;
  expect([...first].sort()).toEqual([...inOrder].sort());
  expect(first).not.toEqual(inOrder);
  expect(second).not.toEqual(first);
});

test('the order of an epoch depends on neither the epochs before nor the size of the batches', () => {
  const batcher = new RatingBatcher(data, Stream.of(1));
  epochOf(batcher, 1, true, 5);
  const third = epochOf(batcher, 3, true, 5).ratings;
  expect(epochOf(new RatingBatcher(data, Stream.of(1)), 3, true, 7).ratings).toEqual(third);
  expect(epochOf(batcher, 3, true, 1).ratings).toEqual(third);
  expect(epochOf(new RatingBatcher(data, Stream.of(2)), 3, true, 5).ratings).not.toEqual(third);
});

test('ratings without weights have batches without', () => {
  const batcher = new RatingBatcher({ ...data, weights: null }, Stream.of(1));
  batcher.begin(1, true);
  expect(batcher.next(4)!.weights).toBeNull();
});
