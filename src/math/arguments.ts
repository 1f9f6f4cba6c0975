// The argument checks of opmf/math, in O(dimension), never O(size): an NdArray of numbers that lies within its data
// and, if it is written, has distinct cells that can hold a fraction.

import ndarray, { type NdArray } from 'ndarray';
import ops from 'ndarray-ops';
import { OptionError } from '../core/errors';
import { number, show } from '../core/options';

/** The storage of an NdArray that has passed `readable`. */
export interface Cells {
  [cell: number]: number;
  readonly length: number;
}

/** A finite number: alpha or beta. */
export const coefficient = number();

const FLOAT = ['float32', 'float64', 'float16', 'array'];
const INTEGER = ['int8', 'int16', 'int32', 'uint8', 'uint8_clamped', 'uint16', 'uint32', 'buffer'];

/** The numbers behind a checked array. */
export function cellsOf(x: NdArray): Cells {
  return x.data as Cells;
}

/** Throws OptionError unless `x` can be read: an NdArray of numbers, of `dimension` axes where given. */
export function readable(call: string, name: string, x: unknown, dimension?: number): asserts x is NdArray {
  if (!isNdArray(x)) {
    throw new OptionError(name, x, `${call}: ${name} is ${show(x)}; want an NdArray, as ndarray(data, shape) makes it`);
  }
  if (![...FLOAT, ...INTEGER].includes(x.dtype)) {
    const advice = 'want numbers in a typed array or a plain array: copy them into a Float64Array';
    throw new OptionError(name, x.dtype, `${call}: ${name} has dtype '${x.dtype}'; ${advice}`);
  }
  if (x.dimension < 0 || (dimension !== undefined && x.dimension !== dimension)) {
    const message = `${name} has dimension ${x.dimension}, shape ${list(x.shape)}; want dimension ${dimension ?? 'at least 0'}`;
    throw new OptionError(name, x.shape, `${call}: ${message} (pick and transpose make views of other shapes)`);
  }
  if (!x.shape.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    throw new OptionError(
      name,
      x.shape,
      `${call}: ${name} has shape ${list(x.shape)}; want whole numbers of at least 0`,
    );
  }
  const [first, last] = span(x);
  if (first <= last && !(first >= 0 && last < cellsOf(x).length && x.stride.every(Number.isSafeInteger))) {
    const place = `offset ${x.offset}, shape ${list(x.shape)}, stride ${list(x.stride)}`;
    const bounds = `want whole cells within its data, 0 to ${cellsOf(x).length - 1}`;
    throw new OptionError(name, x.shape, `${call}: ${name} (${place}) reaches cells ${first} to ${last}; ${bounds}`);
  }
}

/** Throws OptionError unless `x` can be read and written: a float type, and no cell that two indices share. */
export function writable(call: string, name: string, x: unknown, dimension?: number): asserts x is NdArray {
  readable(call, name, x, dimension);
  if (!FLOAT.includes(x.dtype)) {
    const advice = 'want a Float32Array, a Float64Array or a plain array, because integers would drop the fraction';
    throw new OptionError(name, x.dtype, `${call}: ${name} has dtype '${x.dtype}' and is written; ${advice}`);
  }
  // Slices, steps and transposes of a dense array are nested: each axis steps over everything that the smaller ones
  // reach.
  const axes = x.shape.map((n, axis) => [Math.abs(x.stride[axis]!), n] as const).filter(([, n]) => n > 1);
  axes.sort(([a], [b]) => a - b);
  let reach = 0;
  for (const [stride, n] of axes) {
    if (stride <= reach && !x.shape.includes(0)) {
      const place = `shape ${list(x.shape)}, stride ${list(x.stride)}`;
      throw new OptionError(
        name,
        x.stride,
        `${call}: ${name} (${place}) is written; want cells that no two indices share`,
      );
    }
    reach += stride * (n - 1);
  }
}

/** Throws OptionError unless `x` has the shape `wanted`; `because` ends the sentence with the reason. */
export function wantShape(call: string, name: string, x: NdArray, wanted: readonly number[], because: string): void {
  if (x.dimension === wanted.length && wanted.every((n, axis) => n === x.shape[axis])) return;
  throw new OptionError(name, x.shape, `${call}: ${name} has shape ${list(x.shape)}; want ${list(wanted)}, ${because}`);
}

/** The first and the last cell that a view reaches; the last is before the first when it has no element. */
export function span(x: NdArray): [first: number, last: number] {
  if (x.shape.includes(0)) return [0, -1];
  let first = x.offset;
  let last = x.offset;
  x.shape.forEach((n, axis) => {
    const reach = (n - 1) * x.stride[axis]!;
    if (reach < 0) first += reach;
    else last += reach;
  });
  return [first, last];
}

/** A shape or stride for a message: `[2, 3]`. */
export function list(numbers: readonly number[]): string {
  return `[${numbers.join(', ')}]`;
}

function isNdArray(x: unknown): x is NdArray {
  if (x === null || typeof x !== 'object') return false;
  const { data, shape, stride, dtype, dimension } = x as Partial<NdArray>;
  if (data === null || typeof data !== 'object' || typeof dtype !== 'string' || typeof dimension !== 'number')
    return false;
  return Array.isArray(shape) && Array.isArray(stride);
}

// Where results go: new arrays, or inputs that share memory with the output. Every function of opmf/math behaves as if
// all inputs were read before anything is written; an input that writing could overwrite is copied first.

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

/** x, or a copy if writing `out` in any order could change an element of x that has not been read yet. */
export function detached(x: NdArray, out: NdArray): NdArray {
  if (!mayShareCells(x, out)) return x;
  const copy = scratchLike(x);
  ops.assign(copy, x);
  return copy;
}

/**
 * As `detached`, for element-wise operations: there the very same view is safe, because each cell is read just before
 * it is written.
 */
export function detachedUnlessSame(x: NdArray, out: NdArray): NdArray {
  const same =
    x.data === out.data && x.offset === out.offset && x.stride.every((step, axis) => step === out.stride[axis]);
  return same ? x : detached(x, out);
}

/** Whether the memory ranges of two views intersect (their cells may still interleave). */
function mayShareCells(x: NdArray, y: NdArray): boolean {
  const [buffer, start, end] = stretch(x);
  const [otherBuffer, otherStart, otherEnd] = stretch(y);
  return buffer === otherBuffer && start < otherEnd && otherStart < end;
}

/** The memory range of a view: its owner, and its first and end byte (for a plain array: cell). */
function stretch(x: NdArray): [owner: unknown, start: number, end: number] {
  const [first, last] = span(x);
  const { data } = x;
  if (!ArrayBuffer.isView(data)) return [data, first, last + 1];
  const { buffer, byteOffset, BYTES_PER_ELEMENT: width } = data as Float64Array;
  return [buffer, byteOffset + first * width, byteOffset + (last + 1) * width];
}
