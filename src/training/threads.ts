// Threads that run a WebAssembly program on shared memory. Work comes in strata: calls of a stratum write to different
// places, so threads need no locks, and the result does not depend on which thread makes a call. The calling thread only
// waits: its event loop stays free.

import { doubles } from '../core/allocate';
import { ThreadError } from '../core/errors';
import { after, type Scheduler } from '../core/scheduler';
import { findHost, sayOnce, type WorkerHandle, type WorkerHost } from '../core/worker-host';
import type { MemoryShape } from '../wasm/assembler';
import { compile, createMemory, instantiate, inWasm, type KernelChoice, PAGE, type Part } from '../wasm/host';

/** How long to wait for a thread to start, in milliseconds. */
const START = 10_000;

/** Calls, one after another; see Call. */
export type Calls = number[];
const CALL = 5;

/** Threads with the program loaded. */
export class Threads {
  private constructor(private readonly workers: readonly WorkerHandle[]) {}

  /**
   * Starts the threads; null, and a warning, where they cannot be started, as under a content security policy without
   * `worker-src blob:`. @throws the signal's reason after an abort
   */
  static start(
    host: WorkerHost,
    count: number,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    scheduler: Scheduler,
    within = START,
  ): Promise<Threads | null> {
    return Threads.running(WORKER_SCRIPT, { module, memory, threads: count }, host, count, scheduler, within);
  }

  /** Starts threads with a script of their own, and sends each a message, which it answers. @see start */
  static async running(
    script: string,
    message: object,
    host: WorkerHost,
    count: number,
    scheduler: Scheduler,
    within = START,
  ): Promise<Threads | null> {
    const workers: WorkerHandle[] = [];
    const threads = new Threads(workers);
    try {
      while (workers.length < count) {
        workers.push(host.start(script));
        await scheduler.yieldNow();
      }
      await threads.ask(() => message, scheduler, within);
      return threads;
    } catch (error) {
      threads.stop();
      scheduler.signal?.throwIfAborted();
      withoutThreads(error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  get count(): number {
    return this.workers.length;
  }

  /**
   * Makes the calls of each thread, stratum by stratum, and returns their results by thread. After an abort or a failure no thread is left.
   * @throws the signal's reason after an abort; ThreadError where a thread has ended
   */
  async run(names: readonly string[], shares: readonly Calls[][], scheduler: Scheduler): Promise<number[][]> {
    try {
      return (await this.ask((thread) => ({ names, strata: shares[thread] }), scheduler)) as number[][];
    } catch (error) {
      // The others wait for the thread that ended.
      this.stop();
      scheduler.signal?.throwIfAborted();
      throw new ThreadError(error instanceof Error ? error.message : String(error));
    }
  }

  stop(): void {
    for (const worker of this.workers) worker.terminate();
  }

  /** Sends each thread a message and waits until all have answered, one has ended, the time is up, or an abort. */
  private async ask(message: (thread: number) => unknown, { signal }: Scheduler, within?: number): Promise<unknown[]> {
    let stopWaiting: () => void = () => undefined;
    const interrupted = new Promise<never>((_, reject) => {
      const abort = () => reject(signal!.reason);
      signal?.addEventListener('abort', abort);
      const cancel =
        within === undefined
          ? () => undefined
          : after(within, () => reject(new Error(`a thread has not answered for ${within / 1000} s`)));
      stopWaiting = () => {
        signal?.removeEventListener('abort', abort);
        cancel();
      };
      if (signal?.aborted) abort();
    });
    try {
      return await Promise.race([interrupted, Promise.all(this.workers.map((worker, at) => worker.ask(message(at))))]);
    } finally {
      stopWaiting();
    }
  }
}

/** Deals out work, the costliest first, each to the thread with the least to do. */
export function share<T extends { readonly cost: number }>(parts: readonly T[], threads: number): T[][] {
  const shares = Array.from({ length: threads }, (): T[] => []);
  const loads = new Array<number>(threads).fill(0);
  for (const part of [...parts].sort((a, b) => b.cost - a.cost)) {
    const least = loads.indexOf(Math.min(...loads));
    loads[least]! += part.cost;
    shares[least]!.push(part);
  }
  return shares;
}

/** A program, with all that it is written for. */
export interface Work {
  /** Of its functions, by the numbers of calls. */
  readonly names: readonly string[];
  /** Of its memory, from the control block on, and of what each thread has for itself after that. */
  readonly bytes: number;
  readonly scratch: number;
  /** What the memory is, if there is not enough. */
  readonly what: string;
  encode(memory: MemoryShape): Uint8Array<ArrayBuffer>;
  /** Its definition, on another memory. */
  define(buffer: ArrayBufferLike): Routines;
}

/** Functions of up to four numbers. */
type Routines = Readonly<Record<string, (...operands: number[]) => unknown>>;

/** Where work is done. */
export interface Workplace {
  readonly kernels: KernelChoice;
  readonly threads: number | 'auto';
  /** Starts the threads; null: no threads. @defaultValue the host of this process */
  readonly host?: WorkerHost | null;
}

/** How much longer JavaScript takes. */
const SLOWER = 4;

/** Does work by parts: on threads, in turns on this one, or in JavaScript, with the same result. */
export class PartRunner {
  private constructor(
    private readonly names: readonly string[],
    readonly buffer: ArrayBufferLike,
    private readonly routines: Routines,
    private readonly threads: Threads | null,
    private readonly slower: number,
    private readonly scheduler: Scheduler,
  ) {}

  /** `ratings`: training on how many ratings takes as long. @throws UnsupportedError for 'wasm' where it cannot be had */
  static async start(work: Work, ratings: number, place: Workplace, scheduler: Scheduler): Promise<PartRunner> {
    const { names, what } = work;
    const { kernels } = place;
    const { threads, host } = threadsFor(place.threads, ratings, place.host);
    const bytesFor = (count: number) => work.bytes + count * work.scratch;
    const isShared = host !== null && kernels !== 'js';
    if (threads > 1 && host === null && kernels !== 'js') withoutThreads('here are none that share memory');
    const inMemory = (choice: KernelChoice, shared: boolean) =>
      inWasm(choice, () => {
        const memory = createMemory(bytesFor(shared ? threads : 1), shared);
        const module = compile(work.encode({ pages: memory.buffer.byteLength / PAGE, isShared: shared }));
        return { memory, module, routines: instantiate<Routines>(module, memory), isShared: shared };
      });
    const made = (isShared ? inMemory('auto', true) : null) ?? inMemory(kernels, false);
    if (made === null) {
      const { buffer } = doubles(Math.ceil(bytesFor(1) / 8), what);
      return new PartRunner(names, buffer, work.define(buffer), null, SLOWER, scheduler);
    }
    const { memory, module, routines } = made;
    const started = made.isShared ? await Threads.start(host!, threads, module, memory, scheduler) : null;
    return new PartRunner(names, memory.buffer, routines, started, 1, scheduler);
  }

  /** How many threads do it. */
  get count(): number {
    return this.threads?.count ?? 1;
  }

  /** Does the parts of each stratum, in any order, then those of the next. */
  async run(strata: readonly (readonly Part[])[]): Promise<void> {
    const { names, routines, threads, slower, scheduler } = this;
    if (threads !== null) {
      const shares = strata.map((parts) => share(parts, threads.count));
      const calls = Array.from({ length: threads.count }, (_, thread) =>
        shares.map((parts) => parts[thread]!.flatMap((part) => part.call(thread))),
      );
      await threads.run(names, calls, scheduler);
      return;
    }
    for (const parts of strata) {
      for (const part of parts) {
        const [name, ...operands] = part.call(0);
        routines[names[name]!]!(...operands);
        if (scheduler.isDue(slower * part.cost)) await scheduler.yieldNow();
      }
    }
  }

  stop(): void {
    this.threads?.stop();
  }
}

/** Starting threads takes longer than training on fewer ratings. */
const WORTH_THREADS = 1 << 18;
/** Memory feeds no more than so many. */
const MOST_THREADS = 8;

/** How many threads an option asks for, and who starts them: null for one. `host` undefined: that of this process. */
export function threadsFor(
  choice: number | 'auto',
  ratings: number,
  host?: WorkerHost | null,
): { readonly threads: number; readonly host: WorkerHost | null } {
  const most = () => Math.min(findHost()?.parallelism ?? 1, MOST_THREADS);
  const threads = choice !== 'auto' ? choice : ratings < WORTH_THREADS ? 1 : most();
  return { threads, host: threads === 1 ? null : host === undefined ? findHost() : host };
}

/** Warns that a training runs without the threads it was to use. */
export function withoutThreads(reason: string): void {
  sayOnce(`opmf trains on one thread instead of several, with the same results: ${reason}`);
}

// What a thread runs: it waits for its share of the work, does it stratum by stratum, and meets the other threads after
// each. A script as text, because a library cannot know where an application's bundler puts a file of its own.

/** The words of the control block: how many threads have arrived, and which stratum it is. */
const CONTROL = { arrived: 0, stratum: 1 } as const;

/** A script that handles messages, and answers through `port`. In Node it runs as CommonJS, elsewhere as a classic worker. An exception ends it, and is reported. */
export const threadScript = (handle: string): string => `
const node = globalThis.process?.getBuiltinModule;
const port = node ? process.getBuiltinModule('worker_threads').parentPort : self;
const listen = (handle) => port.on ? port.on('message', handle) : (port.onmessage = ({ data }) => handle(data));
const refuse = () => { throw new Error('a thread cannot read what it is sent: is sharing memory forbidden here?'); };
if (port.on) port.on('messageerror', refuse); else port.onmessageerror = refuse;
${handle}`;

/** The script of a thread that does strata. */
export const WORKER_SCRIPT = threadScript(`
let program, control, threads;
function meet() {
  const stratum = Atomics.load(control, ${CONTROL.stratum});
  if (Atomics.add(control, ${CONTROL.arrived}, 1) === threads - 1) {
    Atomics.store(control, ${CONTROL.arrived}, 0);
    Atomics.add(control, ${CONTROL.stratum}, 1);
    Atomics.notify(control, ${CONTROL.stratum});
    return;
  }
  // A wait costs more than a stratum of a small epoch: look for a while first.
  for (let look = 0; look < 20000; look++) if (Atomics.load(control, ${CONTROL.stratum}) !== stratum) return;
  while (Atomics.load(control, ${CONTROL.stratum}) === stratum) Atomics.wait(control, ${CONTROL.stratum}, stratum);
}
listen((message) => {
  const results = [];
  if (message.module) {
    threads = message.threads;
    control = new Int32Array(message.memory.buffer);
    program = new WebAssembly.Instance(message.module, { host: { memory: message.memory } }).exports;
  } else {
    const functions = message.names.map((name) => program[name]);
    for (const calls of message.strata) {
      for (let i = 0; i < calls.length; i += ${CALL}) {
        const result = functions[calls[i]](calls[i + 1], calls[i + 2], calls[i + 3], calls[i + 4]);
        if (result !== undefined) results.push(result);
      }
      meet();
    }
  }
  port.postMessage(results);
});
`);
