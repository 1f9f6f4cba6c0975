// The objective of alternating least squares by its definition, over every pair, and its minimum by one row by plain
// elimination. Small made-up data for both.

import { Stream } from '../../../src/core/random';
import type { AlsData, AlsRule, AlsTables } from '../../../src/training/als';

/** A problem: 6 users, one cold; 5 items, one cold; some pairs twice. */
export function problem(rule: AlsRule, isWeighted: boolean) {
  const stream = Stream.of(7);
  const users: number[] = [];
  const items: number[] = [];
  for (let u = 0; u < 5; u++) for (let i = 0; i < 4; i++) if ((u * 3 + i) % 4 !== 0) users.push(u) && items.push(i);
  users.push(2);
  items.push(3);
  const size = users.length;
  const draws = (count: number) => Float64Array.from({ length: count }, () => stream.normal());
  const tables: AlsTables = {
    userEmbedding: draws(6 * rule.rank),
    itemEmbedding: draws(5 * rule.rank),
    userBias: rule.biases ? new Float64Array(6) : null,
    itemBias: rule.biases ? new Float64Array(5) : null,
  };
  const count = (rows: readonly number[], length: number) =>
    Int32Array.from({ length }, (_, row) => rows.filter((one) => one === row).length);
  const data: AlsData = {
    users: Int32Array.from(users),
    items: Int32Array.from(items),
    // As an array of float32 keeps them.
    targets: isWeighted ? Float32Array.from({ length: size }, () => stream.normal()) : null,
    weights: isWeighted ? Float32Array.from({ length: size }, () => stream.uniform() * 3) : null,
    counts: { users: count(users, 6), items: count(items, 5) },
  };
  return { tables, data };
}

/** The parts of the objective: that of the data, and the penalty. Pairs of cold rows are left out. */
export function objective(
  { userEmbedding: p, itemEmbedding: q, userBias, itemBias }: AlsTables,
  { users, items, targets, weights, counts }: AlsData,
  { rank, unobservedWeight, regularization, regularizationExponent }: AlsRule,
): { data: number; penalty: number } {
  const score = (u: number, i: number) => {
    let sum = (userBias?.[u] ?? 0) + (itemBias?.[i] ?? 0);
    for (let f = 0; f < rank; f++) sum += p[u * rank + f]! * q[i * rank + f]!;
    return sum;
  };
  let data = 0;
  users.forEach((u, k) => {
    data += (weights?.[k] ?? 1) * (score(u, items[k]!) - (targets?.[k] ?? 1)) ** 2;
  });
  const trained = (list: Int32Array) => [...list.keys()].filter((row) => list[row]! > 0);
  const [trainedUsers, trainedItems] = [trained(counts.users), trained(counts.items)];
  for (const u of trainedUsers) for (const i of trainedItems) data += unobservedWeight * score(u, i) ** 2;
  let penalty = 0;
  const add = (
    rows: readonly number[],
    counted: Int32Array,
    others: number,
    table: typeof p,
    bias: typeof userBias,
  ) => {
    for (const row of rows) {
      const ridge = regularization * (counted[row]! + unobservedWeight * others) ** regularizationExponent;
      for (let f = 0; f < rank; f++) penalty += ridge * table[row * rank + f]! ** 2;
      penalty += ridge * (bias?.[row] ?? 0) ** 2;
    }
  };
  add(trainedUsers, counts.users, trainedItems.length, p, userBias);
  add(trainedItems, counts.items, trainedUsers.length, q, itemBias);
  return { data, penalty };
}

/**
 * Sets the given places of a table to what minimizes f, which is quadratic in them: its gradient and its second
 * derivatives are differences, exact for a quadratic but for rounding, and one Newton step is the minimum.
 */
export function minimize(f: () => number, table: (Float64Array | Float32Array)[], at: readonly number[][]): void {
  const places = table.flatMap((array, t) => at[t]!.map((index) => [array, index] as const));
  for (const [array, index] of places) array[index] = 0;
  const value = (i: number, si: number, j: number, sj: number) => {
    places[i]![0][places[i]![1]]! += si;
    places[j]![0][places[j]![1]]! += sj;
    const result = f();
    places[i]![0][places[i]![1]]! -= si;
    places[j]![0][places[j]![1]]! -= sj;
    return result;
  };
  const rows = places.map((_, i) => [
    ...places.map((_, j) => (value(i, 1, j, 1) - value(i, 1, j, -1) - value(i, -1, j, 1) + value(i, -1, j, -1)) / 4),
    -(value(i, 1, i, 0) - value(i, -1, i, 0)) / 2,
  ]);
  const n = places.length;
  for (let c = 0; c < n; c++) {
    const pivot = rows.slice(c).sort((a, b) => Math.abs(b[c]!) - Math.abs(a[c]!))[0]!;
    rows.splice(rows.indexOf(pivot), 1);
    rows.splice(c, 0, pivot);
    for (let r = 0; r < n; r++) {
      if (r === c) continue;
      const factor = rows[r]![c]! / pivot[c]!;
      for (let k = c; k <= n; k++) rows[r]![k]! -= factor * pivot[k]!;
    }
  }
  places.forEach(([array, index], i) => {
    array[index] = rows[i]![n]! / rows[i]![i]!;
  });
}
