// What float32 memory means to the rules: every operation rounds by itself, in the order of the published equations, so
// that a twin in another language can give the same bits. Written once more here, an operation at a time, as calls that
// round; trajectories.test.ts checks the equations themselves, in float64.

import { Stream } from '../../src/core/random';
import type { Factor } from '../../src/optimizers/factor';
import type { OptimizerConfig } from '../../src/optimizers/optimizer';
import { resolveOptimizer } from '../../src/optimizers/registry';
import { stateOf } from '../contract/optimizers';

const f = Math.fround;
const add = (a: number, b: number) => f(a + b);
const sub = (a: number, b: number) => f(a - b);
const mul = (a: number, b: number) => f(a * b);
const div = (a: number, b: number) => f(a / b);
const sqrt = (a: number) => f(Math.sqrt(a));
/** a s + (1 - a) g g ..., the usual moving average. */
const average = (a: number, s: number, ...g: number[]) => add(mul(f(a), s), g.reduce(mul, f(1 - a)));

interface One {
  readonly x: number;
  /** The gradient, weight decay in it. */
  readonly g: number;
  readonly slots: readonly number[];
  readonly rate: number;
  /** The number of the step. */
  readonly t: number;
}
/** The new x, then the new slots. */
type Rule = (one: One) => number[];

const RATE = 0.07;
const rules: readonly [config: OptimizerConfig, rule: Rule][] = [
  [{ name: 'sgd' }, ({ x, g, rate }) => [sub(x, mul(rate, g))]],
  [
    { name: 'momentum', momentum: 0.8 },
    ({ x, g, slots: [b], rate }) => {
      const buffer = add(mul(f(0.8), b!), g);
      return [sub(x, mul(rate, buffer)), buffer];
    },
  ],
  [
    { name: 'nesterov', momentum: 0.8 },
    ({ x, g, slots: [b], rate }) => {
      const buffer = add(mul(f(0.8), b!), g);
      return [sub(x, mul(rate, add(g, mul(f(0.8), buffer)))), buffer];
    },
  ],
  [
    { name: 'adagrad', epsilon: 0.003, initialAccumulator: 0.1 },
    ({ x, g, slots: [s], rate }) => {
      const sum = add(s!, mul(g, g));
      return [sub(x, div(mul(rate, g), add(sqrt(sum), f(0.003)))), sum];
    },
  ],
  [
    { name: 'adadelta', rho: 0.85, epsilon: 1e-4 },
    ({ x, g, slots: [a, u], rate }) => {
      const square = average(0.85, a!, g, g);
      const d = mul(g, sqrt(div(add(u!, f(1e-4)), add(square, f(1e-4)))));
      return [sub(x, mul(rate, d)), square, average(0.85, u!, d, d)];
    },
  ],
  [
    { name: 'rmsprop', alpha: 0.9, epsilon: 0.003 },
    ({ x, g, slots: [a], rate }) => {
      const square = average(0.9, a!, g, g);
      return [sub(x, mul(rate, div(g, add(sqrt(square), f(0.003))))), square];
    },
  ],
  [
    { name: 'rmsprop', alpha: 0.9, epsilon: 0.003, momentum: 0.6 },
    ({ x, g, slots: [a, b], rate }) => {
      const square = average(0.9, a!, g, g);
      const buffer = add(div(g, add(sqrt(square), f(0.003))), mul(f(0.6), b!));
      return [sub(x, mul(rate, buffer)), square, buffer];
    },
  ],
  [
    { name: 'adam', beta1: 0.75, beta2: 0.875, epsilon: 0.003 },
    ({ x, g, slots: [m, v], rate, t }) => {
      // Powers of 3/4 and 7/8 in double: near enough to exp(t log beta) for the same float32.
      const scaled = mul(rate, f(1 / (1 - 0.75 ** t)));
      const root = f(1 / Math.sqrt(1 - 0.875 ** t));
      const [mean, square] = [average(0.75, m!, g), average(0.875, v!, g, g)];
      return [sub(x, div(mul(scaled, mean), add(mul(root, sqrt(square)), f(0.003)))), mean, square];
    },
  ],
];

const COLS = 7;
const STEPS = 30;

/** A row under some steps: its factor, its memory, and the gradient of each step. */
function setting(config: OptimizerConfig, cols: number) {
  const stream = Stream.of('rounding');
  const data = Float32Array.from({ length: cols }, () => stream.normal());
  const factor: Factor = { name: 'x', role: 'base', group: 'embedding', rows: 1, cols, data };
  const optimizer = resolveOptimizer({ ...config, learningRate: RATE });
  const state = stateOf(optimizer, factor);
  const step = (t: number, values: Float32Array) =>
    optimizer.update(factor, { ids: Int32Array.of(0), count: 1, values }, state, {
      step: t,
      progress: 0,
      learningRateOf: () => RATE,
    });
  return { data, state, step, gradient: () => Float32Array.from({ length: cols }, () => stream.normal()) };
}

describe.each(rules)('%j', (config, rule) => {
  test.each([0, 0.03])('rounds each operation to float32: weight decay %p', (weightDecay) => {
    const { data, state, step, gradient } = setting({ ...config, weightDecay }, COLS);
    for (let t = 1; t <= STEPS; t++) {
      const values = gradient();
      const wanted = Array.from(data, (x, j) =>
        rule({
          x,
          g: weightDecay === 0 ? values[j]! : add(values[j]!, mul(f(weightDecay), x)),
          slots: state.map((slot) => slot[j]!),
          rate: f(RATE),
          t,
        }),
      );
      step(t, values);
      expect(Array.from(data, (x, j) => [x, ...state.map((slot) => slot[j]!)])).toEqual(wanted);
    }
  });
});

test.each([0, 0.03])('adagrad per row adds its squares in sixteen lanes: weight decay %p', (weightDecay) => {
  const cols = 21;
  const { data, state, step, gradient } = setting({ name: 'adagrad', per: 'row', epsilon: 0.003, weightDecay }, cols);
  let sum = 0;
  for (let t = 1; t <= STEPS; t++) {
    const values = gradient();
    const g = Array.from(values, (value, j) => (weightDecay === 0 ? value : add(value, mul(f(weightDecay), data[j]!))));
    // 21 numbers: lanes 0 to 4 have two each.
    const squares = g.map((value) => mul(value, value));
    const lanes = squares.slice(0, 16).map((square, lane) => (lane < 5 ? add(square, squares[lane + 16]!) : square));
    const q = [0, 1, 2, 3].map((i) => add(add(lanes[i]!, lanes[i + 4]!), add(lanes[i + 8]!, lanes[i + 12]!)));
    sum = add(sum, mul(add(add(q[0]!, q[2]!), add(q[1]!, q[3]!)), f(1 / cols)));
    const scaled = div(f(RATE), add(sqrt(sum), f(0.003)));
    const wanted = Array.from(data, (x, j) => sub(x, mul(scaled, g[j]!)));
    step(t, values);
    expect([...state[0]!]).toEqual([sum]);
    expect([...data]).toEqual(wanted);
  }
});

test('without weight decay a gradient keeps the sign of its zero', () => {
  const { data, state, step } = setting({ name: 'momentum', momentum: 0 }, 1);
  data[0] = 3;
  state[0]![0] = -0;
  step(1, Float32Array.of(-0));
  expect(Object.is(state[0]![0], -0)).toBe(true);
});
