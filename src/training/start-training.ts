// Gradient training: chooses, once, what makes the steps of a model of users and items. The per-rating engine, in
// WebAssembly or JavaScript, if the model, the loss and the rule allow it; batches otherwise.

import type { Stream } from '../core/random';
import type { Scheduler } from '../core/scheduler';
import type { WorkerHost } from '../core/worker-host';
import type { Batch, Model, RatingBatch, RatingData } from '../models/model';
import { LearningRates } from '../optimizers/learning-rate';
import type { Optimizer } from '../optimizers/optimizer';
import type { Parameter, Penalty } from '../parameters/parameter';
import type { KernelChoice } from '../wasm/host';
import { CandidateBatcher } from './candidate-batches';
import { CandidateEngine, candidatePlan } from './candidate-engine';
import type { Training } from './fit';
import type { Loss } from './losses';
import type { NegativeSampling } from './negatives';
import { OptimizerSink } from './optimizer-sink';
import { chooseBlocks, chooseParts, type OrderOptions, type Side, WHOLE } from './per-rating/block-schedule';
import { WasmEngine } from './per-rating/engine';
import { type PerRatingPlan, planPerRating } from './per-rating/plan';
import { JsEngine } from './per-rating/step-js';
import { type Batcher, RatingBatcher } from './rating-batches';
import { RowPacking, Stepper } from './stepper';
import type { teamFor } from './team';
import { threadsFor, withoutThreads } from './threads';

/** Smaller tables lie in so few pages that address translation is cheap. */
const WORTH_PACKING = 1 << 23;

/** How to traverse the data. */
export interface StepOptions {
  readonly epochs: number;
  readonly batchSize: number;
  readonly shuffle: boolean;
  /** The stream of the order of the ratings. */
  readonly stream: Stream;
  /** Ratings of one user to a step, where batchSize is 1. @defaultValue 1 */
  readonly grouping?: 1 | 4;
  /** Adds sampled items that users do not have to every batch. @defaultValue none */
  readonly negatives?: NegativeSampling | undefined;
  /** @defaultValue 'auto' */
  readonly kernels?: KernelChoice;
  /** The number of threads; it changes no bit. `auto`: one per core, if there is enough work. @defaultValue 1 */
  readonly threads?: number | 'auto';
  /** Starts the threads; null: no threads. @defaultValue the host of this process */
  readonly host?: WorkerHost | null;
  /** Creates the batches of a model with its own kind of batches. @defaultValue ratings of a tile at a time */
  readonly batches?: ((data: RatingData, order: OrderOptions) => Batcher<Batch>) | undefined;
  /** What shares the steps of layers among threads. @defaultValue one thread makes them */
  readonly team?: typeof teamFor;
  /** false: every step by itself, as defined, even if the per-rating engine could take over. @defaultValue true */
  readonly perRating?: boolean;
  /** Of users and items, where items are drawn and tables are plain. @defaultValue 4 if there are enough interactions and rows */
  readonly parts?: number;
  /** Whether the rows of a tile are made contiguous for batches. @defaultValue if the tables are large enough for it to pay */
  readonly packing?: boolean;
}

/** The components of the steps of a training. */
export interface StepTask<M extends Model<Batch> = Model<Batch>> {
  readonly model: M;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly penalties: readonly Penalty[];
  readonly data: RatingData;
  readonly options: StepOptions;
}

/** Sets up the training of a model by steps. */
export async function startTraining(task: StepTask, scheduler: Scheduler): Promise<Training> {
  const { model, loss, optimizer, penalties, data, options } = task;
  const { epochs, batchSize, shuffle, stream, negatives, kernels = 'auto', perRating = true } = options;
  const isSingle = batchSize === 1 && negatives === undefined;
  // Groups require a random order: in the order of the data, a user's ratings need not be adjacent.
  const grouping = isSingle && shuffle ? (options.grouping ?? 1) : 1;
  const isWeighted = data.weights !== null;
  const plan = isSingle && perRating ? planPerRating(model, loss, optimizer, penalties, isWeighted, grouping) : null;
  const sides = sidesOf(model.sides, optimizer);
  const drawn = negatives === undefined ? null : candidatePlan(task);
  const shared = drawn && shuffle ? chooseParts(data.size, sides.users, sides.items, options.parts) : null;
  const { parts, blocks } = shared ?? {
    parts: 1,
    blocks: shuffle ? chooseBlocks(data.size, batchSize, sides.users, sides.items) : WHOLE,
  };
  // The per-rating engine orders rows itself, and negatives are sampled by item number.
  const canPack = plan === null && negatives === undefined && shuffle;
  const { packing = sides.users.bytes + sides.items.bytes >= WORTH_PACKING } = options;
  const order = { stream, shuffle, blocks, grouping, parts, packs: canPack && packing };
  await scheduler.yieldNow();
  // 'auto' asks for no more than there can be.
  const isAsked = typeof options.threads === 'number' && options.threads > 1;
  const reason = isAsked && options.team === undefined ? onOneThread(plan, shared, options) : undefined;
  if (reason !== undefined) withoutThreads(reason);
  const hasThreads = plan === null ? shared !== null : !sharesMaps(plan);
  const group = 1 + (negatives?.count ?? 0);
  const work = data.size * group * epochs * ((plan?.spec.rank ?? USUAL_RANK) / NUMBERS);
  const { threads, host } = threadsFor(hasThreads ? (options.threads ?? 1) : 1, work, options.host);
  if (threads > 1 && host === null && kernels !== 'js') withoutThreads('here are none that share memory');
  if (plan !== null) {
    const { slots } = optimizer;
    const rates = new LearningRates(optimizer.config.learningRate);
    const inWasm = { plan, data, order, slots, rates, epochs, kernels, threads, host };
    const engine = await WasmEngine.create(inWasm, scheduler);
    if (engine !== null) return engine;
  }
  const sink = new OptimizerSink([{ optimizer, parameters: model.parameters }]);
  const rows = { users: sides.users.rows, items: sides.items.rows };
  const { batches = (ratings, how) => new RatingBatcher(ratings, rows, how) } = options;
  let batcher = batches(data, order) as Batcher<Batch>;
  // Plans and negatives are for factorizations alone, and their batches are RatingBatches.
  if (negatives !== undefined) {
    const given = batcher as Batcher<RatingBatch>;
    const candidates = new CandidateBatcher(given, data, rows, negatives, stream.fork('negatives'));
    await candidates.prepare(scheduler);
    const runs = shared === null ? blocks.users * blocks.items : parts * parts;
    const workers = { kernels, threads: host === null ? 1 : threads, host };
    const inWasm = { ...task, batcher: candidates, epochs, batchSize, runs, parts, ...workers };
    const engine = perRating ? await CandidateEngine.create(inWasm, scheduler) : null;
    if (engine !== null) return engine;
    batcher = candidates as Batcher<Batch>;
  } else await batcher.prepare(scheduler);
  if (plan !== null) return new JsEngine(plan, batcher as Batcher<RatingBatch>, sink, loss, data, epochs);
  const steps = { epochs, batchSize, group };
  const packed = batcher.places && new RowPacking(model.sides, penalties, sink, batcher.places);
  const team = options.team?.(model, data.size * steps.group, options) ?? null;
  return new Stepper(model, loss, penalties, batcher, sink, data, grouping, steps, kernels, packed, null, team);
}

/**
 * The numbers of a fit, those of a row in every step, that weigh as much as a rating that threads are worth: 2^30 in all. On
 * MovieLens 1M two threads take 1.25 times one at rank 32 in 2 epochs, as long in 10, .76 times at rank 128 in 10.
 */
const NUMBERS = 2 ** 12;
const USUAL_RANK = 32;

/** Why a training cannot use several threads, and what can; undefined: it can. */
function onOneThread(
  plan: PerRatingPlan | null,
  shared: unknown,
  { batchSize, negatives, kernels }: StepOptions,
): string | undefined {
  if (negatives !== undefined) {
    if (shared === null)
      return 'where items are drawn, few interactions (below 262,144), products and rules of your own have one; plain tables have several';
  } else if (batchSize > 1) return 'batches have one; batchSize 1 has several';
  else if (plan === null || sharesMaps(plan))
    return 'products that rows share, and some optimizers with products, have one; products of a row each have several';
  return kernels === 'js' ? "kernels 'js' has one; 'auto' has several where there is WebAssembly" : undefined;
}

/** Whether every step updates what all rows share. */
function sharesMaps({ user, item }: PerRatingPlan): boolean {
  return user.spec.isShared === true || item.spec.isShared === true;
}

/** The rows of each side, and the bytes of its factors and optimizer state. */
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
