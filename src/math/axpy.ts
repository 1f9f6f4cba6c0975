// y += alpha x, element by element.

import type { NdArray } from 'ndarray';
import ops from 'ndarray-ops';
import { coefficient, readable, wantShape, writable } from './arguments';
import { detachedUnlessSame, scratchLike } from './results';

/**
 * Adds a multiple of an array to another in place: y <- y + alpha x. Returns y.
 *
 * Computed in double precision and rounded once, to the dtype of y. alpha = 0 leaves y as it is and does not read x (as
 * BLAS does), so that a NaN in x stays where it is; otherwise NaN and infinity propagate. x may overlap y: the result
 * is as if x were read before y is written.
 *
 * Shapes: x and y equal, any dimension. dtype: x any number type; y a float type or a plain array, without shared
 * cells (no stride 0). Cost: two passes and a float64 array of the size of x; one pass and none where alpha is 1.
 *
 * @throws OptionError when alpha is not finite, an argument is not such an NdArray, or the shapes differ.
 * @see https://www.netlib.org/blas/ (level 1, AXPY)
 * @example
 * ```ts
 * import ndarray from 'ndarray';
 * import { axpy } from 'opmf/math';
 * const y = ndarray(new Float32Array([1, 1, 1]));
 * axpy(0.5, ndarray([2, 4, 6]), y);
 * console.log(y.get(0), y.get(1), y.get(2)); // 2 3 4
 * ```
 */
export function axpy<Y extends NdArray>(alpha: number, x: NdArray, y: Y): Y {
  coefficient(alpha, 'alpha');
  readable('axpy', 'x', x);
  writable('axpy', 'y', y);
  wantShape('axpy', 'y', y, x.shape, 'the shape of x');
  if (alpha === 0) return y;
  ops.addeq(y, alpha === 1 ? detachedUnlessSame(x, y) : ops.muls(scratchLike(x), x, alpha));
  return y;
}
