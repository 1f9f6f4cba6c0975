// The per-rating engine over ratings that memory does not hold: the schedule of scheduleVisits, and its bits. That schedule
// goes through the blocks of the longer side group by group, each of as many blocks as the shorter side has, and a group
// meets the whole shorter side before the next one comes. So the rows of the shorter side stay in WebAssembly memory, those
// of a group come and go with it, and of the ratings there are two parts: one that trains and one that is being read.

import type { Stream } from '../../core/random';
import type { Scheduler } from '../../core/scheduler';
import type { WorkerHost } from '../../core/worker-host';
import type { Factor, Real } from '../../optimizers/factor';
import type { LearningRates } from '../../optimizers/learning-rate';
import type { SlotSpec } from '../../optimizers/optimizer';
import { compile, createMemory, instantiate, PAGE } from '../../wasm/host';
import type { Training, TrainingState } from '../fit';
import { emptySlot } from '../optimizer-sink';
import { Threads } from '../threads';
import {
  type Blocks,
  orderByBlock,
  type RowOrder,
  scheduleVisits,
  shiftsOf,
  squaresOf,
  type TileVisit,
} from './block-schedule';
import {
  CALLED,
  describeRun,
  keep,
  type Program,
  ratedFactors,
  runOf,
  runVisits,
  shareRuns,
  writeRates,
} from './engine';
import {
  type Cell,
  CONTROL_BYTES,
  type PerRatingPlan,
  type RowLayout,
  RUN,
  ratingBytes,
  rowLayout,
  type SideTables,
  STEPS_A_RATE,
  type StepSpec,
} from './plan';
import { encodeProgram, RATES_BYTES } from './program';

/** The long side and the short one, and the groups of the long. */
export class Groups {
  readonly usersAreLong: boolean;
  readonly long: number;
  readonly short: number;

  constructor(readonly blocks: Blocks) {
    this.usersAreLong = blocks.users >= blocks.items;
    [this.long, this.short] = this.usersAreLong ? [blocks.users, blocks.items] : [blocks.items, blocks.users];
  }

  get count(): number {
    return Math.ceil(this.long / this.short);
  }

  /** The tile of a block of either side, as block-schedule.ts numbers them. */
  tileOf(long: number, short: number): number {
    return this.usersAreLong ? long * this.blocks.items + short : short * this.blocks.items + long;
  }

  /** The group of a tile. */
  groupOf(tile: number): number {
    const { items } = this.blocks;
    return Math.floor((this.usersAreLong ? Math.floor(tile / items) : tile % items) / this.short);
  }

  /** Where the blocks of a group begin and end. */
  blocksOf(group: number): readonly [from: number, to: number] {
    return [group * this.short, Math.min(this.long, (group + 1) * this.short)];
  }

  /** The tiles of all strata, group by group: the order in which their ratings lie in a file. */
  *tiles(): Generator<number> {
    for (let group = 0; group < this.count; group++)
      for (let shift = 0; shift < shiftsOf(this.blocks); shift++) yield* squaresOf(this.blocks, group, shift).flat();
  }
}

/** The ratings of a training on disk. */
export interface PagedRatings {
  /** Where each tile's steps start in the file, in steps, and how many there are. */
  readonly starts: Float64Array;
  readonly counts: Int32Array;
  /** What the mean loss is over. */
  readonly ratings: number;
  /** Reads `bytes.length` bytes from step `start` on: records of plan.ts, with the addresses that `addresses` has. */
  read(start: number, bytes: Uint8Array): Promise<void>;
}

/** The components of an engine. */
export interface PagedTask {
  readonly plan: PerRatingPlan;
  readonly blocks: Blocks;
  readonly userBlock: Uint16Array;
  readonly itemBlock: Uint16Array;
  /** The stream of the order of the ratings. */
  readonly stream: Stream;
  readonly slots: readonly SlotSpec[];
  readonly rates: LearningRates;
  readonly epochs: number;
  /** The number of steps of an epoch. */
  readonly steps: number;
  /** The bytes of each of the two parts of ratings; at least those of the largest tile. */
  readonly partBytes: number;
  readonly threads: number;
  readonly host: WorkerHost | null;
  /** Told after each part of an epoch how many of its steps are done. */
  readonly onSteps?: ((epoch: number, steps: number) => void) | undefined;
}

/** Visits whose ratings are in memory at once, all of one group. */
interface Part {
  readonly group: number;
  /** Strata of squares, as those of an epoch. */
  readonly strata: TileVisit[][][];
  bytes: number;
}

/** What a memory consists of, in bytes. */
export interface PagedBytes {
  /** Descriptions of runs, learning rates and the rows of the shorter side. */
  readonly resident: number;
  /** The rows of the largest group of the longer side. */
  readonly group: number;
}

/** Where everything lies, as far as the number of rows of each block tells: known before there is a memory. */
export class PagedPlaces {
  readonly groups: Groups;
  readonly bytes: PagedBytes;
  /** Maps that rows share, which would lie in front, are not trained so. */
  readonly runsAt = CONTROL_BYTES;
  readonly ratesAt: number;
  readonly partsAt: number;
  /** The rows of users, and of items. */
  readonly places: readonly [SidePlaces, SidePlaces];

  /** @param starts - where the rows of each block start, with the number of rows at the end */
  constructor(
    spec: StepSpec,
    blocks: Blocks,
    starts: { readonly users: Int32Array; readonly items: Int32Array },
    steps: number,
  ) {
    this.groups = new Groups(blocks);
    const { usersAreLong } = this.groups;
    let end = runOf(this, blocks.users * blocks.items);
    const take = (bytes: number) => {
      const at = end;
      end = Math.ceil((end + bytes) / 16) * 16;
      return at;
    };
    this.ratesAt = take(Math.ceil(steps / STEPS_A_RATE) * RATES_BYTES);
    const side = (isUser: boolean, groups: Groups | null) => {
      const { bytes } = rowLayout(spec, isUser ? spec.user : spec.item);
      const made = new SidePlaces(isUser ? starts.users : starts.items, groups, end, bytes);
      take(made.bytes);
      return made;
    };
    const short = side(!usersAreLong, null);
    const resident = end;
    const long = side(usersAreLong, this.groups);
    this.places = usersAreLong ? [long, short] : [short, long];
    this.bytes = { resident, group: end - resident };
    this.partsAt = end;
  }
}

/** The same with the tables that rows come from and go to. Ratings are written by it. */
export class PagedLayout extends PagedPlaces {
  /** The address of each row; of the longer side, while its group is there. */
  readonly users: Int32Array;
  readonly items: Int32Array;
  /** @internal */
  readonly sides: readonly [PagedSide, PagedSide];

  constructor({ plan, blocks, userBlock, itemBlock, steps }: Omit<PagedTask, 'partBytes' | 'threads' | 'host'>) {
    const [users, items] = [orderByBlock(userBlock, blocks.users), orderByBlock(itemBlock, blocks.items)];
    super(plan.spec, blocks, { users: users.starts, items: items.starts }, steps);
    this.sides = [
      new PagedSide(plan, plan.user, users, this.places[0]),
      new PagedSide(plan, plan.item, items, this.places[1]),
    ];
    [this.users, this.items] = [this.sides[0].addresses, this.sides[1].addresses];
  }

  /** What the rule keeps, as it is in the tables. */
  readState(): TrainingState {
    const slots = this.sides.flatMap((side) => side.states());
    return { slots: new Map(slots.map(([name, lists]) => [name, lists.map((list) => list.slice())])), steps: 0 };
  }

  writeState({ slots }: TrainingState): void {
    for (const side of this.sides) {
      for (const [name, lists] of side.states())
        for (const [s, list] of lists.entries()) list.set(slots.get(name)![s]!);
    }
  }

  /** @internal */
  get short(): PagedSide {
    return this.sides[this.groups.usersAreLong ? 1 : 0];
  }

  /** @internal */
  get long(): PagedSide {
    return this.sides[this.groups.usersAreLong ? 0 : 1];
  }
}

/** The engine. */
export class PagedEngine implements Training {
  private readonly floats: Float32Array;
  private readonly words: Int32Array;
  private readonly doubles: Float64Array;

  private constructor(
    private readonly task: PagedTask,
    private readonly ratings: PagedRatings,
    private readonly layout: PagedLayout,
    private readonly memory: WebAssembly.Memory,
    private readonly program: Program,
    private readonly threads: Threads | null,
  ) {
    const { buffer } = memory;
    this.floats = new Float32Array(buffer);
    this.words = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
  }

  /** @throws Unavailable where there is no WebAssembly, or no memory of the size */
  static async create(
    task: PagedTask,
    ratings: PagedRatings,
    layout: PagedLayout,
    scheduler: Scheduler,
  ): Promise<PagedEngine> {
    const { plan, slots, threads, host, partBytes } = task;
    const isShared = threads > 1 && host !== null;
    const memory = createMemory(layout.partsAt + 2 * partBytes, isShared);
    await scheduler.yieldNow();
    const module = compile(encodeProgram(plan.spec, { pages: memory.buffer.byteLength / PAGE, isShared }));
    keep(module);
    await scheduler.yieldNow();
    const program = instantiate<Program>(module, memory);
    const workers = isShared ? await Threads.start(host, threads, module, memory, scheduler) : null;
    const engine = new PagedEngine(task, ratings, layout, memory, program, workers);
    for (const side of layout.sides) side.begin(slots);
    await engine.short.load(engine.floats, 0, scheduler);
    return engine;
  }

  get rates(): LearningRates {
    return this.task.rates;
  }

  private get short(): PagedSide {
    return this.layout.short;
  }

  private get long(): PagedSide {
    return this.layout.long;
  }

  async epoch(epoch: number, scheduler: Scheduler): Promise<number> {
    const { task, layout, ratings, floats, short, long } = this;
    const { plan, blocks, stream, steps, onSteps } = task;
    const starts = new Int32Array(ratings.counts.length + 1);
    for (let tile = 0; tile < ratings.counts.length; tile++) starts[tile + 1] = starts[tile]! + ratings.counts[tile]!;
    const strata = scheduleVisits(starts, blocks, stream.fork(epoch));
    await scheduler.yieldNow();
    writeRates({ floats, ratesAt: layout.ratesAt, steps }, task, ratedFactors(plan), epoch);
    await scheduler.yieldNow();
    await this.takeNorms(short, 0, scheduler);
    const firstStep = (epoch - 1) * steps + 1;
    const parts = this.partsOf(strata);
    let coming = parts.length > 0 ? this.read(parts[0]!, 0) : Promise.resolve();
    let group = -1;
    let done = 0;
    try {
      for (const [k, part] of parts.entries()) {
        await coming;
        coming = k + 1 < parts.length ? this.read(parts[k + 1]!, (k + 1) & 1) : Promise.resolve();
        // An error of reading is one when its turn comes.
        coming.catch(() => undefined);
        if (part.group !== group) {
          if (group >= 0) await long.store(floats, group, scheduler);
          group = part.group;
          await long.load(floats, group, scheduler);
          await this.takeNorms(long, group, scheduler);
        }
        const { threads, program } = this;
        if (threads === null) await runVisits(part.strata.flat(2), program, plan.spec, layout, firstStep, scheduler);
        else await threads.run(CALLED, shareRuns(part.strata, threads.count, layout, firstStep), scheduler);
        for (const { count } of part.strata.flat(2)) done += count;
        onSteps?.(epoch, done);
      }
    } finally {
      // Nothing is read into this memory once an epoch has ended, well or not.
      await coming.catch(() => undefined);
    }
    if (group >= 0) await long.store(floats, group, scheduler);
    await short.store(floats, 0, scheduler);
    const loss = strata.flat(2).reduce((sum, { tile }) => sum + this.doubles[(runOf(layout, tile) + RUN.loss) / 8]!, 0);
    return loss / ratings.ratings;
  }

  async readState(scheduler: Scheduler): Promise<TrainingState> {
    await this.short.store(this.floats, 0, scheduler);
    return this.layout.readState();
  }

  async writeState(state: TrainingState, scheduler: Scheduler): Promise<void> {
    this.layout.writeState(state);
    await this.short.load(this.floats, 0, scheduler);
  }

  dispose(): void {
    this.threads?.stop();
  }

  /** Visits in parts of one group each, with no more ratings than there is room for; a square may go on in the next part. */
  private partsOf(strata: readonly TileVisit[][][]): Part[] {
    const { task, layout } = this;
    const each = ratingBytes(task.plan.spec.isWeighted);
    const parts: Part[] = [];
    for (const squares of strata) {
      let own: Part | undefined;
      for (const visits of squares) {
        let square: TileVisit[] | undefined;
        for (const visit of visits) {
          const bytes = visit.count * each;
          const group = layout.groups.groupOf(visit.tile);
          let last = parts.at(-1);
          if (last === undefined || last.group !== group || last.bytes + bytes > task.partBytes) {
            last = { group, strata: [], bytes: 0 };
            parts.push(last);
          }
          if (own !== last) {
            own = last;
            own.strata.push([]);
            square = undefined;
          }
          if (square === undefined) {
            square = [];
            own.strata.at(-1)!.push(square);
          }
          square.push(visit);
          last.bytes += bytes;
        }
      }
    }
    return parts;
  }

  /** Reads the ratings of a part, and describes its runs. Ratings that lie side by side in the file are read at once. */
  private async read(part: Part, which: number): Promise<void> {
    const { words, doubles, ratings, layout, task, memory } = this;
    const { blocks, plan } = task;
    const bytes = ratingBytes(plan.spec.isWeighted);
    let at = layout.partsAt + which * task.partBytes;
    const reads: { start: number; at: number; count: number }[] = [];
    for (const square of part.strata.flat()) {
      for (const [k, visit] of square.entries()) {
        const { tile, count } = visit;
        describeRun(
          { words, doubles },
          runOf(layout, tile),
          visit,
          at,
          layout.places,
          blocks.items,
          square[k - 1]?.tile ?? Number.NaN,
        );
        const last = reads.at(-1);
        if (last !== undefined && last.start + last.count === ratings.starts[tile]!) last.count += count;
        else reads.push({ start: ratings.starts[tile]!, at, count });
        at += count * bytes;
      }
    }
    const all = reads.map(({ start, at, count }) =>
      ratings.read(start, new Uint8Array(memory.buffer, at, count * bytes)),
    );
    // All have to end, before one that failed is told of.
    const failed = (await Promise.allSettled(all)).find(({ status }) => status === 'rejected');
    if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
  }

  private async takeNorms(side: PagedSide, group: number, scheduler: Scheduler): Promise<void> {
    const { userNorms, itemNorms } = this.program;
    const norms = side === this.layout.sides[0] ? userNorms : itemNorms;
    if (norms !== undefined) await side.at.eachPart(group, scheduler, (row, count) => norms(row, count));
  }
}

/** Numbers copied between two chances to yield. */
const LOOK = 1 << 17;

/** Where the rows of a side are: all of them in memory, as group 0, or one group at a time. */
export class SidePlaces {
  /** The bytes of all rows, or of the largest group. */
  readonly bytes: number;

  constructor(
    /** The place of each block's first row; the last entry is the number of rows. */
    readonly starts: Int32Array,
    /** Null: all rows are in memory. */
    readonly groups: Groups | null,
    /** The address of the first row of a group. */
    readonly start: number,
    readonly rowBytes: number,
  ) {
    let most = 0;
    for (let group = 0; group < this.count; group++) {
      const [from, to] = this.placesOf(group);
      most = Math.max(most, to - from);
    }
    this.bytes = most * rowBytes;
  }

  /** The number of groups. */
  get count(): number {
    return this.groups?.count ?? 1;
  }

  /** Where the rows of a block are while they are there; or of the blocks `block` to `end` of a group. */
  block(block: number, end = block + 1): { readonly start: number; readonly bytes: number } {
    const { starts } = this;
    const group = this.groups === null ? 0 : Math.floor(block / this.groups.short);
    const [from] = this.placesOf(group);
    return {
      start: this.start + (starts[block]! - from) * this.rowBytes,
      bytes: (starts[end]! - starts[block]!) * this.rowBytes,
    };
  }

  /** Visits the rows of a group in parts: the address of the part, how many, and the place of the first. */
  async eachPart(
    group: number,
    scheduler: Scheduler,
    visit: (address: number, count: number, from: number) => void,
  ): Promise<void> {
    const [first, end] = this.placesOf(group);
    const part = Math.max(1, Math.floor(LOOK / (this.rowBytes / 4)));
    for (let from = first; from < end; from += part) {
      const count = Math.min(part, end - from);
      visit(this.start + (from - first) * this.rowBytes, count, from);
      if (scheduler.isDue(part)) await scheduler.yieldNow();
    }
  }

  /** The places of a group's rows. */
  placesOf(group: number): readonly [from: number, to: number] {
    const { starts } = this;
    if (this.groups === null) return [0, starts.at(-1)!];
    const [from, to] = this.groups.blocksOf(group);
    return [starts[from]!, starts[to]!];
  }
}

/** The rows of a side and their tables. What is not in memory is in the tables. */
class PagedSide {
  readonly addresses: Int32Array;
  /** The rows in the order of their places. */
  private readonly rows: Int32Array;
  private readonly layout: RowLayout;
  private readonly cells: readonly { readonly factor: Factor; readonly cell: Cell }[];
  /** The rule's memory of each factor, slot by slot. */
  private state: readonly { readonly length: number; readonly data: Real }[][] = [];

  constructor(
    { spec }: PerRatingPlan,
    private readonly tables: SideTables,
    { places }: RowOrder,
    readonly at: SidePlaces,
  ) {
    this.layout = rowLayout(spec, tables.spec);
    const { base, diagonals, scalars, bias } = this.layout;
    const maps = [...diagonals, ...scalars].map((cell, l) => ({ factor: tables.maps[l]!, cell }));
    const ofBias = bias === null ? [] : [{ factor: tables.bias!, cell: bias }];
    this.cells = [{ factor: tables.base, cell: base }, ...maps, ...ofBias];
    this.rows = new Int32Array(places.length);
    for (let row = 0; row < places.length; row++) this.rows[places[row]!] = row;
    this.addresses = new Int32Array(places.length);
    for (let group = 0; group < at.count; group++) {
      const [from, to] = at.placesOf(group);
      for (let place = from; place < to; place++)
        this.addresses[this.rows[place]!] = at.start + (place - from) * at.rowBytes;
    }
  }

  /** Starts the rule's memory. */
  begin(slots: readonly SlotSpec[]): void {
    this.state = this.cells.map(({ factor }) =>
      slots.map((slot) => ({ length: slot.shape === 'row' ? 1 : factor.cols, data: emptySlot(slot, factor) })),
    );
  }

  /** The rule's memory, by the names of the factors. */
  states(): (readonly [name: string, slots: Real[]])[] {
    return this.cells.map(({ factor }, c) => [factor.name, this.state[c]!.map(({ data }) => data)]);
  }

  /** Copies factors, slots and penalties of a group into memory. */
  async load(memory: Float32Array, group: number, scheduler: Scheduler): Promise<void> {
    const { layout, tables, rows } = this;
    const step = this.at.rowBytes / 4;
    const [decay, biasDecay] = [layout.decay / 4, layout.biasDecay / 4];
    await this.at.eachPart(group, scheduler, (address, count, from) => {
      this.eachColumn((data, cols, offset) => {
        for (let k = 0, at = (address + offset) / 4; k < count; k++, at += step) {
          const row = rows[from + k]! * cols;
          for (let i = 0; i < cols; i++) memory[at + i] = data[row + i]!;
        }
      });
      for (let k = 0, at = address / 4; k < count; k++, at += step) {
        memory[at + decay] = tables.decay[rows[from + k]!]!;
        memory[at + biasDecay] = tables.biasDecay[rows[from + k]!]!;
      }
    });
  }

  /** Copies factors and slots of a group back. */
  async store(memory: Float32Array, group: number, scheduler: Scheduler): Promise<void> {
    const { rows } = this;
    const step = this.at.rowBytes / 4;
    await this.at.eachPart(group, scheduler, (address, count, from) => {
      this.eachColumn((data, cols, offset) => {
        for (let k = 0, at = (address + offset) / 4; k < count; k++, at += step) {
          const row = rows[from + k]! * cols;
          for (let i = 0; i < cols; i++) data[row + i] = memory[at + i]!;
        }
      });
    });
  }

  /** Tells of every array with numbers of rows: how many of a row, and where they are in it, in bytes. */
  private eachColumn(tell: (data: Real, cols: number, offset: number) => void): void {
    for (const [c, { factor, cell }] of this.cells.entries()) {
      tell(factor.data, factor.cols, cell.at);
      for (const [s, { data, length }] of this.state[c]!.entries()) tell(data, length, cell.slots[s]!);
    }
  }
}
