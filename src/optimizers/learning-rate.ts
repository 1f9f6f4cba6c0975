// Learning rates: one for everything or one for each group of factors, as a number or a schedule; how they are written and
// checked, and which rate a factor gets at a step.

import { cosineOfTurn, exponential as exp, naturalLog } from '../core/elementary';
import type { Check, Field, Fields } from '../core/options';
import { field, integer, number, oneOf, optional, plain, readOptions, wrong } from '../core/options';
import { round } from '../kernels/kernels';
import type { Factor, FactorGroup } from './factor';
import type { StepInfo } from './optimizer';

/**
 * Learning rates by group, each above 0. `bias`, `dense` and `linear` fall back on `embedding`; a factor of the role
 * `map` (what a table is multiplied by in a product) takes `map`, else the rate of its group. `embedding` falls back on
 * the default of the optimizer.
 *
 * @example
 * ```ts
 * import { sgd, type GroupRates } from 'opmf';
 * const rates: GroupRates = { embedding: 0.02, bias: 0.05 };
 * console.log(JSON.stringify(sgd({ learningRate: rates }).learningRate)); // {"embedding":0.02,"bias":0.05}
 * ```
 */
export interface GroupRates {
  readonly embedding?: number | undefined;
  readonly bias?: number | undefined;
  readonly map?: number | undefined;
  readonly dense?: number | undefined;
  readonly linear?: number | undefined;
}

const positive = number({ min: 0, above: true });
const groups: Fields<GroupRates> = {
  embedding: optional(positive),
  bias: optional(positive),
  map: optional(positive),
  dense: optional(positive),
  linear: optional(positive),
};

/** A finite number above 0, or a record of them. */
export const rate: Check<number | GroupRates> = (value, name) => {
  if (typeof value === 'number') return positive(value, name);
  if (typeof value === 'object' && value !== null) return readOptions<GroupRates>(name, value, groups, `${name}.`);
  throw wrong(
    name,
    value,
    'a number above 0, rates by group such as { embedding: .02, bias: .05 }, or a schedule such as cosine(.02)',
  );
};

// Learning-rate schedules: a rate times a curve of the progress p of the whole fit, in [0, 1]. They are plain JSON, so
// that a saved model, a report and a checkpoint can name them; curveOf turns one into a function, once a fit.

/**
 * A learning rate that changes while training runs, as plain JSON: what `constant`, `exponential`, `inverse`, `cosine`,
 * `linear` and `warmup` return.
 *
 * @example
 * ```ts
 * import { adam, cosine, type Schedule } from 'opmf';
 * const schedule: Schedule = cosine(0.01);
 * console.log(JSON.stringify(schedule)); // {"schedule":"cosine","rate":0.01,"final":0}
 * console.log(adam({ learningRate: schedule }).name); // adam
 * ```
 */
export type Schedule = {
  /**
   * The ratings a step that the rates are for, where batchSize is above 1: a step of fewer, as the last of an epoch, has
   * them in proportion, so that no rating counts for more than others. Absent: every step has them in full.
   */
  readonly batch?: number;
} & (
  | { readonly schedule: 'constant'; readonly rate: number | GroupRates }
  /** Falls to `final` times the rate; the name says along which curve. */
  | {
      readonly schedule: 'exponential' | 'cosine' | 'linear';
      readonly rate: number | GroupRates;
      readonly final: number;
    }
  /** rate / (1 + decay p). */
  | { readonly schedule: 'inverse'; readonly rate: number | GroupRates; readonly decay: number }
  /** Rises from 0 to the start of `rate` over the first `fraction`, then follows `rate`. */
  | { readonly schedule: 'warmup'; readonly rate: number | GroupRates | Schedule; readonly fraction: number }
);

type ScheduleName = Schedule['schedule'];

const CONSTANTS: Readonly<Record<ScheduleName, Readonly<Record<string, Field<number>>>>> = {
  constant: {},
  exponential: { final: field(number({ min: 0, above: true, max: 1 }), 0.01) },
  inverse: { decay: field(number({ min: 0 }), 9) },
  cosine: { final: field(number({ min: 0, max: 1 }), 0) },
  linear: { final: field(number({ min: 0, max: 1 }), 0) },
  warmup: { fraction: field(number({ min: 0, max: 1, below: true }), 0.1) },
};
const BATCH = optional(integer({ min: 1 }));
const named = oneOf(...(Object.keys(CONSTANTS) as ScheduleName[]));

/**
 * The same rate all the time: rate(p) = rate.
 *
 * @param rate - a number above 0, or rates by group.
 * @throws OptionError when the rate is not finite and above 0.
 * @example
 * ```ts
 * import { constant } from 'opmf';
 * console.log(JSON.stringify(constant(0.01))); // {"schedule":"constant","rate":0.01}
 * ```
 */
export function constant(
  rate: number | GroupRates,
  options: Pick<Schedule, 'batch'> = {},
): Schedule & { readonly schedule: 'constant' } {
  return build('constant', rate, options, '');
}

/**
 * Falls by the same factor in equal times: rate(p) = rate * final^p.
 *
 * @param options.final - the part of the rate that is left at the end, in (0, 1]. @defaultValue 0.01
 * @throws OptionError for a rate or `final` out of range.
 * @example
 * ```ts
 * import { exponential } from 'opmf';
 * console.log(exponential(0.1, { final: 0.5 }).final); // 0.5
 * ```
 */
export function exponential(
  rate: number | GroupRates,
  options: Pick<Schedule, 'batch'> & { readonly final?: number } = {},
): Schedule & { readonly schedule: 'exponential' } {
  return build('exponential', rate, options, '');
}

/**
 * The classical decay of stochastic approximation: rate(p) = rate / (1 + decay p).
 *
 * @param options.decay - at least 0; the last rate is 1 / (1 + decay) of the first. @defaultValue 9
 * @throws OptionError for a rate or `decay` out of range.
 * @see Bottou, "Stochastic Gradient Descent Tricks" (2012), section 5.2
 * @example
 * ```ts
 * import { inverse } from 'opmf';
 * console.log(inverse(0.1).decay); // 9
 * ```
 */
export function inverse(
  rate: number | GroupRates,
  options: Pick<Schedule, 'batch'> & { readonly decay?: number } = {},
): Schedule & { readonly schedule: 'inverse' } {
  return build('inverse', rate, options, '');
}

/**
 * Half a cosine wave: rate(p) = rate * (final + (1 - final) (1 + cos(pi p)) / 2).
 *
 * @param options.final - the part of the rate that is left at the end, in [0, 1]. @defaultValue 0
 * @throws OptionError for a rate or `final` out of range.
 * @see Loshchilov and Hutter, "SGDR" (ICLR 2017, arXiv 1608.03983), equation 5 with one period
 * @example
 * ```ts
 * import { cosine } from 'opmf';
 * console.log(JSON.stringify(cosine({ embedding: 0.02, bias: 0.05 }).rate)); // {"embedding":0.02,"bias":0.05}
 * ```
 */
export function cosine(
  rate: number | GroupRates,
  options: Pick<Schedule, 'batch'> & { readonly final?: number } = {},
): Schedule & { readonly schedule: 'cosine' } {
  return build('cosine', rate, options, '');
}

/**
 * A straight line: rate(p) = rate * (final + (1 - final) (1 - p)).
 *
 * @param options.final - the part of the rate that is left at the end, in [0, 1]. @defaultValue 0
 * @throws OptionError for a rate or `final` out of range.
 * @example
 * ```ts
 * import { linear } from 'opmf';
 * console.log(linear(0.1).final); // 0
 * ```
 */
export function linear(
  rate: number | GroupRates,
  options: Pick<Schedule, 'batch'> & { readonly final?: number } = {},
): Schedule & { readonly schedule: 'linear' } {
  return build('linear', rate, options, '');
}

/**
 * A straight rise from 0 over the first part of the fit, then the inner schedule over the rest:
 * rate(p) = inner(0) p / fraction for p < fraction, inner((p - fraction) / (1 - fraction)) after.
 *
 * @param rate - a schedule, or a rate that is kept after the rise.
 * @param options.fraction - the part of the fit that the rise takes, in [0, 1). @defaultValue 0.1
 * @throws OptionError for a rate or `fraction` out of range.
 * @see Goyal et al., "Accurate, Large Minibatch SGD" (2017, arXiv 1706.02677), section 2.2
 * @example
 * ```ts
 * import { cosine, warmup } from 'opmf';
 * console.log(JSON.stringify(warmup(cosine(0.1)).rate)); // {"schedule":"cosine","rate":0.1,"final":0}
 * ```
 */
export function warmup(
  rate: number | GroupRates | Schedule,
  options: Pick<Schedule, 'batch'> & { readonly fraction?: number } = {},
): Schedule & { readonly schedule: 'warmup' } {
  return build('warmup', rate, options, '');
}

/** Whether a learning rate is a schedule: only schedules have a field of that name. */
export function isSchedule(given: unknown): given is Schedule {
  return typeof given === 'object' && given !== null && Object.hasOwn(given, 'schedule');
}

/** A schedule as it comes from JSON, checked and filled in. */
export const schedule: Check<Schedule> = (value, name) => {
  const { schedule, rate, ...constants } = plain(value, name, 'a schedule such as cosine(.02)');
  return build(named(schedule, `${name}.schedule`), rate, constants, `${name}.`);
};

/** The factor that a schedule puts on its rate at a progress; 1 where nothing has been lowered. */
export type Curve = (progress: number) => number;

/** The curve of a learning rate. What depends on its constants alone is worked out here, not at each call. */
export function curveOf(given: number | GroupRates | Schedule): Curve {
  if (!isSchedule(given)) return one;
  switch (given.schedule) {
    case 'constant':
      return one;
    case 'exponential': {
      const slope = naturalLog(given.final);
      return (p) => exp(slope * p);
    }
    case 'inverse': {
      const { decay } = given;
      return (p) => 1 / (1 + decay * p);
    }
    case 'cosine': {
      const { final } = given;
      return (p) => final + ((1 - final) * (1 + cosineOfTurn(p / 2))) / 2;
    }
    case 'linear': {
      const { final } = given;
      return (p) => final + (1 - final) * (1 - p);
    }
    case 'warmup': {
      const { fraction } = given;
      const inner = curveOf(given.rate);
      const top = inner(0);
      return (p) => (p < fraction ? (top * p) / fraction : inner((p - fraction) / (1 - fraction)));
    }
  }
}

/** The ratings a step that a learning rate is for; undefined for every number of them. */
export function batchOf(given: number | GroupRates | Schedule): number | undefined {
  return isSchedule(given) ? (given.batch ?? batchOf(given.rate)) : undefined;
}

/** The rate that a schedule starts from, with every schedule around it taken off. */
export function rateOf(given: number | GroupRates | Schedule): number | GroupRates {
  return isSchedule(given) ? rateOf(given.rate) : given;
}

const one: Curve = () => 1;

function build<Name extends ScheduleName>(name: Name, given: unknown, constants: unknown, prefix: string) {
  const inner = name === 'warmup' && isSchedule(given) ? schedule : rate;
  const read = readOptions(name, constants, { ...CONSTANTS[name], batch: BATCH }, prefix);
  return Object.freeze({ schedule: name, rate: inner(given, `${prefix}rate`), ...read }) as Schedule & {
    readonly schedule: Name;
  };
}

// The learning rate of a factor at a step: the schedule's curve, worked out once a step, times the rate of the
// factor's group. What an optimizer calls is learningRateOf, several times a rating, so it only looks up.

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
export type LearningRate = number | GroupRates | Schedule;

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
 * import { cosine } from 'opmf';
 * import { LearningRates } from 'opmf/models';
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
export function readRule<Name extends string, Config extends object>(
  name: Name,
  options: unknown,
  fields: Fields<Config>,
  prefix = '',
): Readonly<{ name: Name } & Config> {
  return Object.freeze({ name, ...readOptions<Config>(name, options, fields, prefix) });
}

// Weight decay in the gradient of one number.

/** g + weightDecay x. Without decay g is left as it is, its sign of zero too. */
export function decayed(g: number, weightDecay: number, x: number, single: boolean): number {
  return weightDecay === 0 ? g : round(g + round(weightDecay * x, single), single);
}
