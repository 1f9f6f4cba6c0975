// AdaGrad: each element's rate falls with the root of the sum of its squared gradients (Duchi, Hazan and Singer 2011).
// Per row, one accumulator serves a whole embedding, as in PyTorch-BigGraph: 1 / cols of the memory.

import { type Fields, field, number, oneOf } from '../core/options';
import * as kernels from '../kernels/dispatch';
import { isSingle, round } from '../kernels/kernels';
import type { Factor, Real, RowGradient } from './factor';
import type { LearningRate, RuleOptions } from './learning-rate';
import { decayed, rateField, readRule, tiny, weightDecayField } from './learning-rate';
import type { Optimizer, OptimizerConfig, SlotSpec, StepInfo } from './optimizer';

/** The declarations of its options. */
export const adagradFields: Fields<Omit<AdagradConfig, 'name'>> = {
  learningRate: rateField(0.05),
  epsilon: field(tiny, 1e-10),
  initialAccumulator: field(number({ min: 0 }), 0),
  per: field(oneOf('element', 'row'), 'element'),
  weightDecay: weightDecayField,
};

/**
 * AdaGrad, per element or per row.
 *
 * g = gradient + weightDecay x
 * per element: s <- s + g^2 (one s an element); per row: s <- s + mean over the columns of g^2 (one s a row)
 * x <- x - eta g / (sqrt(s) + epsilon)
 *
 * Only rows that a step touches are changed. Memory: one number an element, or one a row.
 *
 * @param options - `learningRate` (0.05), `epsilon` (1e-10), `initialAccumulator` (0), `per` ('element'), `weightDecay` (0).
 * @returns the configuration, plain frozen JSON.
 * @throws OptionError for an unknown option or a value out of range.
 * @see Duchi, Hazan and Singer, "Adaptive Subgradient Methods" (JMLR 12, 2011); torch.optim.Adagrad
 * @see Per row: Lerer et al., "PyTorch-BigGraph" (SysML 2019, arXiv 1903.12287)
 * @example
 * ```ts
 * import { adagrad } from 'opmf';
 * console.log(adagrad({ per: 'row' }).learningRate); // 0.05
 * ```
 */
export function adagrad(
  options: RuleOptions & {
    /** Added to the root, outside it; at least 1e-30. @defaultValue 1e-10 */
    readonly epsilon?: number | undefined;
    /** What the sums start at; at least 0. @defaultValue 0 */
    readonly initialAccumulator?: number | undefined;
    /** One sum an element, or one a row. @defaultValue 'element' */
    readonly per?: 'element' | 'row' | undefined;
  } = {},
): OptimizerConfig<
  'adagrad',
  {
    learningRate: LearningRate;
    weightDecay: number;
    epsilon: number;
    initialAccumulator: number;
    per: 'element' | 'row';
  }
> {
  return readRule('adagrad', options, adagradFields);
}

type AdagradConfig = ReturnType<typeof adagrad>;

/** The rule of `adagrad`. */
export class Adagrad implements Optimizer {
  readonly slots: readonly SlotSpec[];
  /** One row's gradient with its weight decay. */
  private row: Real = new Float32Array(0);

  constructor(readonly config: AdagradConfig) {
    this.slots = [{ name: 'sum', shape: config.per, initial: config.initialAccumulator }];
  }

  update(factor: Factor, gradient: RowGradient, state: readonly Real[], step: StepInfo): void {
    const rate = step.learningRateOf(factor);
    if (this.config.per === 'row') this.updateRows(factor, gradient, state[0]!, rate);
    else this.updateElements(factor, gradient, state[0]!, rate);
  }

  private updateElements({ data, cols }: Factor, { ids, count, values }: RowGradient, sum: Real, given: number): void {
    const single = isSingle(data);
    const rate = round(given, single);
    const epsilon = round(this.config.epsilon, single);
    const weightDecay = round(this.config.weightDecay, single);
    for (let i = 0; i < count; i++) {
      const to = (ids === null ? i : ids[i]!) * cols;
      const from = i * cols;
      for (let j = 0; j < cols; j++) {
        const x = data[to + j]!;
        const g = decayed(values[from + j]!, weightDecay, x, single);
        const s = round(sum[to + j]! + round(g * g, single), single);
        sum[to + j] = s;
        const root = round(Math.sqrt(s), single);
        data[to + j] = x - round(round(rate * g, single) / round(root + epsilon, single), single);
      }
    }
  }

  private updateRows({ data, cols }: Factor, { ids, count, values }: RowGradient, sum: Real, given: number): void {
    const single = isSingle(data);
    const rate = round(given, single);
    const epsilon = round(this.config.epsilon, single);
    const weightDecay = round(this.config.weightDecay, single);
    const share = round(1 / cols, single);
    const g = this.room(cols, single);
    for (let i = 0; i < count; i++) {
      const row = ids === null ? i : ids[i]!;
      const to = row * cols;
      const from = i * cols;
      for (let j = 0; j < cols; j++) g[j] = decayed(values[from + j]!, weightDecay, data[to + j]!, single);
      const squares = kernels.dot(g, 0, g, 0, cols);
      const s = round(sum[row]! + round(squares * share, single), single);
      sum[row] = s;
      const scaled = round(rate / round(round(Math.sqrt(s), single) + epsilon, single), single);
      for (let j = 0; j < cols; j++) data[to + j] = data[to + j]! - round(scaled * g[j]!, single);
    }
  }

  /** Room for a row; allocated once for the widest factor of a fit. */
  private room(cols: number, single: boolean): Real {
    if (this.row.length < cols || isSingle(this.row) !== single)
      this.row = single ? new Float32Array(cols) : new Float64Array(cols);
    return this.row;
  }
}
