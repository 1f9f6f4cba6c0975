// RMSprop: the gradient over the root of a moving average of its square (Tieleman and Hinton 2012); PyTorch's form,
// not centered, with an optional heavy ball on the scaled gradient.

import { type Fields, type Filled, field } from '../core/options';
import type { Factor, Real, RowGradient } from './factor';
import type { Optimizer, SlotSpec, StepInfo } from './optimizer';
import { type RuleConfig, type RuleOptions, rateField, readRule, share, tiny, weightDecayField } from './rule-options';

/** Options of `rmsprop`. */
export interface RmspropOptions extends RuleOptions {
  /** The decay of the moving average of squares, in [0, 1). @defaultValue 0.99 */
  readonly alpha?: number | undefined;
  /** Added to the root, outside it; above 0. @defaultValue 1e-8 */
  readonly epsilon?: number | undefined;
  /** The part of the buffer that is kept, in [0, 1). At 0 there is no buffer, and no memory for one. @defaultValue 0 */
  readonly momentum?: number | undefined;
}

/** What `rmsprop` returns. */
export type RmspropConfig = RuleConfig<'rmsprop', RmspropOptions>;

const fields: Fields<Filled<RmspropOptions>> = {
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
export function rmsprop(options: RmspropOptions = {}): RmspropConfig {
  return readRmsprop(options, '');
}

/** Reads a configuration without its name. */
export function readRmsprop(options: unknown, prefix: string): RmspropConfig {
  return readRule<'rmsprop', RmspropOptions>('rmsprop', options, fields, prefix);
}

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
    const { alpha, epsilon, momentum, weightDecay } = this.config;
    const squareAverage = state[0]!;
    const buffer = state[1];
    const rest = 1 - alpha;
    const rate = step.learningRateOf(factor);
    for (let i = 0; i < count; i++) {
      const to = (ids === null ? i : ids[i]!) * cols;
      const from = i * cols;
      for (let j = 0; j < cols; j++) {
        const x = data[to + j]!;
        const g = values[from + j]! + weightDecay * x;
        const a = alpha * squareAverage[to + j]! + rest * g * g;
        squareAverage[to + j] = a;
        let b = g / (Math.sqrt(a) + epsilon);
        if (buffer !== undefined) {
          b += momentum * buffer[to + j]!;
          buffer[to + j] = b;
        }
        data[to + j] = x - rate * b;
      }
    }
  }
}
