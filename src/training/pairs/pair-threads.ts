// The threads of a training by pairs. Tiles of a stratum share no row, so that nobody waits for a lock, and which thread
// runs a tile changes nothing. The caller's thread only waits: its event loop is free.

import type { Turns } from '../../core/turns';
import type { WorkerHandle, WorkerHost } from '../../core/worker-host';
import { CONTROL, PAIR_WORKER } from './pair-worker';

/** How often an abort is looked for, in milliseconds. */
const LOOK = 20;

/** Threads with the program loaded. */
export class PairThreads {
  private constructor(
    private readonly workers: readonly WorkerHandle[],
    private readonly control: Int32Array,
  ) {}

  /** Starts the threads; null where they may not be started, as under a content security policy without `worker-src`. */
  static async start(
    host: WorkerHost,
    count: number,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    turns: Turns,
  ): Promise<PairThreads | null> {
    const workers: WorkerHandle[] = [];
    const threads = new PairThreads(workers, new Int32Array(memory.buffer));
    try {
      while (workers.length < count) {
        workers.push(host.start(PAIR_WORKER));
        await turns.breathe();
      }
      await threads.ask(() => ({ module, memory, threads: count }));
      return threads;
    } catch {
      threads.stop();
      return null;
    }
  }

  get count(): number {
    return this.workers.length;
  }

  /** Runs an epoch's shares. @throws the signal's reason after an abort, once every thread has stopped */
  async run(shares: readonly number[][][], rates: number, firstStep: number, turns: Turns): Promise<void> {
    const { control } = this;
    Atomics.store(control, CONTROL.abort, 0);
    let reason: unknown;
    const watch = setInterval(() => {
      turns.breathe().catch((error: unknown) => {
        reason = error;
        Atomics.store(control, CONTROL.abort, 1);
      });
    }, LOOK);
    try {
      await this.ask((thread) => ({ strata: shares[thread], rates, firstStep }));
    } finally {
      clearInterval(watch);
    }
    if (reason !== undefined) throw reason;
  }

  stop(): void {
    for (const worker of this.workers) worker.terminate();
  }

  /** Sends each thread a message and waits until all have answered. */
  private async ask(message: (thread: number) => unknown): Promise<void> {
    await Promise.all(
      this.workers.map(
        (worker, thread) =>
          new Promise<void>((resolve, reject) => {
            worker.onMessage(() => resolve());
            worker.onError(reject);
            worker.post(message(thread));
          }),
      ),
    );
  }
}
