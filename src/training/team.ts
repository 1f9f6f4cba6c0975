// Threads that make calls of kernels together: the one that trains, and helpers that wait for work. A call is cut into blocks
// that write to different places, and each thread takes the next block that is left: one that is late, or never comes, is not
// waited for. No result depends on who makes a block, or on how many there are.

import { ThreadError } from '../core/errors';
import { now, type Scheduler } from '../core/scheduler';
import type { WorkerHost } from '../core/worker-host';
import { type Heap, SHARED, type SharedCall, type Team } from '../kernels/heap';
import { matrixProgram } from '../kernels/matrix';
import { rowProgram } from '../kernels/rows';
import { layersOf, type Scorer } from '../models/model';
import { instantiate, type KernelChoice } from '../wasm/host';
import { Threads, threadScript, threadsFor, withoutThreads } from './threads';

/** The words of the control block: blocks left to take, and blocks made. */
const [LEFT, DONE] = [0, 1];
/** The numbers of a call, from byte CALL: its function, its units, those of a block, which operand says how many, then the operands and their steps. */
const CALL = 8;
const [FUNCTION, UNITS, SIZE, COUNT, OPERANDS] = [0, 1, 2, 3, 4];
const MOST_OPERANDS = 10;
const STEPS = OPERANDS + MOST_OPERANDS;
/** Blocks a thread, at least: who comes last keeps the others waiting for one. */
const BLOCKS = 4;
/** Looks for work, or for the end of a block, before a thread sleeps: a wait costs more than a call of a small step. */
const LOOKS = 20_000;
/** How long a helper may take for a block, in milliseconds. */
const PATIENCE = 10_000;

type Routine = (...operands: number[]) => unknown;

/** The thread that makes the calls. */
class TeamLead implements Team {
  readonly shared = new SharedArrayBuffer(CALL + 8 * (STEPS + MOST_OPERANDS));
  private readonly control = new Int32Array(this.shared, 0, 2);
  private readonly call = new Float64Array(this.shared, CALL);

  constructor(
    private readonly threads: number,
    private readonly routines: readonly Routine[],
  ) {}

  /** @throws ThreadError where a helper has taken a block and does not end it */
  run({ routine, units, multiple, most, count, operands, steps }: SharedCall): void {
    const { control, call, routines } = this;
    const size = Math.min(most, Math.ceil(units / (BLOCKS * this.threads * multiple)) * multiple);
    const blocks = Math.ceil(units / size);
    call[FUNCTION] = routine;
    call[UNITS] = units;
    call[SIZE] = size;
    call[COUNT] = count;
    for (let k = 0; k < operands.length; k++) {
      call[OPERANDS + k] = operands[k]!;
      call[STEPS + k] = steps[k] ?? 0;
    }
    Atomics.store(control, DONE, 0);
    Atomics.store(control, LEFT, blocks);
    Atomics.notify(control, LEFT);
    let own = 0;
    for (let left = blocks; left > 0; left = Atomics.load(control, LEFT)) {
      if (Atomics.compareExchange(control, LEFT, left, left - 1) !== left) continue;
      const from = (left - 1) * size;
      const block = operands.map((operand, k) => operand + from * (steps[k] ?? 0));
      block[count] = Math.min(size, units - from);
      routines[routine]!(...block);
      own++;
    }
    const others = blocks - own;
    for (let look = 0; look < LOOKS; look++) if (Atomics.load(control, DONE) === others) return;
    this.waitFor(others);
  }

  /** Waits for blocks of others, and leaves them the core. */
  private waitFor(others: number): void {
    const { control } = this;
    const since = now();
    for (let done = Atomics.load(control, DONE); done !== others; done = Atomics.load(control, DONE)) {
      if (maySleep()) Atomics.wait(control, DONE, done, 100);
      if (now() - since > PATIENCE) throw new ThreadError('one has taken work and does not end it');
    }
  }
}

/** Whether this thread may sleep; that of a page may not. */
const maySleep = (): boolean => typeof (globalThis as { document?: unknown }).document === 'undefined';

/** The script of a helper: it answers once, and then waits for blocks for ever. What it reads of a call stays until its block is made. */
const HELPER = threadScript(`listen(({ shared, memory, modules, functions }) => {
  const programs = modules.map((module) => new WebAssembly.Instance(module, { host: { memory } }).exports);
  const routines = functions.map(([at, name]) => programs[at][name]);
  const control = new Int32Array(shared, 0, 2), call = new Float64Array(shared, ${CALL});
  port.postMessage([]);
  for (let looks = 0; ; ) {
    const left = Atomics.load(control, ${LEFT});
    if (left === 0) {
      if (++looks > ${LOOKS}) {
        Atomics.wait(control, ${LEFT}, 0);
        looks = 0;
      }
    } else if (Atomics.compareExchange(control, ${LEFT}, left, left - 1) === left) {
      const from = (left - 1) * call[${SIZE}], block = [];
      for (let k = 0; k < ${MOST_OPERANDS}; k++) block.push(call[${OPERANDS} + k] + from * call[${STEPS} + k]);
      block[call[${COUNT}]] = Math.min(call[${SIZE}], call[${UNITS}] - from);
      routines[call[${FUNCTION}]](...block);
      Atomics.add(control, ${DONE}, 1);
      Atomics.notify(control, ${DONE});
      looks = 0;
    }
  }
});`);

/** Threads that are still to be started. */
export interface TeamPlan {
  /** Null, and a warning, where they cannot be started. */
  start(heap: Heap, scheduler: Scheduler): Promise<Threads | null>;
}

/** The multiplications of layers that take as long as a rating of a factorization. */
const A_RATING = 128;

/** The threads for a model that goes through so many rows an epoch; null for one. */
export function teamFor(
  { parameters }: Pick<Scorer<never>, 'parameters'>,
  rows: number,
  options: { threads?: number | 'auto'; kernels?: KernelChoice; host?: WorkerHost | null },
): TeamPlan | null {
  const { threads: asked = 1, kernels } = options;
  const layers = layersOf(parameters);
  if (kernels === 'js' || layers.length === 0) {
    const reason = kernels === 'js' ? "kernels 'js' has one" : 'models without layers have one';
    if (typeof asked === 'number' && asked > 1) withoutThreads(reason);
    return null;
  }
  const weights = layers.reduce((sum, layer) => sum + layer.rows * layer.dim, 0);
  const { threads, host } = threadsFor(asked, (rows * weights) / A_RATING, options.host);
  if (threads > 1 && host === null) withoutThreads('here are none that share memory');
  return host && { start: (heap, scheduler) => startTeam(heap, threads, host, scheduler) };
}

/** Starts threads that share the large calls on a heap, so many with this one. */
async function startTeam(heap: Heap, threads: number, host: WorkerHost, scheduler: Scheduler): Promise<Threads | null> {
  if (!heap.isShared) return null;
  const { memory, rules } = heap;
  const modules = [matrixProgram.compiled(true), rowProgram.compiled(true), ...rules];
  const functions = [
    ...SHARED.map((name) => [name in matrixProgram.kernels ? 0 : 1, name] as const),
    ...rules.map((_, r) => [2 + r, 'update'] as const),
  ];
  const programs = modules.map((module) => instantiate<Record<string, Routine>>(module, memory));
  const lead = new TeamLead(
    threads,
    functions.map(([at, name]) => programs[at]![name]!),
  );
  const message = { shared: lead.shared, memory, modules, functions };
  const helpers = await Threads.running(HELPER, message, host, threads - 1, scheduler);
  if (helpers !== null) heap.shareWith(lead);
  return helpers;
}
