// THE SEAM of the models: a scoring function of parameter values. It knows nothing of factors, optimizers or losses.

import type { Stream } from '../core/random';
import type { Real } from '../optimizers/factor';
import type { Parameter } from '../parameters/parameter';

/** The ratings that a model of users and items is trained on, by index, with targets as the loss wants them. */
export interface RatingData {
  readonly size: number;
  readonly users: Int32Array;
  readonly items: Int32Array;
  readonly targets: Real;
  readonly weights: Real | null;
}

/** What every batch has. Arrays may be longer than `count`. */
export interface Batch {
  readonly count: number;
  readonly targets: Real;
  readonly weights: Real | null;
}

/** Gives the batches of an epoch, in an order that depends on nothing but the stream and the epoch. */
export interface Batcher<B extends Batch> {
  /** The ratings of an epoch. */
  readonly size: number;
  /** Starts epoch `epoch` (from 1), in data order or shuffled. */
  begin(epoch: number, shuffle: boolean): void;
  /** The next batch of at most `limit` ratings, null at the end. The object is reused. */
  next(limit: number): B | null;
}

/** A model. `forward` selects the batch's rows and writes scores; `backward` adds to the gradients of those rows. */
export interface Model<B extends Batch> {
  readonly parameters: readonly Parameter[];
  batches(data: RatingData, stream: Stream): Batcher<B>;
  forward(batch: B, scores: Real): void;
  backward(batch: B, gScores: Real): void;
}
