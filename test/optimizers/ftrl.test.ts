// FTRL-Proximal against its definition: the weight that minimizes everything seen so far, found by a search that shares
// nothing with the rule's recursion.

import { OptionError } from '../../src/core/errors';
import { Stream } from '../../src/core/random';
import type { Factor } from '../../src/optimizers/factor';
import { ftrl } from '../../src/optimizers/ftrl';
import { cosine, LearningRates } from '../../src/optimizers/learning-rate';
import { resolveOptimizer } from '../../src/optimizers/registry';

const STEPS = 30;

/** The weights after each step, from `start`, under noisy gradients of a quadratic. */
type FtrlOptions = NonNullable<Parameters<typeof ftrl>[0]>;

function run(options: FtrlOptions, start: number) {
  const rule = resolveOptimizer(ftrl(options));
  const factor: Factor = { name: 'w', role: 'base', group: 'linear', rows: 1, cols: 1, data: Float64Array.of(start) };
  const state = [new Float64Array(1), new Float64Array(1)];
  const rates = new LearningRates(rule.config.learningRate);
  const stream = Stream.of(3);
  const weights = [start];
  const gradients: number[] = [];
  for (let t = 1; t <= STEPS; t++) {
    rates.begin(t, 0);
    gradients.push(0.4 * (factor.data[0]! - 0.8) + 0.3 * stream.normal());
    rule.update(factor, { ids: null, count: 1, values: Float64Array.of(gradients[t - 1]!) }, state, rates);
    weights.push(factor.data[0]!);
  }
  return { weights, gradients };
}

/** The least point of a convex function on [-50, 50], by golden section. */
function least(f: (w: number) => number): number {
  let [low, high] = [-50, 50];
  const ratio = (Math.sqrt(5) - 1) / 2;
  for (let i = 0; i < 120; i++) {
    const [a, b] = [high - ratio * (high - low), low + ratio * (high - low)];
    if (f(a) < f(b)) high = b;
    else low = a;
  }
  return (low + high) / 2;
}

test.each<FtrlOptions>([{ learningRate: 0.5 }, { learningRate: 0.3, beta: 0.2, l1: 0.6, l2: 0.4 }, { l1: 20 }])(
  '%j: each weight minimizes sum g w + 1/2 sum (1/eta_s - 1/eta_(s-1)) (w - w_s)^2 + l1 |w| + l2/2 w^2',
  (options) => {
    const { learningRate: alpha = 0.1, beta = 1, l1 = 0, l2 = 0 } = options as { [key: string]: number };
    const { weights, gradients } = run(options, 0);
    for (let t = 1; t <= STEPS; t++) {
      const seen = gradients.slice(0, t);
      let squares = 0;
      const pulls = seen.map((g) => {
        const before = Math.sqrt(squares);
        squares += g * g;
        return (Math.sqrt(squares) - before) / alpha;
      });
      const objective = (w: number) =>
        seen.reduce((sum, g, s) => sum + g * w + 0.5 * pulls[s]! * (w - weights[s]!) ** 2, 0) +
        l1 * Math.abs(w) +
        0.5 * (l2 + beta / alpha) * w * w;
      expect(Math.abs(weights[t]! - least(objective))).toBeLessThan(1e-6);
    }
    expect(weights[STEPS] === 0).toBe(l1 === 20);
  },
);

test('from anywhere, without penalties: x <- x - alpha g / (beta + the root of the sum of squares)', () => {
  const { weights, gradients } = run({ learningRate: 0.5, beta: 2 }, 1.7);
  let squares = 0;
  for (const [t, g] of gradients.entries()) {
    squares += g * g;
    expect(weights[t + 1]!).toBeCloseTo(weights[t]! - (0.5 * g) / (2 + Math.sqrt(squares)), 12);
  }
});

test('lowers its rates itself: schedules are refused', () => {
  expect(() => ftrl({ learningRate: cosine(0.1) as never })).toThrow(OptionError);
});
