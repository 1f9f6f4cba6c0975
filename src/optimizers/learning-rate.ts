// The learning rate of a factor at a step: the schedule's curve, worked out once a step, times the rate of the
// factor's group. What an optimizer calls is learningRateOf, several times a rating, so it only looks up.

import type { Check } from '../core/options';
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
