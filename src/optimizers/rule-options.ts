// What the update rules have in common as options, and how a rule's options become its configuration: plain frozen
// JSON with every field filled in, the name first.

import { type Field, type Fields, type Filled, field, number, readOptions } from '../core/options';
import { round } from '../kernels/rounding';
import { type LearningRate, learningRate } from './learning-rate';

/** The options of every rule. */
export interface RuleOptions {
  /** A number above 0, rates by group, or a schedule. */
  readonly learningRate?: LearningRate | undefined;
  /**
   * L2 on the factor: weightDecay * value is added to the gradient of the rows that a step touches, and of no others.
   * At least 0. It acts on each factor of a product, unlike `regularization`, which acts on the product.
   * @defaultValue 0
   */
  readonly weightDecay?: number | undefined;
}

/** A rule's options with the name and every default filled in. */
export type RuleConfig<Name extends string, Options> = Readonly<{ name: Name } & Filled<Options>>;

/** The field of a learning rate with the rule's own default. */
export function rateField(fallback: number): Field<LearningRate> {
  return field(learningRate(fallback), fallback);
}

/** A decay constant of a moving average, or a momentum: in [0, 1). */
export const share = number({ min: 0, max: 1, below: true });

/** What is added to a denominator. In float32 less would be 0, or a rate over it infinite, and a gradient of 0 NaN. */
export const tiny = number({ min: 1e-30 });

export const weightDecayField: Field<number> = field(number({ min: 0 }), 0);

/** Reads the options of a rule; `prefix` is put before a name in an error (`optimizer.`). */
export function readRule<Name extends string, Options extends object>(
  name: Name,
  options: unknown,
  fields: Fields<Filled<Options>>,
  prefix: string,
): RuleConfig<Name, Options> {
  return Object.freeze({ name, ...readOptions<Filled<Options>>(name, options, fields, prefix) });
}

// Weight decay in the gradient of one number.

/** g + weightDecay x. Without decay g is left as it is, its sign of zero too. */
export function decayed(g: number, weightDecay: number, x: number, single: boolean): number {
  return weightDecay === 0 ? g : round(g + round(weightDecay * x, single), single);
}
