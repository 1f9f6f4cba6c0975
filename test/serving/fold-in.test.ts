// One row against a frozen table: the slopes of every loss by finite differences, curvatures that bound, and a row at
// which the gradient of the whole objective is 0.

import { Stream } from '../../src/core/random';
import { syntheticInteractions } from '../../src/data/synthetic';
import { backendOf } from '../../src/kernels/backend';
import { MF } from '../../src/recommenders/mf';
import { forData } from '../../src/serving/fold-in/als-fold-in';
import {
  ExpectedBpr,
  ExpectedLogistic,
  ExpectedSoftmax,
  ExpectedWarp,
  type FoldLoss,
  RatingsLoss,
} from '../../src/serving/fold-in/fold-loss';
import {
  contributions,
  costOf,
  foldRow as foldRowBy,
  foldSteps,
  lengthOf,
  NormalEquations,
  type RidgeProblem,
} from '../../src/serving/fold-in/fold-row';
import { GradientFoldIn } from '../../src/serving/fold-in/gradient-fold-in';
import { bpr, identity, sigmoidLink, softmax, Warp } from '../../src/training/losses';

const equationsOf = (problem: RidgeProblem) => new NormalEquations(lengthOf(problem), backendOf('wasm'));
const foldRow = (problem: RidgeProblem) => foldRowBy(problem, equationsOf(problem));

const HAD = 4;
const OTHERS = 9;
const stream = Stream.of('fold-in');
const normals = (length: number) => Float64Array.from({ length }, () => stream.normal());
const weights = Float64Array.of(1, 2, 0.5, 1);
const chances = Float64Array.from({ length: OTHERS }, (_, i) => (1 + i) / 45);
const draws = { weights, chances, count: 3 };
const targets = Float64Array.of(0.2, 0.9, 0.5, 0);

const ratings: Record<string, FoldLoss> = {
  squared: new RatingsLoss('squared', identity, targets, weights),
  huber: new RatingsLoss('huber', identity, targets, weights),
  absolute: new RatingsLoss('absolute', identity, targets, weights),
  logistic: new RatingsLoss('logistic', sigmoidLink(0, 1), targets, weights),
  'squared of a sigmoid': new RatingsLoss('squared', sigmoidLink(-1, 3), targets, weights),
};
const orders: Record<string, FoldLoss> = {
  'expected logistic': new ExpectedLogistic(
    weights,
    chances.map((chance) => 12 * chance),
  ),
  'expected bpr': new ExpectedBpr(draws),
  'expected warp': new ExpectedWarp(draws, 13),
  'expected softmax': new ExpectedSoftmax(draws, Float64Array.of(1, 2, 1, 3), 45),
};
const cases = [
  ...Object.entries(ratings).map(([name, loss]) => [name, loss, HAD] as const),
  ...Object.entries(orders).map(([name, loss]) => [name, loss, HAD + OTHERS] as const),
];

function problemOf(loss: FoldLoss, count: number, more: Partial<RidgeProblem> = {}): RidgeProblem {
  const rank = 3;
  const table = normals(count * rank);
  const rows = Int32Array.from({ length: count }, (_, s) => s);
  const bases = normals(count);
  return { table, rank, rows, bases, scale: 0.8, hasBias: true, penalty: 0.7, biasPenalty: 0.3, loss, ...more };
}

/** The objective, spelled out. */
function objective({ table, rank, bases, scale, penalty, biasPenalty, loss }: RidgeProblem, row: Float64Array): number {
  const scores = bases.map((base, s) => {
    let sum = base + row[rank]!;
    for (let k = 0; k < rank; k++) sum += row[k]! * table[s * rank + k]!;
    return scale * sum;
  });
  const squares = row.subarray(0, rank).reduce((sum, value) => sum + value * value, 0);
  return loss.value(scores) + 0.5 * penalty * squares + 0.5 * biasPenalty * row[rank]! * row[rank]!;
}

describe.each(cases)('%s', (_, loss, count) => {
  test('the slopes are those of the value, by finite differences', () => {
    const scores = normals(count);
    const [slopes, curvatures] = [new Float64Array(count), new Float64Array(count)];
    loss.linearize(scores, slopes, curvatures);
    for (let s = 0; s < count; s++) {
      const at = (by: number) => loss.value(scores.map((score, other) => (other === s ? score + by : score)));
      expect(slopes[s]!).toBeCloseTo((at(1e-5) - at(-1e-5)) / 2e-5, 6);
      expect(curvatures[s]!).toBeGreaterThanOrEqual(0);
    }
  });
});

test.each(cases.filter(([name]) => name !== 'expected warp' && name !== 'absolute'))(
  '%s: at the row that is found the gradient is 0, and contributions add up to the score',
  (_, loss, count) => {
    const problem = problemOf(loss, count);
    const row = foldRow(problem);
    for (let k = 0; k < row.length; k++) {
      const at = (by: number) =>
        objective(
          problem,
          row.map((value, other) => (other === k ? value + by : value)),
        );
      expect((at(1e-4) - at(-1e-4)) / 2e-4).toBeCloseTo(0, 3);
    }
    const query = normals(4);
    const score = query.reduce((sum, value, k) => sum + value * row[k]!, 0);
    expect(contributions(problem, row, query, equationsOf(problem)).reduce((sum, part) => sum + part)).toBeCloseTo(
      score,
      3,
    );
  },
);

test.each(cases.filter(([name]) => /logistic|sigmoid/.test(name)))(
  '%s: a few steps of Newton, for the row stands still as soon as it changes by a millionth',
  (_, loss, count) => {
    const problem = problemOf(loss, count);
    const steps = [...foldSteps(problem, equationsOf(problem))].length;
    expect(steps).toBeGreaterThan(0);
    expect(steps).toBeLessThan(25);
  },
);

test.each(cases.filter(([name]) => name === 'absolute'))(
  '%s, which has corners: no row nearby is better by much, nor is none',
  (_, loss, count) => {
    const problem = problemOf(loss, count);
    const row = foldRow(problem);
    const found = objective(problem, row);
    expect(found).toBeLessThan(objective(problem, new Float64Array(4)));
    for (let trial = 0; trial < 200; trial++) {
      const other = row.map((value) => value + 0.3 * stream.normal());
      expect(objective(problem, other)).toBeGreaterThan(objective(problem, row) - 0.1);
    }
  },
);

test('warp: what is had comes forward', () => {
  const problem = problemOf(orders['expected warp']!, HAD + OTHERS, { penalty: 0.1 });
  const row = foldRow(problem);
  const lead = (of: Float64Array) => {
    const scores = problem.bases.map(
      (base, s) => base + of.subarray(0, 3).reduce((sum, x, k) => sum + x * problem.table[s * 3 + k]!, 0),
    );
    const mean = (list: Float64Array) => list.reduce((sum, x) => sum + x, 0) / list.length;
    return mean(scores.subarray(0, HAD)) - mean(scores.subarray(HAD));
  };
  expect(lead(row)).toBeGreaterThan(lead(new Float64Array(4)) + 0.5);
});

test('squared: the ridge, worked out by hand for one unknown', () => {
  const loss = new RatingsLoss('squared', identity, Float64Array.of(3, 1), Float64Array.of(1, 2));
  const row = foldRow({
    table: Float32Array.of(2, 1),
    rank: 1,
    rows: Int32Array.of(0, 1),
    bases: Float64Array.of(0.5, 0.25),
    scale: 1,
    hasBias: false,
    penalty: 0.5,
    biasPenalty: 0,
    loss,
  });
  // (1 x 2 x 2.5 + 2 x 1 x 0.75) / (4 + 2 + 0.5).
  expect(row[0]).toBeCloseTo(6.5 / 6.5, 12);
});

test('fewer ratings than unknowns and no penalty: a row that meets them', () => {
  const problem = problemOf(new RatingsLoss('squared', identity, Float64Array.of(1, -1), Float64Array.of(1, 1)), 2, {
    penalty: 0,
    biasPenalty: 0,
  });
  expect(objective(problem, foldRow(problem))).toBeLessThan(1e-8);
});

describe('expectations are means over draws', () => {
  const scores = normals(HAD + OTHERS);
  const trials = 8000;
  /** The mean of a loss of groups over drawn negatives. */
  function mean(of: typeof bpr, logQ: Float64Array | null, count: number): number {
    const group = new Float64Array(1 + count);
    const logs = new Float64Array(1 + count);
    let sum = 0;
    for (let trial = 0; trial < trials; trial++) {
      for (let j = 0; j < HAD; j++) {
        group[0] = scores[j]!;
        if (logQ !== null) logs[0] = logQ[j]!;
        for (let t = 1; t <= count; t++) {
          let [left, i] = [stream.uniform(), 0];
          while (i < OTHERS - 1 && left >= chances[i]!) left -= chances[i++]!;
          group[t] = scores[HAD + i]!;
          if (logQ !== null) logs[t] = logQ[HAD + i]!;
        }
        const batch = { scores: group, targets: group, weights: null, logQ: logQ && logs, group: 1 + count };
        sum += weights[j]! * of.evaluate({ ...batch, count: 1 + count }, new Float64Array(1 + count));
      }
    }
    return sum / trials;
  }

  test('bpr', () => {
    expect(new ExpectedBpr(draws).value(scores) / mean(bpr, null, 3)).toBeCloseTo(1, 1.5);
  });
  test('warp', () => {
    const loss = new ExpectedWarp(draws, 13);
    loss.linearize(scores, scores.slice(), scores.slice());
    expect(loss.value(scores) / mean(new Warp(13), null, 3)).toBeCloseTo(1, 1);
  });
  test('softmax, the more so the more are drawn, and never below', () => {
    const had = Float64Array.of(1, 2, 1, 3);
    const all = Float64Array.of(...had, ...chances.map((chance) => 45 * chance));
    const logQ = all.map((part) => Math.log(part / 52));
    const ratio = (count: number) => {
      const expected = new ExpectedSoftmax({ ...draws, count }, had, 45).value(scores);
      return expected / mean(softmax, logQ, count);
    };
    expect(ratio(3)).toBeGreaterThan(1);
    expect(ratio(3)).toBeLessThan(1.2);
    expect(Math.abs(ratio(24) - 1)).toBeLessThan(ratio(3) - 1);
  });
});

test("alpha0 'auto': 0.3, or 6.75 times the part of the pairs that is filled, of users and items with interactions alone", () => {
  const counts = { users: Int32Array.of(10, 0, 10), items: Int32Array.of(5, 5, 10, 0) };
  const weightOf = (pairs?: number) =>
    forData<{ unobservedWeight: number | 'auto' }>({ unobservedWeight: 'auto' }, counts, pairs).unobservedWeight;
  expect(weightOf()).toBe(0.3);
  // Two users and three items have some: six pairs.
  expect(weightOf(0.12)).toBeCloseTo((6.75 * 0.12) / 6, 14);
  expect(forData({ unobservedWeight: 0.7 }, counts).unobservedWeight).toBe(0.7);
});

test('what a row costs is the loss at its scores, the bases as scaled as the rest', () => {
  const problem = problemOf(ratings.logistic!, HAD, { penalty: 0, biasPenalty: 0, scale: 0.5 });
  const row = normals(4);
  expect(costOf(problem, row)).toBeCloseTo(objective(problem, row), 12);
});

test.each([
  ['bpr', ExpectedBpr],
  ['warp', ExpectedWarp],
  ['softmax', ExpectedSoftmax],
  ['logistic', ExpectedLogistic],
] as const)('of loss %s with negatives a new user has its own expectation', async (loss, Expected) => {
  const data = syntheticInteractions({ users: 30, items: 20, ratings: 200 });
  const model = new MF({ loss, rank: 2, epochs: 1, negatives: 2 });
  await model.fit(data);
  const { fitted } = (model as unknown as { state: { fitted: never } }).state;
  const foldIn = new GradientFoldIn(fitted, model.options);
  expect(foldIn.user([{ index: 3, value: 1, weight: 1 }]).loss).toBeInstanceOf(Expected);
});
