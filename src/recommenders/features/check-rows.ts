// Whether rows of features are what a model can be fitted on or asked about.

import { DataError } from '../../core/errors';
import { show, wrong } from '../../core/options';
import type { FeatureRows, FieldRange } from '../../data/feature-fields';
import type { FeatureSchema } from '../../data/feature-schema';
import { checkFeatureRows, FeatureTable } from '../../data/feature-table';
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
