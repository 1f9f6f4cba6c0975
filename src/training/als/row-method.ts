// THE SEAM of the ways to solve for a row: what its interactions are made into, and what is solved.

import type { FixedSide } from './fixed-side';
import type { RowHistory } from './row-history';

/** Solves (sum of w q q^T + alpha0 G + ridge I) x = sum of w (t - bias) q for one row at a time. */
export interface RowMethod {
  /** Forgets the last row. */
  begin(): void;
  /** Takes in the interactions [from, to): a row's may come in several parts. */
  add(history: RowHistory, fixed: FixedSide, from: number, to: number): void;
  /**
   * Overwrites x (the vector, then the bias where there are biases) with the solution; the row's interactions are
   * [from, to). A method that approaches it starts at x. False where there is none that is unique.
   */
  solve(history: RowHistory, fixed: FixedSide, from: number, to: number, ridge: number, x: Float64Array): boolean;
}
