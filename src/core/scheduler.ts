// The clock, and a turn for other tasks. What the host has is looked up once, when this file is loaded: fake timers that
// a test installs later change nothing here, and those that were installed before are recognized and passed over.

/** A function of the host, unless a test has put a fake in its place: sinon and jest mark theirs, node:test binds its own. */
function genuine<T>(given: T | undefined): T | undefined {
  if (typeof given !== 'function') return undefined;
  return 'clock' in given || '_isMockFunction' in given || given.name.startsWith('bound ') ? undefined : given;
}

// Called without a receiver, as browsers demand.
const immediate = genuine(globalThis.setImmediate);
const timeout = genuine(globalThis.setTimeout);
const cancelTimeout = globalThis.clearTimeout;
const Channel = genuine(globalThis.MessageChannel);
const { performance } = globalThis;

/** Milliseconds since some moment. Hosts that guard against timing attacks let it stand still while code runs. */
export const now: () => number =
  typeof performance?.now === 'function' ? performance.now.bind(performance) : () => Date.now();

/**
 * Resolves in a new task of the event loop: by setImmediate, else by a message, else by a timer (which browsers hold back
 * to 4 ms once nested). Where there is none of them it resolves in a microtask: other tasks wait, and nothing hangs.
 */
export const nextTask: () => Promise<void> =
  immediate !== undefined
    ? () => new Promise((resolve) => void immediate(resolve))
    : Channel !== undefined
      ? () => nextMessage(Channel)
      : timeout !== undefined
        ? () => new Promise((resolve) => void timeout(resolve, 0))
        : () => Promise.resolve();

/** A channel for each turn: in Node the messages of one are all delivered before timers are looked at. */
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

/** Calls back after so many milliseconds, unless the function that it returns is called before; never without timers. */
export function after(milliseconds: number, call: () => void): () => void {
  const timer = timeout?.(call, milliseconds);
  return () => cancelTimeout?.(timer);
}
