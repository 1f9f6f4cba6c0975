// Long work in steps, as a generator: whoever must not hold the event loop pauses between them, others run through.

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

/** `work(from, to)` over [0, size), a step at a time. */
export function* inSteps(size: number, work: (from: number, to: number) => void): Steps<void> {
  for (let from = 0; from < size; from += STEP) {
    work(from, Math.min(size, from + STEP));
    yield;
  }
}
