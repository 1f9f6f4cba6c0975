// Adadelta: the step has the units of the parameter, because the root mean square of past steps stands above that of
// past gradients (Zeiler 2012). A learning rate, 1 as published, multiplies the step, as in PyTorch.

import { type Fields, field } from '../core/options';
import { isSingle, round } from '../kernels/kernels';
import type { Factor, Real, RowGradient } from './factor';
import type { LearningRate, RuleOptions } from './learning-rate';
import { decayed, rateField, readRule, share, tiny, weightDecayField } from './learning-rate';
import type { Optimizer, OptimizerConfig, SlotSpec, StepInfo } from './optimizer';

/** The declarations of its options. */
export const adadeltaFields: Fields<Omit<AdadeltaConfig, 'name'>> = {
  learningRate: rateField(1),
  rho: field(share, 0.9),
  epsilon: field(tiny, 1e-6),
  weightDecay: weightDecayField,
};

/**
 * Adadelta.
 *
 * g = gradient + weightDecay x, a <- rho a + (1 - rho) g^2
 * d = g sqrt(u + epsilon) / sqrt(a + epsilon), u <- rho u + (1 - rho) d^2, x <- x - eta d
 *
 * Lazy: a row that a step does not touch is not moved, and its averages do not decay. Memory: two numbers an element.
 *
 * @param options - `learningRate` (1), `rho` (0.9), `epsilon` (1e-6), `weightDecay` (0).
 * @returns the configuration, plain frozen JSON.
 * @throws OptionError for an unknown option or a value out of range.
 * @see Zeiler, "ADADELTA: An Adaptive Learning Rate Method" (2012, arXiv 1212.5701), algorithm 1; torch.optim.Adadelta
 * @example
 * ```ts
 * import { adadelta } from 'opmf';
 * console.log(adadelta({ rho: 0.95 }).rho); // 0.95
 * ```
 */
export function adadelta(
  options: RuleOptions & {
    /** The decay of both moving averages, in [0, 1). @defaultValue 0.9 */
    readonly rho?: number | undefined;
    /** Added under both roots; at least 1e-30. It sets the size of the first steps. @defaultValue 1e-6 */
    readonly epsilon?: number | undefined;
  } = {},
): OptimizerConfig<'adadelta', { learningRate: LearningRate; weightDecay: number; rho: number; epsilon: number }> {
  return readRule('adadelta', options, adadeltaFields);
}

type AdadeltaConfig = ReturnType<typeof adadelta>;

/** The rule of `adadelta`. */
export class Adadelta implements Optimizer {
  readonly slots: readonly SlotSpec[] = [
    { name: 'squareAverage', shape: 'element' },
    { name: 'stepAverage', shape: 'element' },
  ];
  constructor(readonly config: AdadeltaConfig) {}

  update(factor: Factor, gradient: RowGradient, state: readonly Real[], step: StepInfo): void {
    const { data, cols } = factor;
    const { ids, count, values } = gradient;
    const single = isSingle(data);
    const rho = round(this.config.rho, single);
    const rest = round(1 - this.config.rho, single);
    const epsilon = round(this.config.epsilon, single);
    const weightDecay = round(this.config.weightDecay, single);
    const squareAverage = state[0]!;
    const stepAverage = state[1]!;
    const rate = round(step.learningRateOf(factor), single);
    for (let i = 0; i < count; i++) {
      const to = (ids === null ? i : ids[i]!) * cols;
      const from = i * cols;
      for (let j = 0; j < cols; j++) {
        const x = data[to + j]!;
        const g = decayed(values[from + j]!, weightDecay, x, single);
        const oldSquare = round(rho * squareAverage[to + j]!, single);
        const a = round(oldSquare + round(round(rest * g, single) * g, single), single);
        const u = stepAverage[to + j]!;
        const ratio = round(round(u + epsilon, single) / round(a + epsilon, single), single);
        const d = round(g * round(Math.sqrt(ratio), single), single);
        squareAverage[to + j] = a;
        stepAverage[to + j] = round(rho * u, single) + round(round(rest * d, single) * d, single);
        data[to + j] = x - round(rate * d, single);
      }
    }
  }
}
