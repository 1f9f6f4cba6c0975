// The port of whoever can start threads: Node's worker_threads, a browser's or Deno's workers. Where nobody fills it in,
// everything runs on one thread, with the same results.

/** A thread that has been started. */
export interface WorkerHandle {
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  onError(listener: (error: Error) => void): void;
  terminate(): void;
}

/** Starts threads. */
export interface WorkerHost {
  /** How many run at the same time. */
  readonly parallelism: number;
  /** Starts a thread that runs a script. The script receives by `onmessage` and answers by `postMessage`. */
  start(script: string): WorkerHandle;
}
