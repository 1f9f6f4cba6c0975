// THE SEAM of the parameterizations. A model reads a Parameter and leaves a gradient in it; the Parameter pulls the
// gradient back to its Factors, and hands those to a sink. A plain table is a product of one.
// The life of a step: select -> clear or penalty -> (model reads values, adds to grads) -> pullback.

import { doubles, floats } from '../core/allocate';
import * as kernels from '../kernels/dispatch';
import type { Move } from '../kernels/heap';
import type { Factor, FactorGroup, Real, RowGradient } from '../optimizers/factor';

/** Where the gradients of factors go: one object for a whole fit. */
export interface GradientSink {
  accept(factor: Factor, gradient: RowGradient): void;
  /**
   * Takes the gradient of rows s x, of a base and of one scalar a row, in place of those of both factors: the same steps
   * in one pass. False, and nothing done, where the sink wants them one by one.
   */
  acceptScaled?(base: Factor, scalars: Factor, gradient: RowGradient): boolean;
}

/** A learnable matrix, rows x dim, as a model sees it. */
export interface Parameter {
  readonly name: string;
  readonly rows: number;
  readonly dim: number;
  /** What is trained. The base first, then the maps in the order of the product. */
  readonly factors: readonly Factor[];
  /** Those of them that have a row for each row of the table; the others are shared by all rows. */
  readonly rowFactors: readonly Factor[];
  /**
   * @internal What a row is, x, x s_1 s_2 ... or x (.) v_1 (.) v_2 ..., the maps of that row alone or the same for all rows
   * (`isShared`); else undefined.
   */
  readonly rowProduct?:
    | { readonly kind: 'plain' | 'scalar' | 'diagonal'; readonly maps: number; readonly isShared?: boolean }
    | undefined;

  /** Makes room for steps of up to `count` rows, so that no step allocates. */
  reserve(count: number): void;
  /** Names the rows of this step (null: all, in order). Duplicates share one gradient slot. */
  select(rows: Int32Array | null, count: number): void;
  /**
   * What the ratings of a step weigh, for the penalties: each named the row at its place in `select`, or those from
   * starts[s] to starts[s + 1]. Absent weights are all 1, and need not be told.
   */
  weigh(weights: Real, count: number, starts?: Int32Array | null): void;
  /** Names the rows that another parameter of as many rows has named for this step, without looking at them again. */
  selectAs(other: Parameter): void;
  /** Starts the gradients of this step at 0. What starts them at a penalty need not. */
  clear(): void;
  /** @internal The rows of this step, as the parameters that name the same ones share them. */
  readonly selection: RowSelection;

  /** Row s of the step is `values[at[s] * dim ..]`. For a plain parameter `values` is the table: nothing is copied. */
  readonly values: Real;
  readonly at: Int32Array;
  /** The gradient of row s accumulates at `grads[slot[s] * dim ..]`. */
  readonly grads: Real;
  readonly slot: Int32Array;

  /** The number of different rows, hence of slots, in this step. */
  readonly slotCount: number;
  /** Per slot: the row of the table, its place in `values`, and how often the step names it. */
  readonly slotRow: Int32Array;
  readonly slotAt: Int32Array;
  readonly occurrences: Int32Array;

  /** @internal Sends the gradient of every factor to the sink; `grads` is then spent. The factors' values of before the step are used throughout. */
  pullback(sink: GradientSink): void;

  /** @internal Moves all of its arrays, those of a step too, between two steps. */
  move(move: Move): void;

  /** The product as one plain matrix, rows x dim, in memory of its own; or that of the rows `from` up to `to`. */
  collapse(from?: number, to?: number): Real;
  /** Makes the product equal `value` (rows x dim), with the maps at their start: the right inverse of collapse. */
  assign(value: Real): void;
  /** Adds rows with the given values; what was there keeps its bytes. Maps that all rows share are left as they are. */
  grow(values: Real): void;
  /** Multiplies the product by a constant: every product is linear in its base. */
  rescale(by: number): void;
}

// The rows that a step names, each given one slot however often it is named. Shared by every parameterization.

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

// Arrays of either precision, and the two kinds of factor storage that grow.

/** float64 is for the reference path: identities to rounding, finite differences. */
export type Precision = 'float32' | 'float64';

/** A zeroed array. @throws UnsupportedError where there is no memory for it */
export function allocate(precision: Precision, length: number, what = `an array of ${length} numbers`): Real {
  return precision === 'float64' ? doubles(length, what) : floats(length, what);
}

/** A factor whose rows may grow. */
export class GrowingFactor implements Factor {
  rows: number;
  data: Real;
  constructor(
    readonly name: string,
    readonly role: 'base' | 'map',
    readonly group: FactorGroup,
    rows: number,
    readonly cols: number,
    readonly precision: Precision,
    readonly constraint?: 'nonnegative',
  ) {
    this.rows = rows;
    this.data = allocate(precision, rows * cols, `parameter '${name}', a table of ${rows} x ${cols} numbers,`);
  }

  /** Adds zeroed rows; the old ones keep their bytes. */
  growBy(rows: number): void {
    const data = allocate(this.precision, (this.rows + rows) * this.cols);
    data.set(this.data);
    this.data = data;
    this.rows += rows;
  }
}

/** A gradient whose fields are rewritten each step. */
export interface ReusableGradient {
  ids: Int32Array | null;
  count: number;
  values: Real;
}

// The L2 penalty on a product, once per occurrence of a row in a rating: the objective is
// sum over ratings of loss + 1/2 lambda (|e_u|^2 + |e_i|^2), whatever the parameterization.
// By frequency, a row with n ratings has lambda sqrt(20 / n): 20 is about the median number of ratings a row in
// MovieLens 100K, so that the same lambda serves both scalings there.

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
    readonly strength: number,
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
