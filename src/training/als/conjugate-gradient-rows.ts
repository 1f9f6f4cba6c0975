// Rows solved by a few steps of the conjugate gradient, from where they are: the matrix is never made, only multiplied
// with. O(steps (n rank + rank^2)) a row with n interactions. Takacs, Pilaszy, Tikk, "Applications of the Conjugate
// Gradient Method for Implicit Feedback Collaborative Filtering" (RecSys 2011), algorithm 1.

import type { AlsRule } from './als-rule';
import type { FixedSide } from './fixed-side';
import type { RowHistory } from './row-history';
import type { RowMethod } from './row-method';

/** A residual so much smaller than the right side, in squares, is rounding. */
const NOTHING = 1e-28;

/** Solves by steps. */
export class ConjugateGradientRows implements RowMethod {
  private readonly width: number;
  private readonly residual: Float64Array;
  private readonly direction: Float64Array;
  private readonly product: Float64Array;

  constructor(private readonly rule: AlsRule) {
    this.width = rule.rank + (rule.biases ? 1 : 0);
    this.residual = new Float64Array(this.width);
    this.direction = new Float64Array(this.width);
    this.product = new Float64Array(this.width);
  }

  begin(): void {
    this.residual.fill(0);
  }

  /** The right side. */
  add({ others, targets, weights }: RowHistory, { bias, embedding }: FixedSide, from: number, to: number): void {
    const { residual, rule } = this;
    const { rank } = rule;
    for (let k = from; k < to; k++) {
      const other = others[k]!;
      const pull =
        (weights === null ? 1 : weights[k]!) *
        ((targets === null ? 1 : targets[k]!) - (bias === null ? 0 : bias[other]!));
      for (let f = 0; f < rank; f++) residual[f]! += pull * embedding[other * rank + f]!;
      if (bias !== null) residual[rank]! += pull;
    }
  }

  solve(history: RowHistory, fixed: FixedSide, from: number, to: number, ridge: number, x: Float64Array): boolean {
    if (to === from) {
      x.fill(0);
      return true;
    }
    const { width, residual, direction, product } = this;
    const least = NOTHING * squaredLength(residual);
    this.multiply(history, fixed, from, to, ridge, x);
    for (let f = 0; f < width; f++) {
      residual[f]! -= product[f]!;
      direction[f] = residual[f]!;
    }
    let length = squaredLength(residual);
    for (let step = 0; step < this.rule.steps && length > least; step++) {
      this.multiply(history, fixed, from, to, ridge, direction);
      let curvature = 0;
      for (let f = 0; f < width; f++) curvature += direction[f]! * product[f]!;
      if (!(curvature > 0)) return false;
      const stride = length / curvature;
      for (let f = 0; f < width; f++) {
        x[f]! += stride * direction[f]!;
        residual[f]! -= stride * product[f]!;
      }
      const before = length;
      length = squaredLength(residual);
      for (let f = 0; f < width; f++) direction[f] = residual[f]! + (length / before) * direction[f]!;
    }
    return true;
  }

  /** product = (alpha0 G + ridge I + sum of w q q^T) v */
  private multiply(
    { others, weights }: RowHistory,
    { embedding, bias, gram, padded }: FixedSide,
    from: number,
    to: number,
    ridge: number,
    v: Float64Array,
  ): void {
    const { width, product, rule } = this;
    const { rank, unobservedWeight } = rule;
    for (let i = 0; i < width; i++) product[i] = ridge * v[i]!;
    if (unobservedWeight > 0) {
      for (let i = 0; i < width; i++) {
        const scaled = unobservedWeight * v[i]!;
        for (let j = 0; j < width; j++) product[j]! += scaled * gram[i * padded + j]!;
      }
    }
    for (let k = from; k < to; k++) {
      const start = others[k]! * rank;
      // In four sums, which do not wait for each other.
      let s0 = bias === null ? 0 : v[rank]!;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let f = 0;
      for (; f + 3 < rank; f += 4) {
        s0 += embedding[start + f]! * v[f]!;
        s1 += embedding[start + f + 1]! * v[f + 1]!;
        s2 += embedding[start + f + 2]! * v[f + 2]!;
        s3 += embedding[start + f + 3]! * v[f + 3]!;
      }
      for (; f < rank; f++) s0 += embedding[start + f]! * v[f]!;
      const score = (weights === null ? 1 : weights[k]!) * (s0 + s1 + (s2 + s3));
      for (f = 0; f < rank; f++) product[f]! += score * embedding[start + f]!;
      if (bias !== null) product[rank]! += score;
    }
  }
}

function squaredLength(v: Float64Array): number {
  let sum = 0;
  for (let f = 0; f < v.length; f++) sum += v[f]! * v[f]!;
  return sum;
}
