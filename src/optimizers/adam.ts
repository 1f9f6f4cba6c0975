// Adam: moving averages of the gradient and of its square, both corrected for starting at 0 (Kingma and Ba 2015).
// Lazy, as torch.optim.SparseAdam: rows that a step does not touch keep their averages, while the correction counts
// the steps of the whole fit. Epsilon stands where algorithm 1 and torch.optim.Adam have it, beside the corrected root.

import { exponential, naturalLog } from '../core/elementary';
import { type Fields, field } from '../core/options';
import { isSingle, round } from '../kernels/kernels';
import type { Factor, Real, RowGradient } from './factor';
import type { LearningRate, RuleOptions } from './learning-rate';
import { decayed, rateField, readRule, share, tiny, weightDecayField } from './learning-rate';
import type { Optimizer, OptimizerConfig, SlotSpec, StepInfo } from './optimizer';

/** The declarations of its options. */
export const adamFields: Fields<Omit<AdamConfig, 'name'>> = {
  learningRate: rateField(0.001),
  beta1: field(share, 0.9),
  beta2: field(share, 0.999),
  epsilon: field(tiny, 1e-8),
  weightDecay: weightDecayField,
};

/**
 * Adam.
 *
 * g = gradient + weightDecay x, m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2) g^2
 * x <- x - eta (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
 *
 * t is the number of the update in the whole fit, not of the row's own. Lazy: a row that a step does not touch is not
 * moved, and its averages do not decay. Memory: two numbers an element.
 *
 * @param options - `learningRate` (0.001), `beta1` (0.9), `beta2` (0.999), `epsilon` (1e-8), `weightDecay` (0).
 * @returns the configuration, plain frozen JSON.
 * @throws OptionError for an unknown option or a value out of range.
 * @see Kingma and Ba, "Adam: A Method for Stochastic Optimization" (ICLR 2015, arXiv 1412.6980), algorithm 1
 * @example
 * ```ts
 * import { adam } from 'opmf';
 * const { learningRate, beta1, beta2, epsilon } = adam({ learningRate: 0.003 });
 * console.log(learningRate, beta1, beta2, epsilon); // 0.003 0.9 0.999 1e-8
 * ```
 */
export function adam(
  options: RuleOptions & {
    /** The decay of the average of the gradient, in [0, 1). @defaultValue 0.9 */
    readonly beta1?: number | undefined;
    /** The decay of the average of its square, in [0, 1). @defaultValue 0.999 */
    readonly beta2?: number | undefined;
    /** Added to the root, outside it; at least 1e-30. @defaultValue 1e-8 */
    readonly epsilon?: number | undefined;
  } = {},
): OptimizerConfig<
  'adam',
  { learningRate: LearningRate; weightDecay: number; beta1: number; beta2: number; epsilon: number }
> {
  return readRule('adam', options, adamFields);
}

type AdamConfig = ReturnType<typeof adam>;

/** The rule of `adam`. */
export class Adam implements Optimizer {
  readonly slots: readonly SlotSpec[] = [
    { name: 'average', shape: 'element' },
    { name: 'squareAverage', shape: 'element' },
  ];
  private readonly logBeta1: number;
  private readonly logBeta2: number;
  private correctedStep = 0;
  /** The corrections of the step last asked for: a step updates several factors. */
  averageScale = 1;
  rootScale = 1;

  constructor(readonly config: AdamConfig) {
    this.logBeta1 = naturalLog(config.beta1);
    this.logBeta2 = naturalLog(config.beta2);
  }

  update(factor: Factor, gradient: RowGradient, state: readonly Real[], step: StepInfo): void {
    this.correctFor(step.step);
    const { data, cols } = factor;
    const { ids, count, values } = gradient;
    const single = isSingle(data);
    const beta1 = round(this.config.beta1, single);
    const beta2 = round(this.config.beta2, single);
    const rest1 = round(1 - this.config.beta1, single);
    const rest2 = round(1 - this.config.beta2, single);
    const epsilon = round(this.config.epsilon, single);
    const weightDecay = round(this.config.weightDecay, single);
    const average = state[0]!;
    const squareAverage = state[1]!;
    const rate = round(round(step.learningRateOf(factor), single) * round(this.averageScale, single), single);
    const rootScale = round(this.rootScale, single);
    for (let i = 0; i < count; i++) {
      const to = (ids === null ? i : ids[i]!) * cols;
      const from = i * cols;
      for (let j = 0; j < cols; j++) {
        const x = data[to + j]!;
        const g = decayed(values[from + j]!, weightDecay, x, single);
        const m = round(round(beta1 * average[to + j]!, single) + round(rest1 * g, single), single);
        const oldSquare = round(beta2 * squareAverage[to + j]!, single);
        const v = round(oldSquare + round(round(rest2 * g, single) * g, single), single);
        average[to + j] = m;
        squareAverage[to + j] = v;
        const root = round(rootScale * round(Math.sqrt(v), single), single);
        data[to + j] = x - round(round(rate * m, single) / round(root + epsilon, single), single);
      }
    }
  }

  /** Works out the corrections of a step. */
  correctFor(step: number): void {
    if (step === this.correctedStep) return;
    this.correctedStep = step;
    this.averageScale = 1 / oneMinusPower(this.logBeta1, step);
    this.rootScale = 1 / Math.sqrt(oneMinusPower(this.logBeta2, step));
  }
}

/** 1 - beta^step. Not Math.pow, which differs between engines. Below e^-37.5 the power no longer changes a double's 1. */
function oneMinusPower(logBeta: number, step: number): number {
  const exponent = step * logBeta;
  return exponent < -37.5 ? 1 : 1 - exponential(exponent);
}
