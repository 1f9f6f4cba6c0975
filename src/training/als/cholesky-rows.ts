// Rows solved exactly: the matrix of a row's equations is added up and factorized. O(n rank^2 + rank^3) a row with n
// interactions.

import { factorizeGram, solve } from '../../kernels/cholesky';
import { type Gram, ROWS_A_TIME } from '../../kernels/gram';
import type { AlsRule } from './als-rule';
import type { FixedSide } from './fixed-side';
import type { RowHistory } from './row-history';
import type { RowMethod } from './row-method';

/** Solves by Cholesky's factorization. */
export class CholeskyRows implements RowMethod {
  private readonly width: number;
  private readonly right: Float64Array;

  constructor(
    private readonly rule: AlsRule,
    /** For the matrix of the equations, its width rounded up. */
    private readonly sums: Gram,
  ) {
    this.width = rule.rank + (rule.biases ? 1 : 0);
    this.right = new Float64Array(this.sums.n);
  }

  begin(): void {
    this.sums.matrix.fill(0);
    this.right.fill(0);
  }

  add(history: RowHistory, fixed: FixedSide, from: number, to: number): void {
    for (let start = from; start < to; start += ROWS_A_TIME) {
      const end = Math.min(start + ROWS_A_TIME, to);
      this.pack(history, fixed, start, end);
      this.sums.add(end - start);
    }
  }

  solve(_: RowHistory, fixed: FixedSide, from: number, to: number, ridge: number, x: Float64Array): boolean {
    if (to === from) {
      x.fill(0);
      return true;
    }
    const { right, width, rule, sums } = this;
    const { matrix, n: padded } = sums;
    const { gram } = fixed;
    if (rule.unobservedWeight > 0) {
      for (let i = 0; i < matrix.length; i++) matrix[i]! += rule.unobservedWeight * gram[i]!;
    }
    // Padding solves to 0 by itself.
    for (let f = 0; f < padded; f++) matrix[f * padded + f]! += f < width ? ridge : 1;
    if (!factorizeGram(sums)) return false;
    solve(matrix, padded, right);
    for (let f = 0; f < width; f++) x[f] = right[f]!;
    return true;
  }

  /** Lays out sqrt(w) q (and a 1 for the bias) of some interactions, and adds them to the right side. */
  private pack({ others, targets, weights }: RowHistory, fixed: FixedSide, from: number, to: number): void {
    const { right, rule } = this;
    const { rows: packed, n: padded } = this.sums;
    const { embedding, bias } = fixed;
    const { rank } = rule;
    for (let k = from; k < to; k++) {
      const other = others[k]!;
      const at = (k - from) * padded;
      const root = weights === null ? 1 : Math.sqrt(weights[k]!);
      const pull = root * ((targets === null ? 1 : targets[k]!) - (bias === null ? 0 : bias[other]!));
      for (let f = 0; f < rank; f++) {
        const value = root * embedding[other * rank + f]!;
        packed[at + f] = value;
        right[f]! += pull * value;
      }
      if (bias !== null) {
        packed[at + rank] = root;
        right[rank]! += pull * root;
      }
    }
  }
}
