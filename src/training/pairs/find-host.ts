// Who starts threads here. Not an import: a bundler for browsers finds nothing of Node to resolve.

import type { WorkerHandle, WorkerHost } from '../../core/worker-host';

/** What is used of Node's worker_threads. */
interface NodeWorker {
  postMessage(message: unknown): void;
  on(event: string, listener: (value: never) => void): void;
  removeAllListeners(event: string): void;
  terminate(): unknown;
}
interface NodeModules {
  getBuiltinModule?(name: 'worker_threads'): { Worker: new (script: string, options: { eval: true }) => NodeWorker };
  getBuiltinModule?(name: 'os'): { availableParallelism(): number };
}

/** The host of this process, or null where there are no threads that share memory. */
export function findHost(): WorkerHost | null {
  if (typeof SharedArrayBuffer === 'undefined') return null;
  const modules = (globalThis as { process?: NodeModules }).process;
  if (typeof modules?.getBuiltinModule === 'function') return nodeHost(modules);
  return typeof Worker === 'function' && typeof Blob === 'function' ? webHost() : null;
}

function nodeHost(modules: NodeModules): WorkerHost {
  const { Worker } = modules.getBuiltinModule!('worker_threads');
  return {
    parallelism: modules.getBuiltinModule!('os').availableParallelism(),
    start(script): WorkerHandle {
      const worker = new Worker(script, { eval: true });
      const listen = (event: string, listener: (value: never) => void) => {
        worker.removeAllListeners(event);
        worker.on(event, listener);
      };
      return {
        post: (message) => worker.postMessage(message),
        onMessage: (listener) => listen('message', listener),
        onError: (listener) => listen('error', listener as (error: never) => void),
        terminate: () => void worker.terminate(),
      };
    },
  };
}

function webHost(): WorkerHost {
  return {
    parallelism: navigator.hardwareConcurrency ?? 1,
    start(script): WorkerHandle {
      const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
      const worker = new Worker(url);
      return {
        post: (message) => worker.postMessage(message),
        onMessage(listener) {
          worker.onmessage = ({ data }) => listener(data);
        },
        onError(listener) {
          worker.onerror = (event) => listener(new Error(event.message));
        },
        terminate() {
          worker.terminate();
          URL.revokeObjectURL(url);
        },
      };
    },
  };
}
