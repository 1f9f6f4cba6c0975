// The way forward through the terms and layers of a network, as functions of the numbers alone: what is trained and what is
// served from a file go it together, so that both give the same bits. The way back stands with what is trained.

import { sigmoid } from '../core/elementary';
import { OptionError } from '../core/errors';
import { show } from '../core/options';
import type { FieldRange } from '../data/feature-fields';
import type { Real } from '../optimizers/factor';

/** A table as a pass reads it: the row that is named at place p is `values[at[p] * dim ..]`. */
export interface NamedRows {
  readonly dim: number;
  readonly values: Real;
  readonly at: Int32Array;
}

/** Rows of features: row s has the features indices[p] with values[p], p from starts[s] up to starts[s + 1]. */
export interface SparseRows {
  readonly starts: Int32Array;
  readonly indices: Int32Array;
  readonly values: Float32Array | Float64Array;
}

/** The values of features, or 0 where `counts` is, written to `kept`: `values` itself where all count. */
export function keptValues(
  counts: Uint8Array | null,
  { starts, indices, values }: SparseRows,
  count: number,
  kept: Real,
): Real {
  if (counts === null) return values;
  for (let p = starts[0]!; p < starts[count]!; p++) kept[p] = counts[indices[p]!] === 1 ? values[p]! : 0;
  return kept;
}

/** How the features of one field are pooled; a field without any gives zeros. */
export type Pooling = 'sum' | 'mean';

/** Which features are of which field, and how those of one are pooled. */
export interface FieldPool {
  /** The field of each feature; -1: of none, which is left out. */
  readonly fieldOf: Int32Array;
  readonly pooling: Pooling;
  /** Room for how many features each field has in a row. */
  readonly counts: Int32Array;
}

/** The pool of some fields, for so many features. */
export function fieldPool(fields: readonly FieldRange[], features: number, pooling: Pooling): FieldPool {
  const fieldOf = new Int32Array(features).fill(-1);
  for (const [f, { offset, size }] of fields.entries()) fieldOf.fill(f, offset, offset + size);
  return { fieldOf, pooling, counts: new Int32Array(fields.length) };
}

/**
 * Where the embedding of each feature goes: to which field of which row, counted through, and times how much: its value, divided by
 * how many its field has in the row where the mean is taken. What is of no field goes to the first of its row, times 0.
 */
export function shareOut(
  { fieldOf, pooling, counts }: FieldPool,
  { starts, indices, values }: SparseRows,
  count: number,
  shares: Real,
  places: Int32Array,
): void {
  for (let s = 0; s < count; s++) {
    const [from, to] = [starts[s]!, starts[s + 1]!];
    counts.fill(0);
    for (let p = from; p < to; p++) {
      const field = fieldOf[indices[p]!]!;
      if (field >= 0) counts[field]!++;
      shares[p] = field >= 0 ? values[p]! : 0;
      places[p] = s * counts.length + Math.max(field, 0);
    }
    if (pooling === 'mean')
      for (let p = from; p < to; p++) if (shares[p] !== 0) shares[p] = shares[p]! / counts[fieldOf[indices[p]!]!]!;
  }
}

/** The names of the activations. */
export type ActivationName = 'relu' | 'sigmoid' | 'tanh';

/** Every name. */
export const ACTIVATIONS: readonly ActivationName[] = ['relu', 'sigmoid', 'tanh'];

/** Applies an activation to the first `size` numbers, in place. */
export function activate(name: ActivationName, x: Real, size: number): void {
  // max(x, 0), also of what is not a number, without a branch that half of the time goes the other way.
  if (name === 'relu') for (let i = 0; i < size; i++) x[i] = 0.5 * (x[i]! + Math.abs(x[i]!));
  else if (name === 'sigmoid') for (let i = 0; i < size; i++) x[i] = sigmoid(x[i]!);
  else for (let i = 0; i < size; i++) x[i] = 2 * sigmoid(2 * x[i]!) - 1;
}

/** Adds a row to each of `count` rows. */
export function addRow(row: Real, count: number, cols: number, rows: Real): void {
  for (let i = 0, at = 0; i < count; i++) for (let j = 0; j < cols; j++, at++) rows[at] = rows[at]! + row[j]!;
}

/** Added to variances. */
export const EPSILON = 1e-5;

/** Makes each column of x scale (x - mean) inverse + shift; leaves (x - mean) inverse in `normalized`. */
export function normalize(
  scale: Real,
  shift: Real,
  mean: Float64Array,
  inverse: Float64Array,
  x: Real,
  count: number,
  normalized: Real,
): void {
  const cols = mean.length;
  for (let i = 0, at = 0; i < count; i++) {
    for (let j = 0; j < cols; j++, at++) {
      const z = (x[at]! - mean[j]!) * inverse[j]!;
      normalized[at] = z;
      x[at] = scale[j]! * z + shift[j]!;
    }
  }
}

/** Reads running statistics, row 0 the mean of each column and row 1 its variance, as means and 1 / deviations. */
export function recallStatistics(statistics: Real, mean: Float64Array, inverse: Float64Array): void {
  const cols = mean.length;
  for (let j = 0; j < cols; j++) {
    mean[j] = statistics[j]!;
    inverse[j] = 1 / Math.sqrt(statistics[cols + j]! + EPSILON);
  }
}

/** The names and the outputs of the weights of a stack, as planOverparam takes them. */
export function layerDims(name: string, hidden: readonly number[]): [name: string, outputs: number][] {
  return hidden.map((outputs, l) => [`${name}${l + 1}`, outputs]);
}

/**
 * Which features are of the fields that `wide` names, 1 or 0; null: all are.
 * @throws OptionError for a name that no field has
 */
export function wideFeatures(
  wide: readonly string[] | null,
  fields: readonly FieldRange[],
  features: number,
): Uint8Array | null {
  if (wide === null) return null;
  for (const [i, name] of wide.entries()) {
    if (fields.some((field) => field.name === name)) continue;
    const known = fields.map((field) => field.name).join(', ');
    throw new OptionError(`wide[${i}]`, name, `wide names no field ${show(name)}; want some of ${known}`);
  }
  const counts = new Uint8Array(features);
  for (const { name, offset, size } of fields) if (wide.includes(name)) counts.fill(1, offset, offset + size);
  return counts;
}
