// Giving way to the event loop during a long loop: a service that trains in-process must go on answering.

import type { Turns } from '../core/turns';

/**
 * Work goes on this long, in milliseconds, before other tasks get a turn. A timer may come after two turns: one that a
 * message began is followed by the next before timers are looked at.
 */
const TURN = 6;
/** Reading the clock costs about as much as a small step, so it is read once in this many ratings. */
const RATINGS_PER_LOOK = 512;

/** Says when a loop should pause, and pauses it; notices an abort. */
export class Breather implements Turns {
  private until = performance.now() + TURN;
  private ratings = 0;

  constructor(private readonly signal: AbortSignal | undefined) {
    signal?.throwIfAborted();
  }

  isDue(ratings: number): boolean {
    this.ratings += ratings;
    if (this.ratings < RATINGS_PER_LOOK) return false;
    this.ratings = 0;
    return performance.now() >= this.until;
  }

  async breathe(): Promise<void> {
    await nextTask();
    this.signal?.throwIfAborted();
    this.until = performance.now() + TURN;
  }
}

/** Resolves in a new task. A timer would be held back to 4 ms in browsers once nested; a message is not. */
function nextTask(): Promise<void> {
  if (typeof setImmediate === 'function') return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
