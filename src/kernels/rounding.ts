// Rounding to the precision of the memory at work: to float32 after every operation, or not at all. A flag and not a
// function, because engines turn a branch that always goes one way into next to nothing, and a changing call into a call.

import type { Numbers } from './kernels';

/** Whether arithmetic on these numbers rounds to float32. */
export function isSingle(numbers: Numbers): boolean {
  return numbers instanceof Float32Array;
}

/** The value in the precision of the memory. */
export function round(value: number, single: boolean): number {
  return single ? Math.fround(value) : value;
}

/** Sums of sizes up to here stay finite in float32, whatever their order. */
export const MOST = 1e38;
