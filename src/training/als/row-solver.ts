// One row by its history alone, the other side given: what training does over and over.

import { wrong } from '../../core/options';
import type { Gram } from '../../kernels/gram';
import { type AlsRule, ridgeOf } from './als-rule';
import { CholeskyRows } from './cholesky-rows';
import { ConjugateGradientRows } from './conjugate-gradient-rows';
import type { FixedSide } from './fixed-side';
import type { RowHistory } from './row-history';
import type { RowMethod } from './row-method';

/** Solves for rows, one at a time. */
export class RowSolver {
  /** The row at hand: its vector, then its bias where there are biases. */
  readonly x: Float64Array;
  private readonly method: RowMethod;

  /** Between rows the Gram is anybody's. */
  constructor(
    readonly rule: AlsRule,
    gram: Gram,
  ) {
    this.x = new Float64Array(rule.rank + (rule.biases ? 1 : 0));
    this.method = rule.method === 'cholesky' ? new CholeskyRows(rule, gram) : new ConjugateGradientRows(rule);
  }

  /** Begins a row. `x` holds where to start from. */
  begin(): void {
    this.method.begin();
  }

  /** Takes in a part of its interactions. */
  add(history: RowHistory, fixed: FixedSide, from: number, to: number): void {
    this.method.add(history, fixed, from, to);
  }

  /** Leaves in `x` what minimizes the objective by this row. @throws OptionError where nothing does by itself */
  finish(history: RowHistory, fixed: FixedSide, from: number, to: number): void {
    const ridge = ridgeOf(this.rule, occurrencesOf(history, from, to), fixed.trained);
    if (this.method.solve(history, fixed, from, to, ridge, this.x)) return;
    const { regularization } = this.rule;
    throw wrong('regularization', regularization, 'a larger one: the equations of a row have no unique solution');
  }
}

/** How many interactions a row has, each as often as its weight says. */
function occurrencesOf({ copies }: RowHistory, from: number, to: number): number {
  if (copies === null) return to - from;
  let sum = 0;
  for (let k = from; k < to; k++) sum += copies[k]!;
  return sum;
}
