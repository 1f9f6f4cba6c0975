// Gradient descent with a heavy ball, in PyTorch's form: the learning rate multiplies the whole buffer when it is
// applied, not the gradient when it enters. Polyak 1964.

import { type Fields, field } from '../core/options';
import { isSingle, round } from '../kernels/kernels';
import type { Factor, Real, RowGradient } from './factor';
import type { LearningRate, RuleOptions } from './learning-rate';
import { decayed, rateField, readRule, share, weightDecayField } from './learning-rate';
import type { Optimizer, OptimizerConfig, SlotSpec, StepInfo } from './optimizer';

/** The declarations of its options. */
export const momentumFields: Fields<Omit<MomentumConfig, 'name'>> = {
  learningRate: rateField(0.01),
  momentum: field(share, 0.9),
  weightDecay: weightDecayField,
};

/**
 * Gradient descent with momentum (the heavy ball; no dampening).
 *
 * g = gradient + weightDecay x, b <- momentum b + g, x <- x - eta b
 *
 * Lazy: a row that a step does not touch is not moved, and its buffer does not decay. Memory: one number an element.
 *
 * @param options - `learningRate` (0.01), `momentum` (0.9), `weightDecay` (0).
 * @returns the configuration, plain frozen JSON.
 * @throws OptionError for an unknown option or a value out of range.
 * @see Polyak, "Some methods of speeding up the convergence of iteration methods" (1964); torch.optim.SGD
 * @example
 * ```ts
 * import { momentum } from 'opmf';
 * console.log(momentum().momentum); // 0.9
 * ```
 */
export function momentum(
  options: RuleOptions & {
    /** The part of the buffer that is kept from step to step, in [0, 1). @defaultValue 0.9 */
    readonly momentum?: number | undefined;
  } = {},
): OptimizerConfig<'momentum', { learningRate: LearningRate; weightDecay: number; momentum: number }> {
  return readRule('momentum', options, momentumFields);
}

type MomentumConfig = ReturnType<typeof momentum>;

/** The rule of `momentum`. */
export class Momentum implements Optimizer {
  readonly slots: readonly SlotSpec[] = [{ name: 'buffer', shape: 'element' }];
  constructor(readonly config: MomentumConfig) {}

  update(factor: Factor, gradient: RowGradient, state: readonly Real[], step: StepInfo): void {
    const { data, cols } = factor;
    const { ids, count, values } = gradient;
    const single = isSingle(data);
    const momentum = round(this.config.momentum, single);
    const weightDecay = round(this.config.weightDecay, single);
    const buffer = state[0]!;
    const rate = round(step.learningRateOf(factor), single);
    for (let i = 0; i < count; i++) {
      const to = (ids === null ? i : ids[i]!) * cols;
      const from = i * cols;
      for (let j = 0; j < cols; j++) {
        const x = data[to + j]!;
        const g = decayed(values[from + j]!, weightDecay, x, single);
        const b = round(round(momentum * buffer[to + j]!, single) + g, single);
        buffer[to + j] = b;
        data[to + j] = x - round(rate * b, single);
      }
    }
  }
}
