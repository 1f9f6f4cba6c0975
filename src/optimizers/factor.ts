// What an optimizer updates: a plain block of numbers and the gradient of some of its rows. Nothing here knows
// whether the factor is a whole table or one factor of a product.

/** Storage of trainable numbers. Float32Array in training; Float64Array in the reference path (`precision: 'float64'`). */
export type Real = Float32Array | Float64Array;

/** The kinds of factor that may be given learning rates of their own. */
export type FactorGroup = Factor['group'];

/** Trainable storage, rows x cols, row-major. The only thing that an optimizer ever sees. */
export interface Factor {
  /** Unique in its model: `userEmbedding`, `userEmbedding.map1`. */
  readonly name: string;
  /** `base`: the table itself. `map`: what the table is multiplied by in a product. */
  readonly role: 'base' | 'map';
  readonly group: 'embedding' | 'bias' | 'dense' | 'linear';
  readonly rows: number;
  readonly cols: number;
  readonly data: Real;
  /** What its numbers are kept to, whatever an update makes of them. */
  readonly constraint?: 'nonnegative' | undefined;
}

/**
 * The gradient of some rows of a factor. The first `count` ids are unique row numbers; row i of `values` is the
 * gradient of row `ids[i]`. `ids` is null where every row is meant, in order. The object is reused from step to step.
 */
export interface RowGradient {
  readonly ids: Int32Array | null;
  readonly count: number;
  readonly values: Real;
}
