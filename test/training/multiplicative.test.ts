// The multiplicative rule: one pass by hand, many against the formula written out, and a point where it stands still.

import type { RatingData } from '../../src/models/model';
import { AlsSolver } from '../../src/training/als';
import { NEVER_YIELD, randomRatings } from '../support/training';

const counted = (data: RatingData, users: number, items: number) => {
  const counts = { users: new Int32Array(users), items: new Int32Array(items) };
  for (let s = 0; s < data.size; s++) {
    counts.users[data.users[s]!]!++;
    counts.items[data.items[s]!]!++;
  }
  return { ...data, counts };
};

/** Tables by the rule. */
function solverOf(
  embeddings: { userEmbedding: Float64Array; itemEmbedding: Float64Array },
  { weights, ...data }: ReturnType<typeof counted>,
  rank: number,
  regularization: number,
): AlsSolver {
  const how = { method: 'multiplicative', steps: 1, biases: false, unobservedWeight: 0, kernels: 'auto' } as const;
  const rule = { rank, regularization, regularizationExponent: 1, ...how };
  return new AlsSolver({ ...embeddings, userBias: null, itemBias: null }, { ...data, weights, copies: weights }, rule);
}

test('one pass by hand', async () => {
  const [users, items] = [Int32Array.of(0, 0), Int32Array.of(0, 1)];
  const data = counted({ size: 2, users, items, targets: Float64Array.of(4, 2), weights: null }, 2, 2);
  const userEmbedding = Float64Array.of(2, 7);
  const itemEmbedding = Float64Array.of(2, 3);
  const solver = solverOf({ userEmbedding, itemEmbedding }, data, 1, 0.5);
  expect(await solver.epoch(1, NEVER_YIELD)).toBe((2 ** 2 / 2 + 1 / 2) / 2);
  // p (4 2 + 2 3) / (4 2 + 6 3 + 2 0.5 2), then items by the new p; user 1 has no ratings.
  expect([...userEmbedding]).toEqual([1, 7]);
  expect([...itemEmbedding]).toEqual([2 * (4 / (2 + 0.5 * 2)), 3 * (2 / (3 + 0.5 * 3))]);
});

test('passes by the formula, with weights and a zero that stays', async () => {
  const [users, items, rank, lambda] = [5, 6, 3, 0.1];
  const random = randomRatings({ users, items }, 20, 'float64');
  const targets = random.targets.map(Math.abs);
  const data = counted({ ...random, targets, weights: targets.map((_, s) => 1 + (s % 2)) }, users, items);
  const start = (length: number) => Float64Array.from({ length }, (_, k) => (k === 4 ? 0 : 0.2 + ((7 * k) % 5) / 5));
  const [p, q] = [start(users * rank), start(items * rank)];
  const tables = { userEmbedding: p.slice(), itemEmbedding: q.slice() };
  const solver = solverOf(tables, data, rank, lambda);
  for (let epoch = 1; epoch <= 4; epoch++) {
    await solver.epoch(epoch, NEVER_YIELD);
    const step = (own: Float64Array, other: Float64Array, rows: Int32Array, others: Int32Array) =>
      own.map((value, at) => {
        const [row, k] = [Math.floor(at / rank), at % rank];
        let [above, below, count] = [0, 0, 0];
        for (let s = 0; s < data.size; s++) {
          if (rows[s] !== row) continue;
          const [u, i] = [data.users[s]! * rank, data.items[s]! * rank];
          let score = 0;
          for (let f = 0; f < rank; f++) score += p[u + f]! * q[i + f]!;
          above += data.weights![s]! * data.targets[s]! * other[others[s]! * rank + k]!;
          below += data.weights![s]! * score * other[others[s]! * rank + k]!;
          count += data.weights![s]!;
        }
        return value === 0 || count === 0 ? value : (value * above) / (below + count * lambda * value);
      });
    p.set(step(p, q, data.users, data.items));
    q.set(step(q, p, data.items, data.users));
  }
  for (const [k, value] of tables.userEmbedding.entries()) expect(value).toBeCloseTo(p[k]!, 12);
  for (const [k, value] of tables.itemEmbedding.entries()) expect(value).toBeCloseTo(q[k]!, 12);
  expect(tables.userEmbedding[4]).toBe(0);
});
