// The contract of update rules over every rule of the library, each of its variants, and one rule of a caller's own.

import type { Optimizer, OptimizerConfig } from '../../src/optimizers/optimizer';
import { OPTIMIZER_NAMES, resolveOptimizer } from '../../src/optimizers/registry';
import { optimizerContract } from '../contract/optimizers';

const cases: readonly [config: OptimizerConfig, steps: number][] = [
  [{ name: 'sgd', learningRate: 0.1 }, 300],
  [{ name: 'momentum', learningRate: 0.05 }, 300],
  [{ name: 'nesterov', learningRate: 0.05 }, 300],
  [{ name: 'adagrad', learningRate: 0.5 }, 300],
  [{ name: 'adagrad', learningRate: 0.5, per: 'row' }, 300],
  [{ name: 'adagrad', learningRate: 0.5, initialAccumulator: 0.1 }, 300],
  [{ name: 'adadelta' }, 5000],
  [{ name: 'rmsprop', learningRate: { schedule: 'linear', rate: 0.02 } }, 500],
  [{ name: 'rmsprop', learningRate: { schedule: 'linear', rate: 0.005 }, momentum: 0.9 }, 500],
  [{ name: 'adam', learningRate: 0.05 }, 500],
  [{ name: 'adam', learningRate: 0.05, epsilon: 1e-30 }, 500],
  [{ name: 'adagrad', learningRate: 0.5, epsilon: 1e-30, per: 'row' }, 300],
  [{ name: 'ftrl', learningRate: 0.5 }, 500],
];

for (const [config, steps] of cases) {
  const { name, learningRate, ...rest } = config;
  const title = Object.keys(rest).length === 0 ? name : `${name} ${JSON.stringify(rest)}`;
  optimizerContract(title, () => resolveOptimizer(config), steps);
  optimizerContract(`${title} with weight decay`, () => resolveOptimizer({ ...config, weightDecay: 1e-4 }), steps);
}

const clipped: Optimizer = {
  config: { name: 'clipped', learningRate: 0.1 },
  slots: [],
  update(factor, { ids, count, values }, _state, step) {
    const { data, cols } = factor;
    for (let k = 0; k < count * cols; k++) {
      const i = Math.floor(k / cols);
      const to = (ids === null ? i : ids[i]!) * cols + (k % cols);
      data[to]! -= step.learningRateOf(factor) * Math.max(-1, Math.min(1, values[k]!));
    }
  },
};
optimizerContract("a caller's own rule", () => resolveOptimizer(clipped), 300);

test('every rule of the registry is under contract', () => {
  expect([...new Set(cases.map(([config]) => config.name))]).toEqual([...OPTIMIZER_NAMES]);
});
