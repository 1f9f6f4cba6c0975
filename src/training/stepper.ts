// Training by batches. One step: select -> penalty -> forward -> loss -> backward -> pullback into the optimizer. It
// knows neither what the model scores nor what its parameters are made of.

import { A_LOOK, forEachChunk, type Pausable, runYielding, type Scheduler, TaskScheduler } from '../core/scheduler';
import * as kernels from '../kernels/dispatch';
import { Heap, type Move, moveOut } from '../kernels/heap';
import { type Batch, layersOf, type Model, type RatingData, type Scorer } from '../models/model';
import type { Real } from '../optimizers/factor';
import { allocate, type Parameter, type Penalty } from '../parameters/parameter';
import type { KernelChoice } from '../wasm/host';
import type { Training, TrainingState } from './fit';
import type { Loss, LossBatch } from './losses';
import type { OptimizerSink } from './optimizer-sink';
import { progressAt, STEPS_A_RATE } from './per-rating/plan';
import type { Batcher, RowPlaces } from './rating-batches';
import type { TeamPlan } from './team';
import type { Threads } from './threads';

/** The input of the loss, rewritten for each step. */
type Scored = { -readonly [key in keyof LossBatch]: LossBatch[key] };

/**
 * Makes the steps of the examples of a batch, each by itself, in one call, with the bits of one by one: adds their losses to
 * `sum`. null: not on this heap.
 */
export type ManySteps<B extends Batch> = (
  heap: Heap,
  sink: OptimizerSink,
) => ((batch: B, firstStep: number, sum: number) => number) | null;

/** Makes the steps of batches, one by one. */
export class Stepper<B extends Batch> implements Training {
  private gScores: Real;
  /** The input of the loss in a step: one object for the whole fit. */
  private readonly scored: Scored;
  private readonly batchSize: number;
  /** The parameters whose gradients start at 0. */
  private readonly unpenalized: readonly Parameter[];
  private steps = 0;
  /** The heap with the arrays of the training, if they are in WebAssembly memory. */
  private heap: Heap | null = null;
  /** Steps of one example, as many as share their rates. */
  private many: ReturnType<ManySteps<B>> = null;
  /** The threads that help; undefined until the first epoch. */
  private helpers: Threads | null | undefined;
  private readonly moveModel = (move: Move): void => {
    for (const parameter of this.model.parameters) parameter.move(move);
    for (const penalty of this.penalties) penalty.move(move);
    this.model.move?.(move);
  };
  private readonly moveAll = (move: Move): void => {
    const { batcher, sink, scored } = this;
    this.moveModel(move);
    batcher.move(move);
    sink.move(move);
    this.gScores = move(this.gScores);
    scored.scores = move(scored.scores);
  };

  constructor(
    private readonly model: Scorer<B>,
    private readonly loss: Loss,
    private readonly penalties: readonly Penalty[],
    private readonly batcher: Batcher<B>,
    private readonly sink: OptimizerSink,
    private readonly data: Pick<RatingData, 'size' | 'ratings' | 'targets'>,
    private readonly grouping: 1 | 4,
    private readonly options: { readonly epochs: number; readonly batchSize: number; readonly group?: number },
    choice: KernelChoice = 'js',
    private readonly packing: RowPacking | null = null,
    manySteps: ManySteps<B> | null = null,
    /** Who makes large calls, where there are several. */
    private readonly team: TeamPlan | null = null,
  ) {
    // A step has at most as many ratings as there are: more space would be wasted.
    this.batchSize = Math.min(options.batchSize, data.size);
    const precision = data.targets instanceof Float64Array ? 'float64' : 'float32';
    const room = this.batchSize * grouping * (options.group ?? 1);
    this.gScores = allocate(precision, room);
    this.scored = {
      scores: allocate(precision, room),
      targets: data.targets,
      weights: null,
      group: 1,
      logQ: null,
      count: 0,
    };
    if (model.reserve === undefined) for (const parameter of model.parameters) parameter.reserve(room);
    else model.reserve(room);
    const isMany = manySteps !== null && this.batchSize === 1;
    batcher.reserve(isMany ? STEPS_A_RATE : this.batchSize);
    const penalized = new Set(penalties.map(({ parameter }) => parameter));
    this.unpenalized = model.parameters.filter((parameter) => !penalized.has(parameter));
    if (precision === 'float32') {
      this.heap = Heap.holding(this.moveAll, choice, team !== null);
      if (this.heap !== null && isMany) this.many = manySteps(this.heap, sink);
      if (this.heap !== null && this.many === null) sink.runOn(this.heap);
    }
  }

  get rates() {
    return this.sink.rates;
  }

  async readState(): Promise<TrainingState> {
    return { slots: this.sink.readState(), steps: this.steps };
  }

  async writeState({ slots, steps }: TrainingState): Promise<void> {
    this.sink.writeState(slots);
    this.steps = steps;
  }

  /** Moves the model's arrays back to ordinary memory. No steps after that. */
  dispose(): void {
    this.helpers?.stop();
    if (this.heap !== null) moveOut(this.moveModel);
    this.heap = null;
  }

  async epoch(epoch: number, scheduler: Scheduler): Promise<number> {
    const { packing, data } = this;
    const { ratings = data.size } = data;
    if (this.helpers === undefined && this.heap !== null)
      this.helpers = (await this.team?.start(this.heap, scheduler)) ?? null;
    await packing?.pack();
    try {
      return (await this.run(epoch, scheduler)) / ratings;
    } finally {
      await packing?.unpack();
    }
  }

  /** Returns the sum of the losses; stops early if it is no longer finite. */
  private async run(epoch: number, scheduler: Scheduler): Promise<number> {
    const { batcher, batchSize, options, many, model } = this;
    const isSingle = batchSize === 1;
    const isLong = layersOf(model.parameters).length > 0;
    batcher.begin(epoch);
    // The losses of a share are added up by themselves, as threads do.
    let whole = 0;
    let share = 0;
    let sum = 0;
    let seen = 0;
    const limit = many === null ? batchSize : STEPS_A_RATE;
    for (let batch = batcher.next(limit); batch !== null; batch = batcher.next(limit)) {
      const progress = isSingle
        ? progressAt(seen, batcher.steps, epoch, options.epochs)
        : (epoch - 1 + seen / batcher.size) / options.epochs;
      if (batcher.parts && batch.visit! !== share) {
        whole += sum;
        sum = 0;
        share = batch.visit!;
      }
      if (isLong) sum += await runYielding(this.stepInTurns(batch, progress), scheduler);
      else if (many === null) sum += this.step(batch, progress);
      else {
        this.sink.begin(this.steps + 1, progress);
        sum = many(batch, this.steps + 1, sum);
        this.steps += batch.count;
      }
      seen += isSingle && many === null ? 1 : batch.count / (batch.group ?? 1);
      if (scheduler.isDue(many === null ? batch.count : A_LOOK)) {
        if (!Number.isFinite(sum)) return sum;
        await scheduler.yieldNow();
      }
    }
    return whole + sum;
  }

  /** One update from one batch; returns the summed loss. `progress` is the fraction of the fit that is done. */
  step(batch: B, progress: number): number {
    const { model, scored, gScores, sink } = this;
    this.begin(batch, progress);
    model.forward(batch, scored.scores, this.steps);
    const loss = this.evaluate(batch);
    model.backward(batch, gScores);
    const { parameters } = model;
    for (let i = 0; i < parameters.length; i++) parameters[i]!.pullback(sink);
    return loss;
  }

  /** The same with pauses between layers. */
  private *stepInTurns(batch: B, progress: number): Pausable<number> {
    const { model, scored, gScores, sink } = this;
    this.begin(batch, progress);
    yield;
    yield* model.forwardInTurns!(batch, scored.scores, this.steps);
    const loss = this.evaluate(batch);
    yield* model.backwardInTurns!(batch, gScores);
    for (const parameter of model.parameters) {
      parameter.pullback(sink);
      yield;
    }
    return loss;
  }

  /**
   * How many ratings the gradient of a batch is the mean over: all of it, or what users have in it; that of ratings of one
   * user that are taken together is their sum.
   */
  private ratingsIn({ count, group = 1 }: B): number {
    return this.grouping === 1 ? count / group : 1;
  }

  /** What comes before the scores: rates, rows, and what gradients start at. */
  private begin(batch: B, progress: number): void {
    const { model, penalties, unpenalized, sink } = this;
    const ratings = this.ratingsIn(batch);
    sink.begin(++this.steps, progress, this.batchSize > 1 ? ratings : undefined);
    model.select(batch);
    const isWeighted = batch.weights !== null;
    if (isWeighted) model.weigh(batch);
    // Before the scores: of all passes over the rows, this one waits least for memory.
    for (let i = 0; i < penalties.length; i++) penalties[i]!.start(ratings, isWeighted);
    for (let i = 0; i < unpenalized.length; i++) unpenalized[i]!.clear();
  }

  /** The loss of the scores, and its gradient. */
  private evaluate(batch: B): number {
    const { scored, gScores } = this;
    const { count, group = 1, logQ = null } = batch;
    const ratings = this.ratingsIn(batch);
    scored.targets = batch.targets;
    scored.weights = batch.weights;
    scored.group = group;
    scored.logQ = logQ;
    scored.count = count;
    const loss = this.loss.evaluate(scored, gScores);
    if (ratings > 1) kernels.divide(gScores, ratings, count);
    return loss;
  }
}

/** Numbers copied at once. */
const PART = 1 << 16;

/**
 * Rows of large tables in the order of their tiles while an epoch runs: packs and unpacks what a training keeps by row
 * (factors, the rule's memory, penalties). A batch takes its rows from one tile; where these are scattered over a table of
 * many pages, the processor takes longer to find the pages than to read the rows. In between, rows go by places.
 */
export class RowPacking {
  private isPacked = false;

  constructor(
    private readonly sides: Model<Batch>['sides'],
    private readonly penalties: readonly Penalty[],
    private readonly sink: OptimizerSink,
    private readonly places: RowPlaces,
  ) {}

  /** Moves row r to its place. */
  async pack(): Promise<void> {
    const { users, items } = this.places;
    await this.reorder(inverse(users), inverse(items));
    this.isPacked = true;
  }

  /** Moves rows back, if they are packed. */
  async unpack(): Promise<void> {
    if (!this.isPacked) return;
    const { users, items } = this.places;
    await this.reorder(users, items);
    this.isPacked = false;
  }

  /** Row r becomes the former row `users[r]` or `items[r]`. */
  private async reorder(users: Int32Array, items: Int32Array): Promise<void> {
    // Yields to other tasks, but ignores aborts, which would leave rows half moved. The steps notice the abort.
    const scheduler = new TaskScheduler(undefined);
    for (const { array, cols } of this.arraysOf(this.sides.users)) await gatherRows(array, cols, users, scheduler);
    for (const { array, cols } of this.arraysOf(this.sides.items)) await gatherRows(array, cols, items, scheduler);
  }

  /** The current arrays with entries for each row of a side; they move to and from WebAssembly memory. */
  private arraysOf(side: readonly Parameter[]): { array: Real; cols: number }[] {
    const factors = side.flatMap(({ rowFactors }) => rowFactors);
    const strengths = this.penalties.flatMap(({ parameter, byRow }) =>
      byRow !== null && side.includes(parameter) ? [{ array: byRow, cols: 1 }] : [],
    );
    return [
      ...factors.map(({ data, cols }) => ({ array: data, cols })),
      ...factors.flatMap((factor) => this.sink.rowStates(factor)),
      ...strengths,
    ];
  }
}

/** Row r of an array becomes the former row `from[r]`. */
async function gatherRows(array: Real, cols: number, from: Int32Array, scheduler: Scheduler): Promise<void> {
  const gathered = allocate(array instanceof Float64Array ? 'float64' : 'float32', array.length);
  await forEachChunk(from.length, scheduler, (first, end) => {
    for (let row = first; row < end; row++) {
      for (let k = 0, to = row * cols, at = from[row]! * cols; k < cols; k++) gathered[to + k] = array[at + k]!;
    }
  });
  for (let at = 0; at < array.length; at += PART) {
    array.set(gathered.subarray(at, at + PART), at);
    if (scheduler.isDue(PART)) await scheduler.yieldNow();
  }
}

function inverse(places: Int32Array): Int32Array {
  const rows = new Int32Array(places.length);
  for (let row = 0; row < rows.length; row++) rows[places[row]!] = row;
  return rows;
}
