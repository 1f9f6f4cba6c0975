// The L2 penalty on a product, once per occurrence of a row in a rating: the objective is
// sum over ratings of loss + 1/2 lambda (|e_u|^2 + |e_i|^2), whatever the parameterization.
// By frequency, a row with n ratings has lambda sqrt(20 / n): 20 is about the median number of ratings a row in
// MovieLens 100K, so that the same lambda serves both scalings there.

import type { Move } from '../kernels/move';
import { kernels } from '../kernels/select';
import type { Parameter } from './parameter';

/** The number of ratings of a row at which both scalings agree. */
const TYPICAL_COUNT = 20;

/** Adds the gradient of the penalty to a parameter's. */
export class Penalty {
  /** Per row, or null where one strength serves all. */
  private byRow: Float64Array | null;

  constructor(
    readonly parameter: Parameter,
    private readonly strength: number,
    counts: Int32Array | null,
  ) {
    this.byRow =
      counts === null ? null : Float64Array.from(counts, (n) => strength * Math.sqrt(TYPICAL_COUNT / Math.max(n, 1)));
  }

  /** lambda of every row. */
  byRows(): Float64Array {
    return this.byRow ?? new Float64Array(this.parameter.rows).fill(this.strength);
  }

  /** Adds lambda occurrences / batch of every selected row's value to its gradient. `batch`: the ratings in the step. */
  apply(batch: number): void {
    if (this.strength === 0) return;
    const { values, slotAt, slotRow, slotCount, occurrences, grads, dim } = this.parameter;
    kernels.addPenalty(values, slotAt, slotRow, occurrences, this.byRow, this.strength, batch, dim, slotCount, grads);
  }

  /** @see Parameter.move */
  move(move: Move): void {
    if (this.byRow !== null) this.byRow = move(this.byRow);
  }
}
