// Arrays for the tests of arithmetic: either precision, at any offset from the start of their memory, between guards.

import type { Numbers } from '../../src/kernels/kernels';

export type Precision = 'float32' | 'float64';
export const PRECISIONS: readonly Precision[] = ['float32', 'float64'];

/** The relative error of one rounding to a precision. */
export const EPSILON: Readonly<Record<Precision, number>> = { float32: 2 ** -24, float64: 2 ** -53 };

const GUARD = 1234.5;
const GUARDS = 4;

/** The values in an array of its own memory, `offset` elements after its start and followed by guards. */
export function placed(values: ArrayLike<number>, precision: Precision, offset = 0): Numbers {
  const room = offset + values.length + GUARDS;
  const memory = precision === 'float64' ? new Float64Array(room) : new Float32Array(room);
  memory.fill(GUARD);
  const array = memory.subarray(offset, offset + values.length);
  array.set(values);
  return array;
}

/** Whether nothing was written before or after an array that `placed` made. */
export function isGuarded(array: Numbers): boolean {
  const memory = array instanceof Float64Array ? new Float64Array(array.buffer) : new Float32Array(array.buffer);
  const start = array.byteOffset / array.BYTES_PER_ELEMENT;
  return memory.every((value, i) => (i >= start && i < start + array.length) || value === GUARD);
}

/** A sum of products: its value, and what rounding may do to it. */
export interface Sum {
  value: number;
  /** The sum of the absolute values of the terms, and how many roundings there are: the errors are measured by both. */
  size: number;
  roundings: number;
  /** What underflow of partial products may cost, whatever the order of the factors, in smallest numbers. */
  underflow: number;
  /** Of three factors or more with an infinite one: whether that is NaN or infinite hangs on the order of the work. */
  isAmbiguous: boolean;
}

/** A sum of no terms, or of one that needs no arithmetic. */
export function sumOf(value = 0): Sum {
  return { value, size: Math.abs(value), roundings: 1, underflow: 0, isAmbiguous: false };
}

/** Adds the product of some factors, worked out in double. */
export function add(sum: Sum, ...factors: number[]): void {
  const term = factors.reduce((product, factor) => product * factor);
  sum.value += term;
  sum.size += Math.abs(term);
  sum.roundings += factors.length;
  if (factors.length > 1)
    sum.underflow += factors.reduce((numbers, factor) => numbers * Math.max(1, Math.abs(factor)), 1);
  if (factors.length > 2 && !factors.every(Number.isFinite)) sum.isAmbiguous = true;
}

/**
 * Whether `got` is a sum's value within c n eps of the size of its terms; NaN and infinities must be as they are.
 * Smallest numbers of the precision are allowed too: one for a result that is subnormal in it, and for partial products
 * that are, as many as the other factors make of one.
 */
export function isSum(got: number, sum: Sum, precision: Precision, c = 2): boolean {
  if (sum.isAmbiguous) return !Number.isFinite(got);
  const stored = precision === 'float32' ? Math.fround(sum.value) : sum.value;
  if (!Number.isFinite(stored)) return Object.is(got, stored);
  const tiny = precision === 'float32' ? 2 ** -149 : Number.MIN_VALUE;
  return Math.abs(got - sum.value) <= c * (sum.roundings * EPSILON[precision] * sum.size + (sum.underflow + 1) * tiny);
}
