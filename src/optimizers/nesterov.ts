// Nesterov's accelerated gradient in the form of Sutskever et al. 2013, as PyTorch writes it: the gradient is taken
// where the parameter is, and the look-ahead is folded into the step.

import { type Fields, field } from '../core/options';
import { isSingle, round } from '../kernels/kernels';
import type { Factor, Real, RowGradient } from './factor';
import type { LearningRate, RuleOptions } from './learning-rate';
import { decayed, rateField, readRule, share, weightDecayField } from './learning-rate';
import type { Optimizer, OptimizerConfig, SlotSpec, StepInfo } from './optimizer';

/** The declarations of its options. */
export const nesterovFields: Fields<Omit<NesterovConfig, 'name'>> = {
  learningRate: rateField(0.01),
  momentum: field(share, 0.9),
  weightDecay: weightDecayField,
};

/**
 * Gradient descent with Nesterov's momentum.
 *
 * g = gradient + weightDecay x, b <- momentum b + g, x <- x - eta (g + momentum b)
 *
 * Lazy: a row that a step does not touch is not moved, and its buffer does not decay. Memory: one number an element.
 *
 * @param options - `learningRate` (0.01), `momentum` (0.9), `weightDecay` (0).
 * @returns the configuration, plain frozen JSON.
 * @throws OptionError for an unknown option or a value out of range.
 * @see Sutskever et al., "On the importance of initialization and momentum in deep learning" (ICML 2013); torch.optim.SGD
 * @example
 * ```ts
 * import { nesterov } from 'opmf';
 * console.log(nesterov({ momentum: 0.5 }).momentum); // 0.5
 * ```
 */
export function nesterov(
  options: RuleOptions & {
    /** The part of the buffer that is kept from step to step, in [0, 1). @defaultValue 0.9 */
    readonly momentum?: number | undefined;
  } = {},
): OptimizerConfig<'nesterov', { learningRate: LearningRate; weightDecay: number; momentum: number }> {
  return readRule('nesterov', options, nesterovFields);
}

type NesterovConfig = ReturnType<typeof nesterov>;

/** The rule of `nesterov`. */
export class Nesterov implements Optimizer {
  readonly slots: readonly SlotSpec[] = [{ name: 'buffer', shape: 'element' }];
  constructor(readonly config: NesterovConfig) {}

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
        const ahead = round(g + round(momentum * b, single), single);
        data[to + j] = x - round(rate * ahead, single);
      }
    }
  }
}
