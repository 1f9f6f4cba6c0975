// The runs of a comparison on several cores. Each run has a thread to itself, so its bits are those of a run alone.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Conversation, sayOnce } from '../../core/worker-host';
import { runArm } from '../../evaluation/arms';
import type { ArmRunner } from '../../evaluation/compare';
import { canCompile, createMemory, inWasm } from '../../wasm/host';
import { packArm } from './arm-message';

/** The runner, and the end of its threads. */
export interface ArmThreads extends ArmRunner {
  close(): Promise<void>;
}

/** Threads for `size` runs at once; where the worker's file is not beside this one (sources, bundles), this thread. */
export function startArmThreads(
  size: number,
  file = fileURLToPath(new URL('./arm-worker.js', import.meta.url)),
): ArmThreads {
  const all: ArmThread[] = [];
  if (size > 1 && existsSync(file)) {
    try {
      // An engine that finds no addresses for a thread ends the process. A memory takes more of them.
      if (inWasm('auto', () => createMemory(1)) === null && canCompile())
        throw new Error('too few addresses (ulimit -v)');
      while (all.length < size) all.push(new ArmThread(file));
    } catch (error) {
      without(error);
    }
  }
  const idle = [...all];
  return {
    atOnce: Math.max(all.length, 1),
    async run(arm, split, base, signal) {
      const thread = idle.pop();
      // More runs than threads: some have ended.
      if (thread === undefined) return runArm(arm, split, base, signal);
      try {
        const result = await thread.ask(packArm(arm, split, base));
        idle.push(thread);
        return result as Awaited<ReturnType<typeof runArm>>;
      } catch (error) {
        // Here it ends as it would have there, or in its own error.
        without(error);
        return runArm(arm, split, base, signal);
      }
    },
    async close() {
      await Promise.all(all.map((thread) => thread.close()));
    },
  };
}

function without(error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  sayOnce(`opmf does without a thread, with the same results: ${reason}`);
}

/** A thread that carries out one run at a time. */
class ArmThread {
  private readonly worker: Worker;
  private readonly conversation = new Conversation();

  constructor(file: string) {
    this.worker = new Worker(file);
    this.worker.on('message', (message) => this.conversation.answer(message));
    this.worker.on('error', (error) => this.conversation.lose(error));
    this.worker.on('messageerror', (error) => this.conversation.lose(error));
    this.worker.on('exit', (code) => this.conversation.lose(`a thread ended with code ${code}`));
  }

  ask(message: unknown): Promise<unknown> {
    return this.conversation.ask(() => this.worker.postMessage(message));
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }
}
