// Exported vectors order items as recommend does, by inner product and by cosine.

import { Interactions, MF, OverparamMF, syntheticInteractions } from 'opmf';
import type { VectorTable } from '../../src/recommenders/vector-table';

const data = syntheticInteractions({ users: 40, items: 30, ratings: 500 });

const rowOf = ({ values, dim }: VectorTable, at: number) => Array.from(values.subarray(at * dim, (at + 1) * dim));
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, k) => sum + x * b[k]!, 0);

describe.each([
  ['MF', () => new MF({ rank: 5, epochs: 3 })],
  ['OverparamMF', () => new OverparamMF({ rank: 5, epochs: 3 })],
  ['MF without biases', () => new MF({ rank: 5, epochs: 3, biases: false })],
] as const)('%s', (_, make) => {
  test.each(['inner-product', 'cosine'] as const)('%s orders items as recommend does', async (index) => {
    const model = make();
    await model.fit(data);
    const { users, items } = model.exportVectors({ index });
    const lengths = items.ids.map((_id, at) => dot(rowOf(items, at), rowOf(items, at)));
    if (index === 'cosine') for (const length of lengths) expect(length / lengths[0]!).toBeCloseTo(1, 5);
    users.ids.forEach((userId, at) => {
      const list = model.recommend(userId, { n: items.ids.length, filterSeen: false });
      const scores = new Map(items.ids.map((id, k) => [id, dot(rowOf(users, at), rowOf(items, k))]));
      const shift = list[0]!.score - scores.get(list[0]!.itemId)!;
      for (const { itemId, score } of list) expect(score - scores.get(itemId)!).toBeCloseTo(shift, 4);
    });
  });
});

test('rows that training never saw are left out', async () => {
  const whole = Interactions.from([
    ['a', 'x', 1],
    ['b', 'y', 2],
    ['c', 'z', 3],
  ]);
  const model = new MF({ rank: 2, epochs: 1 });
  await model.fit(whole.select(Int32Array.of(0, 2)));
  const { users, items } = model.exportVectors();
  expect([users.ids, items.ids]).toEqual([
    ['a', 'c'],
    ['x', 'z'],
  ]);
});
