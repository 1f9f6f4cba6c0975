// Work in steps, done so that other tasks of the event loop get a turn every few milliseconds.

import { nextTask, now } from '../core/scheduler';
import type { Steps } from '../interactions/steps';

/** Work goes on this long, in milliseconds, before other tasks get a turn. */
export const TURN = 10;

/** Does steps, with turns for other tasks between them. */
export async function withTurns<T>(steps: Steps<T>): Promise<T> {
  let until = now() + TURN;
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    if (now() < until) continue;
    await nextTask();
    until = now() + TURN;
  }
}
