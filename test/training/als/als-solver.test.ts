// Alternating least squares against the definition of its objective, in double.

import { TaskScheduler } from '../../../src/core/scheduler';
import type { AlsRule } from '../../../src/training/als';
import { AlsSolver, type AlsTables } from '../../../src/training/als';
import { minimize, objective, problem } from './als-objective';

const scheduler = new TaskScheduler(undefined);
const implicit: AlsRule = {
  rank: 3,
  biases: false,
  unobservedWeight: 0.2,
  regularization: 0.05,
  regularizationExponent: 1,
  method: 'cholesky',
  steps: 3,
  kernels: 'wasm',
};
const RULES: readonly [string, AlsRule, boolean][] = [
  ['implicit', implicit, false],
  ['implicit, weighted', { ...implicit, regularizationExponent: 0.5 }, true],
  ['implicit, rank of a block', { ...implicit, kernels: 'js', rank: 4, regularizationExponent: 0 }, true],
  ['explicit', { ...implicit, unobservedWeight: 0 }, true],
  ['explicit, biases', { ...implicit, unobservedWeight: 0, biases: true, rank: 2 }, true],
];
const total = (...given: Parameters<typeof objective>) => {
  const { data, penalty } = objective(...given);
  return data + penalty;
};
const copyOf = (tables: AlsTables): AlsTables => structuredClone(tables);
const numbersOf = ({ userEmbedding, itemEmbedding, userBias, itemBias }: AlsTables) => [
  ...userEmbedding,
  ...itemEmbedding,
  ...(userBias ?? []),
  ...(itemBias ?? []),
];

describe.each(RULES)('%s', (_, rule, isWeighted) => {
  test('an epoch is the minimum by every user, then by every item', async () => {
    const { tables, data } = problem(rule, isWeighted);
    const naive = copyOf(tables);
    const solver = new AlsSolver(tables, data, rule);
    // Cold rows are 0.
    for (const [table, counts] of [
      [naive.userEmbedding, data.counts.users],
      [naive.itemEmbedding, data.counts.items],
    ] as const)
      counts.forEach((count, row) => {
        if (count === 0) table.fill(0, row * rule.rank, (row + 1) * rule.rank);
      });
    const places = (row: number) => Array.from({ length: rule.rank }, (_, f) => row * rule.rank + f);
    for (let epoch = 1; epoch <= 2; epoch++) {
      const loss = await solver.epoch(epoch, scheduler);
      for (const [counts, table, bias] of [
        [data.counts.users, naive.userEmbedding, naive.userBias],
        [data.counts.items, naive.itemEmbedding, naive.itemBias],
      ] as const)
        counts.forEach((count, row) => {
          const arrays = bias === null ? [table] : [table, bias];
          if (count > 0) minimize(() => total(naive, data, rule), arrays, [places(row), [row]]);
        });
      numbersOf(tables).forEach((value, k) => {
        expect(value).toBeCloseTo(numbersOf(naive)[k]!, 8);
      });
      expect(loss).toBeCloseTo(objective(tables, data, rule).data / (2 * data.users.length), 10);
    }
  });

  test.each(['cholesky', 'conjugate-gradient'] as const)('%s: no epoch raises the objective', async (method) => {
    const given = { ...rule, method, steps: 1 };
    const { tables, data } = problem(given, isWeighted);
    const solver = new AlsSolver(tables, data, given);
    let before = total(tables, data, given);
    for (let epoch = 1; epoch <= 8; epoch++) {
      await solver.epoch(epoch, scheduler);
      const after = total(tables, data, given);
      expect(after).toBeLessThan(before + 1e-12);
      before = after;
    }
    const flat = (table: AlsTables['userEmbedding'], at: number) => {
      const held = table[at]!;
      table[at] = held + 1e-4;
      const up = total(tables, data, given);
      table[at] = held - 1e-4;
      const down = total(tables, data, given);
      table[at] = held;
      return (up - down) / 2e-4;
    };
    if (method === 'cholesky') {
      for (let at = 0; at < 4 * rule.rank; at++) expect(flat(tables.itemEmbedding, at)).toBeCloseTo(0, 8);
    }
  });

  test('as many steps of the conjugate gradient as there are unknowns are the solution', async () => {
    const exact = problem(rule, isWeighted);
    await new AlsSolver(exact.tables, exact.data, rule).epoch(1, scheduler);
    const errorsAt = async (steps: number) => {
      const { tables, data } = problem(rule, isWeighted);
      await new AlsSolver(tables, data, { ...rule, method: 'conjugate-gradient', steps }).epoch(1, scheduler);
      return Math.max(...numbersOf(tables).map((value, k) => Math.abs(value - numbersOf(exact.tables)[k]!)));
    };
    expect(await errorsAt(rule.rank + 2)).toBeLessThan(1e-8);
    expect(await errorsAt(1)).toBeGreaterThan(1e-3);
  });
});

test('many interactions of a row come in parts and chunks, and add up', async () => {
  const rule = { ...implicit, rank: 1, unobservedWeight: 0 };
  const size = 5000;
  const tables = {
    userEmbedding: Float64Array.of(0),
    itemEmbedding: Float64Array.from({ length: size }, (_, i) => 1 + (i % 3)),
    userBias: null,
    itemBias: null,
  };
  const items = Int32Array.from({ length: size }, (_, i) => i);
  const counts = { users: Int32Array.of(size), items: new Int32Array(size).fill(1) };
  const data = { users: new Int32Array(size), items, targets: null, weights: null, counts };
  const q = tables.itemEmbedding;
  const sum = q.reduce((total, value) => total + value, 0);
  const squares = q.reduce((total, value) => total + value * value, 0);
  await new AlsSolver(tables, data, rule).epoch(1, scheduler);
  expect(tables.userEmbedding[0]).toBeCloseTo(sum / (squares + 0.05 * size), 12);
});

test('equations without a unique solution are an error that says what to do', async () => {
  const rule = { ...implicit, unobservedWeight: 0, regularization: 0 };
  const { tables, data } = problem(rule, false);
  tables.itemEmbedding.fill(0);
  await expect(new AlsSolver(tables, data, rule).epoch(1, scheduler)).rejects.toThrow(
    'regularization is 0; want a larger',
  );
});

test.each(['js', 'wasm'] as const)(
  '%s: a row whose equations float32 cannot tell from singular ones is solved for in double',
  async (kernels) => {
    const rule = { ...implicit, rank: 2, unobservedWeight: 0, regularization: 1, regularizationExponent: 0, kernels };
    const tables = {
      userEmbedding: new Float32Array(4),
      itemEmbedding: Float32Array.of(1, 1, 1, 2),
      userBias: null,
      itemBias: null,
    };
    const counts = { users: Int32Array.of(1, 1), items: Int32Array.of(1, 1) };
    const weights = Float32Array.of(1e9, 1);
    const data = { users: Int32Array.of(0, 1), items: Int32Array.of(0, 1), targets: null, weights, counts };
    const solver = new AlsSolver(tables, data, rule);
    await solver.epoch(1, scheduler);
    // (w q q^T + I) p = w q: p = q w / (1 + w |q|^2).
    const [p0, , p2, p3] = tables.userEmbedding;
    expect(p0).toBeCloseTo(1e9 / (1 + 2e9), 6);
    expect([p2, p3]).toEqual([expect.closeTo(1 / 6, 6), expect.closeTo(2 / 6, 6)]);
  },
);
