// The clock, and yielding to the event loop: a long loop asks a Scheduler now and then whether to pause, so that a
// service that trains in-process keeps responding. Host functions are looked up once, when this file is loaded: fake
// timers installed later by a test have no effect, and those installed before are recognized and skipped.

/** A host function, unless a test has replaced it with a fake: sinon and jest mark theirs, node:test binds its own. */
function genuine<T>(given: T | undefined): T | undefined {
  if (typeof given !== 'function') return undefined;
  return 'clock' in given || '_isMockFunction' in given || given.name.startsWith('bound ') ? undefined : given;
}

// In the edge runtime of Next some of the names throw when they are called.
const isEdge = 'EdgeRuntime' in globalThis;
// Called without a receiver, as browsers require.
const immediate = isEdge ? undefined : genuine(globalThis.setImmediate);
const timeout = genuine(globalThis.setTimeout);
const cancelTimeout = globalThis.clearTimeout;
const Channel = isEdge ? undefined : genuine(globalThis.MessageChannel);
const { performance } = globalThis;

/** Milliseconds since some origin. Hosts that guard against timing attacks may freeze it while code runs. */
export const now: () => number =
  typeof performance?.now === 'function' ? performance.now.bind(performance) : () => Date.now();

/**
 * Resolves in a new task of the event loop: by setImmediate, else by a message, else by a timer (which browsers delay
 * by 4 ms once nested). Without any of these it resolves in a microtask: other tasks wait, but nothing hangs.
 */
export const nextTask: () => Promise<void> =
  immediate !== undefined
    ? () => new Promise((resolve) => void immediate(resolve))
    : Channel !== undefined
      ? () => nextMessage(Channel)
      : timeout !== undefined
        ? () => new Promise((resolve) => void timeout(resolve, 0))
        : () => Promise.resolve();

/** A new channel each time: Node delivers all messages of one channel before it looks at timers. */
function nextMessage(Channel: typeof MessageChannel): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new Channel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Calls back after a delay, unless the returned function is called first; never on hosts without timers. */
export function after(milliseconds: number, call: () => void): () => void {
  const timer = timeout?.(call, milliseconds);
  return () => cancelTimeout?.(timer);
}

/** Tells a long loop when to pause, and pauses it. */
export interface Scheduler {
  /** The signal that aborts the work. */
  readonly signal?: AbortSignal | undefined;
  /** Counts work done, in steps of some ten nanoseconds; true when a pause is due. */
  isDue(work: number): boolean;
  /** Lets other tasks run. @throws the signal's reason if it is aborted */
  yieldNow(): Promise<void>;
}

/** Elements per chunk. Few, because each may be the first to touch a page of a new array, which costs the system two microseconds. */
const PART = 2048;

/** Processes `size` elements in chunks, in order, letting other tasks run in between. */
export async function forEachChunk(
  size: number,
  scheduler: Scheduler,
  work: (from: number, to: number) => void,
): Promise<void> {
  for (let from = 0; from < size; from += PART) {
    const to = Math.min(from + PART, size);
    work(from, to);
    if (scheduler.isDue(to - from)) await scheduler.yieldNow();
  }
}

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
export class TaskScheduler implements Scheduler {
  /** When it was made, as `now` tells. */
  readonly started = now();
  private begun = this.started;
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

  async yieldNow(): Promise<void> {
    await nextTask();
    this.signal?.throwIfAborted();
    this.begun = now();
    this.looks = 0;
  }
}

/** Work that can pause at each `yield`: an asynchronous caller pauses there, a synchronous one runs to the end. */
export type Pausable<T> = Generator<undefined, T>;

/** Entries of a column per step: a few milliseconds. */
export const ROWS_A_CHUNK = 1 << 18;

/** Runs all steps synchronously. */
export function runToEnd<T>(steps: Pausable<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Runs the steps, each of about the given work, yielding to other tasks in between. @throws the signal's reason if it is aborted */
export async function runYielding<T>(
  steps: Pausable<T>,
  scheduler: Scheduler = new TaskScheduler(undefined),
  work = A_LOOK,
): Promise<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    if (scheduler.isDue(work)) await scheduler.yieldNow();
  }
}

/** Runs `work(from, to)` over [0, size), one step at a time. */
export function* pausable(size: number, work: (from: number, to: number) => void): Pausable<void> {
  for (let from = 0; from < size; from += ROWS_A_CHUNK) {
    work(from, Math.min(size, from + ROWS_A_CHUNK));
    yield;
  }
}

// Awaits a foreign promise, which may never settle, while still reacting to an abort.

/**
 * The result of `work`; rejects with the signal's reason as soon as the signal is aborted. The work itself goes on, and
 * its outcome is then ignored.
 */
export async function untilAborted<T>(work: T | PromiseLike<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
  try {
    // In this order, a settled `work` wins, and the caller checks the signal before it goes on.
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
