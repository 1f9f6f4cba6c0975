// THE SEAM of fold-in losses: what one row costs as a function of the scores of its candidates, with a slope and a bound
// of the curvature for each. Here those of candidates by themselves; the losses of orders are in expected-orders.ts.

import type { Link } from '../link';
import type { Loss } from '../loss';
import { LOSSES, type LossName } from '../losses';

/** What the scores of a row's candidates cost. */
export interface FoldLoss {
  /** Whether it is quadratic, so that one step is the answer. */
  readonly isQuadratic: boolean;
  /** Writes d cost / d score, and what no second derivative exceeds (each candidate for itself). */
  linearize(scores: Float64Array, slopes: Float64Array, curvatures: Float64Array): void;
  /** The cost. What `linearize` weighted by the scores that it saw keeps that weight. */
  value(scores: Float64Array): number;
}

/** An error is taken for at least this, where the curvature of |error| has none. */
const LEAST_ERROR = 1e-3;
/** How far a score is moved to see what its prediction does. */
const NUDGE = 1e-4;

/** Ratings, each with a loss of its own score. */
export class RatingsLoss implements FoldLoss {
  readonly isQuadratic: boolean;
  private readonly loss: Loss;
  private readonly scratch: Float64Array;

  constructor(
    private readonly name: LossName,
    /** Between scores and what is compared with the targets; the logistic loss has its own. */
    private readonly link: Link,
    private readonly targets: Float64Array,
    private readonly weights: Float64Array,
  ) {
    this.isQuadratic = name === 'squared' && link.name === 'identity';
    this.loss = name === 'logistic' ? LOSSES.logistic : link.compose(LOSSES[name]);
    this.scratch = new Float64Array(targets.length);
  }

  linearize(scores: Float64Array, slopes: Float64Array, curvatures: Float64Array): void {
    this.evaluate(scores, slopes);
    if (this.isQuadratic) curvatures.set(this.weights);
    else
      for (let s = 0; s < scores.length; s++)
        curvatures[s] = this.weights[s]! * this.curvature(scores[s]!, this.targets[s]!);
  }

  value(scores: Float64Array): number {
    return this.evaluate(scores, this.scratch);
  }

  private evaluate(scores: Float64Array, slopes: Float64Array): number {
    const { targets, weights } = this;
    return this.loss.evaluate({ scores, targets, weights, count: scores.length }, slopes);
  }

  /**
   * That of the parabola through the loss that is symmetric about the target (iterated least squares: Huber 1981, section
   * 7.8), times the square of the link's slope (Gauss-Newton).
   */
  private curvature(score: number, target: number): number {
    const { name, link } = this;
    const prediction = link.predict(score);
    if (name === 'logistic') return prediction * (1 - prediction);
    const error = Math.abs(prediction - target);
    const own = name === 'squared' ? 1 : 1 / Math.max(error, name === 'huber' ? 1 : LEAST_ERROR);
    if (link.name === 'identity') return own;
    const rise = (link.predict(score + NUDGE) - link.predict(score - NUDGE)) / (2 * NUDGE);
    return own * rise * rise;
  }
}
