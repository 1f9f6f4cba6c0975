// Arrays of either precision, and the two kinds of factor storage that grow.

import { doubles, floats } from '../core/allocate';
import type { Factor, FactorGroup, Real } from '../optimizers/factor';

/** float64 is for the reference path: identities to rounding, finite differences. */
export type Precision = 'float32' | 'float64';

/** A zeroed array. @throws UnsupportedError where there is no memory for it */
export function allocate(precision: Precision, length: number, what = `an array of ${length} numbers`): Real {
  return precision === 'float64' ? doubles(length, what) : floats(length, what);
}

/** A factor whose rows may grow. */
export class GrowingFactor implements Factor {
  rows: number;
  data: Real;
  constructor(
    readonly name: string,
    readonly role: 'base' | 'map',
    readonly group: FactorGroup,
    rows: number,
    readonly cols: number,
    readonly precision: Precision,
    readonly constraint?: 'nonnegative',
  ) {
    this.rows = rows;
    this.data = allocate(precision, rows * cols, `parameter '${name}', a table of ${rows} x ${cols} numbers,`);
  }

  /** Adds zeroed rows; the old ones keep their bytes. */
  growBy(rows: number): void {
    const data = allocate(this.precision, (this.rows + rows) * this.cols);
    data.set(this.data);
    this.data = data;
    this.rows += rows;
  }
}

/** A gradient whose fields are rewritten each step. */
export interface ReusableGradient {
  ids: Int32Array | null;
  count: number;
  values: Real;
}
