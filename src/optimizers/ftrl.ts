// FTRL-Proximal: follow the regularized leader, with a rate for each element that falls with its own gradients, and an L1
// term that keeps weights at exactly 0 (McMahan et al. 2013). The rule of sparse linear models: the wide side of Wide & Deep.

import { type Check, type Fields, field, number } from '../core/options';
import { isSingle, round } from '../kernels/kernels';
import type { Factor, Real, RowGradient } from './factor';
import { decayed, type GroupRates, learningRate, rate, readRule, tiny, weightDecayField } from './learning-rate';
import type { Optimizer, OptimizerConfig, SlotSpec, StepInfo } from './optimizer';

const ALPHA = 0.1;
const strength = number({ min: 0 });
const constantRate: Check<number | GroupRates> = (value, name) =>
  learningRate(ALPHA)(rate(value, name), name) as number | GroupRates;
/** The declarations of its options. */
export const ftrlFields: Fields<Omit<FtrlConfig, 'name'>> = {
  learningRate: field(constantRate, ALPHA),
  beta: field(tiny, 1),
  l1: field(strength, 0),
  l2: field(strength, 0),
  weightDecay: weightDecayField,
};

/**
 * FTRL-Proximal.
 *
 * g = gradient + weightDecay x, s = (sqrt(n + g^2) - sqrt(n)) / alpha, z <- z + g - s x, n <- n + g^2
 * x <- 0 where |z| <= l1, else -(z - sign(z) l1) / ((beta + sqrt(n)) / alpha + l2)
 *
 * An element that has had no gradient starts at the z whose x is its value, so that products and embeddings may start
 * anywhere; from 0 that is z = 0, as published. Memory: two numbers an element.
 *
 * @param options - `learningRate` (0.1), `beta` (1), `l1` (0), `l2` (0), `weightDecay` (0).
 * @returns the configuration, plain frozen JSON.
 * @throws OptionError for an unknown option, a value out of range, or a schedule.
 * @see McMahan et al., "Ad Click Prediction: a View from the Trenches" (KDD 2013), algorithm 1
 * @example
 * ```ts
 * import { ftrl } from 'opmf';
 * console.log(ftrl({ l1: 0.001 }).learningRate); // 0.1
 * ```
 */
export function ftrl(
  options: {
    /** alpha: a number above 0, or rates by group. No schedule: the rule lowers the rate of each element itself. @defaultValue 0.1 */
    readonly learningRate?: number | GroupRates | undefined;
    /** How many squared gradients the rate waits for; at least 1e-30. @defaultValue 1 */
    readonly beta?: number | undefined;
    /** L1 on the whole path: elements whose gradients do not add up to more stay at 0. @defaultValue 0 */
    readonly l1?: number | undefined;
    /** L2 on the whole path. @defaultValue 0 */
    readonly l2?: number | undefined;
    /** As in every rule: weightDecay * value is added to the gradient. @defaultValue 0 */
    readonly weightDecay?: number | undefined;
  } = {},
): OptimizerConfig<
  'ftrl',
  { learningRate: number | GroupRates; beta: number; l1: number; l2: number; weightDecay: number }
> {
  return readRule('ftrl', options, ftrlFields);
}

type FtrlConfig = ReturnType<typeof ftrl>;

/** The rule of `ftrl`. */
export class Ftrl implements Optimizer {
  readonly slots: readonly SlotSpec[] = [
    { name: 'lead', shape: 'element' },
    { name: 'squares', shape: 'element' },
  ];

  constructor(readonly config: FtrlConfig) {}

  update(factor: Factor, { ids, count, values }: RowGradient, state: readonly Real[], step: StepInfo): void {
    const { data, cols } = factor;
    const [lead, squares] = state as [Real, Real];
    const single = isSingle(data);
    const alpha = round(step.learningRateOf(factor), single);
    const beta = round(this.config.beta, single);
    const l1 = round(this.config.l1, single);
    const l2 = round(this.config.l2, single);
    const weightDecay = round(this.config.weightDecay, single);
    /** (beta + root) / alpha + l2: what x is divided by. */
    const weightOf = (root: number) => round(round(round(beta + root, single) / alpha, single) + l2, single);
    const atRest = weightOf(0);
    for (let i = 0; i < count; i++) {
      const to = (ids === null ? i : ids[i]!) * cols;
      const from = i * cols;
      for (let j = 0; j < cols; j++) {
        const x = data[to + j]!;
        const g = decayed(values[from + j]!, weightDecay, x, single);
        const n = squares[to + j]!;
        const z = n === 0 ? -round(round(x * atRest, single) + signed(l1, x), single) : lead[to + j]!;
        const sum = round(n + round(g * g, single), single);
        const root = round(Math.sqrt(sum), single);
        const slope = round(round(root - round(Math.sqrt(n), single), single) / alpha, single);
        const next = round(round(z + g, single) - round(slope * x, single), single);
        lead[to + j] = next;
        squares[to + j] = sum;
        const beyond = round(signed(next, next) - l1, single);
        data[to + j] = beyond > 0 ? signed(beyond / weightOf(root), -next) : 0;
      }
    }
  }
}

/** x where `like` is above 0, -x where it is below, 0 where it is 0. */
function signed(x: number, like: number): number {
  return like > 0 ? x : like < 0 ? -x : 0;
}
