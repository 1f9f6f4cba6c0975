// Rows of features: checked against what a model can be fitted on or asked about, and predicted in batches by a model as it
// is at the moment.

import { sigmoid } from '../../core/elementary';
import { DataError } from '../../core/errors';
import { wrong } from '../../core/options';
import type { Scheduler } from '../../core/scheduler';
import type { FeatureRows, FieldRange, UnlabelledRows } from '../../data/feature-fields';
import type { FeatureSchema } from '../../data/feature-schema';
import { checkFeatureRows, isFeatureTable } from '../../data/feature-table';
import type { SparseRows } from '../../models/forward';
import type { Real } from '../../optimizers/factor';
import type { Pairing } from './pairing';

/** What a model knows of its rows: their fields, and by what they were encoded where that is known. */
export interface RowLayout {
  readonly fields: readonly FieldRange[];
  readonly schema: FeatureSchema | null;
  /** How pairs of users and items become such rows; absent where the rows were no such pairs. */
  readonly pairing?: Pairing;
}

/** Rows and their layout: a table, or as much of one. */
export type LaidOutRows = FeatureRows & RowLayout;

/** Rows whose arrays fit together. @throws OptionError for what is none; DataError where they do not */
export function checkRows(value: unknown, name: string): LaidOutRows {
  if (isFeatureTable(value)) return value;
  const rows = value as FeatureRows;
  const isRows =
    typeof value === 'object' &&
    value !== null &&
    rows.starts instanceof Int32Array &&
    rows.indices instanceof Int32Array &&
    rows.values instanceof Float32Array &&
    Array.isArray(rows.fields);
  if (!isRows) {
    const wanted =
      'a FeatureTable (of objects: FeatureTable.from(rows, { fields, label })), or rows of features: ' +
      '{ size, starts, indices, values, labels, weights, fields }';
    throw wrong(name, value, wanted);
  }
  checkFeatureRows(rows, name);
  return { ...rows, fields: rows.fields.map((one) => ({ ...one })), schema: null };
}

/** Rows to be predicted must have the features that the model was fitted on. */
export function checkLayout(rows: RowLayout, fitted: RowLayout, name: string): void {
  const text = (list: readonly FieldRange[]) => list.map((one) => `${one.name} ${one.kind} ${one.size}`).join(', ');
  if (text(rows.fields) !== text(fitted.fields)) {
    const [got, wanted] = [text(rows.fields), text(fitted.fields)];
    throw new DataError(`${name} has the fields ${got}; the model was fitted on ${wanted}`);
  }
  // Vocabularies of one size can be of other words: all would go well, and be wrong.
  if (rows.schema === null || fitted.schema === null || rows.schema === fitted.schema) return;
  if (JSON.stringify(rows.schema.learned.fields) !== JSON.stringify(fitted.schema.learned.fields)) {
    const wanted = 'FeatureTable.encode(rows, model.schema)';
    throw new DataError(`${name} was encoded by another schema than the model was fitted on; want ${wanted}`);
  }
}

/** Rows of one batch. */
export const ROWS_AT_ONCE = 256;
/** The most features that batches of rows have together. */
export function featuresAtOnce({ size, starts }: UnlabelledRows): number {
  let most = 0;
  for (let from = 0; from < size; from += ROWS_AT_ONCE)
    most = Math.max(most, starts[Math.min(from + ROWS_AT_ONCE, size)]! - starts[from]!);
  return most;
}

/** What scores rows of features: a model that is trained, or the tables of a file. */
export interface RowModel {
  /** Whether what the embeddings, linear weights and bias say of pairs is the whole score, as in FM. */
  readonly isFactorization: boolean;
  /** Numbers of an embedding. */
  readonly dim: number;
  /** The embeddings, linear weights and bias: products multiplied out. */
  readonly tables: FeatureTables;
  /** Multiplications that its layers take a row. */
  readonly layerCost: number;
  /** Writes the scores of the first `count` rows, of up to ROWS_AT_ONCE. */
  score(rows: SparseRows, count: number, scores: Float32Array): void;
  /**
   * Asks for the predictions of so many rows, `features` in the longest batch, with the numbers where WebAssembly works on
   * them while that lasts and pays.
   */
  atWork<T>(rows: number, features: number, ask: () => T): T;
}

/** The tables of features that every model has. */
export interface FeatureTables {
  readonly embedding: Real;
  readonly linear: Real;
  readonly bias: number;
}

/** Writes the predictions of some rows: scores, or their sigmoids. */
export class RowScorer {
  private readonly scores = new Float32Array(ROWS_AT_ONCE);
  private readonly starts = new Int32Array(ROWS_AT_ONCE + 1);

  constructor(
    private readonly model: Pick<RowModel, 'score'>,
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
    model.score({ starts, indices, values }, count, scores);
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
