// A training by batches alone, of any model: what models of features run. Trainer is for models of users and items, and
// has other ways to make its steps.

import type { Scheduler } from '../core/scheduler';
import { now } from '../core/scheduler';
import type { KernelChoice } from '../kernels/wasm';
import type { Batch, Scorer } from '../models/model';
import type { Factor, Real } from '../optimizers/factor';
import type { SlotSpec } from '../optimizers/optimizer';
import type { Penalty } from '../parameters/penalty';
import { checkFinite } from './divergence';
import type { Loss } from './loss';
import type { Batcher } from './rating-batches';
import type { TrainerState } from './rule-state';
import { type RuleOf, SplitSink } from './split-sink';
import { Stepper } from './stepper';
import type { Training } from './train';
import type { EpochResult } from './trainer';

/** How to go through the data. */
export interface BatchTrainerOptions {
  readonly epochs: number;
  readonly batchSize: number;
  readonly kernels: KernelChoice;
  /** Rows for each that is counted. */
  readonly group: number;
}

/** Trains a model by steps of batches, each part by its rule. */
export class BatchTrainer<B extends Batch> implements Training {
  private readonly sink: SplitSink;
  private stepper: Stepper<B> | null = null;
  private resumed: TrainerState | null = null;

  constructor(
    private readonly model: Scorer<B>,
    private readonly loss: Loss,
    rules: readonly [RuleOf, ...RuleOf[]],
    private readonly penalties: readonly Penalty[],
    /** Prepared already. */
    private readonly batcher: Batcher<B>,
    private readonly data: { readonly size: number; readonly ratings?: number; readonly targets: Real },
    private readonly options: BatchTrainerOptions,
  ) {
    this.sink = new SplitSink(rules);
  }

  /** One pass over the data. @throws DivergenceError as soon as the loss is no longer finite; the reason of an abort */
  async epoch(epoch: number, scheduler: Scheduler): Promise<EpochResult> {
    const { model, data, options, sink } = this;
    this.stepper ??= await this.start();
    const started = now();
    const loss = await this.stepper.epoch(epoch, scheduler);
    const progress = (epoch - 1) / options.epochs;
    await checkFinite(loss, model.parameters, epoch, progress, sink.rates, scheduler);
    return {
      loss: loss / (data.ratings ?? data.size),
      seconds: (now() - started) / 1000,
      learningRate: sink.rates.at(progress),
    };
  }

  /** @see Training.resume */
  resume(state: TrainerState): void {
    this.resumed = state;
  }

  /** What the rule of a factor keeps of it. */
  slotsOf(factor: Factor): readonly SlotSpec[] {
    return this.sink.slotsOf(factor);
  }

  readState(): Promise<TrainerState> {
    return this.stepper!.readState();
  }

  /** Gives back memory. */
  dispose(): void {
    this.stepper?.dispose();
    this.stepper = null;
  }

  private async start(): Promise<Stepper<B>> {
    const { model, loss, penalties, batcher, sink, data, options } = this;
    const stepper = new Stepper(model, loss, penalties, batcher, sink, sink, data, 1, options, options.kernels);
    if (this.resumed !== null) await stepper.writeState(this.resumed);
    this.resumed = null;
    return stepper;
  }
}
