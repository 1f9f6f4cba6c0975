// What models of features see of a batch: rows of (feature, value), one after another in compressed form.

import type { Batch } from './model';

/** Row s has the features indices[p] with values[p], p from starts[s] up to starts[s + 1]. */
export interface FeatureBatch extends Batch {
  readonly starts: Int32Array;
  readonly indices: Int32Array;
  readonly values: Float32Array | Float64Array;
}

/** The features of a batch alone. */
export type SparseRows = Pick<FeatureBatch, 'starts' | 'indices' | 'values'>;
