// x *= alpha, element by element.

import type { NdArray } from 'ndarray';
import ops from 'ndarray-ops';
import { coefficient, writable } from './arguments';

/**
 * Multiplies an array by a number in place: x <- alpha x. Returns x.
 *
 * Each product is computed in double precision and rounded once, to the dtype of x. It is always computed: scale(0, x)
 * keeps a NaN a NaN, and makes an infinity one.
 *
 * Shapes: any dimension. dtype: a float type or a plain array, without shared cells (no stride 0). Cost: one pass.
 *
 * @throws OptionError when alpha is not finite or x is not such an NdArray.
 * @see https://www.netlib.org/blas/ (level 1, SCAL)
 * @example
 * ```ts
 * import ndarray from 'ndarray';
 * import { scale } from 'opmf/math';
 * const table = ndarray(new Float32Array([1, 2, 3, 4]), [2, 2]);
 * scale(10, table.pick(null, 1)); // the second column only
 * console.log(table.data.join(' ')); // 1 20 3 40
 * ```
 */
export function scale<X extends NdArray>(alpha: number, x: X): X {
  coefficient(alpha, 'alpha');
  writable('scale', 'x', x);
  ops.mulseq(x, alpha);
  return x;
}
