// The sum of all elements of an array.

import type { NdArray } from 'ndarray';
import ops from 'ndarray-ops';
import { OptionError } from '../core/errors';
import { list, readable, scratchLike } from './arguments';

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

// The arithmetic mean of all elements of an array.

/**
 * The arithmetic mean of all elements: (1 / n) sum over all indices i of x_i, with n their number.
 *
 * Summed as by `sum`, in double precision. NaN and infinity propagate. An empty array has no mean: an error, not a NaN.
 *
 * Shapes: any dimension, at least one element. Cost: one pass.
 *
 * @throws OptionError when x is not an NdArray of numbers or is empty.
 * @example
 * ```ts
 * import ndarray from 'ndarray';
 * import { mean } from 'opmf/math';
 * console.log(mean(ndarray(new Float32Array([1, 2, 3, 6])))); // 3
 * ```
 */
export function mean(x: NdArray): number {
  readable('mean', 'x', x);
  if (x.size === 0) {
    throw new OptionError(
      'x',
      x.shape,
      `mean: x has shape ${list(x.shape)}; want at least one element, none has no mean`,
    );
  }
  return ops.sum(x) / x.size;
}

// The Euclidean norm, scaled only where the squares leave the range of a double.

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
