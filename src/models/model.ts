// THE SEAM of the models: a scoring function of parameter values. It knows nothing of factors, optimizers or losses.

import type { Stream } from '../core/random';
import type { Turns } from '../core/turns';
import type { Move } from '../kernels/move';
import type { Real } from '../optimizers/factor';
import type { Parameter } from '../parameters/parameter';
import type { Blocks } from './grid/blocks';

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
}

/** How an epoch goes through the ratings. */
export interface OrderOptions {
  readonly stream: Stream;
  /** false: in the order of the data. */
  readonly shuffle: boolean;
  /** The blocks that users and items are cut into. */
  readonly blocks: Blocks;
  /** The most ratings of one user that a step takes; over 1 it is steps that are counted, not ratings. */
  readonly grouping: 1 | 4;
  /** Whether batches may number rows anew, so that those of a tile lie together. @defaultValue false */
  readonly packs?: boolean;
}

/** The places that rows are numbered by, of each side: row r is at place users[r]. */
export interface RowPlaces {
  readonly users: Int32Array;
  readonly items: Int32Array;
}

/** Gives the batches of an epoch, in an order that depends on nothing but the options and the epoch. */
export interface Batcher<B extends Batch> {
  /** The ratings of an epoch. */
  readonly size: number;
  /** The steps of an epoch, where each step is one rating or one group. Known once prepared. */
  readonly steps: number;
  /** The places that its batches name rows by; null where it is their own numbers. Known once prepared. */
  readonly places: RowPlaces | null;
  /** Puts the ratings in place, once, before the first epoch. */
  prepare(turns: Turns): Promise<void>;
  /** Makes room for batches of at most `limit` ratings (or groups), so that no step allocates. */
  reserve(limit: number): void;
  /** Moves the arrays of its batches. */
  move(move: Move): void;
  /** Starts epoch `epoch` (from 1). */
  begin(epoch: number): void;
  /** The next batch of at most `limit` ratings (or groups), null at the end. The object is reused. */
  next(limit: number): B | null;
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
  /** Makes room for batches of up to `count` rows, in its parameters too. Absent: the parameters are all that needs room. */
  reserve?(count: number): void;
  /** Moves the arrays that are not of its parameters. */
  move?(move: Move): void;
}

/** A model of users and items. */
export interface Model<B extends Batch> extends Scorer<B> {
  /** The parameters whose rows are users, and those whose rows are items. */
  readonly sides: { readonly users: readonly Parameter[]; readonly items: readonly Parameter[] };
  batches(data: RatingData, order: OrderOptions): Batcher<B>;
}
