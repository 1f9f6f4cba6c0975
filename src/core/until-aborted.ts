// Waiting for somebody else's promise, which may never settle, without becoming deaf to an abort.

/**
 * What `work` comes to; rejects with the signal's reason as soon as the signal is aborted. The work itself goes on, and
 * what becomes of it is then ignored.
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
    // In this order: what is there already counts, and the caller looks at the signal before it goes on.
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
