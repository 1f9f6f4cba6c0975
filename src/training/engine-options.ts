// On how many threads a training runs. It changes no bit of the result.

import { findHost } from '../core/worker-host';

export type { KernelChoice } from '../kernels/wasm';

/** Starting threads takes longer than training on fewer ratings. */
const WORTH_THREADS = 1 << 18;
/** The grid of tiles has enough of them for so many threads, and memory feeds no more. */
const MOST_THREADS = 8;

/** The number of threads to train on. `auto`: as many as there are cores, where there is enough to do. */
export function threadsOf(choice: number | 'auto', ratings: number): number {
  if (choice !== 'auto') return choice;
  return ratings < WORTH_THREADS ? 1 : Math.min(findHost()?.parallelism ?? 1, MOST_THREADS);
}
