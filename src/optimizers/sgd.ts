// Stochastic gradient descent: the rule that the overparameterization is about, because on a product of factors it
// behaves like momentum with an adaptive rate. Robbins and Monro 1951.

import type { Fields } from '../core/options';
import { isSingle, round } from '../kernels/kernels';
import type { Factor, Real, RowGradient } from './factor';
import { decayed, type LearningRate, type RuleOptions, rateField, readRule, weightDecayField } from './learning-rate';
import type { Optimizer, OptimizerConfig, SlotSpec, StepInfo } from './optimizer';

/** The declarations of its options. */
export const sgdFields: Fields<Omit<SgdConfig, 'name'>> = {
  learningRate: rateField(0.01),
  weightDecay: weightDecayField,
};

/**
 * Stochastic gradient descent.
 *
 * g = gradient + weightDecay x, x <- x - eta g
 *
 * Only rows that a step touches are changed. Memory: none.
 *
 * @param options - `learningRate` (0.01), `weightDecay` (0).
 * @returns the configuration, plain frozen JSON.
 * @throws OptionError for an unknown option or a value out of range.
 * @see Robbins and Monro, "A Stochastic Approximation Method" (1951); torch.optim.SGD
 * @example
 * ```ts
 * import { sgd } from 'opmf';
 * console.log(JSON.stringify(sgd({ learningRate: 0.005 }))); // {"name":"sgd","learningRate":0.005,"weightDecay":0}
 * ```
 */
export function sgd(
  options: RuleOptions = {},
): OptimizerConfig<'sgd', { learningRate: LearningRate; weightDecay: number }> {
  return readRule('sgd', options, sgdFields);
}

type SgdConfig = ReturnType<typeof sgd>;

/** The rule of `sgd`. */
export class Sgd implements Optimizer {
  readonly slots: readonly SlotSpec[] = [];
  constructor(readonly config: SgdConfig) {}

  update(factor: Factor, gradient: RowGradient, _state: readonly Real[], step: StepInfo): void {
    const { data, cols } = factor;
    const { ids, count, values } = gradient;
    const single = isSingle(data);
    const weightDecay = round(this.config.weightDecay, single);
    const rate = round(step.learningRateOf(factor), single);
    for (let i = 0; i < count; i++) {
      const to = (ids === null ? i : ids[i]!) * cols;
      const from = i * cols;
      for (let j = 0; j < cols; j++) {
        const x = data[to + j]!;
        data[to + j] = x - round(rate * decayed(values[from + j]!, weightDecay, x, single), single);
      }
    }
  }
}
