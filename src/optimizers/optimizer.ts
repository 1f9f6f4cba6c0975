// THE SEAM of the update rules. An optimizer changes the rows of a factor that a gradient names and no others
// (lazily: momenta of rows that a step does not touch neither move them nor decay). It knows no model.

import type { Factor, Real, RowGradient } from './factor';

/** What an optimizer is, as plain JSON: its name, its constants and its learning rate. */
export type OptimizerConfig<Name extends string = string, Constants = { [constant: string]: unknown }> = Readonly<
  { name: Name } & Constants
>;

/** Where training is, and the learning rates in force there. One object for a whole fit. */
export interface StepInfo {
  /** The number of this update, from 1, over the whole fit: Adam's bias correction counts by it. */
  readonly step: number;
  /** The part of the whole fit that is done, in [0, 1). */
  readonly progress: number;
  /** The learning rate of a factor at this step, by its group and role. */
  learningRateOf(factor: Factor): number;
}

/** One array of an optimizer's memory of a factor: shaped like the factor, one number a row, or one number in all. */
export interface SlotSpec {
  readonly name: string;
  readonly shape: 'element' | 'row' | 'factor';
  /** The value it starts at; 0 when absent. */
  readonly initial?: number;
}

/**
 * An update rule.
 *
 * @example
 * ```ts
 * import { MF, syntheticInteractions, type Optimizer } from 'opmf';
 * // The sign of the gradient, and nothing else.
 * const signSgd: Optimizer = {
 *   config: { name: 'sign-sgd', learningRate: 0.002 },
 *   slots: [],
 *   update(factor, gradient) {
 *     const { ids, count, values } = gradient;
 *     for (let i = 0; i < count * factor.cols; i++) {
 *       const row = ids === null ? Math.floor(i / factor.cols) : ids[Math.floor(i / factor.cols)]!;
 *       factor.data[row * factor.cols + (i % factor.cols)]! -= 0.002 * Math.sign(values[i]!);
 *     }
 *   },
 * };
 * const model = new MF({ optimizer: signSgd, epochs: 2 });
 * await model.fit(syntheticInteractions({ users: 50, items: 40, ratings: 500 }));
 * console.log(Number.isFinite(model.predict('1', '1'))); // true
 * ```
 */
export interface Optimizer {
  readonly config: OptimizerConfig;
  readonly slots: readonly SlotSpec[];
  /** Changes `factor.data` and `state` in place. `state[k]` belongs to `slots[k]`. Allocates nothing. */
  update(factor: Factor, gradient: RowGradient, state: readonly Real[], step: StepInfo): void;
}
