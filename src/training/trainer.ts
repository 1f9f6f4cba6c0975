// A training: it chooses who makes the steps (batches one by one, or ratings one by one in the per-rating engine), and
// watches over their losses.

import type { Stream } from '../core/random';
import type { Scheduler } from '../core/scheduler';
import { now, TaskScheduler } from '../core/scheduler';
import type { WorkerHost } from '../core/worker-host';
import { findHost } from '../core/worker-host';
import type { KernelChoice } from '../kernels/wasm';
import type { Batch, Model, RatingBatch, RatingData } from '../models/model';
import { LearningRates } from '../optimizers/learning-rate';
import type { Optimizer } from '../optimizers/optimizer';
import type { Parameter } from '../parameters/parameter';
import type { Penalty } from '../parameters/penalty';
import { checkFinite } from './divergence';
import type { Loss } from './loss';
import { CandidateBatcher } from './negatives/candidate-batcher';
import type { NegativeSampling } from './negatives/item-sampler';
import { OptimizerSink } from './optimizer-sink';
import { chooseBlocks, type Side, WHOLE } from './per-rating/block-schedule';
import { WasmEngine } from './per-rating/engine';
import { type PerRatingPlan, planPerRating } from './per-rating/plan';
import { JsEngine } from './per-rating/step-js';
import { withoutThreads } from './per-rating/threads';
import { type Batcher, type OrderOptions, RatingBatcher } from './rating-batches';
import { RowPacking } from './row-packing';
import type { TrainerState } from './rule-state';
import type { StepEngine } from './step-engine';
import { Stepper } from './stepper';

/** Tables of fewer bytes lie in few enough pages for the processor to know where these are. */
const WORTH_PACKING = 1 << 23;

/** How to go through the data. */
export interface TrainerOptions {
  readonly epochs: number;
  readonly batchSize: number;
  readonly shuffle: boolean;
  /** The stream of the order of the ratings. */
  readonly stream: Stream;
  /** Ratings of one user to a step, where batchSize is 1. @defaultValue 1 */
  readonly grouping?: 1 | 4;
  /** Adds items that users do not have to every batch. @defaultValue none */
  readonly negatives?: NegativeSampling | undefined;
  /** @defaultValue 'auto' */
  readonly kernels?: KernelChoice;
  /** @defaultValue 1 */
  readonly threads?: number;
  /** Who starts them; null: nobody. @defaultValue whoever does in this process */
  readonly host?: WorkerHost | null;
  /** Gives the batches of a model whose batches are its own. @defaultValue ratings of a tile at a time */
  readonly batches?: ((data: RatingData, order: OrderOptions) => Batcher<Batch>) | undefined;
  /** Who makes the steps, where that is known already. @defaultValue chosen by what they are */
  readonly engine?: StepEngine | null;
  /** false: every step by itself, as the definition has it, also where the per-rating engine could take over. @defaultValue true */
  readonly perRating?: boolean;
  /** Whether batches find the rows of a tile together. @defaultValue where the tables are large enough for it to pay */
  readonly packing?: boolean;
}

/** What one epoch was. */
export interface EpochResult {
  /** The running mean of the loss over the epoch, each rating before its own step. */
  readonly loss: number;
  readonly seconds: number;
  readonly learningRate: number;
}

/** Trains a model by steps of batches. */
export class Trainer<B extends Batch> {
  private readonly rates: LearningRates;
  private readonly grouping: 1 | 4;
  private readonly order: OrderOptions;
  /** What the per-rating engine runs; null where the steps are of batches. */
  private readonly plan: PerRatingPlan | null;
  private engine: StepEngine | null = null;
  private stepper: Stepper<B> | null = null;
  private resumed: TrainerState | null = null;

  constructor(
    private readonly model: Model<B>,
    private readonly loss: Loss,
    private readonly optimizer: Optimizer,
    private readonly penalties: readonly Penalty[],
    private readonly data: RatingData,
    private readonly options: TrainerOptions,
  ) {
    const { batchSize, shuffle, stream, grouping = 1, perRating = true, negatives } = options;
    const isSingle = batchSize === 1 && negatives === undefined;
    // Groups are of a random order: in the order of the data nobody's ratings need lie together.
    this.grouping = isSingle && shuffle ? grouping : 1;
    this.rates = new LearningRates(optimizer.config.learningRate);
    const isWeighted = data.weights !== null;
    this.plan =
      isSingle && perRating ? planPerRating(model, loss, optimizer, penalties, isWeighted, this.grouping) : null;
    const sides = sidesOf(model.sides, optimizer);
    const blocks = shuffle ? chooseBlocks(data.size, batchSize, sides.users, sides.items) : WHOLE;
    // Pairs have an order of rows of their own, and negatives are drawn by the numbers of items.
    const canPack = this.plan === null && negatives === undefined && shuffle;
    const { packing = sides.users.bytes + sides.items.bytes >= WORTH_PACKING } = options;
    this.order = { stream, shuffle, blocks, grouping: this.grouping, packs: canPack && packing };
  }

  /**
   * One pass over the data, giving way to the event loop now and then.
   * @throws DivergenceError as soon as the loss is no longer finite; the reason of an abort
   */
  async epoch(epoch: number, scheduler: Scheduler = new TaskScheduler(undefined)): Promise<EpochResult> {
    const { options, data, rates } = this;
    if (this.runner === null) await this.start(scheduler);
    const started = now();
    const loss = await this.runner!.epoch(epoch, scheduler);
    await checkFinite(loss, this.model.parameters, epoch, (epoch - 1) / options.epochs, rates, scheduler);
    return {
      loss: loss / (data.ratings ?? data.size),
      seconds: (now() - started) / 1000,
      learningRate: rates.at((epoch - 1) / options.epochs),
    };
  }

  /** What goes on from epoch to epoch beside the factors: a copy, to be kept between two epochs. */
  readState(scheduler: Scheduler): Promise<TrainerState> {
    return this.runner!.readState(scheduler);
  }

  /** Goes on with a state that was read, before the first epoch. The factors are to be those of then. */
  resume(state: TrainerState): void {
    this.resumed = state;
  }

  private get runner(): StepEngine | null {
    return this.engine ?? this.stepper;
  }

  /** Gives back memory and threads. */
  dispose(): void {
    this.engine?.dispose();
    this.engine = null;
    this.stepper?.dispose();
    this.stepper = null;
  }

  private async start(scheduler: Scheduler): Promise<void> {
    await this.choose(scheduler);
    if (this.resumed !== null) await this.runner!.writeState(this.resumed, scheduler);
    this.resumed = null;
  }

  /** Chooses who makes the steps. */
  private async choose(scheduler: Scheduler): Promise<void> {
    const { plan, model, loss, optimizer, data, rates, order, options } = this;
    const { kernels = 'auto', threads = 1, epochs } = options;
    this.engine = options.engine ?? null;
    if (this.engine !== null) return;
    if (plan !== null) {
      const host = threads > 1 ? (options.host === undefined ? findHost() : options.host) : null;
      if (threads > 1 && host === null && kernels !== 'js') withoutThreads('here are none that share memory');
      const { slots } = optimizer;
      this.engine = await WasmEngine.create(
        { plan, data, order, slots, rates, epochs, kernels, threads, host },
        scheduler,
      );
      if (this.engine !== null) return;
    }
    const sink = new OptimizerSink(optimizer, rates, model.parameters);
    const { batches = (ratings, order) => new RatingBatcher(ratings, rowsOf(model), order) } = options;
    const ratings = batches(data, order) as Batcher<B>;
    // Plans and negatives are for factorizations alone, and their batches are RatingBatches.
    const given = ratings as Batcher<Batch> as Batcher<RatingBatch>;
    if (plan !== null) this.engine = new JsEngine(plan, given, rates, sink, loss, epochs);
    else {
      const { negatives } = options;
      const batcher =
        negatives === undefined ? ratings : (this.withNegatives(given, negatives) as Batcher<Batch> as Batcher<B>);
      await batcher.prepare(scheduler);
      const steps = { ...options, group: 1 + (negatives?.count ?? 0) };
      const { penalties, grouping } = this;
      const packing = batcher.places && new RowPacking(model.sides, penalties, sink, batcher.places);
      this.stepper = new Stepper(model, loss, penalties, batcher, rates, sink, data, grouping, steps, kernels, packing);
    }
  }

  private withNegatives(ratings: Batcher<RatingBatch>, negatives: NegativeSampling): CandidateBatcher {
    const { options, model, data } = this;
    return new CandidateBatcher(ratings, data, rowsOf(model), negatives, options.stream.fork('negatives'));
  }
}

/** How many users and items a model has. */
function rowsOf({ sides: { users, items } }: Model<Batch>): { readonly users: number; readonly items: number } {
  return { users: users[0]!.rows, items: items[0]!.rows };
}

/** Of each side its rows, and the bytes of its factors and of what the rule keeps beside them. */
function sidesOf(sides: Model<Batch>['sides'], { slots }: Optimizer): { users: Side; items: Side } {
  const elements = 1 + slots.filter(({ shape }) => shape === 'element').length;
  const side = (parameters: readonly Parameter[]) => {
    const factors = parameters.flatMap((parameter) => parameter.factors);
    return {
      rows: parameters[0]!.rows,
      bytes: factors.reduce((sum, { rows, cols }) => sum + rows * cols * 4 * elements, 0),
    };
  };
  return { users: side(sides.users), items: side(sides.items) };
}
