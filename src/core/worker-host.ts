// Warnings about conditions that are not errors, each printed once per process.

const said = new Set<string>();

/** Warns: in Node by process.emitWarning (standard error or its listeners), elsewhere on the console. */
export function sayOnce(text: string): void {
  if (said.has(text)) return;
  said.add(text);
  const { process, console } = globalThis as { process?: Partial<NodeJS.Process>; console?: Console };
  if (typeof process?.emitWarning === 'function' && !('EdgeRuntime' in globalThis))
    process.emitWarning(text, 'OpmfWarning');
  else console?.warn?.(text);
}

// The interface for starting threads: Node's worker_threads, or workers of a browser or Deno. Without an implementation
// everything runs on one thread, with the same results.

/** A started thread. */
export interface WorkerHandle {
  /** Sends a message and waits for the answer; rejects when the thread ends or has ended. One request at a time. */
  ask(message: unknown): Promise<unknown>;
  terminate(): void;
}

/** Starts threads. */
export interface WorkerHost {
  /** How many run at the same time. */
  readonly parallelism: number;
  /**
   * Starts a thread that runs a script. The script receives by `onmessage` and answers by `postMessage`. Throws if
   * threads are not allowed; a thread that ends later, or never starts, makes `ask` reject.
   */
  start(script: string): WorkerHandle;
}

/** Turns the events of one thread into promises. The host must attach its listeners when it starts the thread. */
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

  /** Reports that the thread has ended; the first reason counts. */
  lose(reason: unknown): void {
    this.end ??= reason instanceof Error ? reason : new Error(String(reason));
    this.waiting?.reject(this.end);
    this.waiting = null;
  }
}

// Finds the host without an import, so that bundlers for browsers find nothing of Node to resolve.

/** The parts of Node's worker_threads in use. */
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

/** The host of this process, or null if it has no threads with shared memory. */
export function findHost(): WorkerHost | null {
  // In the edge runtime of Next the names of Node throw when they are called.
  if (typeof SharedArrayBuffer === 'undefined' || 'EdgeRuntime' in globalThis) return null;
  const { process, Worker, Blob } = globalThis as { process?: NodeModules; Worker?: unknown; Blob?: unknown };
  return nodeHost(process) ?? (typeof Worker === 'function' && typeof Blob === 'function' ? webHost() : null);
}

/** Null if the modules are not Node's: edge workers define only some of the names. */
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
      // It keeps the process alive only while an answer is awaited.
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
      // The message is empty if a policy forbids the script.
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
