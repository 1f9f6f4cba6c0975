// The port of whoever can start threads: Node's worker_threads, a browser's or Deno's workers. Where nobody fills it in,
// everything runs on one thread, with the same results.

/** A thread that has been started. */
export interface WorkerHandle {
  /** Sends a message and waits for the answer; rejects as soon as the thread has ended, or ended before. One at a time. */
  ask(message: unknown): Promise<unknown>;
  terminate(): void;
}

/** Starts threads. */
export interface WorkerHost {
  /** How many run at the same time. */
  readonly parallelism: number;
  /**
   * Starts a thread that runs a script. The script receives by `onmessage` and answers by `postMessage`. Throws where no
   * thread may be started; one that ends later, or never begins, is told of by `ask`.
   */
  start(script: string): WorkerHandle;
}

/** The questions to one thread: what a host tells of it, as promises. Its events are to be listened to from the start. */
export class Conversation {
  private waiting: { resolve(answer: unknown): void; reject(error: Error): void } | null = null;
  private end: Error | null = null;

  /** Waits for the answer to what `post` sends. */
  ask(post: () => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.end !== null) throw this.end;
      this.waiting = { resolve, reject };
      post();
    });
  }

  /** The thread has answered. */
  answer(message: unknown): void {
    this.waiting?.resolve(message);
    this.waiting = null;
  }

  /** The thread is no more; the first reason counts. */
  lose(reason: unknown): void {
    this.end ??= reason instanceof Error ? reason : new Error(String(reason));
    this.waiting?.reject(this.end);
    this.waiting = null;
  }
}
