// RMSprop: the gradient over the root of a moving average of its square (Tieleman and Hinton 2012); PyTorch's form,
// not centered, with an optional heavy ball on the scaled gradient.

import { type Fields, field } from '../core/options';
import { isSingle, round } from '../kernels/kernels';
import type { Factor, Real, RowGradient } from './factor';
import type { LearningRate, RuleOptions } from './learning-rate';
import { decayed, rateField, readRule, share, tiny, weightDecayField } from './learning-rate';
import type { Optimizer, OptimizerConfig, SlotSpec, StepInfo } from './optimizer';

/** The declarations of its options. */
export const rmspropFields: Fields<Omit<RmspropConfig, 'name'>> = {
  learningRate: rateField(0.01),
  alpha: field(share, 0.99),
  epsilon: field(tiny, 1e-8),
  momentum: field(share, 0),
  weightDecay: weightDecayField,
};

/**
 * RMSprop, not centered.
 *
 * g = gradient + weightDecay x, a <- alpha a + (1 - alpha) g^2
 * b <- momentum b + g / (sqrt(a) + epsilon), x <- x - eta b
 *
 * Lazy: a row that a step does not touch is not moved, and its average does not decay. Memory: one number an element,
 * two with momentum.
 *
 * @param options - `learningRate` (0.01), `alpha` (0.99), `epsilon` (1e-8), `momentum` (0), `weightDecay` (0).
 * @returns the configuration, plain frozen JSON.
 * @throws OptionError for an unknown option or a value out of range.
 * @see Tieleman and Hinton, "Neural Networks for Machine Learning", lecture 6.5 (2012); torch.optim.RMSprop
 * @example
 * ```ts
 * import { rmsprop } from 'opmf';
 * console.log(rmsprop({ alpha: 0.9 }).alpha); // 0.9
 * ```
 */
export function rmsprop(
  options: RuleOptions & {
    /** The decay of the moving average of squares, in [0, 1). @defaultValue 0.99 */
    readonly alpha?: number | undefined;
    /** Added to the root, outside it; at least 1e-30. @defaultValue 1e-8 */
    readonly epsilon?: number | undefined;
    /** The part of the buffer that is kept, in [0, 1). At 0 there is no buffer, and no memory for one. @defaultValue 0 */
    readonly momentum?: number | undefined;
  } = {},
): OptimizerConfig<
  'rmsprop',
  { learningRate: LearningRate; weightDecay: number; alpha: number; epsilon: number; momentum: number }
> {
  return readRule('rmsprop', options, rmspropFields);
}

type RmspropConfig = ReturnType<typeof rmsprop>;

/** The rule of `rmsprop`. */
export class Rmsprop implements Optimizer {
  readonly slots: readonly SlotSpec[];
  constructor(readonly config: RmspropConfig) {
    const squareAverage: SlotSpec = { name: 'squareAverage', shape: 'element' };
    this.slots = config.momentum > 0 ? [squareAverage, { name: 'buffer', shape: 'element' }] : [squareAverage];
  }

  update(factor: Factor, gradient: RowGradient, state: readonly Real[], step: StepInfo): void {
    const { data, cols } = factor;
    const { ids, count, values } = gradient;
    const single = isSingle(data);
    const alpha = round(this.config.alpha, single);
    const rest = round(1 - this.config.alpha, single);
    const epsilon = round(this.config.epsilon, single);
    const momentum = round(this.config.momentum, single);
    const weightDecay = round(this.config.weightDecay, single);
    const squareAverage = state[0]!;
    const buffer = state[1];
    const rate = round(step.learningRateOf(factor), single);
    for (let i = 0; i < count; i++) {
      const to = (ids === null ? i : ids[i]!) * cols;
      const from = i * cols;
      for (let j = 0; j < cols; j++) {
        const x = data[to + j]!;
        const g = decayed(values[from + j]!, weightDecay, x, single);
        const old = round(alpha * squareAverage[to + j]!, single);
        const a = round(old + round(round(rest * g, single) * g, single), single);
        squareAverage[to + j] = a;
        let b = round(g / round(round(Math.sqrt(a), single) + epsilon, single), single);
        if (buffer !== undefined) {
          b = round(b + round(momentum * buffer[to + j]!, single), single);
          buffer[to + j] = b;
        }
        data[to + j] = x - round(rate * b, single);
      }
    }
  }
}
