// Steps of a ranking loss, or of logistic with negatives, in WebAssembly from end to end: what Stepper makes of the batches
// of CandidateBatcher, with the same bits, without a way back to JavaScript in every step. For factorizations whose tables
// are plain.

import { forEachChunk, type Scheduler } from '../core/scheduler';
import type { WorkerHost } from '../core/worker-host';
import { isPerRow, slotsOf, type UpdateRule } from '../kernels/update-rules';
import { READ_AHEAD } from '../kernels/walk';
import { Factorization } from '../models/factorization';
import type { RatingData } from '../models/model';
import type { Factor, Real } from '../optimizers/factor';
import { LearningRates } from '../optimizers/learning-rate';
import type { Optimizer } from '../optimizers/optimizer';
import { updateRuleOf } from '../optimizers/registry';
import type { Parameter, Penalty } from '../parameters/parameter';
import { PlainTable } from '../parameters/table';
import { compile, createMemory, instantiate, isWanted, type KernelChoice, PAGE, withoutWasm } from '../wasm/host';
import type { CandidateBatcher } from './candidate-batches';
import {
  CANDIDATE_RATES,
  CANDIDATE_RUN,
  type CandidateLoss,
  type CandidateSpec,
  encodeCandidates,
  FILTER,
  FILTER_HASH,
  recordBytes,
  SAMPLER,
  type SideAddresses,
  STREAM,
  scratchOf,
  type TableAddresses,
} from './candidate-program';
import type { Training, TrainingState } from './fit';
import { bpr, type Loss, logistic, softmax, Warp } from './losses';
import { emptySlot } from './optimizer-sink';
import { progressAt, RATE_SHIFT } from './per-rating/plan';
import { type Calls, share, Threads } from './threads';

/** Candidates between two looks at the event loop, times the numbers of a row: about a millisecond. */
const NUMBERS_A_CALL = 1 << 18;
/** Interactions that are laid out at once. */
const PART = 1 << 13;
/** Numbers that are copied at once. */
const NUMBERS = 1 << 16;

/** What threads call, by number. */
const CALLED = ['run'];

/** The components of a training. */
export interface CandidateTask {
  readonly model: unknown;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly penalties: readonly Penalty[];
  readonly data: RatingData;
  /** Prepared already. */
  readonly batcher: CandidateBatcher;
  readonly epochs: number;
  readonly batchSize: number;
  /** The most runs of an epoch. */
  readonly runs: number;
  /** Parts of the items, shares of which threads take at once. */
  readonly parts: number;
  readonly kernels: KernelChoice;
  /** More than 1 only with a host. */
  readonly threads: number;
  readonly host: WorkerHost | null;
}

/** Some interactions that lie one after another, and are trained on one after another. */
interface Run {
  /** The address of its description. */
  readonly at: number;
  readonly visit: number;
  readonly steps: number;
}

/** A factor, the rule's memory of it, and where both lie. */
interface Held {
  readonly factor: Factor;
  readonly at: number;
  readonly slots: readonly number[];
}

/** The engine. */
export class CandidateEngine implements Training {
  readonly rates: LearningRates;
  private readonly floats: Float32Array;
  private readonly words: Int32Array;
  private readonly doubles: Float64Array;
  /** The steps of earlier epochs. */
  private steps = 0;
  /** The items of the parts that have been written. */
  private drawable = 0;

  private constructor(
    private readonly task: CandidateTask,
    private readonly spec: CandidateSpec,
    private readonly layout: Layout,
    memory: WebAssembly.Memory,
    private readonly program: { run(run: number, steps: number, scratch: number, firstStep: number): void },
    private readonly threads: Threads | null,
  ) {
    this.rates = new LearningRates(task.optimizer.config.learningRate);
    const { buffer } = memory;
    this.floats = new Float32Array(buffer);
    this.words = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
  }

  /**
   * Null where steps have to be made by a Stepper: without WebAssembly, and of models, rules and losses that no program is
   * written for. @throws UnsupportedError if WebAssembly is required but not available
   */
  static async create(task: CandidateTask, scheduler: Scheduler): Promise<CandidateEngine | null> {
    const { kernels, threads } = task;
    const plan = candidatePlan(task);
    if (plan === null || !isWanted(kernels)) return null;
    // If shared memory is not available, unshared memory for one thread may be.
    for (const isShared of threads > 1 ? [true, false] : [false]) {
      try {
        return await CandidateEngine.load(task, plan, isShared, scheduler);
      } catch (error) {
        withoutWasm(isShared ? 'auto' : kernels, error);
      }
    }
    return null;
  }

  private static async load(
    task: CandidateTask,
    plan: CandidatePlan,
    isShared: boolean,
    scheduler: Scheduler,
  ): Promise<CandidateEngine> {
    const threads = isShared ? Math.min(task.threads, task.parts) : 1;
    const layout = new Layout(task, plan, threads);
    const memory = createMemory(layout.bytes, isShared);
    await scheduler.yieldNow();
    const pages = memory.buffer.byteLength / PAGE;
    const module = compile(encodeCandidates(layout.spec, { pages, isShared }));
    await scheduler.yieldNow();
    const program = instantiate<CandidateEngine['program']>(module, memory);
    const workers = isShared ? await Threads.start(task.host!, threads, module, memory, scheduler) : null;
    const engine = new CandidateEngine(task, layout.spec, layout, memory, program, workers);
    await engine.fill(scheduler);
    return engine;
  }

  async epoch(epoch: number, scheduler: Scheduler): Promise<number> {
    const { task, layout, threads } = this;
    const runs = await this.begin(epoch, scheduler);
    if (threads !== null) await threads.run(CALLED, this.shares(runs, threads.count), scheduler);
    else await this.runAll(runs, scheduler);
    const loss = this.lossOf(runs);
    this.steps += runs.reduce((sum, { steps }) => sum + steps, 0);
    for (const { factor, at } of layout.held) await copy(this.part(at, factor.data.length), factor.data, scheduler);
    return loss / (task.data.ratings ?? task.data.size);
  }

  dispose(): void {
    this.threads?.stop();
  }

  private async runAll(runs: readonly Run[], scheduler: Scheduler): Promise<void> {
    const { task, layout, program, doubles, spec } = this;
    const candidates = spec.group * spec.batchSize;
    const most = Math.max(1, Math.floor(NUMBERS_A_CALL / (spec.rank * candidates)));
    for (const [k, { at, steps }] of runs.entries()) {
      // The losses of a share are one sum.
      if (task.parts === 1 && k > 0) doubles[(at + CANDIDATE_RUN.loss) / 8] = this.lossOf([runs[k - 1]!]);
      for (let done = 0; done < steps; done += most) {
        const some = Math.min(most, steps - done);
        program.run(at, some, layout.scratch[0]!, this.steps + 1);
        if (scheduler.isDue(some * candidates)) await scheduler.yieldNow();
      }
    }
  }

  /** The calls of each thread, by stratum. */
  private shares(runs: readonly Run[], threads: number): Calls[][] {
    const { task, layout } = this;
    const strata = Array.from({ length: task.parts }, (_, stratum) => {
      const inside = runs.filter(({ visit }) => Math.floor(visit / task.parts) === stratum);
      return share(
        inside.map((run) => ({ run, cost: run.steps })),
        threads,
      );
    });
    return Array.from({ length: threads }, (_, thread) =>
      strata.map((shares) =>
        shares[thread]!.flatMap(({ run }) => [0, run.at, run.steps, layout.scratch[thread]!, this.steps + 1]),
      ),
    );
  }

  /** The sum of the losses of some runs; of the last where they are one sum. */
  private lossOf(runs: readonly Run[]): number {
    const losses = runs.map(({ at }) => this.doubles[(at + CANDIDATE_RUN.loss) / 8]!);
    return this.task.parts === 1 ? losses.at(-1)! : losses.reduce((sum, loss) => sum + loss, 0);
  }

  async readState(): Promise<TrainingState> {
    const slots = this.layout.held.map(({ factor, slots }): [string, Real[]] => [
      factor.name,
      slots.map((at) => this.part(at, factor.data.length).slice()),
    ]);
    return { slots: new Map(slots), steps: this.steps };
  }

  async writeState({ slots, steps }: TrainingState, scheduler: Scheduler): Promise<void> {
    this.steps = steps;
    for (const { factor, slots: places } of this.layout.held)
      for (const [s, at] of places.entries())
        await copy(slots.get(factor.name)![s]!, this.part(at, factor.data.length), scheduler);
  }

  private part(at: number, length: number): Float32Array {
    return this.floats.subarray(at / 4, at / 4 + length);
  }

  /** Lays out the interactions of an epoch in their order, with the rates of its steps; its runs. */
  private async begin(epoch: number, scheduler: Scheduler): Promise<Run[]> {
    const { task, spec, layout, words, floats, doubles } = this;
    const { batcher } = task;
    const { inner } = batcher;
    const size = recordBytes(spec.isWeighted) / 4;
    batcher.beginParts(epoch);
    for (let part = 0; part < task.parts; part++) await this.writeSampler(part, scheduler);
    const runs: Run[] = [];
    let record = layout.records / 4;
    let visit = -1;
    let count = 0;
    let before = 0;
    const end = () => {
      if (count === 0) return;
      const at = layout.runs + runs.length * CANDIDATE_RUN.bytes;
      words[(at + CANDIDATE_RUN.records) / 4] = 4 * (record - count * size);
      words[(at + CANDIDATE_RUN.left) / 4] = count;
      words[(at + CANDIDATE_RUN.step) / 4] = before;
      doubles[(at + CANDIDATE_RUN.loss) / 8] = 0;
      const share = task.parts === 1 ? 0 : visit;
      words[(at + CANDIDATE_RUN.sampler) / 4] = layout.sampler + (batcher.parts?.ofShare(share) ?? 0) * SAMPLER.bytes;
      words[(at + CANDIDATE_RUN.stream) / 4] = layout.stream + share * STREAM.bytes;
      if (task.parts > 1 || runs.length === 0) this.writeStream(share);
      const steps = Math.ceil(count / spec.batchSize);
      runs.push({ at, visit, steps });
      before += steps;
      count = 0;
    };
    for (let batch = inner.next(PART); batch !== null; batch = inner.next(PART)) {
      if (batch.visit !== visit) end();
      visit = batch.visit;
      const { users, items, weights } = batch;
      for (let k = 0; k < batch.count; k++, record += size) {
        words[record] = users[k]!;
        words[record + 1] = items[k]!;
        if (weights !== null) floats[record + 2] = weights[k]!;
      }
      count += batch.count;
      if (scheduler.isDue(batch.count)) await scheduler.yieldNow();
    }
    end();
    await this.writeRates(epoch, runs, scheduler);
    return runs;
  }

  /** The rates as Stepper has them. */
  private async writeRates(epoch: number, runs: readonly Run[], scheduler: Scheduler): Promise<void> {
    const { task, spec, layout, rates, words, floats } = this;
    const { epochs, batcher } = task;
    const { batchSize } = spec;
    const [{ factor: embedding }, , bias] = layout.held as [Held, Held, Held?];
    const write = (index: number) => {
      const at = (layout.rates + index * CANDIDATE_RATES) / 4;
      floats[at] = rates.learningRateOf(embedding);
      if (bias !== undefined) floats[at + 1] = rates.learningRateOf(bias.factor);
    };
    const first = this.steps + 1;
    if (batchSize === 1) {
      for (let step = 0, index = 0; step < batcher.size; step += 1 << RATE_SHIFT, index++) {
        rates.begin(first + step, progressAt(step, batcher.steps, epoch, epochs));
        write(index);
      }
      return;
    }
    let step = 0;
    let seen = 0;
    for (const { at } of runs) {
      for (let left = words[(at + CANDIDATE_RUN.left) / 4]!; left > 0; left -= batchSize) {
        const ratings = Math.min(left, batchSize);
        rates.begin(first + step, (epoch - 1 + seen / batcher.size) / epochs, ratings);
        write(step++);
        seen += ratings;
        if (scheduler.isDue(1)) await scheduler.yieldNow();
      }
    }
  }

  private writeStream(share: number): void {
    const { words, layout, task } = this;
    const at = layout.stream + share * STREAM.bytes;
    const { key0, key1 } = task.batcher.streamOf(share);
    words[(at + STREAM.key0) / 4] = key0;
    words[(at + STREAM.key1) / 4] = key1;
    words[(at + STREAM.counter) / 4] = 0;
  }

  /** Writes what draws the items of a part of the epoch, after those of the parts before it. */
  private async writeSampler(part: number, scheduler: Scheduler): Promise<void> {
    const { task, layout, words, doubles } = this;
    const { items, table } = task.batcher.samplerOf(part);
    const at = (layout.sampler + part * SAMPLER.bytes) / 4;
    if (part === 0) this.drawable = 0;
    const from = this.drawable;
    this.drawable += items.length;
    const [start, keep, other] = [layout.items + 4 * from, layout.keep + 8 * from, layout.other + 4 * from];
    words[at + SAMPLER.items / 4] = start;
    words[at + SAMPLER.count / 4] = items.length;
    words[at + SAMPLER.keep / 4] = keep;
    words[at + SAMPLER.other / 4] = other;
    await copy(items, words.subarray(start / 4), scheduler);
    if (table === null) return;
    await copy(table.keep, doubles.subarray(keep / 8), scheduler);
    await copy(table.other, words.subarray(other / 4), scheduler);
  }

  /** @see FILTER */
  private async writeFilters(scheduler: Scheduler): Promise<void> {
    const { task, spec, layout, words } = this;
    const { starts, items } = task.batcher.positives;
    let word = layout.filters / 4;
    await forEachChunk(starts.length - 1, scheduler, (from, to) => {
      for (let user = from; user < to; user++) {
        const bits = filterBits(starts, user);
        const shift = 32 - bits;
        const at = (spec.positives.filters + user * FILTER.bytes) / 4;
        words[at + FILTER.words / 4] = 4 * word;
        words[at + FILTER.shift / 4] = shift;
        for (let k = starts[user]!; k < starts[user + 1]!; k++) {
          const bit = Math.imul(items[k]!, FILTER_HASH) >>> shift;
          words[word + (bit >>> 5)]! |= 1 << (bit & 31);
        }
        word += 1 << (bits - 5);
      }
    });
  }

  /** Puts in what stays. */
  private async fill(scheduler: Scheduler): Promise<void> {
    const { task, layout, spec, words, floats, doubles } = this;
    const { sampler, positives } = task.batcher;
    const { slots } = task.optimizer;
    for (const { factor, at, slots: places } of layout.held) {
      await copy(factor.data, this.part(at, factor.data.length), scheduler);
      for (const [s, place] of places.entries())
        await copy(emptySlot(slots[s]!, factor), this.part(place, factor.data.length), scheduler);
    }
    for (const { at, strengths } of layout.lambdas) await copy(strengths, doubles.subarray(at / 8), scheduler);
    await copy(positives.starts, words.subarray(spec.positives.starts / 4), scheduler);
    await copy(positives.items, words.subarray(spec.positives.items / 4), scheduler);
    await this.writeFilters(scheduler);
    await copy(sampler.logChance, floats.subarray(spec.logChance / 4), scheduler);
    for (const { slotOf, rows } of layout.selections) words.fill(-1, slotOf / 4, slotOf / 4 + rows);
    if (!spec.isWeighted) return;
    const { identity, once, count } = scratchOf(spec);
    for (const scratch of layout.scratch) {
      for (let k = 0; k < count; k++) words[(scratch + identity) / 4 + k] = k;
      words.fill(1, (scratch + once) / 4, (scratch + once) / 4 + count);
    }
  }
}

/** Copies an array in parts. */
async function copy<T extends Real | Int32Array>(from: T, to: T, scheduler: Scheduler): Promise<void> {
  for (let at = 0; at < from.length; at += NUMBERS) {
    to.set(from.subarray(at, at + NUMBERS), at);
    if (scheduler.isDue(NUMBERS >> 4)) await scheduler.yieldNow();
  }
}

/** What a program can be written for. */
interface CandidatePlan {
  readonly model: Factorization;
  readonly loss: CandidateLoss;
  readonly rule: UpdateRule;
}

/** Null: it cannot. */
export function candidatePlan({
  model,
  loss: given,
  optimizer,
  data,
}: Pick<CandidateTask, 'model' | 'loss' | 'optimizer' | 'data'>): CandidatePlan | null {
  if (!(model instanceof Factorization) || !(data.targets instanceof Float32Array)) return null;
  const isPlain = model.parameters.every(
    (table) => table instanceof PlainTable && table.precision === 'float32' && table.base.constraint === undefined,
  );
  const rule = updateRuleOf(optimizer);
  const loss = candidateLoss(given);
  // A rate for a whole row is worked out by the rule's own loop.
  return isPlain && rule !== null && !isPerRow(rule) && loss !== null ? { model, loss, rule } : null;
}

function candidateLoss(loss: Loss): CandidateLoss | null {
  if (loss instanceof Warp) return { name: 'warp', items: loss.items };
  const builtIn = [bpr, softmax, logistic].find((known) => known === loss);
  return builtIn === undefined ? null : { name: builtIn.name as 'bpr' | 'softmax' | 'logistic' };
}

/** The logarithm of the bits of a user's filter: 16 or more for an item, at least a word. */
function filterBits(starts: Int32Array, user: number): number {
  return Math.max(5, 36 - Math.clz32(starts[user + 1]! - starts[user]!));
}

/** The words of all filters. */
function filterWords(starts: Int32Array): number {
  let words = 0;
  for (let user = 0; user + 1 < starts.length; user++) words += 1 << (filterBits(starts, user) - 5);
  return words;
}

/** In front of everything else: room for the threads' barrier. */
const CONTROL_BYTES = 64;
/** Between arrays: see candidate-program.ts. */
const GAP = 320;

/** Where everything lies. */
class Layout {
  readonly spec: CandidateSpec;
  /** Embeddings first: of users, of items; then their biases. */
  readonly held: readonly Held[];
  readonly lambdas: { readonly at: number; readonly strengths: Float64Array }[] = [];
  readonly selections: readonly { readonly slotOf: number; readonly rows: number }[];
  readonly runs: number;
  readonly sampler: number;
  readonly stream: number;
  readonly rates: number;
  readonly records: number;
  readonly items: number;
  readonly keep: number;
  readonly other: number;
  readonly filters: number;
  /** By thread. */
  readonly scratch: readonly number[];
  private end = CONTROL_BYTES;

  constructor(
    { data, batcher, penalties, batchSize: most, runs, parts }: CandidateTask,
    { model, loss, rule }: CandidatePlan,
    threads: number,
  ) {
    const { positives, sampler, group } = batcher;
    const isWeighted = data.weights !== null;
    const batchSize = Math.min(most, data.size);
    const isSingle = batchSize === 1;
    this.runs = this.take(runs * CANDIDATE_RUN.bytes);
    this.sampler = this.take(parts * SAMPLER.bytes);
    this.stream = this.take(parts * parts * STREAM.bytes);
    const steps = isSingle ? Math.ceil(data.size / (1 << RATE_SHIFT)) : Math.ceil(data.size / batchSize) + runs;
    this.rates = this.take(steps * CANDIDATE_RATES);
    this.records = this.take(data.size * recordBytes(isWeighted));
    this.items = this.take(sampler.items.length * 4);
    this.keep = this.take(sampler.table === null ? 0 : sampler.items.length * 8);
    this.other = this.take(sampler.table === null ? 0 : sampler.items.length * 4);
    const held: Held[] = [];
    const table = (parameter: Parameter): TableAddresses => {
      const [factor] = parameter.factors as [Factor];
      const { length } = factor.data;
      const at = this.take(length * 4);
      const slots = Array.from({ length: slotsOf(rule) }, () => this.take(length * 4));
      held.push({ factor, at, slots });
      const penalty = penalties.find((one) => one.parameter === parameter);
      const strengths = penalty?.byRow ?? null;
      const byRow = strengths === null ? 0 : this.take(strengths.length * 8);
      if (strengths !== null) this.lambdas.push({ at: byRow, strengths });
      return { values: at, slots, penalty: { byRow, strength: penalty?.strength ?? 0 } };
    };
    const side = (embedding: TableAddresses, bias: Parameter | null, rows: number): SideAddresses => ({
      embedding,
      bias: bias && table(bias),
      slotOf: this.take(rows * 4),
    });
    const [users, items] = [table(model.userEmbedding), table(model.itemEmbedding)];
    const user = side(users, model.userBias, model.users);
    const item = side(items, model.itemBias, model.items);
    this.held = held;
    this.selections = [
      { slotOf: user.slotOf, rows: model.users },
      { slotOf: item.slotOf, rows: model.items },
    ];
    this.spec = {
      ...{ rank: model.rank, group, batchSize, isWeighted, loss, rule, user, item },
      mean: Math.fround(model.globalMean),
      isUniform: sampler.table === null,
      positives: {
        starts: this.take(positives.starts.length * 4),
        items: this.take(positives.items.length * 4 + 4),
        filters: this.take(model.users * FILTER.bytes),
      },
      logChance: this.take(sampler.logChance.length * 4),
      rates: this.rates,
      rateShift: isSingle ? RATE_SHIFT : 0,
    };
    this.filters = this.take(4 * filterWords(positives.starts));
    this.scratch = Array.from({ length: threads }, () => this.take(scratchOf(this.spec).bytes));
  }

  get bytes(): number {
    return this.end + READ_AHEAD;
  }

  private take(bytes: number): number {
    const at = this.end;
    this.end += Math.ceil(bytes / 64) * 64 + GAP;
    return at;
  }
}
