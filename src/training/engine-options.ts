// On what a training runs. None of it changes a bit of the result.

import { UnsupportedError } from '../core/errors';
import { canCompile } from '../kernels/assembler/probe';
import { findHost } from './pairs/find-host';

/** `auto`: WebAssembly where there is some, else JavaScript. */
export type KernelChoice = 'auto' | 'wasm' | 'js';

/** Whether to run WebAssembly. @throws UnsupportedError where it is demanded and cannot be had */
export function usesWasm(choice: KernelChoice): boolean {
  if (choice === 'wasm' && !canCompile()) {
    throw new UnsupportedError(
      "kernels is 'wasm', and here is no WebAssembly with SIMD, or no leave to compile it; use kernels: 'auto' or 'js', with the same results",
    );
  }
  return choice !== 'js' && canCompile();
}

/** Starting threads takes longer than training on fewer ratings. */
const WORTH_THREADS = 1 << 18;
/** The grid of tiles has enough of them for so many threads, and memory feeds no more. */
const MOST_THREADS = 8;

/** The number of threads to train on. `auto`: as many as there are cores, where there is enough to do. */
export function threadsOf(choice: number | 'auto', ratings: number): number {
  if (choice !== 'auto') return choice;
  return ratings < WORTH_THREADS ? 1 : Math.min(findHost()?.parallelism ?? 1, MOST_THREADS);
}
