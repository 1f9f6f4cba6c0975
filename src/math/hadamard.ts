// The element-wise product of two arrays.

import type { NdArray } from 'ndarray';
import ops from 'ndarray-ops';
import { readable, wantShape, writable } from './arguments';
import { detachedUnlessSame, newResult } from './results';

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
