// Rows of features as sparse columns: what a table of features is once encoded, and all that a model of features reads.

/** What a field of a table holds: a number, one category, several, or the combination of two categories. */
export type FieldKind = 'numeric' | 'categorical' | 'multi' | 'crossed';

/**
 * A field of encoded rows: its features have the numbers offset to offset + size - 1.
 *
 * @example
 * ```ts
 * import type { FieldRange } from 'opmf';
 * const city: FieldRange = { name: 'city', kind: 'categorical', offset: 2, size: 5 };
 * console.log(city.offset + city.size); // 7
 * ```
 */
export interface FieldRange {
  readonly name: string;
  readonly kind: FieldKind;
  /** The number of its first feature. */
  readonly offset: number;
  /** How many features it has. */
  readonly size: number;
}

/**
 * Rows of features in compressed sparse rows. Row r has the features indices[k] with the values[k] beside them, for k
 * from starts[r] up to starts[r + 1]. Within a row entries are in the order of the fields. A category has the value 1, and
 * so has each of several in a multi-valued field (a model that pools divides); a number has itself, standardized or not.
 *
 * Shapes: `starts` size + 1; `indices` and `values` one entry each; `labels` and `weights`, where there are any, size.
 *
 * @example
 * ```ts
 * import type { FeatureRows } from 'opmf';
 * const rows: FeatureRows = {
 *   size: 2,
 *   starts: Int32Array.of(0, 1, 3),
 *   indices: Int32Array.of(0, 1, 2),
 *   values: Float32Array.of(1, 1, 0.5),
 *   labels: Float32Array.of(0, 1),
 *   weights: null,
 *   fields: [{ name: 'city', kind: 'categorical', offset: 0, size: 2 }, { name: 'age', kind: 'numeric', offset: 2, size: 1 }],
 * };
 * console.log(rows.starts[2]! - rows.starts[1]!); // 2
 * ```
 */
export interface FeatureRows {
  readonly size: number;
  /** Where each row's entries start, and where the last one's end. */
  readonly starts: Int32Array;
  /** Feature numbers, over all fields. */
  readonly indices: Int32Array;
  readonly values: Float32Array;
  readonly labels: Float32Array | null;
  /** What each row's loss is multiplied by; null: 1. */
  readonly weights: Float32Array | null;
  /** In order: each starts where the one before ends. */
  readonly fields: readonly FieldRange[];
}

/** The features of rows, without what is to be learned of them. */
export type UnlabelledRows = Pick<FeatureRows, 'size' | 'starts' | 'indices' | 'values'>;
