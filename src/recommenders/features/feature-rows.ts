// Rows of features: checked against what a model can be fitted on or asked about, and predicted in batches by a model as it
// is at the moment.

import { sigmoid } from '../../core/elementary';
import { DataError } from '../../core/errors';
import { show, wrong } from '../../core/options';
import type { Scheduler } from '../../core/scheduler';
import type { FeatureRows, FieldRange, UnlabelledRows } from '../../data/feature-fields';
import type { FeatureSchema } from '../../data/feature-schema';
import { checkFeatureRows, FeatureTable } from '../../data/feature-table';
import { Heap } from '../../kernels/heap';
import { type Move, moveOut } from '../../kernels/move';
import type { FeatureModel } from '../../models/feature-models';
import type { KernelChoice } from '../../wasm/host';
import type { FilledFeatureOptions } from './feature-options';
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

/** What stays of rows in a model. */
export function layoutOf({ fields, schema, pairing }: LaidOutRows): RowLayout {
  return pairing === undefined ? { fields, schema } : { fields, schema, pairing };
}

/** Rows whose arrays fit together. @throws OptionError for what is none; DataError where they do not */
export function checkRows(value: unknown, name: string): LaidOutRows {
  if (value instanceof FeatureTable) return value;
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

/**
 * What a loss is to make of the labels of rows: themselves in regression; else 1 and 0, where -1 is 0.
 * @throws DataError without any, or where one is not what the task has
 */
export function targetsOf(
  rows: FeatureRows,
  name: string,
  task: FilledFeatureOptions['task'],
  column = 'labels',
): Float32Array {
  const { labels, size } = rows;
  if (size === 0) throw new DataError(`${name} has no rows; want at least one`);
  if (labels === null) throw new DataError(`${name} has no labels; want one for each of its ${size} rows`);
  if (task === 'regression') return labels;
  return labels.map((label, s) => {
    if (label === 1 || label === 0 || label === -1) return label > 0 ? 1 : 0;
    const wanted = "0 or 1, or -1 or 1 (for other numbers use task: 'regression')";
    throw new DataError(`${name}.${column}[${s}] is ${show(label)}; want ${wanted}`);
  });
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
  if (JSON.stringify(rows.schema.toJSON().fields) !== JSON.stringify(fitted.schema.toJSON().fields)) {
    const wanted = 'FeatureTable.encode(rows, model.schema)';
    throw new DataError(`${name} was encoded by another schema than the model was fitted on; want ${wanted}`);
  }
}

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
