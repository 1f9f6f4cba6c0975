// The L2 penalty on a product, once per occurrence of a row in a rating: the objective is
// sum over ratings of loss + 1/2 lambda (|e_u|^2 + |e_i|^2), whatever the parameterization.
// By frequency, a row with n ratings has lambda sqrt(20 / n): 20 is about the median number of ratings a row in
// MovieLens 100K, so that the same lambda serves both scalings there.

import * as kernels from '../kernels/dispatch';
import type { Move } from '../kernels/move';
import type { Parameter } from './parameter';

/** The number of ratings of a row at which both scalings agree. */
const TYPICAL_COUNT = 20;

/** Starts a parameter's gradient at that of its penalty; a parameter has at most one. */
export class Penalty {
  /** Per row, or null where one strength serves all. */
  byRow: Float64Array | null;
  /** Of the slots of a weighted step: lambda by the weight of its occurrences, which are then counted once. */
  private lambdas = new Float64Array(0);
  private once = new Int32Array(0);

  constructor(
    readonly parameter: Parameter,
    private readonly strength: number,
    counts: Int32Array | null,
    /** For what every row of a batch goes through, as a dense layer: its rows are named once a step, and count for all. */
    private readonly isShared = false,
  ) {
    this.byRow = counts === null ? null : byFrequency(strength, counts);
  }

  /** lambda of every row. */
  byRows(): Float64Array {
    return this.byRow ?? new Float64Array(this.parameter.rows).fill(this.strength);
  }

  /**
   * Starts the gradient of every selected row at lambda occurrences / batch of its value. `batch`: the ratings in the step.
   * `isWeighted`: each occurrence counts as much as its rating weighs, which the parameter has been told.
   */
  start(batch: number, isWeighted = false): void {
    if (this.strength === 0) {
      this.parameter.clear();
      return;
    }
    const examples = this.isShared ? 1 : batch;
    if (isWeighted && !this.isShared) {
      this.startWeighted(batch);
      return;
    }
    const { values, slotAt, slotRow, slotCount, occurrences, grads, dim } = this.parameter;
    kernels.startPenalty(
      values,
      slotAt,
      slotRow,
      occurrences,
      this.byRow,
      this.strength,
      examples,
      dim,
      slotCount,
      grads,
    );
  }

  private startWeighted(batch: number): void {
    const { values, slotAt, slotRow, slotCount, grads, dim, selection } = this.parameter;
    const { shares, identity } = selection;
    if (this.lambdas.length < slotCount) {
      this.lambdas = new Float64Array(identity.length);
      this.once = new Int32Array(identity.length).fill(1);
    }
    const { lambdas, once, byRow, strength } = this;
    for (let u = 0; u < slotCount; u++) lambdas[u] = (byRow === null ? strength : byRow[slotRow[u]!]!) * shares[u]!;
    kernels.startPenalty(values, slotAt, identity, once, lambdas, 0, batch, dim, slotCount, grads);
  }

  /** @see Parameter.move */
  move(move: Move): void {
    if (this.byRow !== null) this.byRow = move(this.byRow);
  }
}

/** A loop: `Float64Array.from` takes ten times as long, which a service would notice with a million rows. */
function byFrequency(strength: number, counts: Int32Array): Float64Array {
  const byRow = new Float64Array(counts.length);
  for (let row = 0; row < byRow.length; row++)
    byRow[row] = strength * Math.sqrt(TYPICAL_COUNT / Math.max(counts[row]!, 1));
  return byRow;
}
