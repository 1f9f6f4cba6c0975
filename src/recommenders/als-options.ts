// The options of ALS: their types, their checks, their defaults, and what they come to for the solver.

import {
  boolean,
  type Check,
  check,
  derived,
  type Field,
  type Fields,
  type Filled,
  field,
  integer,
  number,
  oneOf,
  wrong,
} from '../core/options';
import type { AlsRule } from '../training/als-rows';
import { dimension, epochCount, magnitude, type TrainingOptions, trainingFields } from './training-options';

/**
 * The options of ALS.
 *
 * @example
 * ```ts
 * import { ALS, type ALSOptions } from 'opmf';
 * const options: ALSOptions = { rank: 16, unobservedWeight: 0.3 };
 * console.log(new ALS(options).options.regularizationExponent); // 1
 * ```
 */
export interface ALSOptions extends Pick<TrainingOptions, 'seed' | 'kernels' | 'clip'> {
  /**
   * 'implicit': who has what; a pair that is not in the data counts a little against. 'explicit': ratings; a pair that is
   * not in the data is unknown. @defaultValue 'implicit'
   */
  readonly feedback?: 'implicit' | 'explicit' | undefined;
  /** The length of the vectors, from 1 to 65536. @defaultValue 32 */
  readonly rank?: number | undefined;
  /** Passes, from 1 to 100000; each solves for every user, then for every item. @defaultValue 12 */
  readonly epochs?: number | undefined;
  /**
   * lambda, above 0, of lambda (sum over rows of (n + alpha0 |rows of the other side|)^nu |x|^2), for a row with n interactions.
   * @defaultValue implicit: 0.007; explicit: 0.06
   */
  readonly regularization?: number | undefined;
  /** nu, from 0 to 2: 1 penalizes a row in proportion to what it has, 0 all rows alike. @defaultValue 1 */
  readonly regularizationExponent?: number | undefined;
  /**
   * alpha0, at least 0: the weight of score^2 for every pair, seen or not; implicit feedback alone. 'auto': 0.3, and less where fewer
   * pairs than in MovieLens 1M are filled: all of them then weigh 6.75 times as much as the interactions do, as there.
   * @defaultValue 'auto'
   */
  readonly unobservedWeight?: number | 'auto' | undefined;
  /**
   * How much values say, at least 0: an interaction's squared error weighs 1 + alpha value (times its weight); implicit feedback alone.
   * At 0 values are not looked at. @defaultValue 0
   */
  readonly alpha?: number | undefined;
  /** Whether users and items have biases; explicit feedback alone. @defaultValue true for explicit feedback, else false */
  readonly biases?: boolean | undefined;
  /**
   * How the equations of a row are solved: 'cholesky' exactly, in O(n rank^2 + rank^3); 'conjugate-gradient' by `steps`
   * steps from where the row is, in O(steps (n rank + rank^2)), which pays from ranks of some hundred. @defaultValue 'cholesky'
   */
  readonly solver?: 'cholesky' | 'conjugate-gradient' | undefined;
  /** Steps of the conjugate gradient, from 1 to 1000. @defaultValue 3 */
  readonly steps?: number | undefined;
  /** Vectors start at N(0, initScale^2 / rank); at least 0. @defaultValue 0.1 */
  readonly initScale?: number | undefined;
}

/** Every option filled in; plain JSON. */
export type FilledAlsOptions = Filled<ALSOptions>;

/** The declarations, in the order that files have them in. */
export function alsFields(): Fields<FilledAlsOptions> {
  const { seed, kernels, clip } = trainingFields();
  return {
    feedback: field(oneOf('implicit', 'explicit'), 'implicit'),
    rank: field(dimension(), 32),
    epochs: field(epochCount(), 12),
    regularizationExponent: field(number({ min: 0, max: 2 }), 1),
    solver: field(oneOf('cholesky', 'conjugate-gradient'), 'cholesky'),
    steps: field(integer({ min: 1, max: 1000 }), 3),
    initScale: field(magnitude(), 0.1),
    seed,
    kernels,
    clip,
    regularization: derived(number({ min: 0, above: true }), ({ options }) => (isExplicit(options) ? 0.06 : 0.007)),
    unobservedWeight: ofImplicit<number | 'auto'>(
      check(
        "a number of at least 0, or 'auto'",
        (value) => value === 'auto' || (Number.isFinite(value) && (value as number) >= 0),
      ),
      'auto',
    ),
    alpha: ofImplicit(magnitude(), 0),
    biases: {
      wanted: boolean.wanted,
      read(given, name, { options }) {
        const biases = given === undefined ? isExplicit(options) : boolean(given, name);
        if (!biases || isExplicit(options)) return biases;
        throw wrong(name, biases, "false with feedback 'implicit'; ratings are 'explicit'");
      },
    },
  };
}

const isExplicit = ({ feedback }: Pick<FilledAlsOptions, 'feedback'>) => feedback === 'explicit';

/** An option of implicit feedback, with its default there; else it is 0. */
function ofImplicit<T>(check: Check<T>, fallback: T): Field<T | 0, FilledAlsOptions> {
  return {
    wanted: check.wanted,
    read(given, name, { options }) {
      const value = given === undefined ? (isExplicit(options) ? 0 : fallback) : check(given, name);
      if (value === 0 || !isExplicit(options)) return value;
      throw wrong(name, value, "0 with feedback 'explicit': it is for implicit feedback");
    },
  };
}

/** What the solver is told of the options. */
export function ruleOf(options: FilledAlsOptions & { readonly unobservedWeight: number }): AlsRule {
  const { rank, biases, unobservedWeight, regularization, regularizationExponent, solver, steps } = options;
  const { kernels } = options;
  return { rank, biases, unobservedWeight, regularization, regularizationExponent, method: solver, steps, kernels };
}
