// The per-rating engine in WebAssembly: on this thread, giving way to the event loop between runs, or on threads.

import type { Scheduler } from '../../core/scheduler';
import type { WorkerHost } from '../../core/worker-host';
import { slotsOf } from '../../kernels/update-rules';
import type { RatingData } from '../../models/model';
import type { LearningRates } from '../../optimizers/learning-rate';
import type { SlotSpec } from '../../optimizers/optimizer';
import { compile, instantiate, isWanted, type KernelChoice, withoutWasm } from '../../wasm/host';
import type { Training, TrainingState } from '../fit';
import type { OrderOptions, TileVisit } from './block-schedule';
import { EngineMemory } from './memory';
import type { PerRatingPlan } from './plan';
import { progressAt, STEPS_A_RATE } from './plan';
import { encodeProgram, RATES_BYTES } from './program';
import { EngineThreads } from './threads';

/** Numbers that a call may change before the event loop is looked at: about a millisecond of the slowest rule. */
const NUMBERS_A_CALL = 1 << 19;

const PAGE = 65536;

/** What a program exports. The norms are there where rows carry them. */
interface Program {
  prefetch(run: number): void;
  run(run: number, count: number, rates: number, firstStep: number): void;
  userNorms?(row: number, count: number): void;
  itemNorms?(row: number, count: number): void;
}

/** What an engine is made of. */
export interface EngineTask {
  readonly plan: PerRatingPlan;
  readonly data: RatingData;
  readonly order: OrderOptions;
  readonly slots: readonly SlotSpec[];
  readonly rates: LearningRates;
  readonly epochs: number;
  readonly kernels: KernelChoice;
  /** More than 1 only with a host. */
  readonly threads: number;
  readonly host: WorkerHost | null;
}

/** The engine in WebAssembly. */
export class WasmEngine implements Training {
  private constructor(
    private readonly task: EngineTask,
    private readonly memory: EngineMemory,
    private readonly program: Program,
    private readonly threads: EngineThreads | null,
  ) {}

  /** Null where JavaScript is to do it. @throws UnsupportedError where WebAssembly is demanded and cannot be had */
  static async create(task: EngineTask, scheduler: Scheduler): Promise<WasmEngine | null> {
    const { kernels, threads, host } = task;
    if (!isWanted(kernels)) return null;
    // Where memory cannot be shared there may still be some for one thread.
    for (const isShared of threads > 1 && host !== null ? [true, false] : [false]) {
      try {
        return await WasmEngine.load(task, isShared, scheduler);
      } catch (error) {
        withoutWasm(isShared ? 'auto' : kernels, error);
      }
    }
    return null;
  }

  private static async load(task: EngineTask, isShared: boolean, scheduler: Scheduler): Promise<WasmEngine> {
    const { plan, data, order, slots, threads, host } = task;
    const layout = await EngineMemory.create(plan, data, order, slots, isShared, scheduler);
    const { memory } = layout;
    await scheduler.yieldNow();
    const module = compile(encodeProgram(plan.spec, { pages: memory.buffer.byteLength / PAGE, isShared }));
    keep(module);
    await scheduler.yieldNow();
    const program = instantiate<Program>(module, memory);
    const workers = isShared ? await EngineThreads.start(host!, threads, module, memory, scheduler) : null;
    return new WasmEngine(task, layout, program, workers);
  }

  get rates() {
    return this.task.rates;
  }

  async epoch(epoch: number, scheduler: Scheduler): Promise<number> {
    const { memory, threads, program } = this;
    const strata = memory.begin(epoch);
    await scheduler.yieldNow();
    this.writeRates(epoch);
    await scheduler.yieldNow();
    const [user, item] = memory.sides;
    await user.eachPart(scheduler, (row, count) => program.userNorms?.(row, count));
    await item.eachPart(scheduler, (row, count) => program.itemNorms?.(row, count));
    const firstStep = (epoch - 1) * memory.steps + 1;
    if (threads === null) await this.runAll(strata.flat(), firstStep, scheduler);
    else await threads.run(this.share(strata, threads.count), memory.ratesAt, firstStep, scheduler);
    await memory.read(scheduler);
    const loss = strata.flat().reduce((sum, { tile }) => sum + memory.lossOf(tile), 0);
    const { data } = this.task;
    return loss / (data.ratings ?? data.size);
  }

  async readState(scheduler: Scheduler): Promise<TrainingState> {
    return { slots: await this.memory.readSlots(this.task.slots, scheduler), steps: 0 };
  }

  async writeState({ slots }: TrainingState, scheduler: Scheduler): Promise<void> {
    await this.memory.writeSlots(this.task.slots, slots, scheduler);
  }

  dispose(): void {
    this.threads?.stop();
  }

  private async runAll(visits: readonly TileVisit[], firstStep: number, scheduler: Scheduler): Promise<void> {
    const { memory, program } = this;
    const { rank, rule } = this.task.plan.spec;
    const most = Math.max(16, Math.floor(NUMBERS_A_CALL / (rank * (1 + slotsOf(rule)) * 2)));
    for (const { tile, count } of visits) {
      program.prefetch(memory.runOf(tile));
      for (let done = 0; done < count; done += most) {
        const steps = Math.min(most, count - done);
        program.run(memory.runOf(tile), steps, memory.ratesAt, firstStep);
        if (scheduler.isDue(steps)) await scheduler.yieldNow();
      }
    }
  }

  /** By thread and stratum: addresses of runs and their counts. The largest first, each to who has least. */
  private share(strata: readonly TileVisit[][], threads: number): number[][][] {
    const shares = Array.from({ length: threads }, (): number[][] => []);
    for (const visits of strata) {
      const loads = new Array<number>(threads).fill(0);
      for (const share of shares) share.push([]);
      for (const { tile, count } of [...visits].sort((a, b) => b.count - a.count)) {
        const least = loads.indexOf(Math.min(...loads));
        loads[least]! += count;
        shares[least]!.at(-1)!.push(this.memory.runOf(tile), count);
      }
    }
    return shares;
  }

  private writeRates(epoch: number): void {
    const { memory, task } = this;
    const { rates, epochs, plan } = task;
    const { steps, floats, ratesAt } = memory;
    const { base, maps, bias } = plan.user.maps.length > 0 ? plan.user : plan.item;
    const map = maps[0] ?? base;
    for (let step = 0, at = ratesAt / 4; step < steps; step += STEPS_A_RATE, at += RATES_BYTES / 4) {
      rates.begin((epoch - 1) * steps + step + 1, progressAt(step, steps, epoch, epochs));
      floats[at] = rates.learningRateOf(base);
      floats[at + 1] = rates.learningRateOf(map);
      floats[at + 2] = rates.learningRateOf(bias ?? base);
    }
  }
}

/** Engines keep the optimized code of a binary for as long as a module of it lives: fits like the last ones start fast. */
const RECENT = 8;
const recent: WebAssembly.Module[] = [];

function keep(module: WebAssembly.Module): void {
  recent.push(module);
  if (recent.length > RECENT) recent.shift();
}
