// Every rule against its published equations, unrolled: a moving average or a buffer is written as the weighted sum over
// the whole history of gradients that it stands for, so that the reference shares no recursion with the rules.
// Float64, 50 steps on a quadratic with noise; a row's history holds only the steps that touched it (lazy).

import { Stream } from '../../src/core/random';
import type { Factor } from '../../src/optimizers/factor';
import { LearningRates } from '../../src/optimizers/learning-rate';
import type { OptimizerConfig } from '../../src/optimizers/optimizer';
import { resolveOptimizer } from '../../src/optimizers/registry';
import { stateOf } from '../contract/optimizers';

interface History {
  /** The gradients of this element so far, this step's last. */
  readonly g: readonly number[];
  /** The gradients of its whole row so far. */
  readonly row: readonly (readonly number[])[];
  /** The steps d of this element so far, without the learning rate, this one's left out. */
  readonly d: readonly number[];
  /** The number of the step in the fit. */
  readonly t: number;
}
/** The step d of x <- x - eta d. */
type Step = (history: History) => number;

/** sum over k of weight^(n - 1 - k) series[k]. */
function decayed(series: readonly number[], weight: number): number {
  return series.reduce((sum, value, k) => sum + weight ** (series.length - 1 - k) * value, 0);
}
const square = (x: number) => x * x;
const last = (series: readonly number[]) => series[series.length - 1]!;
const total = (series: readonly number[]) => series.reduce((sum, value) => sum + value, 0);

const rules: readonly [config: OptimizerConfig, step: Step][] = [
  [{ name: 'sgd', learningRate: 0.1 }, ({ g }) => last(g)],
  [{ name: 'momentum', learningRate: 0.03, momentum: 0.8 }, ({ g }) => decayed(g, 0.8)],
  [{ name: 'nesterov', learningRate: 0.03, momentum: 0.8 }, ({ g }) => last(g) + 0.8 * decayed(g, 0.8)],
  [{ name: 'adagrad', learningRate: 0.2 }, ({ g }) => last(g) / (Math.sqrt(total(g.map(square))) + 1e-10)],
  [
    { name: 'adagrad', learningRate: 0.2, epsilon: 0.01, initialAccumulator: 0.3 },
    ({ g }) => last(g) / (Math.sqrt(0.3 + total(g.map(square))) + 0.01),
  ],
  [
    { name: 'adagrad', learningRate: 0.2, epsilon: 0.01, initialAccumulator: 0.3, per: 'row' },
    ({ g, row }) => last(g) / (Math.sqrt(0.3 + total(row.map((r) => total(r.map(square)) / r.length))) + 0.01),
  ],
  [
    { name: 'adadelta', learningRate: 0.7, rho: 0.85, epsilon: 1e-4 },
    ({ g, d }) =>
      (Math.sqrt(0.15 * decayed(d.map(square), 0.85) + 1e-4) / Math.sqrt(0.15 * decayed(g.map(square), 0.85) + 1e-4)) *
      last(g),
  ],
  [
    { name: 'rmsprop', learningRate: 0.02, alpha: 0.9, epsilon: 0.01 },
    ({ g }) => last(g) / (Math.sqrt(0.1 * decayed(g.map(square), 0.9)) + 0.01),
  ],
  [
    { name: 'rmsprop', learningRate: 0.01, alpha: 0.9, epsilon: 0.01, momentum: 0.5 },
    ({ g }) =>
      decayed(
        g.map((value, k) => value / (Math.sqrt(0.1 * decayed(g.slice(0, k + 1).map(square), 0.9)) + 0.01)),
        0.5,
      ),
  ],
  [
    { name: 'adam', learningRate: 0.05, beta1: 0.8, beta2: 0.99, epsilon: 0.01 },
    ({ g, t }) =>
      (0.2 * decayed(g, 0.8)) /
      (1 - 0.8 ** t) /
      (Math.sqrt((0.01 * decayed(g.map(square), 0.99)) / (1 - 0.99 ** t)) + 0.01),
  ],
  [
    { name: 'adam' },
    ({ g, t }) =>
      (0.1 * decayed(g, 0.9)) /
      (1 - 0.9 ** t) /
      (Math.sqrt((0.001 * decayed(g.map(square), 0.999)) / (1 - 0.999 ** t)) + 1e-8),
  ],
];

const ROWS = 4;
const COLS = 3;
const STEPS = 50;

/** The largest error over all steps and elements, relative to the element. */
function worstError(config: OptimizerConfig, step: Step, weightDecay: number, lazy: boolean): number {
  const optimizer = resolveOptimizer({ ...config, weightDecay });
  const learningRate = optimizer.config.learningRate as number;
  const stream = Stream.of('trajectory');
  const draws = (scale: number) => Float64Array.from({ length: ROWS * COLS }, () => scale * stream.normal());
  const curvature = draws(1).map((x) => 0.2 + Math.abs(x));
  const centre = draws(2);
  const start = draws(1);

  const factor: Factor = { name: 'x', role: 'base', group: 'embedding', rows: ROWS, cols: COLS, data: start.slice() };
  const state = stateOf(optimizer, factor);
  const rates = new LearningRates(learningRate);
  const x = [...start];
  const histories = x.map(() => ({ g: [] as number[], d: [] as number[] }));
  const rowHistories = Array.from({ length: ROWS }, () => [] as number[][]);

  let worst = 0;
  for (let t = 1; t <= STEPS; t++) {
    const noise = draws(0.3);
    const ids = Int32Array.from({ length: ROWS }, (_, row) => row);
    stream.shuffle(ids);
    const count = lazy ? 1 + stream.below(ROWS) : ROWS;
    if (!lazy) ids.sort();

    const values = new Float64Array(ROWS * COLS);
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < COLS; j++) {
        const k = ids[i]! * COLS + j;
        values[i * COLS + j] = curvature[k]! * (factor.data[k]! - centre[k]!) + noise[k]!;
      }
    }
    rates.begin(t, t / STEPS);
    optimizer.update(factor, { ids: lazy ? ids : null, count, values }, state, rates);

    for (const row of ids.subarray(0, count)) {
      const elements = Array.from({ length: COLS }, (_, j) => row * COLS + j);
      const g = elements.map((k) => curvature[k]! * (x[k]! - centre[k]!) + noise[k]! + weightDecay * x[k]!);
      rowHistories[row]!.push(g);
      for (const [j, k] of elements.entries()) {
        const history = histories[k]!;
        history.g.push(g[j]!);
        const d = step({ ...history, row: rowHistories[row]!, t });
        history.d.push(d);
        x[k]! -= learningRate * d;
      }
    }
    for (const [k, value] of x.entries()) {
      worst = Math.max(worst, Math.abs(factor.data[k]! - value) / Math.max(Math.abs(value), 1e-2));
    }
  }
  expect(Math.max(...x.map((value, k) => Math.abs(value - start[k]!)))).toBeGreaterThan(0.01);
  return worst;
}

describe.each(rules)('%j', (config, step) => {
  test.each([
    [0, false],
    [0.05, false],
    [0, true],
    [0.05, true],
  ])('follows its equations: weight decay %p, lazy rows %p', (weightDecay, lazy) => {
    expect(worstError(config, step, weightDecay, lazy)).toBeLessThan(1e-12);
  });
});

test('the check can fail: an epsilon under the root is told from one outside it', () => {
  const under: Step = ({ g }) => last(g) / Math.sqrt(0.1 * decayed(g.map(square), 0.9) + 1e-8);
  expect(worstError({ name: 'rmsprop', alpha: 0.9, epsilon: 1e-8 }, under, 0, false)).toBeGreaterThan(1e-10);
});

describe('first steps by hand, from x = 1 and gradient 2', () => {
  const first = (config: OptimizerConfig, step = 1): number => {
    const optimizer = resolveOptimizer({ learningRate: 0.1, ...config });
    const factor: Factor = {
      name: 'x',
      role: 'base',
      group: 'embedding',
      rows: 1,
      cols: 1,
      data: new Float64Array([1]),
    };
    const rates = new LearningRates(optimizer.config.learningRate);
    rates.begin(step, 0);
    optimizer.update(factor, { ids: null, count: 1, values: Float64Array.of(2) }, stateOf(optimizer, factor), rates);
    return factor.data[0]!;
  };

  test.each<[OptimizerConfig, number]>([
    [{ name: 'sgd' }, 0.8],
    [{ name: 'sgd', weightDecay: 0.5 }, 0.75],
    [{ name: 'momentum' }, 0.8],
    [{ name: 'nesterov' }, 1 - 0.1 * 2 * 1.9],
    [{ name: 'adagrad' }, 0.9],
    [{ name: 'adagrad', per: 'row', initialAccumulator: 5, epsilon: 1 }, 1 - (0.1 * 2) / 4],
    [{ name: 'adadelta', epsilon: 0.1 }, 1 - 0.1 * 2 * Math.sqrt(0.1 / (0.4 + 0.1))],
    [{ name: 'rmsprop', alpha: 0.75, epsilon: 1 }, 1 - (0.1 * 2) / 2],
    [{ name: 'adam', epsilon: 2 }, 1 - (0.1 * 2) / (2 + 2)],
    [{ name: 'adam', beta1: 0, beta2: 0 }, 0.9],
  ])('%j', (config, expected) => {
    expect(first(config)).toBeCloseTo(expected, 8);
  });

  test("adam's correction counts the steps of the fit, and fades out without a jump", () => {
    const uncorrected = (0.1 * (0.1 * 2)) / Math.sqrt(0.001 * 4);
    expect(first({ name: 'adam', epsilon: 1e-30 }, 1_000_000)).toBeCloseTo(1 - uncorrected, 13);
    // beta1^t stops counting at t = 356, beta2^t at t = 37,482.
    for (const t of [2, 100, 355, 356, 357, 5000, 37_481, 37_482, 37_483]) {
      const expected = 1 - (uncorrected * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t);
      expect(first({ name: 'adam', epsilon: 1e-30 }, t)).toBeCloseTo(expected, 13);
    }
  });
});
