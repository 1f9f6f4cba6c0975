// y += alpha x, element by element.

import type { NdArray } from 'ndarray';
import ops from 'ndarray-ops';
import { coefficient, detachedUnlessSame, newResult, readable, scratchLike, wantShape, writable } from './arguments';

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

// The element-wise product of two arrays.

/**
 * The element-wise product x (.) y, into `out` where given, else into a new array. Returns the result.
 *
 * Each product is computed in double precision and rounded once, to the dtype of the result. A new array is dense and
 * row-major, float32 when x and y both are, else float64. NaN and infinity propagate. `out` may be x or y (in place) or
 * overlap them: the result is as if x and y were read before `out` is written.
 *
 * Shapes: x, y and out equal, any dimension. dtype: x and y any number type; out a float type or a plain array, without
 * shared cells (no stride 0). Cost: one pass, and a float64 copy of an input that overlaps `out` without being it.
 *
 * @throws OptionError when an argument is not such an NdArray or the shapes differ.
 * @example
 * ```ts
 * import ndarray from 'ndarray';
 * import { hadamard } from 'opmf/math';
 * const x = ndarray(new Float32Array([1, 2, 3]));
 * const y = ndarray(new Float32Array([4, 5, 6]));
 * console.log(hadamard(x, y).data.join(' ')); // 4 10 18
 * hadamard(x, y, x); // in place
 * console.log(x.get(2)); // 18
 * ```
 */
export function hadamard<Out extends NdArray>(x: NdArray, y: NdArray, out: Out): Out;
export function hadamard(x: NdArray, y: NdArray): NdArray<Float32Array> | NdArray<Float64Array>;
export function hadamard(x: NdArray, y: NdArray, out?: NdArray): NdArray {
  readable('hadamard', 'x', x);
  readable('hadamard', 'y', y);
  wantShape('hadamard', 'y', y, x.shape, 'the shape of x');
  if (out === undefined) return ops.mul(newResult(x, y, x.shape), x, y);
  writable('hadamard', 'out', out);
  wantShape('hadamard', 'out', out, x.shape, 'the shape of x');
  return ops.mul(out, detachedUnlessSame(x, out), detachedUnlessSame(y, out));
}

// x *= alpha, element by element.

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
