// The second-order part of a factorization machine: the sum over pairs i < j of a row's features of <v_i, v_j> x_i x_j, as
// 1/2 sum over k of (sum_i v_ik x_i)^2 - sum_i (v_ik x_i)^2: linear in the features (Rendle 2010, lemma 3.1).

import type { Move } from '../../kernels/move';
import type { Real } from '../../optimizers/factor';
import { allocate, type Precision } from '../../parameters/memory';
import type { Parameter } from '../../parameters/parameter';
import type { SparseRows } from '../feature-batch';
import type { ScorePart } from './score-part';

/** The interactions of every two features of a row. */
export class Pairwise implements ScorePart {
  /** Row by row, what the way back needs: sum_i v_i x_i. */
  private sums: Real;

  constructor(
    private readonly embedding: Parameter,
    private readonly precision: Precision,
  ) {
    this.sums = allocate(precision, 0);
  }

  /** Makes room for steps of up to `rows` rows. */
  reserve(rows: number): void {
    const size = rows * this.embedding.dim;
    if (size > this.sums.length) this.sums = allocate(this.precision, size);
  }

  /** Adds to the scores. The embedding has been selected by the indices. Cost: O(features x dim). */
  forward({ starts, values: x }: SparseRows, count: number, scores: Real): void {
    this.reserve(count);
    const { sums } = this;
    const { dim, at, values } = this.embedding;
    sums.fill(0, 0, count * dim);
    for (let s = 0; s < count; s++) {
      const to = s * dim;
      let squares = 0;
      for (let p = starts[s]!; p < starts[s + 1]!; p++) {
        const from = at[p]! * dim;
        for (let k = 0; k < dim; k++) {
          const term = x[p]! * values[from + k]!;
          sums[to + k] = sums[to + k]! + term;
          squares += term * term;
        }
      }
      let square = 0;
      for (let k = 0; k < dim; k++) square += sums[to + k]! * sums[to + k]!;
      scores[s] = scores[s]! + 0.5 * (square - squares);
    }
  }

  /** d score / d v_i = x_i (sum_j v_j x_j - v_i x_i), added to the gradient of the embedding. */
  backward({ starts, values: x }: SparseRows, count: number, gScores: Real): void {
    const { sums } = this;
    const { dim, at, values, slot, grads } = this.embedding;
    for (let s = 0; s < count; s++) {
      const sum = s * dim;
      for (let p = starts[s]!; p < starts[s + 1]!; p++) {
        const from = at[p]! * dim;
        const to = slot[p]! * dim;
        const g = gScores[s]! * x[p]!;
        for (let k = 0; k < dim; k++) grads[to + k] = grads[to + k]! + g * (sums[sum + k]! - x[p]! * values[from + k]!);
      }
    }
  }

  /** @see Layer.move */
  move(move: Move): void {
    this.sums = move(this.sums);
  }
}
