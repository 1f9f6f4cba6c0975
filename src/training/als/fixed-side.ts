// The side that holds still while the other's rows are solved for: its table, and the sum of its outer products, which is
// all that the pairs nobody has seen come down to.

import type { Turns } from '../../core/turns';
import { addGram, paddedLength } from '../../kernels/gram';
import type { Real } from '../../optimizers/factor';

/** Rows that are added to a sum at a time: what a cache near the processor holds. */
export const ROWS_A_TIME = 32;

/** A table whose rows are given. Rows that training never saw are 0. */
export class FixedSide {
  /** The sum of q q^T over all rows, padded x padded, both triangles. */
  readonly gram: Float64Array;
  /** Rank, and one for the bias where there are biases, rounded up to what the kernels take. */
  readonly padded: number;

  constructor(
    readonly embedding: Real,
    readonly bias: Real | null,
    readonly rank: number,
    /** How many rows training has seen. */
    readonly trained: number,
  ) {
    this.padded = paddedLength(rank + (bias === null ? 0 : 1));
    this.gram = new Float64Array(this.padded * this.padded);
  }

  /** Sums the outer products of the table as it is now. Cost: rows x rank^2 / 2. */
  async sum(turns: Turns): Promise<void> {
    this.gram.fill(0);
    const rows = this.embedding.length / this.rank;
    const packed = new Float64Array(ROWS_A_TIME * this.padded);
    for (let from = 0; from < rows; from += ROWS_A_TIME) {
      this.add(packed, from, Math.min(from + ROWS_A_TIME, rows));
      if (turns.isDue((ROWS_A_TIME * this.padded * this.padded) >> 5)) await turns.breathe();
    }
    this.mirror();
  }

  private add(packed: Float64Array, from: number, to: number): void {
    const { embedding, rank, padded, gram } = this;
    for (let row = from; row < to; row++) {
      const at = (row - from) * padded;
      for (let f = 0; f < rank; f++) packed[at + f] = embedding[row * rank + f]!;
    }
    addGram(gram, padded, packed, to - from);
  }

  private mirror(): void {
    const { gram, padded } = this;
    for (let i = 0; i < padded; i++) for (let j = 0; j < i; j++) gram[j * padded + i] = gram[i * padded + j]!;
  }
}
