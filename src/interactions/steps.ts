// Long work in steps, as a generator: whoever must not hold the event loop pauses between them, others run through.

import type { Turns } from '../core/turns';

/** Work that may pause wherever it yields. */
export type Steps<T> = Generator<undefined, T>;

/** Entries of a column that a step goes over: a few milliseconds. */
export const STEP = 1 << 18;

/** Does all the steps at once. */
export function runThrough<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Does the steps, each about so much work, and lets other tasks run in between. @throws the signal's reason of the turns */
export async function stepInTurns<T>(steps: Steps<T>, turns: Turns, work: number): Promise<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    if (turns.isDue(work)) await turns.breathe();
  }
}

/** `work(from, to)` over [0, size), a step at a time. */
export function* inSteps(size: number, work: (from: number, to: number) => void): Steps<void> {
  for (let from = 0; from < size; from += STEP) {
    work(from, Math.min(size, from + STEP));
    yield;
  }
}
