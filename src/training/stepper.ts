// The training loop. One step: select -> penalty -> forward -> loss -> backward -> pullback into the optimizer. It knows
// neither what the model scores nor what its parameters are made of.

import type { Scheduler } from '../core/scheduler';
import { Heap } from '../kernels/heap';
import { type Move, moveOut } from '../kernels/move';
import { kernels } from '../kernels/select';
import type { KernelChoice } from '../kernels/wasm';
import type { Batch, RatingData, Scorer } from '../models/model';
import type { Real } from '../optimizers/factor';
import { allocate } from '../parameters/memory';
import type { GradientSink, Parameter } from '../parameters/parameter';
import type { Penalty } from '../parameters/penalty';
import type { Loss, LossBatch } from './loss';
import { progressAt } from './per-rating/spec';
import type { Batcher } from './rating-batches';
import type { RowPacking } from './row-packing';
import type { RuleState, TrainerState } from './rule-state';

/** What the loss sees, to be written anew for each step. */
type Scored = { -readonly [key in keyof LossBatch]: LossBatch[key] };

/** Where the gradients of a step go: an optimizer, or one for each of some parameters. */
export interface StepSink extends GradientSink {
  /** Moves the rule's memory. */
  move(move: Move): void;
  /** Lets updates run on a heap that everything has been moved to. */
  runOn(heap: Heap): void;
  readState(): RuleState;
  writeState(state: RuleState): void;
}

/** Makes the steps of batches, one by one. */
export class Stepper<B extends Batch> {
  private gScores: Real;
  /** What the loss sees of a step: one object for the whole fit. */
  private readonly scored: Scored;
  private readonly batchSize: number;
  /** The parameters whose gradients start at 0. */
  private readonly unpenalized: readonly Parameter[];
  private steps = 0;
  /** What holds the arrays of the training, where that is WebAssembly's memory. */
  private heap: Heap | null = null;
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
    private readonly rates: { begin(step: number, progress: number, ratings?: number): void },
    private readonly sink: StepSink,
    data: Pick<RatingData, 'size' | 'targets'>,
    private readonly grouping: 1 | 4,
    private readonly options: { readonly epochs: number; readonly batchSize: number; readonly group?: number },
    choice: KernelChoice = 'js',
    private readonly packing: RowPacking | null = null,
  ) {
    // A step has no more ratings than there are: room for more would be room for nothing.
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
    batcher.reserve(this.batchSize);
    const penalized = new Set(penalties.map(({ parameter }) => parameter));
    this.unpenalized = model.parameters.filter((parameter) => !penalized.has(parameter));
    if (precision === 'float32') {
      this.heap = Heap.holding(this.moveAll, choice);
      if (this.heap !== null) sink.runOn(this.heap);
    }
  }

  /** @see PairEngine.readState */
  async readState(): Promise<TrainerState> {
    return { slots: this.sink.readState(), steps: this.steps };
  }

  /** @see PairEngine.writeState */
  async writeState({ slots, steps }: TrainerState): Promise<void> {
    this.sink.writeState(slots);
    this.steps = steps;
  }

  /** Gives the model's arrays back to ordinary memory. No steps after that. */
  dispose(): void {
    if (this.heap !== null) moveOut(this.moveModel);
    this.heap = null;
  }

  /** One pass over the data; returns the sum of the losses, before its end where they are no longer finite. */
  async epoch(epoch: number, scheduler: Scheduler): Promise<number> {
    const { packing } = this;
    if (packing === null) return this.run(epoch, scheduler);
    await packing.pack();
    try {
      return await this.run(epoch, scheduler);
    } finally {
      await packing.unpack();
    }
  }

  private async run(epoch: number, scheduler: Scheduler): Promise<number> {
    const { batcher, batchSize, options } = this;
    const isSingle = batchSize === 1;
    batcher.begin(epoch);
    let sum = 0;
    let seen = 0;
    for (let batch = batcher.next(batchSize); batch !== null; batch = batcher.next(batchSize)) {
      const progress = isSingle
        ? progressAt(seen, batcher.steps, epoch, options.epochs)
        : (epoch - 1 + seen / batcher.size) / options.epochs;
      sum += this.step(batch, progress);
      seen += isSingle ? 1 : batch.count / (batch.group ?? 1);
      if (scheduler.isDue(batch.count)) {
        if (!Number.isFinite(sum)) return sum;
        await scheduler.yieldNow();
      }
    }
    return sum;
  }

  /** One update from one batch; returns the summed loss. `progress` is the part of the fit that is done. */
  step(batch: B, progress: number): number {
    const { model, scored, gScores, penalties, unpenalized, sink } = this;
    const { count, group = 1, logQ = null } = batch;
    // The gradient of a batch is the mean over its ratings, or over what users have in it; that of ratings of one user that
    // are taken together is their sum.
    const ratings = this.grouping === 1 ? count / group : 1;
    this.rates.begin(++this.steps, progress, this.batchSize > 1 ? ratings : undefined);
    model.select(batch);
    const isWeighted = batch.weights !== null;
    if (isWeighted) model.weigh(batch);
    // Before the scores: of all that goes through the rows, this waits for memory the least.
    for (let i = 0; i < penalties.length; i++) penalties[i]!.start(ratings, isWeighted);
    for (let i = 0; i < unpenalized.length; i++) unpenalized[i]!.clear();
    model.forward(batch, scored.scores, this.steps);
    scored.targets = batch.targets;
    scored.weights = batch.weights;
    scored.group = group;
    scored.logQ = logQ;
    scored.count = count;
    const loss = this.loss.evaluate(scored, gScores);
    if (ratings > 1) kernels.divide(gScores, ratings, count);
    model.backward(batch, gScores);
    const { parameters } = model;
    for (let i = 0; i < parameters.length; i++) parameters[i]!.pullback(sink);
    return loss;
  }
}
