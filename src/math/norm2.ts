// The Euclidean norm, scaled only where the squares leave the range of a double.

import type { NdArray } from 'ndarray';
import ops from 'ndarray-ops';
import { readable } from './arguments';
import { scratchLike } from './results';

/**
 * Below this a sum of squares may have lost digits to subnormal squares (each is off by up to 5e-324): at 1e-280 even
 * 2^32 of them are off by less than 1e-34 of the sum. Squares of float32 numbers, at least 1e-90, never need the scaling.
 */
const SAFE = 1e-280;

/**
 * The Euclidean norm of all elements (of a matrix: the Frobenius norm): sqrt(sum over all indices i of x_i^2).
 *
 * Summed in double precision whatever the dtype. Neither overflows nor underflows unless the norm itself does: where the
 * sum of squares would, the elements are divided by the largest magnitude first. NaN propagates, also beside an
 * infinity; otherwise an infinity gives Infinity. The norm of an empty array is 0.
 *
 * Shapes: any dimension. Cost: one pass; three, and a float64 array of the size of x, where scaling is needed.
 *
 * @throws OptionError when x is not an NdArray of numbers.
 * @see https://www.netlib.org/blas/ (level 1, NRM2)
 * @example
 * ```ts
 * import ndarray from 'ndarray';
 * import { norm2 } from 'opmf/math';
 * console.log(norm2(ndarray([3, 4])), norm2(ndarray([3e200, 4e200])).toPrecision(3)); // 5 5.00e+200
 * ```
 */
export function norm2(x: NdArray): number {
  readable('norm2', 'x', x);
  const squares = ops.norm2squared(x);
  if (!(squares < SAFE || squares === Infinity)) return Math.sqrt(squares);
  const largest = ops.norminf(x);
  if (largest === 0 || largest === Infinity) return largest;
  return largest * ops.norm2(ops.divs(scratchLike(x), x, largest));
}
