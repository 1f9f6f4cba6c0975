// The order of feature rows: every epoch has each row once, in an order of its own that depends on the seed and the epoch.

import { Stream } from '../../src/core/random';
import { FeatureBatcher } from '../../src/training/feature-batches';
import { NEVER_YIELD } from '../support/training';

const SIZE = 50;
const rows = {
  size: SIZE,
  starts: Int32Array.from({ length: SIZE + 1 }, (_, s) => s),
  indices: new Int32Array(SIZE),
  values: new Float32Array(SIZE).fill(1),
  targets: Float32Array.from({ length: SIZE }, (_, s) => s),
  weights: null,
};

async function orderOf(seed: number, shuffle: boolean, epoch: number): Promise<number[]> {
  const batcher = new FeatureBatcher(rows, Stream.of(seed), shuffle);
  await batcher.prepare(NEVER_YIELD);
  batcher.begin(epoch);
  const order: number[] = [];
  for (let batch = batcher.next(7); batch !== null; batch = batcher.next(7))
    order.push(...batch.targets.subarray(0, batch.count));
  return order;
}

test('each epoch visits every row once, in another order than the epoch before', async () => {
  const [first, second, other] = [await orderOf(1, true, 1), await orderOf(1, true, 2), await orderOf(2, true, 1)];
  const inOrder = Array.from({ length: SIZE }, (_, s) => s);
  for (const order of [first, second, other]) {
    expect(order).not.toEqual(inOrder);
    expect([...order].sort((a, b) => a - b)).toEqual(inOrder);
  }
  expect(second).not.toEqual(first);
  expect(other).not.toEqual(first);
  expect(await orderOf(1, true, 2)).toEqual(second);
  expect(await orderOf(1, false, 2)).toEqual(inOrder);
});
