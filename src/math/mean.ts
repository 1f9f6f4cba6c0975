// The arithmetic mean of all elements of an array.

import type { NdArray } from 'ndarray';
import ops from 'ndarray-ops';
import { OptionError } from '../core/errors';
import { list, readable } from './arguments';

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
