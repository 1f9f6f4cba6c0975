// What drawn negatives cost on average: the objectives of logistic, bpr, warp and softmax over every item that could be
// drawn, weighted by its chance, so that a new row has one answer and no draws. Candidates: what the row has, then the
// others.

import { exponential, naturalLog, sigmoid, softplus } from '../../core/elementary';
import { type Link, LOSSES, type Loss, type LossName } from '../../training/losses';

/** A row's candidates: what it has, with weights, and then those that might be drawn, with their chances (sum 1). */
export interface Draws {
  readonly weights: Float64Array;
  readonly chances: Float64Array;
  /** Negatives for each one that the row has. */
  readonly count: number;
}

/** Log-odds of each candidate: what is had once, the others as often as they are expected to be drawn. */
export class ExpectedLogistic implements FoldLoss {
  readonly isQuadratic = false;

  constructor(
    private readonly has: Float64Array,
    private readonly hasNot: Float64Array,
  ) {}

  linearize(scores: Float64Array, slopes: Float64Array, curvatures: Float64Array): void {
    const { has, hasNot } = this;
    for (let s = 0; s < scores.length; s++) {
      const isHad = s < has.length;
      const weight = isHad ? has[s]! : hasNot[s - has.length]!;
      const chance = sigmoid(scores[s]!);
      slopes[s] = weight * (isHad ? chance - 1 : chance);
      curvatures[s] = weight * chance * (1 - chance);
    }
  }

  value(scores: Float64Array): number {
    const { has, hasNot } = this;
    let sum = 0;
    for (let s = 0; s < has.length; s++) sum += has[s]! * softplus(-scores[s]!);
    for (let s = has.length; s < scores.length; s++) sum += hasNot[s - has.length]! * softplus(scores[s]!);
    return sum;
  }
}

/** BPR: sum over what is had, and mean over the others, of -log sigma(difference). Cost: all pairs. */
export class ExpectedBpr implements FoldLoss {
  readonly isQuadratic = false;
  constructor(private readonly draws: Draws) {}

  /** (q_j - q_i)(q_j - q_i)^T is at most 2 (q_j q_j^T + q_i q_i^T). */
  linearize(scores: Float64Array, slopes: Float64Array, curvatures: Float64Array): void {
    const { weights, chances } = this.draws;
    const n = weights.length;
    slopes.fill(0);
    curvatures.fill(0);
    for (let j = 0; j < n; j++) {
      for (let i = 0; i < chances.length; i++) {
        const weight = weights[j]! * chances[i]!;
        const chance = sigmoid(scores[n + i]! - scores[j]!);
        const [slope, bound] = [weight * chance, 2 * weight * chance * (1 - chance)];
        slopes[j]! -= slope;
        slopes[n + i]! += slope;
        curvatures[j]! += bound;
        curvatures[n + i]! += bound;
      }
    }
  }

  value(scores: Float64Array): number {
    const { weights, chances } = this.draws;
    const n = weights.length;
    let sum = 0;
    for (let j = 0; j < n; j++) {
      for (let i = 0; i < chances.length; i++) sum += weights[j]! * chances[i]! * softplus(scores[n + i]! - scores[j]!);
    }
    return sum;
  }
}

/** The corner of the hinge is rounded over so many units, so that steps can end on it. */
const CORNER = 0.1;

/**
 * WARP: of the others that are not 1 behind, together with chance v to be drawn, the first is found at try t with chance
 * (1 - v)^(t - 1) v, and weighs log((items - 1) / t). The weights are those of the last `linearize`.
 */
export class ExpectedWarp implements FoldLoss {
  readonly isQuadratic = false;
  private readonly pulls: Float64Array;
  private readonly ranks: Float64Array;

  constructor(
    private readonly draws: Draws,
    items: number,
  ) {
    this.pulls = new Float64Array(draws.weights.length);
    this.ranks = Float64Array.from({ length: draws.count }, (_, t) =>
      naturalLog(Math.max(1, Math.floor((items - 1) / (t + 1)))),
    );
  }

  /** (q_j - q_i)(q_j - q_i)^T is at most 2 (q_j q_j^T + q_i q_i^T). */
  linearize(scores: Float64Array, slopes: Float64Array, curvatures: Float64Array): void {
    const { weights, chances } = this.draws;
    const n = weights.length;
    const parts = new Float64Array(chances.length);
    slopes.fill(0);
    curvatures.fill(0);
    for (let j = 0; j < n; j++) {
      let found = 0;
      for (let i = 0; i < parts.length; i++) {
        parts[i] = sigmoid((1 - scores[j]! + scores[n + i]!) / CORNER);
        found += chances[i]! * parts[i]!;
      }
      const pull = weights[j]! * this.pullAt(found);
      this.pulls[j] = pull;
      slopes[j]! -= pull * found;
      for (let i = 0; i < parts.length; i++) {
        const slope = pull * chances[i]! * parts[i]!;
        const bound = (2 * slope * (1 - parts[i]!)) / CORNER;
        slopes[n + i]! += slope;
        curvatures[j]! += bound;
        curvatures[n + i]! += bound;
      }
    }
  }

  value(scores: Float64Array): number {
    const { weights, chances } = this.draws;
    const n = weights.length;
    let sum = 0;
    for (let j = 0; j < n; j++) {
      for (let i = 0; i < chances.length; i++) {
        const rounded = CORNER * softplus((1 - scores[j]! + scores[n + i]!) / CORNER);
        sum += this.pulls[j]! * chances[i]! * rounded;
      }
    }
    return sum;
  }

  /** The expected weight of a violator, as a part of its chance. */
  private pullAt(found: number): number {
    let sum = 0;
    let missed = 1;
    for (const rank of this.ranks) {
      sum += missed * rank;
      missed *= 1 - found;
    }
    return sum;
  }
}

/**
 * Sampled softmax, with the sum over the negatives drawn replaced by its mean: log(e^(s_j) / q_j + k sum_i chance_i
 * e^(s_i) / q_i) - (s_j - log q_j). By Jensen's inequality no less than the mean of the loss.
 */
export class ExpectedSoftmax implements FoldLoss {
  readonly isQuadratic = false;
  /** The scale of e^(s_i) for the others, all alike: k chance_i / q_i. */
  private readonly share: number;

  constructor(
    private readonly draws: Draws,
    /** The chance to be drawn of each one that is had, and that of all others together, in one unit. */
    private readonly had: Float64Array,
    others: number,
  ) {
    this.share = others > 0 ? draws.count / others : 0;
  }

  linearize(scores: Float64Array, slopes: Float64Array, curvatures: Float64Array): void {
    const { weights } = this.draws;
    const n = weights.length;
    const { largest, rest } = this.sumOthers(scores);
    let pull = 0;
    for (let j = 0; j < n; j++) {
      const own = exponential(scores[j]! - largest) / this.had[j]!;
      const part = own / (own + rest);
      slopes[j] = weights[j]! * (part - 1);
      curvatures[j] = weights[j]! * part;
      pull += weights[j]! / (own + rest);
    }
    for (let s = n; s < scores.length; s++) {
      slopes[s] = pull * this.share * exponential(scores[s]! - largest);
      curvatures[s] = slopes[s]!;
    }
  }

  value(scores: Float64Array): number {
    const { weights } = this.draws;
    const { largest, rest } = this.sumOthers(scores);
    let sum = 0;
    for (let j = 0; j < weights.length; j++) {
      const own = exponential(scores[j]! - largest) / this.had[j]!;
      sum += weights[j]! * (naturalLog(own + rest) + largest - scores[j]! + naturalLog(this.had[j]!));
    }
    return sum;
  }

  private sumOthers(scores: Float64Array): { largest: number; rest: number } {
    const n = this.draws.weights.length;
    let largest = -Infinity;
    for (const score of scores) largest = Math.max(largest, score);
    let rest = 0;
    for (let s = n; s < scores.length; s++) rest += exponential(scores[s]! - largest);
    return { largest, rest: rest * this.share };
  }
}

// THE SEAM of fold-in losses: what one row costs as a function of the scores of its candidates, with a slope and a bound
// of the curvature for each. Here those of candidates by themselves; the losses of orders are in expected-orders.ts.

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
