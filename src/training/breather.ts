// Giving way to the event loop during a long loop: a service that trains in-process must go on answering.

import { nextTask, now } from '../core/scheduler';
import type { Turns } from '../core/turns';

/**
 * Work goes on this long, in milliseconds, before other tasks get a turn. A timer may come after two turns: one that a
 * message began is followed by the next before timers are looked at.
 */
const TURN = 6;
/** Reading the clock costs about as much as a small step, so it is read once in this much work. */
export const A_LOOK = 512;
/** A turn also ends after so many looks at a clock that stands still, as it does in edge workers while code runs. */
const MOST_LOOKS = 64;

/** Says when a loop should pause, and pauses it; notices an abort. */
export class Breather implements Turns {
  private begun = now();
  private work = 0;
  private looks = 0;

  constructor(readonly signal: AbortSignal | undefined) {
    signal?.throwIfAborted();
  }

  isDue(work: number): boolean {
    this.work += work;
    if (this.work < A_LOOK) return false;
    this.work = 0;
    const passed = now() - this.begun;
    return passed >= TURN || (passed === 0 && ++this.looks >= MOST_LOOKS);
  }

  async breathe(): Promise<void> {
    await nextTask();
    this.signal?.throwIfAborted();
    this.begun = now();
    this.looks = 0;
  }
}
