// THE SEAM of what trains by pairs: WebAssembly, or plain JavaScript with the same bits.

import type { Turns } from '../../core/turns';

/** Trains epoch by epoch. After an epoch the model's factors are up to date. */
export interface PairEngine {
  /** Runs an epoch; returns the sum of the losses, each rating's before its own step. */
  epoch(epoch: number, turns: Turns): Promise<number>;
  /** Gives back memory and threads. */
  dispose(): void;
}
