// What every function of opmf/math asks of its arguments, checked in O(dimension), never O(size): an NdArray of numbers
// that lies within its data, and, where it is written, one whose cells are distinct and can hold a fraction.

import type { NdArray } from 'ndarray';
import { OptionError } from '../core/errors';
import { number, show } from '../core/options';

/** The storage of an NdArray of numbers that has passed `readable`. */
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
  // Slices, steps and transposes of a dense array are nested: each axis steps over all that the smaller ones reach.
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

/** Throws OptionError unless `x` has the shape `wanted`; `because` ends the sentence with the source of the wish. */
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
