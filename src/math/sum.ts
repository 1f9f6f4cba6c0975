// The sum of all elements of an array.

import type { NdArray } from 'ndarray';
import ops from 'ndarray-ops';
import { readable } from './arguments';

/**
 * The sum of all elements: sum over all indices i of x_i.
 *
 * Summed in double precision whatever the dtype, in the order of the strides (so that the last bit may depend on the
 * layout). NaN and infinity propagate; the sum of an empty array is 0.
 *
 * Shapes: any dimension. Cost: one pass.
 *
 * @throws OptionError when x is not an NdArray of numbers.
 * @example
 * ```ts
 * import ndarray from 'ndarray';
 * import { sum } from 'opmf/math';
 * const table = ndarray(new Float32Array([1, 2, 3, 4]), [2, 2]);
 * console.log(sum(table), sum(table.pick(1, null))); // 10 7
 * ```
 */
export function sum(x: NdArray): number {
  readable('sum', 'x', x);
  return ops.sum(x);
}
