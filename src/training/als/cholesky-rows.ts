// Rows solved exactly: the matrix of a row's equations is added up and factorized. O(n rank^2 + rank^3) a row with n
// interactions.

import { factorize, solve } from '../../kernels/cholesky';
import { addGram, paddedLength } from '../../kernels/gram';
import type { AlsRule } from './als-rule';
import { type FixedSide, ROWS_A_TIME } from './fixed-side';
import type { RowHistory } from './row-history';
import type { RowMethod } from './row-method';

/** Solves by Cholesky's factorization. */
export class CholeskyRows implements RowMethod {
  private readonly width: number;
  /** The width, rounded up to what the kernels take. */
  private readonly padded: number;
  private readonly matrix: Float64Array;
  private readonly right: Float64Array;
  private readonly packed: Float64Array;

  constructor(private readonly rule: AlsRule) {
    this.width = rule.rank + (rule.biases ? 1 : 0);
    this.padded = paddedLength(this.width);
    this.matrix = new Float64Array(this.padded * this.padded);
    this.right = new Float64Array(this.padded);
    this.packed = new Float64Array(ROWS_A_TIME * this.padded);
  }

  begin(): void {
    this.matrix.fill(0);
    this.right.fill(0);
  }

  add(history: RowHistory, fixed: FixedSide, from: number, to: number): void {
    for (let start = from; start < to; start += ROWS_A_TIME) {
      const end = Math.min(start + ROWS_A_TIME, to);
      this.pack(history, fixed, start, end);
      addGram(this.matrix, this.padded, this.packed, end - start);
    }
  }

  solve(_: RowHistory, fixed: FixedSide, from: number, to: number, ridge: number, x: Float64Array): boolean {
    if (to === from) {
      x.fill(0);
      return true;
    }
    const { matrix, right, width, padded, rule } = this;
    const { gram } = fixed;
    if (rule.unobservedWeight > 0) {
      for (let i = 0; i < matrix.length; i++) matrix[i]! += rule.unobservedWeight * gram[i]!;
    }
    // Padding solves to 0 by itself.
    for (let f = 0; f < padded; f++) matrix[f * padded + f]! += f < width ? ridge : 1;
    if (!factorize(matrix, padded)) return false;
    solve(matrix, padded, right);
    for (let f = 0; f < width; f++) x[f] = right[f]!;
    return true;
  }

  /** Lays out sqrt(w) q (and a 1 for the bias) of some interactions, and adds them to the right side. */
  private pack({ others, targets, weights }: RowHistory, fixed: FixedSide, from: number, to: number): void {
    const { packed, right, padded, rule } = this;
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
