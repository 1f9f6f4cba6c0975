// Work in steps, done so that other tasks of the event loop get a turn every few milliseconds.

import type { Steps } from '../interactions/steps';
import { A_LOOK, Breather } from '../training/breather';

/** Does steps, with turns for other tasks between them. */
export async function withTurns<T>(steps: Steps<T>): Promise<T> {
  const turns = new Breather(undefined);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    if (turns.isDue(A_LOOK)) await turns.breathe();
  }
}
