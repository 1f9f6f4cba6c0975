// What alternating least squares minimizes, and how it solves for a row: the numbers that every row solve needs.

import { exponential, naturalLog } from '../../core/elementary';
import type { KernelChoice } from '../../wasm/host';

/** How the equations of a row are solved. */
export type RowMethodName = 'cholesky' | 'conjugate-gradient';

/**
 * The objective, with x a vector (and a bias, where there are some) and n the interactions of its row:
 * sum over interactions of w (score - t)^2 + alpha0 (sum over all pairs of score^2)
 * + lambda (sum over rows of (n + alpha0 |rows of the other side|)^nu |x|^2).
 */
export interface AlsRule {
  readonly rank: number;
  /** Whether rows have biases; then alpha0 is 0. */
  readonly biases: boolean;
  /** alpha0. */
  readonly unobservedWeight: number;
  /** lambda. */
  readonly regularization: number;
  /** nu. */
  readonly regularizationExponent: number;
  readonly method: RowMethodName;
  /** Steps of the conjugate gradient. */
  readonly steps: number;
  /** Who does the arithmetic, to the same bits. */
  readonly kernels: KernelChoice;
}

/** The penalty's weight of a row with n interactions, where `others` rows of the other side were trained. */
export function ridgeOf(
  rule: Pick<AlsRule, 'unobservedWeight' | 'regularization' | 'regularizationExponent'>,
  n: number,
  others: number,
): number {
  const frequency = n + rule.unobservedWeight * others;
  const nu = rule.regularizationExponent;
  // To the bit where no power is to be taken.
  if (nu === 1) return rule.regularization * frequency;
  return frequency > 0 ? rule.regularization * exponential(nu * naturalLog(frequency)) : 0;
}
