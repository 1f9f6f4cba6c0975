// Who starts threads here. Not an import: a bundler for browsers finds nothing of Node to resolve.

import { Conversation, type WorkerHandle, type WorkerHost } from '../../core/worker-host';

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
