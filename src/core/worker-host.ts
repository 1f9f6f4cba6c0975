// What is not an error, and yet to be known: said once a process, where the host has its warnings.

const said = new Set<string>();

/** Warns: in Node by process.emitWarning (standard error, or who listens), elsewhere on the console. */
export function sayOnce(text: string): void {
  if (said.has(text)) return;
  said.add(text);
  const { process, console } = globalThis as { process?: Partial<NodeJS.Process>; console?: Console };
  if (typeof process?.emitWarning === 'function') process.emitWarning(text, 'OpmfWarning');
  else console?.warn?.(text);
}

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

// Who starts threads here. Not an import: a bundler for browsers finds nothing of Node to resolve.

/** What is used of Node's worker_threads. */
interface NodeWorker {
  postMessage(message: unknown): void;
  on(event: string, listener: (value: never) => void): void;
  terminate(): unknown;
  ref(): void;
  unref(): void;
}
interface NodeModules {
  getBuiltinModule?(name: 'worker_threads'): { Worker?: new (script: string, options: { eval: true }) => NodeWorker };
  getBuiltinModule?(name: 'os'): { availableParallelism?(): number };
}

/** The host of this process, or null where there are no threads that share memory. */
export function findHost(): WorkerHost | null {
  if (typeof SharedArrayBuffer === 'undefined') return null;
  const { process, Worker, Blob } = globalThis as { process?: NodeModules; Worker?: unknown; Blob?: unknown };
  return nodeHost(process) ?? (typeof Worker === 'function' && typeof Blob === 'function' ? webHost() : null);
}

/** Null where the modules are not Node's: edge workers have some of the names alone. */
function nodeHost(modules: NodeModules | undefined): WorkerHost | null {
  if (typeof modules?.getBuiltinModule !== 'function') return null;
  const Worker = modules.getBuiltinModule('worker_threads')?.Worker;
  const cores = modules.getBuiltinModule('os')?.availableParallelism?.();
  if (Worker === undefined || cores === undefined) return null;
  return {
    parallelism: cores,
    start(script): WorkerHandle {
      const worker = new Worker(script, { eval: true });
      const conversation = new Conversation();
      worker.on('message', (message) => conversation.answer(message));
      worker.on('error', (error) => conversation.lose(error));
      worker.on('messageerror', (error) => conversation.lose(error));
      worker.on('exit', (code) => conversation.lose(`a thread ended with code ${code}`));
      // It keeps the process alive while an answer is awaited, and no longer.
      worker.unref();
      return {
        ask(message) {
          worker.ref();
          return conversation.ask(() => worker.postMessage(message)).finally(() => worker.unref());
        },
        terminate() {
          conversation.lose('a thread was ended');
          void worker.terminate();
        },
      };
    },
  };
}

function webHost(): WorkerHost {
  return {
    parallelism: globalThis.navigator?.hardwareConcurrency ?? 1,
    start(script): WorkerHandle {
      const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
      const worker = start(url);
      const conversation = new Conversation();
      worker.onmessage = ({ data }) => conversation.answer(data);
      // A policy that forbids the script leaves the message empty.
      worker.onerror = ({ message }) =>
        conversation.lose(message ?? "a worker's script was not run: does the page's policy lack worker-src blob:?");
      worker.onmessageerror = () => conversation.lose('a message of a thread could not be read');
      return {
        ask: (message) => conversation.ask(() => worker.postMessage(message)),
        terminate() {
          conversation.lose('a thread was ended');
          worker.terminate();
          URL.revokeObjectURL(url);
        },
      };
    },
  };
}

function start(url: string): Worker {
  try {
    return new Worker(url);
  } catch (error) {
    URL.revokeObjectURL(url);
    throw error;
  }
}
