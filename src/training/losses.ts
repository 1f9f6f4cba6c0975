// The pointwise losses: each a value and a slope at one score, summed over a batch with weights by one loop.

import { sigmoid, softplus } from '../core/elementary';
import type { Real } from '../optimizers/factor';
import type { Loss, LossBatch } from './loss';

/** The names of the pointwise losses. */
export type LossName = 'squared' | 'logistic' | 'absolute' | 'huber';

/** 1/2 (score - target)^2. The loss of the published MF, and the one that RMSE measures. */
export const squared: Loss = {
  name: 'squared',
  evaluate({ scores, targets, weights, count }: LossBatch, gScores: Real): number {
    let sum = 0;
    for (let s = 0; s < count; s++) {
      const error = scores[s]! - targets[s]!;
      const weight = weights === null ? 1 : weights[s]!;
      gScores[s] = weight * error;
      sum += 0.5 * weight * error * error;
    }
    return sum;
  },
};

/** |score - target|: the median rather than the mean; the slope is -1, 0 or 1. */
export const absolute: Loss = {
  name: 'absolute',
  evaluate({ scores, targets, weights, count }: LossBatch, gScores: Real): number {
    let sum = 0;
    for (let s = 0; s < count; s++) {
      const error = scores[s]! - targets[s]!;
      const weight = weights === null ? 1 : weights[s]!;
      gScores[s] = error > 0 ? weight : error < 0 ? -weight : 0;
      sum += weight * Math.abs(error);
    }
    return sum;
  },
};

/** Huber 1964 with threshold 1 (in the unit of the targets): squared near, absolute far. */
export const huber: Loss = {
  name: 'huber',
  evaluate({ scores, targets, weights, count }: LossBatch, gScores: Real): number {
    let sum = 0;
    for (let s = 0; s < count; s++) {
      const error = scores[s]! - targets[s]!;
      const weight = weights === null ? 1 : weights[s]!;
      const size = Math.abs(error);
      gScores[s] = weight * (size <= 1 ? error : Math.sign(error));
      sum += weight * (size <= 1 ? 0.5 * error * error : size - 0.5);
    }
    return sum;
  },
};

/** -t log sigma(score) - (1 - t) log(1 - sigma(score)) for targets t in [0, 1]: the score is a log-odds. */
export const logistic: Loss = {
  name: 'logistic',
  evaluate({ scores, targets, weights, count }: LossBatch, gScores: Real): number {
    let sum = 0;
    for (let s = 0; s < count; s++) {
      const score = scores[s]!;
      const target = targets[s]!;
      const weight = weights === null ? 1 : weights[s]!;
      gScores[s] = weight * (sigmoid(score) - target);
      // softplus(score) - t score: the same number, without the two logarithms and without overflow.
      sum += weight * (softplus(score) - target * score);
    }
    return sum;
  },
};

/** The losses by name. */
export const LOSSES: Readonly<Record<LossName, Loss>> = { squared, logistic, absolute, huber };
