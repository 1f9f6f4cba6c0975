// The side that holds still while the other's rows are solved for: its table, and the sum of its outer products, which is
// all that the pairs nobody has seen come down to.

import type { Scheduler } from '../../core/scheduler';
import { type Gram, ROWS_A_TIME } from '../../kernels/gram';
import type { Real } from '../../optimizers/factor';

/** A table whose rows are given. Rows that training never saw are 0. */
export class FixedSide {
  /** The sum of q q^T over all rows, padded x padded, both triangles. */
  readonly gram: Float64Array;
  readonly padded: number;

  constructor(
    readonly embedding: Real,
    readonly bias: Real | null,
    readonly rank: number,
    /** How many rows training has seen. */
    readonly trained: number,
    /** For adding up, of rank, and one for the bias where there are biases, rounded up. */
    private readonly sums: Gram,
  ) {
    this.padded = sums.n;
    this.gram = new Float64Array(this.padded * this.padded);
  }

  /** Sums the outer products of the table as it is now. Cost: rows x rank^2 / 2. */
  async sum(scheduler: Scheduler): Promise<void> {
    const { embedding, rank, padded, gram, sums } = this;
    const { matrix } = sums;
    const count = embedding.length / rank;
    matrix.fill(0);
    for (let from = 0; from < count; from += ROWS_A_TIME) {
      const to = Math.min(from + ROWS_A_TIME, count);
      for (let row = from; row < to; row++) {
        const at = (row - from) * padded;
        for (let f = 0; f < rank; f++) sums.rows[at + f] = embedding[row * rank + f]!;
      }
      sums.add(to - from);
      if (scheduler.isDue((ROWS_A_TIME * padded * padded) >> 5)) await scheduler.yieldNow();
    }
    gram.set(matrix);
    for (let i = 0; i < padded; i++) for (let j = 0; j < i; j++) gram[j * padded + i] = gram[i * padded + j]!;
  }
}
