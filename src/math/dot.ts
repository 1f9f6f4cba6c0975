// The inner product of two arrays of equal shape, any dimension.

import type { NdArray } from 'ndarray';
import { cellsOf, readable, wantShape } from './arguments';
import { innerProduct } from './inner-product';

/**
 * The inner product of two arrays: sum over all indices i of x_i y_i.
 *
 * Summed in double precision whatever the dtype, row by row along the last axis. NaN and infinity propagate; the
 * product of empty arrays is 0. Reads only, so that x and y may overlap or be one array.
 *
 * Shapes: x and y equal, any dimension. Cost: one multiplication an element, no allocation.
 *
 * @throws OptionError when an argument is not an NdArray of numbers or the shapes differ.
 * @see https://www.netlib.org/blas/ (level 1, DOT)
 * @example
 * ```ts
 * import ndarray from 'ndarray';
 * import { dot } from 'opmf/math';
 * const x = ndarray(new Float32Array([1, 2, 3]));
 * const reversed = x.step(-1);
 * console.log(dot(x, reversed)); // 10
 * ```
 */
export function dot(x: NdArray, y: NdArray): number {
  readable('dot', 'x', x);
  readable('dot', 'y', y);
  wantShape('dot', 'y', y, x.shape, 'the shape of x');
  return fromAxis(x, y, 0, x.offset, y.offset);
}

/** The inner product over axes `axis` and above of the parts of x and y that start at cells p and q. */
function fromAxis(x: NdArray, y: NdArray, axis: number, p: number, q: number): number {
  if (x.dimension === 0) return cellsOf(x)[p]! * cellsOf(y)[q]!;
  const n = x.shape[axis]!;
  const dx = x.stride[axis]!;
  const dy = y.stride[axis]!;
  if (axis === x.dimension - 1) return innerProduct(n, cellsOf(x), p, dx, cellsOf(y), q, dy);
  let sum = 0;
  for (let i = 0; i < n; i++) sum += fromAxis(x, y, axis + 1, p + i * dx, q + i * dy);
  return sum;
}
