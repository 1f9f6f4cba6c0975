// Between a score and a prediction. identity: they are one. sigmoid: minimum + range sigma(score), so that predictions
// stay on the rating scale (as MyMediaLite's BiasedMatrixFactorization does).

import { naturalLog, sigmoid } from '../core/elementary';
import type { Real } from '../optimizers/factor';
import type { Loss, LossBatch } from './loss';

/** A monotone map from scores to predictions, on the scale of the targets. */
export interface Link {
  readonly name: 'identity' | 'sigmoid';
  predict(score: number): number;
  /** The score whose prediction is `value`: where the global mean starts. */
  inverse(value: number): number;
  /** A loss of predictions as a loss of scores. */
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
