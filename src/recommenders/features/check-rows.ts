// Whether rows of features are what a model can be fitted on or asked about.

import { DataError } from '../../core/errors';
import { show, wrong } from '../../core/options';
import type { FeatureRows, FieldRange } from '../../interactions/features';

/** Rows with consistent arrays. @throws OptionError for what is none; DataError where arrays do not fit together */
export function checkRows(value: unknown, name: string): FeatureRows {
  const rows = value as FeatureRows;
  const isRows =
    typeof value === 'object' &&
    value !== null &&
    rows.starts instanceof Int32Array &&
    rows.indices instanceof Int32Array &&
    rows.values instanceof Float32Array &&
    Array.isArray(rows.fields);
  if (!isRows) throw wrong(name, value, 'rows of features: { size, starts, indices, values, labels, weights, fields }');
  const { size, starts, indices, values } = rows;
  const features = featureCount(rows.fields);
  if (starts.length < size + 1) throw new DataError(`${name}.starts has ${starts.length} numbers; want ${size + 1}`);
  for (let s = 0; s < size; s++)
    if (starts[s]! > starts[s + 1]!)
      throw new DataError(`${name}.starts falls at row ${s}; want where each row starts`);
  const [from, to] = [starts[0]!, starts[size]!];
  if (from < 0 || to > indices.length || to > values.length)
    throw new DataError(`${name}.starts goes from ${from} to ${to}, beyond the ${indices.length} entries there are`);
  for (let p = from; p < to; p++) {
    if (indices[p]! < 0 || indices[p]! >= features)
      throw new DataError(`${name}.indices[${p}] is ${indices[p]}; want a feature from 0 to ${features - 1}`);
    if (!Number.isFinite(values[p])) throw new DataError(`${name}.values[${p}] is ${values[p]}; want a finite number`);
  }
  return rows;
}

/** The labels of rows. @throws DataError without any, or where one is not what the task has */
export function checkLabels(rows: FeatureRows, name: string, task: 'classification' | 'regression'): Float32Array {
  const { labels, weights, size } = rows;
  if (size === 0) throw new DataError(`${name} has no rows; want at least one`);
  if (labels === null) throw new DataError(`${name} has no labels; want one for each of its ${size} rows`);
  const isLabel = task === 'regression' ? Number.isFinite : (label: number) => label >= 0 && label <= 1;
  for (let s = 0; s < size; s++) {
    if (!isLabel(labels[s]!)) {
      const wanted = task === 'regression' ? 'a finite number' : "0 or 1 (for other numbers use task: 'regression')";
      throw new DataError(`${name}.labels[${s}] is ${show(labels[s])}; want ${wanted}`);
    }
    if (weights !== null && !(weights[s]! >= 0 && weights[s]! < Infinity))
      throw new DataError(`${name}.weights[${s}] is ${show(weights[s])}; want a finite number of at least 0`);
  }
  return labels;
}

/** Rows to be predicted must have the features that the model was fitted on. */
export function checkFields(fields: readonly FieldRange[], fitted: readonly FieldRange[], name: string): void {
  const text = (list: readonly FieldRange[]) => list.map((one) => `${one.name} ${one.kind} ${one.size}`).join(', ');
  if (text(fields) !== text(fitted))
    throw new DataError(`${name} has the fields ${text(fields)}; the model was fitted on ${text(fitted)}`);
}

/** The number of features of some fields. */
export function featureCount(fields: readonly FieldRange[]): number {
  return fields.reduce((sum, { size }) => sum + size, 0);
}
