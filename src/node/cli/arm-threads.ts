// The runs of a comparison on several cores. Each run has a thread to itself, so its bits are those of a run alone.

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { ArmRunner } from '../../evaluation/compare';
import { runArm } from '../../evaluation/run-arm';
import { packArm } from './arm-message';

/** The runner, and the end of its threads. */
export interface ArmThreads extends ArmRunner {
  close(): Promise<void>;
}

/** Threads for `size` runs at once; where the worker's file is not beside this one (sources, bundles), this thread. */
export function startArmThreads(size: number): ArmThreads {
  const file = fileURLToPath(new URL('./arm-worker.js', import.meta.url));
  if (size < 2 || !existsSync(file)) return { run: runArm, atOnce: 1, close: async () => {} };
  const idle = Array.from({ length: size }, () => new Worker(file));
  const all = [...idle];
  return {
    atOnce: size,
    async run(arm, split, base) {
      const worker = idle.pop()!;
      const result = ask<Awaited<ReturnType<typeof runArm>>>(worker);
      worker.postMessage(packArm(arm, split, base));
      return result.finally(() => idle.push(worker));
    },
    async close() {
      await Promise.all(all.map((worker) => worker.terminate()));
    },
  };
}

/** The next message of a worker, or its failure (`once` rejects with an error event). */
async function ask<T>(worker: Worker): Promise<T> {
  const [message] = (await once(worker, 'message')) as [T];
  return message;
}
