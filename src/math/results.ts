// Where results go: new arrays, and inputs that share memory with the array that is written. Every function of opmf/math
// behaves as if all inputs were read before anything is written; an input that the writing could spoil is copied first.

import ndarray, { type NdArray } from 'ndarray';
import ops from 'ndarray-ops';
import { span } from './arguments';

/** A new array of the given shape for a result made of x and y: float32 when both are, else float64. */
export function newResult(
  x: NdArray,
  y: NdArray,
  shape: readonly number[],
): NdArray<Float32Array> | NdArray<Float64Array> {
  const size = shape.reduce((product, n) => product * n, 1);
  return x.dtype === 'float32' && y.dtype === 'float32'
    ? ndarray(new Float32Array(size), [...shape])
    : ndarray(new Float64Array(size), [...shape]);
}

/** A new dense float64 array with the shape of x. */
export function scratchLike(x: NdArray): NdArray<Float64Array> {
  return ndarray(new Float64Array(x.size), [...x.shape]);
}

/** x, or a copy where writing `out` in any order could change an element of x that is still to be read. */
export function detached(x: NdArray, out: NdArray): NdArray {
  if (!mayShareCells(x, out)) return x;
  const copy = scratchLike(x);
  ops.assign(copy, x);
  return copy;
}

/** As `detached`, for element-wise work: there the very same view is safe, each cell being read just before it is written. */
export function detachedUnlessSame(x: NdArray, out: NdArray): NdArray {
  const same =
    x.data === out.data && x.offset === out.offset && x.stride.every((step, axis) => step === out.stride[axis]);
  return same ? x : detached(x, out);
}

/** Whether the stretches of memory that two views reach intersect (their cells may still interleave). */
function mayShareCells(x: NdArray, y: NdArray): boolean {
  const [buffer, start, end] = stretch(x);
  const [otherBuffer, otherStart, otherEnd] = stretch(y);
  return buffer === otherBuffer && start < otherEnd && otherStart < end;
}

/** The memory of a view: its owner, and the first and the end byte (a plain array: cell) there. */
function stretch(x: NdArray): [owner: unknown, start: number, end: number] {
  const [first, last] = span(x);
  const { data } = x;
  if (!ArrayBuffer.isView(data)) return [data, first, last + 1];
  const { buffer, byteOffset, BYTES_PER_ELEMENT: width } = data as Float64Array;
  return [buffer, byteOffset + first * width, byteOffset + (last + 1) * width];
}
