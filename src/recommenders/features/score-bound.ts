// Whether a trained model of features can answer with what is no finite number.

import type { UnlabelledRows } from '../../data/feature-fields';
import { MOST } from '../../kernels/rounding';
import type { ActivationName } from '../../models/layers';

/** A table of a model: its shape, and the largest size of its values. */
export interface TableSize {
  readonly rows: number;
  readonly dim: number;
  readonly most: number;
}

/** Added to variances by models/layers.ts. */
const DEVIATION = Math.sqrt(1e-5);

/** The largest sum of the sizes of a row's values. */
export function widestOf({ size, starts, values }: UnlabelledRows): number {
  let widest = 0;
  for (let row = 0; row < size; row++) {
    let sum = 0;
    for (let p = starts[row]!; p < starts[row + 1]!; p++) sum += Math.abs(values[p]!);
    widest = Math.max(widest, sum);
  }
  return widest;
}

/**
 * The name of the table with which a score might overflow, for a row whose values add up to `width` in size; undefined
 * where none can: the largest sizes go through the sums and layers in place of numbers.
 */
export function overflowing(
  tables: ReadonlyMap<string, TableSize>,
  activation: ActivationName,
  width: number,
): string | undefined {
  const mostOf = (name: string) => tables.get(name)?.most ?? 0;
  let size = width * mostOf('embedding');
  const pairs = (tables.get('embedding')?.dim ?? 0) * size ** 2;
  if (!(pairs <= MOST)) return 'embedding';
  let score = mostOf('bias') + width * mostOf('linear') + pairs;
  if (!(score <= MOST)) return 'linear';
  for (let l = 1; tables.has(`deep${l}`); l++) {
    const name = `deep${l}`;
    let sum = tables.get(name)!.rows * mostOf(name) * size + mostOf(`${name}Bias`);
    if (tables.has(`${name}Scale`))
      sum = ((sum + mostOf(`${name}Statistics`)) / DEVIATION) * mostOf(`${name}Scale`) + mostOf(`${name}Shift`);
    if (!(sum <= MOST)) return name;
    size = activation === 'relu' ? sum : Math.min(sum, 1);
  }
  score += (tables.get('deepOutput')?.rows ?? 0) * mostOf('deepOutput') * size;
  return score <= MOST ? undefined : 'deepOutput';
}
