// THE SEAM of the models: a scoring function of parameter values. It knows nothing of factors, optimizers or losses.

import type { Pausable } from '../core/scheduler';
import type { Move } from '../kernels/heap';
import type { Real } from '../optimizers/factor';
import type { Parameter } from '../parameters/parameter';

/** The ratings that a model of users and items is trained on, by index, with targets as the loss wants them. */
export interface RatingData {
  readonly size: number;
  readonly users: Int32Array;
  readonly items: Int32Array;
  readonly targets: Real;
  /** Of mean 1 over the ratings; null: all are 1. */
  readonly weights: Real | null;
  /** How many ratings these are by weight, which the mean loss is over; absent: `size`. */
  readonly ratings?: number;
  /** How often each user and each item occurs, where somebody has counted already. */
  readonly counts?: { readonly users: Int32Array; readonly items: Int32Array };
}

/** What every batch has. Arrays may be longer than `count`. */
export interface Batch {
  readonly count: number;
  readonly targets: Real;
  readonly weights: Real | null;
  /** Candidates come in groups of so many, what the user has first; absent: every one is a rating of its own. */
  readonly group?: number;
  /** In a group: the log of each candidate's chance to be drawn. */
  readonly logQ?: Real;
  /** Which visit of the epoch it belongs to. */
  readonly visit?: number;
}

/** A batch of ratings by index, all of one tile. */
export interface RatingBatch extends Batch {
  readonly users: Int32Array;
  readonly items: Int32Array;
  readonly visit: number;
  /** At the first rating of each step its number of ratings; null where a step takes one. */
  readonly sizes: Uint8Array | null;
}

/** What steps need of a model. `select` names the batch's rows, `forward` writes their scores, `backward` adds to their gradients. */
export interface Scorer<B extends Batch> {
  readonly parameters: readonly Parameter[];
  select(batch: B): void;
  /** Tells parameters what the ratings of the batch weigh, after `select` and where they have weights. */
  weigh(batch: B): void;
  /** `step`: the number of the update that the scores are for, from 1. Absent or 0: for predictions, with nothing dropped. */
  forward(batch: B, scores: Real, step?: number): void;
  /** After the `forward` of the same batch. */
  backward(batch: B, gScores: Real): void;
  /** @internal The same with pauses, of models with layers: a layer may take some milliseconds. */
  forwardInTurns?(batch: B, scores: Real, step: number): Pausable<void>;
  /** @internal */
  backwardInTurns?(batch: B, gScores: Real): Pausable<void>;
  /** Makes room for batches of up to `count` rows, in its parameters too. Absent: the parameters are all that needs room. */
  reserve?(count: number): void;
  /** @internal Moves the arrays that are not of its parameters. */
  move?(move: Move): void;
}

/** The weights of dense layers, but for an output that is one number. */
export function layersOf(parameters: readonly Parameter[]): readonly Parameter[] {
  return parameters.filter(({ factors, dim }) => factors[0]!.group === 'dense' && dim > 1);
}

/** A model of users and items. */
export interface Model<B extends Batch> extends Scorer<B> {
  /** The parameters whose rows are users, and those whose rows are items. */
  readonly sides: { readonly users: readonly Parameter[]; readonly items: readonly Parameter[] };
}
