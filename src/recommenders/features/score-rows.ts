// Predictions of rows of features in batches, by a model as it is at the moment.

import { sigmoid } from '../../core/elementary';
import { DataError } from '../../core/errors';
import type { Turns } from '../../core/turns';
import type { FeatureRows } from '../../interactions/features';
import type { FeatureModel } from '../../models/feature-model';

/** Rows of one batch. */
export const ROWS_AT_ONCE = 256;

/** The most features that batches of rows have together. */
export function featuresAtOnce({ size, starts }: FeatureRows): number {
  let most = 0;
  for (let from = 0; from < size; from += ROWS_AT_ONCE)
    most = Math.max(most, starts[Math.min(from + ROWS_AT_ONCE, size)]! - starts[from]!);
  return most;
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
  all(rows: FeatureRows): Float32Array {
    const out = new Float32Array(rows.size);
    for (let from = 0; from < rows.size; from += ROWS_AT_ONCE) this.write(rows, from, out);
    return out;
  }

  /** All rows, letting other tasks run in between. */
  async allInTurns(rows: FeatureRows, turns: Turns): Promise<Float32Array> {
    const out = new Float32Array(rows.size);
    for (let from = 0; from < rows.size; from += ROWS_AT_ONCE) {
      this.write(rows, from, out);
      // Layers take thousands of multiplications a row.
      if (turns.isDue(16 * ROWS_AT_ONCE)) await turns.breathe();
    }
    return out;
  }

  /** The batch that starts at a row. */
  private write(rows: FeatureRows, from: number, out: Float32Array): void {
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
