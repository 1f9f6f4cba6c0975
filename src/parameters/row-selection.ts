// The rows that a step names, each given one slot however often it is named. Shared by every parameterization.

import type { Move } from '../kernels/move';
import { kernels } from '../kernels/select';
import type { Real } from '../optimizers/factor';

/** Maps the rows of a step to slots. */
export class RowSelection {
  slot: Int32Array = new Int32Array(1);
  slotRow: Int32Array = new Int32Array(1);
  occurrences: Int32Array = new Int32Array(1);
  /** The weight of the ratings that name each slot, where `weigh` was told. */
  shares: Float64Array = new Float64Array(0);
  slotCount = 0;
  /** The rows as they were named: `slotRow` where all were. */
  rowAt: Int32Array = this.slotRow;
  /** 0, 1, 2, ...: the slots themselves, as positions. */
  identity: Int32Array = new Int32Array(1);
  /** Per row of the table: its slot in the step being selected, -1 outside of `select`. */
  private slotOf: Int32Array;

  constructor(private rows: number) {
    this.slotOf = new Int32Array(rows).fill(-1);
    this.reserve(1);
  }

  /** Makes room for `count` rows a step. */
  reserve(count: number): void {
    if (count <= this.slot.length) return;
    this.slot = new Int32Array(count);
    this.slotRow = new Int32Array(count);
    this.occurrences = new Int32Array(count);
    this.identity = Int32Array.from({ length: count }, (_, i) => i);
  }

  /** The table has grown. */
  growTo(rows: number): void {
    this.rows = rows;
    this.slotOf = new Int32Array(rows).fill(-1);
  }

  /** Names the rows of a step; null names every row, in order. */
  select(rows: Int32Array | null, count: number): void {
    if (rows === null) this.selectAll();
    else if (count === 1) this.selectOne(rows[0]!);
    else this.selectMany(rows, count);
    this.rowAt = rows ?? this.slotRow;
  }

  /** @see Parameter.weigh */
  weigh(weights: Real, count: number, starts: Int32Array | null): void {
    if (this.shares.length < this.slotCount) this.shares = new Float64Array(this.slot.length);
    const { shares, slot, slotCount } = this;
    for (let s = 0; s < slotCount; s++) shares[s] = 0;
    for (let s = 0; s < count; s++) {
      const to = starts === null ? s + 1 : starts[s + 1]!;
      for (let at = starts === null ? s : starts[s]!; at < to; at++) shares[slot[at]!]! += weights[s]!;
    }
  }

  /** Every slot is named by all ratings of the step. */
  weighAll(weights: Real, count: number): void {
    let sum = 0;
    for (let s = 0; s < count; s++) sum += weights[s]!;
    if (this.shares.length < this.slotCount) this.shares = new Float64Array(this.slot.length);
    this.shares.fill(sum, 0, this.slotCount);
  }

  /** @see Parameter.move */
  move(move: Move): void {
    this.slot = move(this.slot);
    this.slotRow = move(this.slotRow);
    this.occurrences = move(this.occurrences);
    this.identity = move(this.identity);
    this.slotOf = move(this.slotOf);
    // The rows of a step are another's, and it is over.
    this.rowAt = this.slotRow;
  }

  private selectOne(row: number): void {
    this.slot[0] = 0;
    this.slotRow[0] = row;
    this.occurrences[0] = 1;
    this.slotCount = 1;
  }

  private selectMany(rows: Int32Array, count: number): void {
    this.reserve(count);
    const { slot, slotRow, occurrences, slotOf } = this;
    this.slotCount = kernels.selectRows(rows, count, slotOf, slot, slotRow, occurrences);
  }

  private selectAll(): void {
    this.reserve(this.rows);
    for (let row = 0; row < this.rows; row++) {
      this.slot[row] = row;
      this.slotRow[row] = row;
      this.occurrences[row] = 1;
    }
    this.slotCount = this.rows;
  }
}
