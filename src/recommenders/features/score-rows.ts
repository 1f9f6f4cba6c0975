// Predictions of rows of features in batches, by a model as it is at the moment.

import { sigmoid } from '../../core/elementary';
import { DataError } from '../../core/errors';
import type { Scheduler } from '../../core/scheduler';
import type { UnlabelledRows } from '../../data/feature-fields';
import { Heap } from '../../kernels/heap';
import { type Move, moveOut } from '../../kernels/move';
import type { FeatureModel } from '../../models/feature-models';
import type { KernelChoice } from '../../wasm/host';

/** Rows of one batch. */
export const ROWS_AT_ONCE = 256;
/** So many rows are worth moving the tables to where WebAssembly works on them. */
const WORTH_MOVING = 4 * ROWS_AT_ONCE;

/** The most features that batches of rows have together. */
export function featuresAtOnce({ size, starts }: UnlabelledRows): number {
  let most = 0;
  for (let from = 0; from < size; from += ROWS_AT_ONCE)
    most = Math.max(most, starts[Math.min(from + ROWS_AT_ONCE, size)]! - starts[from]!);
  return most;
}

/**
 * Asks for the predictions of so many rows, `features` in the longest batch, with the model where WebAssembly works on it
 * while that lasts and pays.
 */
export function onHeap<T>(model: FeatureModel, kernels: KernelChoice, rows: number, features: number, ask: () => T): T {
  if (rows < WORTH_MOVING) return ask();
  model.reserve(ROWS_AT_ONCE, features);
  const moveModel = (move: Move): void => {
    for (const parameter of model.parameters) parameter.move(move);
    model.move(move);
  };
  const heap = Heap.holding(moveModel, kernels);
  try {
    return ask();
  } finally {
    if (heap !== null) moveOut(moveModel);
  }
}

/** Writes the predictions of some rows: scores, or their sigmoids. */
export class RowScorer {
  private readonly scores = new Float32Array(ROWS_AT_ONCE);
  private readonly starts = new Int32Array(ROWS_AT_ONCE + 1);

  constructor(
    private readonly model: FeatureModel,
    private readonly isProbability: boolean,
  ) {}

  /** All rows. @throws DataError where a prediction is no number */
  all(rows: UnlabelledRows): Float32Array {
    const out = new Float32Array(rows.size);
    for (let from = 0; from < rows.size; from += ROWS_AT_ONCE) this.write(rows, from, out);
    return out;
  }

  /** All rows, letting other tasks run in between. */
  async allInTurns(rows: UnlabelledRows, scheduler: Scheduler): Promise<Float32Array> {
    const out = new Float32Array(rows.size);
    for (let from = 0; from < rows.size; from += ROWS_AT_ONCE) {
      this.write(rows, from, out);
      // Layers take thousands of multiplications a row.
      if (scheduler.isDue(16 * ROWS_AT_ONCE)) await scheduler.yieldNow();
    }
    return out;
  }

  /** The batch that starts at a row. */
  private write(rows: UnlabelledRows, from: number, out: Float32Array): void {
    const { model, scores, starts } = this;
    const count = Math.min(ROWS_AT_ONCE, rows.size - from);
    const first = rows.starts[from]!;
    const last = rows.starts[from + count]!;
    for (let s = 0; s <= count; s++) starts[s] = rows.starts[from + s]! - first;
    const [indices, values] = [rows.indices.subarray(first, last), rows.values.subarray(first, last)];
    const batch = { count, starts, indices, values, targets: scores, weights: null };
    model.select(batch);
    model.forward(batch, scores);
    for (let s = 0; s < count; s++) {
      const prediction = this.isProbability ? sigmoid(scores[s]!) : scores[s]!;
      if (!Number.isFinite(prediction))
        throw new DataError(
          `the prediction of row ${from + s} is ${prediction}: numbers of the row or of the model are beyond what ` +
            'arithmetic holds; scale the fields (numeric() standardizes), or load the file again from its source',
        );
      out[from + s] = prediction;
    }
  }
}
