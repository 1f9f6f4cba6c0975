// THE SEAM of the losses: scores and targets to a summed loss and its derivative by each score.

import { exponential, naturalLog, sigmoid, softplus } from '../core/elementary';
import type { Real } from '../optimizers/factor';

/** The input of a loss. Candidates come in groups, starting with the item that the user has (1: every one by itself). */
export interface LossBatch {
  readonly scores: Real;
  readonly targets: Real;
  /** Per-example weights, or null for 1. */
  readonly weights: Real | null;
  readonly group?: number;
  /** The log of each candidate's sampling probability; null or absent if nothing was sampled. */
  readonly logQ?: Real | null;
  readonly count: number;
}

/** A loss. `evaluate` returns the sum over the batch and writes d loss / d score to `gScores`. */
export interface Loss {
  readonly name: string;
  evaluate(batch: LossBatch, gScores: Real): number;
}

// The pointwise losses: each a value and a derivative at one score, summed over a batch with weights by one loop; and
// the link between a score and the prediction that a loss compares with a rating.

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

/** |score - target|: estimates the median rather than the mean; the derivative is -1, 0 or 1. */
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

/** Huber 1964 with threshold 1 (in the unit of the targets): squared near the target, absolute far from it. */
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

/**
 * A monotone map from scores to predictions, on the scale of the targets. identity: they are one. sigmoid: minimum + range
 * sigma(score), so that predictions stay on the rating scale (as MyMediaLite's BiasedMatrixFactorization does).
 */
export interface Link {
  readonly name: 'identity' | 'sigmoid';
  predict(score: number): number;
  /** The score whose prediction is `value`: the initial global mean. */
  inverse(value: number): number;
  /** Turns a loss of predictions into a loss of scores. */
  compose(loss: Loss): Loss;
}

/** prediction = score. */
export const identity: Link = {
  name: 'identity',
  predict: (score) => score,
  inverse: (value) => value,
  compose: (loss) => loss,
};

/** prediction = minimum + range sigma(score). */
export function sigmoidLink(minimum: number, range: number): Link {
  return {
    name: 'sigmoid',
    predict: (score) => minimum + range * sigmoid(score),
    inverse(value) {
      // A mean at an end of the scale has no finite score: stay a thousandth away from both.
      const part = Math.min(Math.max((value - minimum) / range, 0.001), 0.999);
      return naturalLog(part / (1 - part));
    },
    compose: (loss) => new SigmoidLoss(loss, minimum, range),
  };
}

/** A loss behind a sigmoid: d loss / d score = d loss / d prediction times range sigma (1 - sigma). */
export class SigmoidLoss implements Loss {
  readonly name: string;
  private predictions: Real = new Float64Array(1);

  constructor(
    readonly loss: Loss,
    readonly minimum: number,
    readonly range: number,
  ) {
    this.name = `${loss.name} of sigmoid`;
  }

  evaluate(batch: LossBatch, gScores: Real): number {
    const { scores, count } = batch;
    if (count > this.predictions.length) this.predictions = new Float64Array(count);
    for (let s = 0; s < count; s++) this.predictions[s] = this.minimum + this.range * sigmoid(scores[s]!);
    const { targets, weights } = batch;
    const sum = this.loss.evaluate({ scores: this.predictions, targets, weights, count }, gScores);
    for (let s = 0; s < count; s++) {
      const part = (this.predictions[s]! - this.minimum) / this.range;
      gScores[s]! *= this.range * part * (1 - part);
    }
    return sum;
  }
}

/** A loss of either kind by name; `items`: the number of candidate items. */
export function lossNamed(name: LossName | RankingLossName, items: number): Loss {
  if (name === 'warp') return new Warp(items);
  if (name === 'bpr') return bpr;
  return name === 'softmax' ? softmax : LOSSES[name];
}

// The ranking losses, on groups of one item that a user has, first, and some that the user does not have. Only the
// order of their scores matters.

/** The names of the ranking losses. */
export type RankingLossName = 'bpr' | 'warp' | 'softmax';

/**
 * BPR: the mean over the negatives of -log sigma(s_positive - s_negative) (Rendle, Freudenthaler, Gantner, Schmidt-Thieme,
 * UAI 2009).
 */
export const bpr: Loss = {
  name: 'bpr',
  evaluate({ scores, weights, count, group = 1 }: LossBatch, gScores: Real): number {
    const share = 1 / (group - 1);
    let sum = 0;
    for (let start = 0; start < count; start += group) {
      const weight = (weights === null ? 1 : weights[start]!) * share;
      let slope = 0;
      for (let s = start + 1; s < start + group; s++) {
        const margin = scores[start]! - scores[s]!;
        const pull = weight * sigmoid(-margin);
        gScores[s] = pull;
        slope -= pull;
        sum += weight * softplus(-margin);
      }
      gScores[start] = slope;
    }
    return sum;
  },
};

/**
 * WARP: the first negative that is not at least 1 behind the positive, with a weight that grows with the rank that so few
 * tries let one expect: log(max(1, floor((items - 1) / tries))) times the hinge (Weston, Bengio, Usunier, IJCAI 2011; the
 * weight is LightFM's). `items`: how many there are to choose from.
 */
export class Warp implements Loss {
  readonly name = 'warp';

  constructor(readonly items: number) {}

  evaluate({ scores, weights, count, group = 1 }: LossBatch, gScores: Real): number {
    let sum = 0;
    gScores.fill(0, 0, count);
    for (let start = 0; start < count; start += group) {
      const weight = weights === null ? 1 : weights[start]!;
      for (let tries = 1; tries < group; tries++) {
        const hinge = 1 - scores[start]! + scores[start + tries]!;
        if (hinge <= 0) continue;
        const slope = weight * naturalLog(Math.max(1, Math.floor((this.items - 1) / tries)));
        gScores[start] = -slope;
        gScores[start + tries] = slope;
        sum += slope * hinge;
        break;
      }
    }
    return sum;
  }
}

/**
 * Sampled softmax: -log of the positive's softmax probability in the group, each score minus the log of its sampling
 * probability, without which popular items would be pushed down for being sampled often (Bengio and Senecal 2008; Yi et
 * al., RecSys 2019).
 */
export const softmax: Loss = {
  name: 'softmax',
  evaluate({ scores, weights, logQ = null, count, group = 1 }: LossBatch, gScores: Real): number {
    let sum = 0;
    for (let start = 0; start < count; start += group) {
      const weight = weights === null ? 1 : weights[start]!;
      const end = start + group;
      const logit = (s: number) => scores[s]! - (logQ === null ? 0 : logQ[s]!);
      let largest = -Infinity;
      for (let s = start; s < end; s++) largest = Math.max(largest, logit(s));
      let total = 0;
      for (let s = start; s < end; s++) {
        const share = exponential(logit(s) - largest);
        gScores[s] = share;
        total += share;
      }
      for (let s = start; s < end; s++) gScores[s] = (weight * gScores[s]!) / total;
      gScores[start]! -= weight;
      sum += weight * (naturalLog(total) + largest - logit(start));
    }
    return sum;
  },
};
