// Common to all evaluations: options, the check of the recommender argument, and the training history of a row.

import { abortSignal, callable, seed as checkSeed, field, optional, wrong } from '../core/options';
import type { Seed } from '../core/random';
import { type Pausable, runYielding, type Scheduler } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import { ROWS_A_STEP } from '../metrics/relevant-items';
import { threads } from '../recommenders/training-options';

/** The options of every evaluation. `Part`: what `onProgress` receives beside the progress. */
export interface EvaluationOptions<Part = unknown> {
  /** Of whatever is drawn: splits, negatives, trials. @defaultValue 1 */
  readonly seed?: number | string | undefined;
  /** Ends the evaluation, also within a fit: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called as parts of the work are done: `done` of `total` ratings, users, folds, trials or runs. What it throws, the
   * evaluation rejects with.
   */
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number } & Part) => void) | undefined;
  /**
   * How many fits may run at once, each on a thread of its own; the results are the same. Without a fit to be made, and
   * where threads cannot be started, one thread does all. @defaultValue 1
   */
  readonly threads?: number | 'auto' | undefined;
}

/** The declarations of EvaluationOptions. */
export function evaluationFields<Part>() {
  return {
    seed: field<Seed>(checkSeed, 1),
    signal: optional(abortSignal),
    onProgress: optional(callable<NonNullable<EvaluationOptions<Part>['onProgress']>>()),
    threads,
  };
}

/** EvaluationOptions once read. */
export type FilledEvaluation<Part = unknown> = Pick<EvaluationOptions<Part>, 'signal' | 'onProgress'> & {
  readonly seed: Seed;
  readonly threads: number | 'auto';
};

/** Gives the value back. @throws OptionError where the value has not all of the methods */
export function checkRecommender<T>(value: T, methods: readonly string[], name = 'recommender'): T {
  const missing = methods.find(
    (method) =>
      value === null || value === undefined || typeof (value as Record<string, unknown>)[method] !== 'function',
  );
  if (missing === undefined) return value;
  throw wrong(name, value, `a recommender, such as new MF(): an object with ${methods.join('(), ')}()`);
}

/** What training saw of each row of some data (see Recommender.familiarity); undefined where the recommender does not say. */
export async function familiarityOf(
  recommender: {
    familiarity?(data: Interactions): ArrayLike<number> | Promise<ArrayLike<number>>;
    /** This library's recommenders work it out in steps. */
    familiaritySteps?(data: Interactions): Pausable<ArrayLike<number>>;
  },
  data: Interactions,
  scheduler: Scheduler,
): Promise<ArrayLike<number> | undefined> {
  const steps = recommender.familiaritySteps?.(data);
  return steps === undefined ? recommender.familiarity?.(data) : runYielding(steps, scheduler, ROWS_A_STEP);
}
