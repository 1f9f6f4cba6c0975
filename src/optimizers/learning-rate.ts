// The learning rate of a factor at a step: the schedule's curve, worked out once a step, times the rate of the
// factor's group. What an optimizer calls is learningRateOf, several times a rating, so it only looks up.

import { type Check, type Field, type Fields, type Filled, field, number, readOptions } from '../core/options';
import { round } from '../kernels/rounding';
import type { Factor, FactorGroup } from './factor';
import type { StepInfo } from './optimizer';
import { batchOf, type Curve, curveOf, isSchedule, type Rate, rate, rateOf, type Schedule, schedule } from './schedule';

/**
 * What `learningRate` of an optimizer may be: a number, rates by group, or a schedule of either.
 *
 * @example
 * ```ts
 * import { cosine, sgd, warmup, type LearningRate } from 'opmf';
 * const rates: LearningRate[] = [0.01, { embedding: 0.02, bias: 0.05 }, warmup(cosine({ embedding: 0.02, map: 0.1 }))];
 * console.log(rates.map((learningRate) => sgd({ learningRate }).name).join()); // sgd,sgd,sgd
 * ```
 */
export type LearningRate = Rate | Schedule;

/** Checks a learning rate and fills in the embedding's where a record leaves it out. */
export function learningRate(fallback: number): Check<LearningRate> {
  return (value, name) => complete(isSchedule(value) ? schedule(value, name) : rate(value, name), fallback);
}

/** The rate of an optimizer that names none. */
const UNNAMED = 0.01;

/**
 * The learning rates of a fit, and the counters of its steps: the StepInfo that the trainer hands to `update`.
 *
 * The rate of a factor is curve(progress) times: `map` (role `map` only), else that of its group, else `embedding`.
 *
 * @param given - `config.learningRate` of an optimizer.
 * @param fallback - the rate where `given` is absent, and of embeddings where it is a record without them. @defaultValue 0.01
 * @throws OptionError naming `learningRate`, `learningRate.bias`, ... for a rate that is not finite and above 0.
 * @example
 * ```ts
 * import { cosine, LearningRates } from 'opmf';
 * const rates = new LearningRates(cosine({ embedding: 0.02, bias: 0.05 }));
 * rates.begin(1, 0);
 * const bias = { name: 'userBias', role: 'base', group: 'bias', rows: 1, cols: 1, data: new Float32Array(1) } as const;
 * console.log(rates.learningRateOf(bias)); // 0.05
 * console.log(rates.at(1)); // 0
 * ```
 */
export class LearningRates implements StepInfo {
  step = 0;
  progress = 0;
  private readonly curve: Curve;
  private readonly base: Readonly<Record<FactorGroup, number>>;
  private readonly map: Readonly<Record<FactorGroup, number>>;
  /** The ratings a step that the rates are for; undefined for every number of them. */
  private readonly batch: number | undefined;
  private scale: number;

  constructor(given: unknown, fallback: number = UNNAMED) {
    const read = given === undefined ? fallback : learningRate(fallback)(given, 'learningRate');
    const start = rateOf(read);
    const rates = typeof start === 'number' ? { embedding: start } : start;
    const { embedding = fallback, bias = embedding, dense = embedding, linear = embedding, map } = rates;
    this.base = { embedding, bias, dense, linear };
    this.map = map === undefined ? this.base : { embedding: map, bias: map, dense: map, linear: map };
    this.curve = curveOf(read);
    this.batch = batchOf(read);
    this.scale = this.curve(0);
  }

  /** Moves on to a step, numbered from 1, at a progress of the whole fit in [0, 1]; `ratings`: those of its batch. */
  begin(step: number, progress: number, ratings?: number): void {
    this.step = step;
    this.progress = progress;
    this.scale = this.curve(progress);
    if (ratings !== undefined && this.batch !== undefined && ratings < this.batch) this.scale *= ratings / this.batch;
  }

  learningRateOf(factor: Factor): number {
    const rates = factor.role === 'map' ? this.map : this.base;
    // Named one by one: a lookup by a computed key costs more than the rest of this function.
    switch (factor.group) {
      case 'bias':
        return this.scale * rates.bias;
      case 'dense':
        return this.scale * rates.dense;
      case 'linear':
        return this.scale * rates.linear;
      default:
        return this.scale * rates.embedding;
    }
  }

  /** The rate of embeddings at a progress, for reports; it does not move on. */
  at(progress: number): number {
    return this.base.embedding * this.curve(progress);
  }
}

function complete(given: LearningRate, fallback: number): LearningRate {
  if (typeof given === 'number') return given;
  if (isSchedule(given)) return Object.freeze({ ...given, rate: complete(given.rate, fallback) } as Schedule);
  return given.embedding === undefined ? Object.freeze({ embedding: fallback, ...given }) : given;
}

// What the update rules have in common as options, and how a rule's options become its configuration: plain frozen
// JSON with every field filled in, the name first.

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
