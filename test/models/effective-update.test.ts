// The paper's equivalence: what a real SGD step on the factors does to the product is the closed form, step after step
// of a training by the library's own trainer.

import { Stream } from '../../src/core/random';
import type { DenseUpdate } from '../../src/models/overparam-mf';
import { OverparamMFModel, type OverparamMFModelOptions } from '../../src/models/overparam-mf';
import { sgd } from '../../src/optimizers/sgd';
import type { Parameter, Precision } from '../../src/parameters/parameter';
import { rowError } from '../support/relative-error';
import { randomRatings, trainOnce } from '../support/training';

const RANK = 4;
const RATE = 0.01;
const STEPS = 1000;
const TOLERANCE = { float32: 1e-5, float64: 1e-12 } as const;
const PRECISIONS = ['float64', 'float32'] as const;

const modelOf = (overparam: OverparamMFModelOptions['overparam'], precision: Precision = 'float64') =>
  new OverparamMFModel({ users: 8, items: 6, rank: RANK, initScale: 0.5, precision, ...(overparam && { overparam }) });

/** One row of a table of `RANK` columns. */
const rowOf = (table: ArrayLike<number>, row: number): number[] =>
  Array.from({ length: RANK }, (_, k) => table[row * RANK + k]!);
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, k) => sum + value * b[k]!, 0);
const sum = (a: ArrayLike<number>, b: ArrayLike<number>): Float64Array => Float64Array.from(a, (x, i) => x + b[i]!);

/** Values of both signs and some size, so that no term of the closed form is small beside the others. */
function normals(length: number, seed: number | string, scale = 1): Float64Array {
  const stream = Stream.of(seed);
  return Float64Array.from({ length }, () => scale * stream.normal());
}

/** The gradient of a batch's mean loss by the rows of one embedding, rows x RANK, from the products before the step. */
function gradientOf(
  model: OverparamMFModel,
  batch: { count: number; users: Int32Array; items: Int32Array; targets: ArrayLike<number> },
  table: 'user' | 'item',
): Float64Array {
  const [own, other] = table === 'user' ? [batch.users, batch.items] : [batch.items, batch.users];
  const others = (table === 'user' ? model.itemEmbedding : model.userEmbedding).collapse();
  const gradient = new Float64Array((table === 'user' ? model.users : model.items) * RANK);
  for (let s = 0; s < batch.count; s++) {
    const error = (model.score(batch.users[s]!, batch.items[s]!) - batch.targets[s]!) / batch.count;
    for (const [k, value] of rowOf(others, other[s]!).entries()) gradient[own[s]! * RANK + k]! += error * value;
  }
  return gradient;
}

const gradientOfRow = (...[model, batch, table, row]: [...Parameters<typeof gradientOf>, row: number]): Float64Array =>
  gradientOf(model, batch, table).slice(row * RANK, (row + 1) * RANK);

describe('scalar rows of depth 2: e = s x', () => {
  test.each(PRECISIONS)('%s: 1,000 steps of SGD are the closed form', async (precision) => {
    const model = modelOf({ kind: 'scalar', init: 1.3 }, precision);
    let worst = 0;
    let moved = 0;
    await trainOnce(model, randomRatings(model, STEPS, precision), sgd({ learningRate: RATE }), 1, (batch, step) => {
      const [user, item] = [batch.users[0]!, batch.items[0]!];
      const [p, q] = [model.userEmbedding.collapse(), model.itemEmbedding.collapse()];
      const forUser = model.effectiveUpdate('user', user, gradientOfRow(model, batch, 'user', user), RATE);
      const forItem = model.effectiveUpdate('item', item, gradientOfRow(model, batch, 'item', item), RATE);
      step();
      const wanted = [sum(rowOf(p, user), forUser.update), sum(rowOf(q, item), forItem.update)];
      const got = [rowOf(model.userEmbedding.collapse(), user), rowOf(model.itemEmbedding.collapse(), item)];
      for (const [i, row] of got.entries()) worst = Math.max(worst, rowError(row, wanted[i]!, RANK));
      moved = Math.max(moved, rowError(got[0]!, rowOf(p, user), RANK));
    });
    expect(worst).toBeLessThanOrEqual(TOLERANCE[precision]);
    expect(moved).toBeGreaterThan(0.01);
  });

  test('the coefficients are eta s^2, -(eta / s^2)(g.e) and eta^2 (g.e) g, and make up the update', async () => {
    const model = modelOf({ kind: 'scalar', init: 1.7 });
    await trainOnce(model, randomRatings(model, 50, 'float64'), sgd({ learningRate: 0.05 }), 1);
    for (let row = 0; row < model.users; row++) {
      const s = model.userEmbedding.factors[1]!.data[row]!;
      const e = rowOf(model.userEmbedding.collapse(), row);
      const g = normals(RANK, row);
      const { learningRate, momentum, residual, update } = model.effectiveUpdate('user', row, g, 0.03);
      expect(learningRate).toBeCloseTo(0.03 * s * s, 14);
      expect(momentum).toBeCloseTo((-0.03 / (s * s)) * dot(g, e), 14);
      for (let k = 0; k < RANK; k++) {
        expect(residual[k]).toBeCloseTo(0.03 ** 2 * dot(g, e) * g[k]!, 14);
        expect(update[k]).toBeCloseTo(-learningRate * g[k]! + momentum * e[k]! + residual[k]!, 14);
      }
    }
  });

  test('by hand: s = 2, x = (1, 3), g = (0.5, -1), eta = 0.1', () => {
    const model = new OverparamMFModel({
      users: 1,
      items: 1,
      rank: 2,
      precision: 'float64',
      overparam: { kind: 'scalar', init: 2 },
    });
    model.userEmbedding.assign(Float64Array.of(2, 6));
    const update = model.effectiveUpdate('user', 0, Float64Array.of(0.5, -1), 0.1);
    // g.e = 1 - 6 = -5
    expect(update.learningRate).toBeCloseTo(0.4, 15);
    expect(update.momentum).toBeCloseTo(0.125, 15);
    expect([...update.residual].map((x) => Math.round(x * 1e12) / 1e12)).toEqual([-0.025, 0.05]);
    // s' = 2 - 0.1 (g.x) = 2.25, x' = x - 0.1 * 2 g = (0.9, 3.2), e' = (2.025, 7.2)
    expect([...update.update].map((x) => Math.round(x * 1e12) / 1e12)).toEqual([0.025, 1.2]);
  });

  test('where s is 0 the product moves by -eta (g.x) x, without a division', () => {
    const model = modelOf({ kind: 'scalar' });
    model.userEmbedding.factors[1]!.data[2] = 0;
    const x = rowOf(model.userEmbedding.factors[0]!.data, 2);
    const g = normals(RANK, 1);
    const { learningRate, momentum, update } = model.effectiveUpdate('user', 2, g, 0.1);
    expect([learningRate, momentum]).toEqual([0, 0]);
    for (let k = 0; k < RANK; k++) expect(update[k]).toBeCloseTo(-0.1 * dot(g, x) * x[k]!, 14);
  });

  test('s^2 - |x|^2 changes by eta^2 (gs^2 - |gx|^2) a step: nothing of first order', async () => {
    const invariant = (parameter: Parameter, row: number): number => {
      const [base, map] = parameter.factors;
      const x = rowOf(base!.data, row);
      return map!.data[row]! ** 2 - dot(x, x);
    };
    const change = async (learningRate: number): Promise<number> => {
      const model = modelOf({ kind: 'scalar', init: 1.5 });
      const before = invariant(model.userEmbedding, 0);
      let wanted = 0;
      const data = { ...randomRatings(model, 1, 'float64'), users: Int32Array.of(0), targets: Float64Array.of(4) };
      await trainOnce(model, data, sgd({ learningRate }), 1, (batch, step) => {
        const g = rowOf(gradientOf(model, batch, 'user'), 0);
        const s = model.userEmbedding.factors[1]!.data[0]!;
        const gs = dot(g, rowOf(model.userEmbedding.factors[0]!.data, 0));
        wanted = learningRate ** 2 * (gs * gs - s * s * dot(g, g));
        step();
      });
      const got = invariant(model.userEmbedding, 0) - before;
      expect(Math.abs(got - wanted)).toBeLessThan(1e-14);
      return got;
    };
    expect(Math.abs(await change(0.01))).toBeGreaterThan(1e-6);
    expect((await change(0.01)) / (await change(0.005))).toBeCloseTo(4, 6);
  });

  test('over a training of a fixed length, s^2 - |x|^2 drifts in proportion to the rate', async () => {
    const drift = async (learningRate: number, steps: number): Promise<number> => {
      const model = modelOf({ kind: 'scalar', init: 1.5 });
      const conserved = () => {
        const [base, map] = model.userEmbedding.factors;
        return Array.from(
          { length: model.users },
          (_, row) => map!.data[row]! ** 2 - dot(rowOf(base!.data, row), rowOf(base!.data, row)),
        );
      };
      const before = conserved();
      // The same ratings over and over: the same path, in steps of another length.
      const few = randomRatings(model, 20, 'float64');
      const again = (array: ArrayLike<number>) => Array.from({ length: steps }, (_, i) => array[i % 20]!);
      const [users, items] = [Int32Array.from(again(few.users)), Int32Array.from(again(few.items))];
      const data = { size: steps, users, items, targets: Float64Array.from(again(few.targets)), weights: null };
      await trainOnce(model, data, sgd({ learningRate }), 1);
      const after = conserved();
      return Math.max(...after.map((value, row) => Math.abs(value - before[row]!)));
    };
    const [coarse, fine] = [await drift(0.004, 1000), await drift(0.001, 4000)];
    expect(coarse / fine).toBeGreaterThan(3);
    expect(coarse / fine).toBeLessThan(5);
  });
});

describe('dense of depth 2: E = V M', () => {
  const widths = [RANK, RANK + 1, 2 * RANK];
  const cases = PRECISIONS.flatMap((precision) => widths.map((width) => [precision, width] as const));

  test.each(cases)(
    '%s, width %d: 1,000 steps of batches of SGD are the closed form, on every row',
    async (precision, width) => {
      const model = modelOf({ kind: 'dense', width, init: 1.2 }, precision);
      const rows = {
        user: Array.from({ length: 8 }, (_, row) => row),
        item: Array.from({ length: 6 }, (_, row) => row),
      };
      let worst = 0;
      await trainOnce(
        model,
        randomRatings(model, 3 * STEPS, precision),
        sgd({ learningRate: RATE }),
        3,
        (batch, step) => {
          const updates = (['user', 'item'] as const).map((table) => {
            // Rows that the batch does not name have a gradient of 0: the map moves them all the same.
            const { update } = model.effectiveUpdate(table, rows[table], gradientOf(model, batch, table), RATE);
            const parameter = table === 'user' ? model.userEmbedding : model.itemEmbedding;
            return { parameter, wanted: sum(parameter.collapse(), update) };
          });
          step();
          for (const { parameter, wanted } of updates)
            worst = Math.max(worst, rowError(parameter.collapse(), wanted, RANK));
        },
      );
      expect(worst).toBeLessThanOrEqual(TOLERANCE[precision]);
    },
  );

  test('the rows of a batch alone, in any order, have the update that they have among all', () => {
    const model = modelOf({ kind: 'dense', width: 5 });
    const rows = [6, 1, 3];
    const g = normals(3 * RANK, 1);
    const whole = new Float64Array(8 * RANK);
    for (const [i, row] of rows.entries()) whole.set(g.subarray(i * RANK, (i + 1) * RANK), row * RANK);
    const some = model.effectiveUpdate('user', rows, g, 0.1).update;
    const all = model.effectiveUpdate('user', [0, 1, 2, 3, 4, 5, 6, 7], whole, 0.1).update;
    expect(
      rowError(
        some,
        rows.flatMap((row) => rowOf(all, row)),
        RANK,
      ),
    ).toBeLessThan(1e-14);
  });

  test('mapGram is M^T M, rowGram V V^T, residual eta^2 G M^T V^T G, and they make up the update', async () => {
    const model = modelOf({ kind: 'dense', width: 5, init: 0.8 });
    await trainOnce(model, randomRatings(model, 50, 'float64'), sgd({ learningRate: 0.05 }), 2);
    const [v, m] = model.userEmbedding.factors.map(({ data }) => data) as [Float64Array, Float64Array];
    const rows = [4, 0];
    const g = normals(2 * RANK, 2);
    const result = model.effectiveUpdate('user', rows, g, 0.03) as DenseUpdate;
    expect([result.mapGram.shape, result.rowGram.shape]).toEqual([
      [RANK, RANK],
      [2, 2],
    ]);
    const column = (k: number) => Array.from({ length: 5 }, (_, w) => m[w * RANK + k]!);
    const base = (i: number) => v.subarray(rows[i]! * 5, (rows[i]! + 1) * 5);
    for (let a = 0; a < RANK; a++)
      for (let b = 0; b < RANK; b++) expect(result.mapGram.get(a, b)).toBeCloseTo(dot(column(a), column(b)), 13);
    for (let i = 0; i < 2; i++) {
      for (let j = 0; j < 2; j++) expect(result.rowGram.get(i, j)).toBeCloseTo(dot(base(i), base(j)), 13);
      for (let k = 0; k < RANK; k++) {
        let first = 0;
        let second = 0;
        for (let l = 0; l < RANK; l++) first += g[i * RANK + l]! * result.mapGram.get(l, k);
        for (let j = 0; j < 2; j++) {
          first += result.rowGram.get(i, j) * g[j * RANK + k]!;
          for (let l = 0; l < RANK; l++) second += g[i * RANK + l]! * dot(column(l), base(j)) * g[j * RANK + k]!;
        }
        expect(result.residual[i * RANK + k]).toBeCloseTo(0.03 ** 2 * second, 13);
        expect(result.update[i * RANK + k]).toBeCloseTo(-0.03 * first + 0.03 ** 2 * second, 13);
      }
    }
  });

  test('with width = rank and maps at the identity, the first step is -eta (G + V V^T G)', () => {
    const model = modelOf({ kind: 'dense' });
    const g = normals(RANK, 3);
    const e = rowOf(model.userEmbedding.collapse(), 1);
    const { update, residual } = model.effectiveUpdate('user', 1, g, 1e-3);
    for (let k = 0; k < RANK; k++) expect(update[k]! - residual[k]!).toBeCloseTo(-1e-3 * g[k]! * (1 + dot(e, e)), 14);
  });
});
