// The per-rating engine in WebAssembly: on this thread, yielding to the event loop between runs, or on threads.

import { forEachChunk, type Scheduler } from '../../core/scheduler';
import { sayOnce, type WorkerHost } from '../../core/worker-host';
import { countsToStarts } from '../../data/csr';
import { slotsOf } from '../../kernels/update-rules';
import type { RatingData } from '../../models/model';
import type { Factor, Real } from '../../optimizers/factor';
import type { LearningRates } from '../../optimizers/learning-rate';
import type { SlotSpec } from '../../optimizers/optimizer';
import {
  compile,
  createMemory,
  instantiate,
  isWanted,
  type KernelChoice,
  PAGE,
  Unavailable,
  withoutWasm,
} from '../../wasm/host';
import type { Training, TrainingState } from '../fit';
import { emptySlot } from '../optimizer-sink';
import { type Calls, Threads } from '../threads';
import type { BlockGrid, OrderOptions, RowOrder, Tile, TileLayout, TileVisit } from './block-schedule';
import { AT_ONCE, epochVisits, gridOf, layOutRatings, MOST_SHUFFLED, orderByBlock, stepsOf } from './block-schedule';
import type { Cell, PerRatingPlan, RowLayout, SideTables, StepSpec } from './plan';
import { progressAt, RATING, RUN, ratingBytes, rowLayout, STEPS_A_RATE, sharedMapsAt } from './plan';
import { encodeProgram, RATES_BYTES, ROW, scratchBytes } from './program';

/** The most numbers changed per call, between two looks at the event loop: about a millisecond of the slowest rule. */
const NUMBERS_A_CALL = 1 << 19;

/** The exports of a program. The norms are present if rows carry them. */
export interface Program {
  prefetch(run: number): void;
  count(staged: number, count: number, users: number, items: number, tiles: number): void;
  put(staged: number, count: number, users: number, items: number, tiles: number): void;
  shuffle(tile: number, count: number, key: number, scratch: number): void;
  run(run: number, count: number, rates: number, firstStep: number): void;
  userNorms?(row: number, count: number): void;
  itemNorms?(row: number, count: number): void;
}

/** Those that threads call, by number. */
export const CALLED = ['prefetch', 'run', 'shuffle'];
const SHUFFLE = 2;

/** The components of an engine. */
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
    private readonly threads: Threads | null,
  ) {}

  /** Null if JavaScript must be used. @throws UnsupportedError if WebAssembly is required but not available */
  static async create(task: EngineTask, scheduler: Scheduler): Promise<WasmEngine | null> {
    const { kernels, threads, host } = task;
    if (!isWanted(kernels)) return null;
    // If shared memory is not available, unshared memory for one thread may be.
    for (const isShared of threads > 1 && host !== null ? [true, false] : [false]) {
      try {
        return await WasmEngine.load(task, isShared, scheduler);
      } catch (error) {
        if (isShared || !(error instanceof Unavailable)) withoutWasm('auto', error);
        else inJavaScript(kernels, threads, error);
      }
    }
    return null;
  }

  private static async load(task: EngineTask, isShared: boolean, scheduler: Scheduler): Promise<WasmEngine> {
    const { plan, data, order, slots, threads, host } = task;
    const layout = await EngineMemory.create(plan, data, order, isShared ? threads : 1, isShared, scheduler);
    const { memory } = layout;
    await scheduler.yieldNow();
    const module = compile(encodeProgram(plan.spec, { pages: memory.buffer.byteLength / PAGE, isShared }));
    keep(module);
    await scheduler.yieldNow();
    const program = instantiate<Program>(module, memory);
    // They take some 30 ms to start, in which this thread does the first half of the layout.
    const starting = isShared ? Threads.start(host!, threads, module, memory, scheduler) : Promise.resolve(null);
    starting.catch(() => undefined);
    try {
      await layout.fill(data, slots, program, starting, scheduler);
      return new WasmEngine(task, layout, program, await starting);
    } catch (error) {
      (await starting.catch(() => null))?.stop();
      throw error;
    }
  }

  get rates() {
    return this.task.rates;
  }

  async epoch(epoch: number, scheduler: Scheduler): Promise<number> {
    const { memory, threads, program } = this;
    const strata = memory.begin(epoch);
    await scheduler.yieldNow();
    writeRates(memory, this.task, ratedFactors(this.task.plan), epoch);
    await scheduler.yieldNow();
    const [user, item] = memory.sides;
    await user.eachPart(scheduler, (row, count) => program.userNorms?.(row, count));
    await item.eachPart(scheduler, (row, count) => program.itemNorms?.(row, count));
    const firstStep = (epoch - 1) * memory.steps + 1;
    if (threads === null) await runVisits(strata.flat(2), program, this.task.plan.spec, memory, firstStep, scheduler);
    else await threads.run(CALLED, shareRuns(strata, threads.count, memory, firstStep), scheduler);
    await memory.read(scheduler);
    const loss = strata.flat(2).reduce((sum, { tile }) => sum + memory.lossOf(tile), 0);
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
}

/** Where descriptions of runs and learning rates begin. */
export interface RunPlaces {
  readonly runsAt: number;
  readonly ratesAt: number;
}

/** The address of the description of a tile's run. */
export function runOf({ runsAt }: Pick<RunPlaces, 'runsAt'>, tile: number): number {
  return runsAt + tile * RUN.bytes;
}

/** Describes the run of a visit. `last`: the tile before it in its square, NaN for none. */
export function describeRun(
  { words, doubles }: { readonly words: Int32Array; readonly doubles: Float64Array },
  run: number,
  { tile, count, start, stride, before }: TileVisit,
  ratings: number,
  blocksOf: readonly { block(block: number): { readonly start: number; readonly bytes: number } }[],
  items: number,
  last: number,
): void {
  words[(run + RUN.ratings) / 4] = ratings;
  words[(run + RUN.count) / 4] = count;
  words[(run + RUN.stride) / 4] = stride;
  words[(run + RUN.index) / 4] = start;
  words[(run + RUN.step) / 4] = before;
  doubles[(run + RUN.loss) / 8] = 0;
  const user = blocksOf[0]!.block(Math.floor(tile / items));
  const item = blocksOf[1]!.block(tile % items);
  words[(run + RUN.userRows) / 4] = user.start;
  words[(run + RUN.itemRows) / 4] = item.start;
  // Rows of the tile before are in the cache.
  words[(run + RUN.userBytes) / 4] = Math.floor(last / items) === Math.floor(tile / items) ? 0 : user.bytes;
  words[(run + RUN.itemBytes) / 4] = last % items === tile % items ? 0 : item.bytes;
}

/** Runs visits on this thread, in parts between which other tasks have their turn. */
export async function runVisits(
  visits: readonly TileVisit[],
  program: Pick<Program, 'prefetch' | 'run'>,
  { rank, rule }: StepSpec,
  places: RunPlaces,
  firstStep: number,
  scheduler: Scheduler,
): Promise<void> {
  const most = Math.max(16, Math.floor(NUMBERS_A_CALL / (rank * (1 + slotsOf(rule)) * 2)));
  for (const { tile, count } of visits) {
    const run = runOf(places, tile);
    program.prefetch(run);
    for (let done = 0; done < count; done += most) {
      const steps = Math.min(most, count - done);
      program.run(run, steps, places.ratesAt, firstStep);
      if (scheduler.isDue(steps)) await scheduler.yieldNow();
    }
  }
}

/**
 * The runs of visits by thread and stratum, as addresses and counts. The largest squares go first, each to the thread with
 * the least work.
 */
export function shareRuns(
  strata: readonly (readonly (readonly TileVisit[])[])[],
  threads: number,
  places: RunPlaces,
  firstStep: number,
): Calls[][] {
  const shares = Array.from({ length: threads }, (): Calls[] => []);
  for (const squares of strata) {
    const loads = new Array<number>(threads).fill(0);
    for (const share of shares) share.push([]);
    const counted = squares.map((visits) => ({ visits, sum: visits.reduce((sum, { count }) => sum + count, 0) }));
    for (const { visits, sum } of counted.sort((a, b) => b.sum - a.sum)) {
      const least = loads.indexOf(Math.min(...loads));
      loads[least]! += sum;
      for (const { tile, count } of visits) {
        const run = runOf(places, tile);
        shares[least]!.at(-1)!.push(0, run, 0, 0, 0, 1, run, count, places.ratesAt, firstStep);
      }
    }
  }
  return shares;
}

/** The factors that the rates of a plan are for: of rows, of what they are multiplied by, of biases. */
export function ratedFactors({ user, item }: Pick<PerRatingPlan, 'user' | 'item'>): readonly [Factor, Factor, Factor] {
  const { base, maps, bias } = user.maps.length > 0 ? user : item;
  return [base, maps[0] ?? base, bias ?? base];
}

/** Writes the rates of an epoch of so many steps. */
export function writeRates(
  { floats, ratesAt, steps }: { readonly floats: Float32Array; readonly ratesAt: number; readonly steps: number },
  { rates, epochs }: Pick<EngineTask, 'rates' | 'epochs'>,
  [base, map, bias]: readonly [Factor, Factor, Factor],
  epoch: number,
): void {
  for (let step = 0, at = ratesAt / 4; step < steps; step += STEPS_A_RATE, at += RATES_BYTES / 4) {
    rates.begin((epoch - 1) * steps + step + 1, progressAt(step, steps, epoch, epochs));
    floats[at] = rates.learningRateOf(base);
    floats[at + 1] = rates.learningRateOf(map);
    floats[at + 2] = rates.learningRateOf(bias);
  }
}

/** Says what it costs that there is no WebAssembly for a training. @throws UnsupportedError where it is demanded */
function inJavaScript(kernels: KernelChoice, threads: number, { message }: Unavailable): void {
  const less =
    'a lower rank, an optimizer that keeps less of each factor (sgd keeps nothing) or fewer ratings take less';
  withoutWasm(kernels, new Unavailable(`${message} (${less})`));
  const alone = threads > 1 ? ' and on one thread' : '';
  sayOnce(`opmf trains in JavaScript${alone}, some ten times as long, with the same results: ${message}; ${less}`);
}

/** Engines keep the optimized code of a binary as long as a module of it lives: repeated fits of the same form start fast. */
const RECENT = 8;
const recent: WebAssembly.Module[] = [];

export function keep(module: WebAssembly.Module): void {
  recent.push(module);
  if (recent.length > RECENT) recent.shift();
}

// The memory of the per-rating engine: descriptions of the runs, learning rates, the rows of both sides, the ratings.
// Its size is known before the first epoch and never changes: growing the memory would detach every view of it.

/** Numbers copied between two chances to yield. */
const LOOK = 1 << 17;

/** The rows of a side, from an address on. */
export class SideMemory {
  readonly layout: RowLayout;
  /** Factors, and the offset of each in a row. */
  private readonly cells: readonly { readonly factor: Factor; readonly cell: Cell }[];
  /** The same of the maps that all rows share, in a row of their own. */
  private readonly shared: SideMemory['cells'] = [];
  private readonly sharedAt: number;
  /** The address of each row, and its part of the number of a tile: see ROW. */
  private addresses: Int32Array = new Int32Array(0);

  constructor(
    spec: StepSpec,
    which: 'user' | 'item',
    private readonly tables: SideTables,
    private readonly order: RowOrder,
    private readonly start: number,
    /** Where the addresses are. */
    readonly addressesAt: number,
    /** The part of the number of a tile that each row has. */
    private readonly tileOf: (row: number) => number,
  ) {
    this.layout = rowLayout(spec, tables.spec);
    const { base, diagonals, scalars, bias } = this.layout;
    const maps = [...diagonals, ...scalars].map((cell, l) => ({ factor: tables.maps[l]!, cell }));
    this.cells = [{ factor: tables.base, cell: base }, ...maps];
    this.sharedAt = sharedMapsAt(spec, which);
    if (tables.spec.isShared) [this.cells, this.shared] = [this.cells.slice(0, 1), maps];
    if (bias !== null) this.cells = [...this.cells, { factor: tables.bias!, cell: bias }];
  }

  /** The address of a row. */
  addressOf(row: number): number {
    return this.addresses[2 * row]!;
  }

  /** The bytes of the rows. */
  get bytes(): number {
    return this.layout.bytes * this.tables.rows;
  }

  /** Where the rows of a block are. */
  block(block: number): { readonly start: number; readonly bytes: number } {
    const { bytes } = this.layout;
    const { starts } = this.order;
    return { start: this.start + starts[block]! * bytes, bytes: (starts[block + 1]! - starts[block]!) * bytes };
  }

  /** Puts addresses, factors and penalties in, and slots at their start. */
  async write(memory: Float32Array, slots: readonly SlotSpec[], scheduler: Scheduler): Promise<void> {
    const { layout, tables, start } = this;
    const { places } = this.order;
    const addresses = new Int32Array(memory.buffer, this.addressesAt, 2 * tables.rows);
    this.addresses = addresses;
    await forEachChunk(tables.rows, scheduler, (from, to) => {
      for (let row = from; row < to; row++) {
        addresses[2 * row] = start + places[row]! * layout.bytes;
        addresses[2 * row + 1] = 4 * this.tileOf(row);
      }
    });
    const decay = layout.decay / 4;
    const biasDecay = layout.biasDecay / 4;
    await this.eachPart(scheduler, (_, count, from) => {
      for (const { factor, cell } of this.cells) {
        copyIn(memory, this.addresses, cell.at, factor, from, from + count);
      }
    });
    const fill = (cells: SideMemory['cells'], at: number) => {
      for (const { factor, cell } of slots.length === 0 ? [] : cells) {
        const { cols } = factor;
        for (let s = 0; s < slots.length; s++) {
          const initial = slots[s]!.initial ?? 0;
          const length = slots[s]!.shape === 'row' ? 1 : cols;
          if (initial !== 0) memory.fill(initial, at + cell.slots[s]! / 4, at + cell.slots[s]! / 4 + length);
        }
      }
    };
    for (const { factor, cell } of this.shared) copyIn(memory, Int32Array.of(this.sharedAt), cell.at, factor, 0, 1);
    fill(this.shared, this.sharedAt / 4);
    await this.eachRow(scheduler, (row, at) => {
      fill(this.cells, at);
      memory[at + decay] = tables.decay[row]!;
      memory[at + biasDecay] = tables.biasDecay[row]!;
    });
  }

  /** Copies the slots out, by factor. */
  async readSlots(
    memory: Float32Array,
    slots: readonly SlotSpec[],
    scheduler: Scheduler,
  ): Promise<TrainingState['slots']> {
    const state = new Map(
      [...this.cells, ...this.shared].map(({ factor }) => [factor.name, slots.map((slot) => emptySlot(slot, factor))]),
    );
    await this.eachSlot(slots, state, scheduler, (saved, from, at, length) =>
      saved.set(memory.subarray(at, at + length), from),
    );
    return state;
  }

  /** Copies saved slots in. */
  async writeSlots(
    memory: Float32Array,
    slots: readonly SlotSpec[],
    state: TrainingState['slots'],
    scheduler: Scheduler,
  ): Promise<void> {
    await this.eachSlot(slots, state, scheduler, (saved, from, at, length) =>
      memory.set(saved.subarray(from, from + length), at),
    );
  }

  /** Copies the factors back to the tables. */
  async read(memory: Float32Array, scheduler: Scheduler): Promise<void> {
    await this.eachPart(scheduler, (_, count, from) => {
      for (const { factor, cell } of this.cells) {
        copyOut(memory, this.addresses, cell.at, factor, from, from + count);
      }
    });
    for (const { factor, cell } of this.shared) copyOut(memory, Int32Array.of(this.sharedAt), cell.at, factor, 0, 1);
  }

  /** Visits the rows in parts: the address of the part, how many, and how many before it. */
  async eachPart(scheduler: Scheduler, visit: (address: number, count: number, from: number) => void): Promise<void> {
    const { rows } = this.tables;
    const { bytes } = this.layout;
    const part = Math.max(1, Math.floor(LOOK / (bytes / 4)));
    for (let from = 0; from < rows; from += part) {
      visit(this.start + from * bytes, Math.min(part, rows - from), from);
      if (scheduler.isDue(part)) await scheduler.yieldNow();
    }
  }

  /** Visits the part of each slot that is a row's: where it starts in `state`, and in an array of float32 numbers. */
  private async eachSlot(
    slots: readonly SlotSpec[],
    state: TrainingState['slots'],
    scheduler: Scheduler,
    visit: (saved: Real, from: number, at: number, length: number) => void,
  ): Promise<void> {
    const visitSlots = (cells: SideMemory['cells'], row: number, at: number) => {
      for (const { factor, cell } of cells) {
        const saved = state.get(factor.name)!;
        for (let s = 0; s < slots.length; s++) {
          const length = slots[s]!.shape === 'row' ? 1 : factor.cols;
          visit(saved[s]!, row * length, at + cell.slots[s]! / 4, length);
        }
      }
    };
    visitSlots(this.shared, 0, this.sharedAt / 4);
    await this.eachRow(scheduler, (row, at) => visitSlots(this.cells, row, at));
  }

  /** Visits each row with its place in an array of float32 numbers. */
  private async eachRow(scheduler: Scheduler, visit: (row: number, at: number) => void): Promise<void> {
    await this.eachPart(scheduler, (_, count, from) => {
      for (let row = from; row < from + count; row++) visit(row, this.addressOf(row) >>> 2);
    });
  }
}

/** Copies a factor's rows `from` to `to` to `offset` in the rows at the addresses. */
function copyIn(
  memory: Float32Array,
  addresses: Int32Array,
  offset: number,
  { data, cols }: Factor,
  from: number,
  to: number,
): void {
  for (let row = from, k = from * cols; row < to; row++) {
    for (let at = (addresses[2 * row]! + offset) >>> 2, end = at + cols; at < end; at++, k++) memory[at] = data[k]!;
  }
}

/** The other way. */
function copyOut(
  memory: Float32Array,
  addresses: Int32Array,
  offset: number,
  { data, cols }: Factor,
  from: number,
  to: number,
): void {
  for (let row = from, k = from * cols; row < to; row++) {
    for (let at = (addresses[2 * row]! + offset) >>> 2, end = at + cols; at < end; at++, k++) data[k] = memory[at]!;
  }
}

/** The memory of a training. */
export class EngineMemory {
  readonly runsAt: number;
  readonly ratesAt: number;
  readonly floats: Float32Array;
  readonly words: Int32Array;
  readonly doubles: Float64Array;

  private constructor(
    private readonly plan: PerRatingPlan,
    private readonly order: OrderOptions,
    private readonly grid: BlockGrid,
    private layout: TileLayout,
    readonly memory: WebAssembly.Memory,
    readonly sides: readonly [SideMemory, SideMemory],
    private readonly addresses: Addresses,
  ) {
    this.runsAt = addresses.runs;
    this.ratesAt = addresses.rates;
    const { buffer } = memory;
    this.floats = new Float32Array(buffer);
    this.words = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
  }

  /** Makes a memory of the size that all of it takes. */
  static async create(
    plan: PerRatingPlan,
    data: RatingData,
    order: OrderOptions,
    threads: number,
    isShared: boolean,
    scheduler: Scheduler,
  ): Promise<EngineMemory> {
    const { user, item, spec } = plan;
    const { blocks } = order;
    const grid = await gridOf(data, { users: user.rows, items: item.rows }, order, scheduler);
    const runs = sharedMapsAt(spec, 'item') + rowLayout(spec, spec.item).mapBytes;
    let end = runs;
    const take = (bytes: number) => {
      const at = end;
      end = Math.ceil((end + bytes) / 16) * 16;
      return at;
    };
    take(blocks.users * blocks.items * RUN.bytes);
    const rates = take(Math.ceil(data.size / STEPS_A_RATE) * RATES_BYTES);
    const side = async (which: 'user' | 'item', blockOf: Uint16Array, count: number, across: number) => {
      await scheduler.yieldNow();
      const tables = plan[which];
      const addresses = take(tables.rows * ROW.bytes);
      const tileOf = (row: number) => blockOf[row]! * across;
      const memory = new SideMemory(spec, which, tables, orderByBlock(blockOf, count), end, addresses, tileOf);
      take(memory.bytes);
      return memory;
    };
    const sides = [
      await side('user', grid.userBlock, blocks.users, blocks.items),
      await side('item', grid.itemBlock, blocks.items, 1),
    ] as const;
    const isGrouped = spec.grouping > 1;
    const bytes = ratingBytes(spec.isWeighted);
    const ratings = take(data.size * bytes);
    const groups = take(isGrouped ? data.size * 4 : 0);
    const staged = take(isGrouped ? 0 : AT_ONCE * 4 * 4);
    const tiles = take(isGrouped ? 0 : grid.starts.length * 4);
    const isShuffled = order.shuffle && !isGrouped;
    const scratch = take(isShuffled ? threads * scratchBytes(Math.min(grid.most, MOST_SHUFFLED), bytes) : 0);
    const whole: TileLayout = { starts: grid.starts, groups: null };
    const addresses = { runs, rates, ratings, groups, staged, tiles, scratch };
    return new EngineMemory(plan, order, grid, whole, createMemory(end, isShared), sides, addresses);
  }

  /** The steps of an epoch. */
  get steps(): number {
    return stepsOf(this.layout);
  }

  /** Describes the runs of an epoch; the visits by strata and squares. */
  begin(epoch: number): TileVisit[][][] {
    const { starts, groups } = this.layout;
    const strata = epochVisits(this.layout, this.order, epoch);
    const { words, addresses, plan, grid, sides } = this;
    const bytes = ratingBytes(plan.spec.isWeighted);
    for (const square of strata.flat()) {
      for (const [at, visit] of square.entries()) {
        const { tile } = visit;
        const run = runOf(this, tile);
        const ratings = addresses.ratings + (groups === null ? starts[tile]! * bytes : 0);
        describeRun(this, run, visit, ratings, sides, grid.blocks.items, square[at - 1]?.tile ?? Number.NaN);
        words[(run + RUN.groups) / 4] = addresses.groups + starts[tile]! * 4;
      }
    }
    return strata;
  }

  /** The losses of a tile's run so far. */
  lossOf(tile: number): number {
    return this.doubles[(runOf(this, tile) + RUN.loss) / 8]!;
  }

  /** Copies the factors back to their tables. */
  async read(scheduler: Scheduler): Promise<void> {
    for (const side of this.sides) await side.read(this.floats, scheduler);
  }

  /** Copies the rule's memory out. */
  async readSlots(slots: readonly SlotSpec[], scheduler: Scheduler): Promise<TrainingState['slots']> {
    const [user, item] = this.sides;
    return new Map([
      ...(await user.readSlots(this.floats, slots, scheduler)),
      ...(await item.readSlots(this.floats, slots, scheduler)),
    ]);
  }

  /** Copies the rule's memory in. */
  async writeSlots(slots: readonly SlotSpec[], state: TrainingState['slots'], scheduler: Scheduler): Promise<void> {
    for (const side of this.sides) await side.writeSlots(this.floats, slots, state, scheduler);
  }

  /** Fills it: rows, then ratings in the order of their tiles. */
  async fill(
    data: RatingData,
    slots: readonly SlotSpec[],
    program: Program,
    starting: Promise<Threads | null>,
    scheduler: Scheduler,
  ): Promise<void> {
    const { words, floats, sides, addresses, grid, order, plan } = this;
    for (const side of sides) await side.write(floats, slots, scheduler);
    const [user, item] = sides;
    const { users, items, targets, weights } = data;
    const bytes = ratingBytes(plan.spec.isWeighted);
    const wordStep = bytes / 4;
    const first = addresses.ratings / 4;
    // Of ratings in groups, which JavaScript lays out.
    const put = (places: Int32Array, from: number, to: number, which?: Int32Array) => {
      for (let n = from; n < to; n++) {
        const k = which === undefined ? n : which[n]!;
        const at = first + Math.imul(places[n - from]!, wordStep);
        words[at + RATING.user / 4] = user.addressOf(users[k]!);
        words[at + RATING.item / 4] = item.addressOf(items[k]!);
        floats[at + RATING.target / 4] = targets[k]!;
        if (weights !== null) floats[at + RATING.weight / 4] = weights[k]!;
      }
    };
    const inProgram = plan.spec.grouping === 1 && {
      fill: (_: BlockGrid, scheduler: Scheduler) => this.layOut(data, program, scheduler),
      shuffle: (tiles: readonly Tile[], scheduler: Scheduler) => this.shuffle(tiles, program, starting, scheduler),
    };
    const store = { words, first, wordStep, put, ...inProgram };
    this.layout = await layOutRatings(data, grid, order, store, scheduler);
    if (this.layout.groups !== null) words.set(this.layout.groups, addresses.groups / 4);
  }

  /** Counts tiles and sends ratings there, some at a time: the data are in memory once. */
  private async layOut(data: RatingData, program: Program, scheduler: Scheduler): Promise<void> {
    const { words, floats, sides, addresses, grid, plan } = this;
    const { users, items, targets, weights, size } = data;
    const { starts } = grid;
    const staged = addresses.staged / 4;
    const tiles = addresses.tiles / 4;
    const [user, item] = [sides[0].addressesAt, sides[1].addressesAt];
    if (!grid.isWhole) {
      await forEachChunk(size, scheduler, (from, to) => {
        words.set(users.subarray(from, to), staged);
        words.set(items.subarray(from, to), staged + AT_ONCE);
        program.count(addresses.staged, to - from, user, item, addresses.tiles + 4);
      });
      starts.set(words.subarray(tiles, tiles + starts.length));
      countsToStarts(starts);
    }
    const bytes = ratingBytes(plan.spec.isWeighted);
    for (let tile = 0; tile < starts.length; tile++) words[tiles + tile] = addresses.ratings + starts[tile]! * bytes;
    await forEachChunk(size, scheduler, (from, to) => {
      words.set(users.subarray(from, to), staged);
      words.set(items.subarray(from, to), staged + AT_ONCE);
      floats.set(targets.subarray(from, to), staged + 2 * AT_ONCE);
      if (weights !== null) floats.set(weights.subarray(from, to), staged + 3 * AT_ONCE);
      program.put(addresses.staged, to - from, user, item, addresses.tiles);
    });
  }

  private async shuffle(
    tiles: readonly Tile[],
    program: Program,
    starting: Promise<Threads | null>,
    scheduler: Scheduler,
  ): Promise<void> {
    const { addresses, plan, grid } = this;
    const bytes = ratingBytes(plan.spec.isWeighted);
    const room = scratchBytes(Math.min(grid.most, MOST_SHUFFLED), bytes);
    const threads = await starting;
    const shares = Array.from({ length: threads?.count ?? 1 }, (): Calls => []);
    const loads = shares.map(() => 0);
    for (const { first, count, key } of tiles) {
      const at = addresses.ratings + first * bytes;
      if (threads === null) {
        program.shuffle(at, count, key, addresses.scratch);
        if (scheduler.isDue(count)) await scheduler.yieldNow();
        continue;
      }
      const least = loads.indexOf(Math.min(...loads));
      loads[least]! += count;
      shares[least]!.push(SHUFFLE, at, count, key, addresses.scratch + least * room);
    }
    await threads?.run(
      CALLED,
      shares.map((calls) => [calls]),
      scheduler,
    );
  }
}

/** Where what lies in a memory begins, but rows. */
interface Addresses {
  readonly runs: number;
  readonly rates: number;
  readonly ratings: number;
  readonly groups: number;
  /** AT_ONCE users, items, targets and weights, on their way to their tiles. */
  readonly staged: number;
  /** How many ratings tiles have, then where the next of each goes. */
  readonly tiles: number;
  /** What a thread needs to shuffle a tile, for each of them. */
  readonly scratch: number;
}
