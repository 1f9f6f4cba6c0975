// What a fit tells of itself, epoch by epoch.

import type { MetricName } from '../metrics/metric-names';
import type { RowMetricName } from '../metrics/row-metrics';

/** One epoch of a fit. */
export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  /**
   * The running mean over the epoch of the loss, without penalty; squared: 1/2 error^2, in the unit of training. ALS:
   * that of the epoch's end, with what unobserved pairs add to it.
   */
  readonly trainLoss: number;
  /** Squared loss only: the root of the running mean squared error, on the rating scale. */
  readonly trainRmse?: number;
  /** The validation metrics, by name; empty without validation data. */
  readonly metrics: Readonly<Partial<Record<MetricName | RowMetricName, number>>>;
  /** The validation rows of a user or an item that training never saw; absent without validation on interactions. */
  readonly cold?: number;
  /** The rate of embeddings at the start of the epoch; 0 where there is none, as in ALS. */
  readonly learningRate: number;
  /** Wall-clock time of the epoch. */
  readonly seconds: number;
  /** 0 where the host's clock did not move meanwhile. */
  readonly ratingsPerSecond: number;
}

/** A whole fit. */
export interface History {
  readonly epochs: readonly EpochRecord[];
  /** The epoch whose parameters the model has: the best with early stopping, else the last. */
  readonly bestEpoch: number;
  readonly stopped: 'epochs' | 'early';
  readonly seconds: number;
  /**
   * With validation on interactions: how many of its rows are of a pair of user and item that was trained on. Rankings leave
   * them out; RMSE and the other metrics of rows count them, and are the better for it.
   */
  readonly seen?: number;
  /**
   * Where negatives are drawn: how many users have every item of the training data. There is nothing to draw for them, so
   * that their rows are not trained on.
   */
  readonly usersPassedOver?: number;
}
