// The one loop of every fit: epochs, validation, early stopping, checkpoints, and what an abort, an error or a divergence
// leaves behind. It knows neither what is trained nor how: that is behind the seam Training.

import { DivergenceError } from '../core/errors';
import { forEachChunk, nextTask, now, type Scheduler, TaskScheduler, untilAborted } from '../core/scheduler';
import { isLessBetter, type MetricName } from '../metrics/metric-names';
import type { Real } from '../optimizers/factor';
import type { Parameter } from '../parameters/parameter';

/**
 * THE SEAM of training: steps of batches, per-rating steps, alternating least squares, multiplicative rules. The state
 * carried from epoch to epoch besides the factors is the same for every implementation (WebAssembly, JavaScript,
 * threads), so that one may resume where another has stopped.
 */
export interface Training {
  /** Absent without rates, as in ALS: reported as 0. */
  readonly rates?: Rates;
  /**
   * One pass over the data (from 1), after which the factors are up to date. Resolves to the mean loss of a rating; may
   * end early once it is not finite.
   */
  epoch(epoch: number, scheduler: Scheduler): Promise<number>;
  /** A copy of the state besides the factors, between two epochs. Absent: there is none. */
  readState?(scheduler: Scheduler): Promise<TrainingState>;
  /** Restores such a state before the first epoch. The factors have been restored already. */
  writeState?(state: TrainingState, scheduler: Scheduler): Promise<void>;
  /** Releases memory and threads. No epochs after that. */
  dispose?(): void;
}

/** The state that a training carries from epoch to epoch. */
export interface TrainingState {
  /** The optimizer state of each factor, by name, slot by slot. */
  readonly slots: ReadonlyMap<string, readonly Real[]>;
  /** Batch steps so far; 0 if the step number follows from the epoch. */
  readonly steps: number;
}

const STATELESS: TrainingState = { slots: new Map(), steps: 0 };

export type Metrics = EpochRecord['metrics'];

/** One epoch of a fit. */
export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  /**
   * The running mean over the epoch of the loss, without penalty; squared: 1/2 error^2, in the unit of training. ALS:
   * that of the epoch's end, with what unobserved pairs add to it.
   */
  readonly trainLoss: number;
  /** Squared loss only: the root of the running mean squared error, on the rating scale. */
  readonly trainRmse?: number;
  /** The validation metrics, by name; empty without validation data. */
  readonly metrics: Readonly<Partial<Record<MetricName | 'logloss', number>>>;
  /** The validation rows of a user or an item without training data; absent without validation on interactions. */
  readonly cold?: number;
  /** The rate of embeddings at the start of the epoch; 0 where there is none, as in ALS. */
  readonly learningRate: number;
  /** Wall-clock time of the epoch. */
  readonly seconds: number;
  /** 0 if the host's clock did not advance. */
  readonly ratingsPerSecond: number;
}

/** A whole fit. */
export interface History {
  readonly epochs: readonly EpochRecord[];
  /** The epoch whose parameters the model has: the best with early stopping, else the last. */
  readonly bestEpoch: number;
  readonly stopped: 'epochs' | 'early';
  /** Wall-clock time from the call, or from its turn, to the end of the last epoch; with that of the fits it resumes. */
  readonly seconds: number;
  /**
   * The part of `seconds` before the first epoch, in which the data are described and laid out and the start is drawn;
   * of a resumed fit, its own. 0 without epochs.
   */
  readonly setupSeconds: number;
  /**
   * With validation on interactions: how many of its rows are pairs of user and item that are in the training data.
   * Rankings leave them out; RMSE and the other metrics of rows count them, which makes them look better.
   */
  readonly seen?: number;
  /**
   * With sampled negatives: how many users have every item of the training data. There is nothing to sample for them,
   * so that their rows are not trained on.
   */
  readonly usersPassedOver?: number;
}

/** The progress of a fit: with the factors and the training's state, all that is needed to resume. */
export interface FitProgress {
  readonly epochs: readonly EpochRecord[];
  readonly seconds: number;
  /** With early stopping: the best epoch so far, 0 for none, its metric (as a cost), and the factors then. */
  readonly bestEpoch: number;
  readonly bestValue: number;
  readonly best: readonly Real[];
}

/** The caller's options for the loop. */
export interface LoopOptions {
  readonly earlyStopping?:
    | { readonly metric: MetricName | 'logloss'; readonly patience: number; readonly minDelta: number }
    | undefined;
  readonly onEpoch?: ((epoch: EpochRecord) => unknown) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A prepared fit; `State` is the trained state. */
export interface FitTask<State> {
  readonly epochs: number;
  /** The number of training ratings. */
  readonly ratings: number;
  /** The parameters to train. */
  readonly parameters: readonly Parameter[];
  /** Creates the training: called once, before the first epoch. */
  start(scheduler: Scheduler): Training | Promise<Training>;
  /** Factor that converts the root of the mean squared training error to the rating scale; undefined unless the loss is squared. */
  readonly rmseScale?: number | undefined;
  /** The measurement after every epoch. */
  readonly validation?: { readonly cold?: number | undefined; measure(): Promise<Metrics> } | undefined;
  /** @see History.usersPassedOver */
  readonly usersPassedOver?: number | undefined;
  readonly options: LoopOptions;
  /** Where to resume: the factors have been restored already. */
  readonly resume?: { readonly state: TrainingState; readonly progress: FitProgress } | undefined;
  /** Called every few epochs. */
  readonly checkpoint?: Checkpointing | undefined;
  /** The possible causes of a divergence. */
  readonly suspects: Suspects;
  /** Whether the recommender already has a trained state, which an abort or an error must not change. */
  readonly isServing: boolean;
  /**
   * The trained state, after training. Called at most once, because it may change the model. Throws what `unservable`
   * returns for a parameter that would make scores infinite.
   */
  finish(scheduler: Scheduler, unservable: (parameter: string) => Error): Promise<State>;
  install(state: State): void;
  /** Yields to other tasks, within epochs and between them. Made when the fit began. */
  readonly scheduler: TaskScheduler;
}

/** Who stores checkpoints, and how often. */
export interface Checkpointing {
  readonly every: number;
  write(state: TrainingState, progress: FitProgress): Promise<void>;
}

/**
 * Trains for the planned epochs and installs the result, with early stopping that of the best epoch. After an abort
 * or an error, a fitted recommender keeps its previous state; one that was not fitted gets the last epoch that was
 * trained and measured, which is as good as a fit of fewer epochs.
 */
export async function fit<State>(task: FitTask<State>): Promise<History> {
  const { resume, isServing, scheduler, suspects, options } = task;
  const records: EpochRecord[] = [...(resume?.progress.epochs ?? [])];
  let training: Training | undefined;
  let isFinishing = false;
  const dispose = () => {
    training?.dispose?.();
    training = undefined;
  };
  // The training releases its memory before the history is indexed.
  const finish = async (scheduler: Scheduler) => {
    dispose();
    await scheduler.yieldNow();
    const { epoch = task.epochs, learningRate = 0 } = records.at(-1) ?? {};
    return task.finish(scheduler, (parameter) =>
      explained(new DivergenceError(epoch, parameter, learningRate), suspects, UNSERVABLE),
    );
  };
  /** Ignores aborts: its result is installed even after one. */
  const complete = async () => {
    isFinishing = true;
    task.install(await finish(new TaskScheduler(undefined)));
  };
  try {
    const history = await train(task, records, async () => {
      training = await task.start(scheduler);
      if (resume !== undefined) await training.writeState?.(resume.state, scheduler);
      return training;
    });
    if (!isServing) await complete();
    else {
      const state = await finish(scheduler);
      options.signal?.throwIfAborted();
      task.install(state);
    }
    options.signal?.throwIfAborted();
    return history;
  } catch (error) {
    // The checkpoint itself may have caused the divergence.
    const isSuspect = resume !== undefined && error instanceof DivergenceError;
    // An epoch whose numbers are too large to serve is not kept.
    if (records.length > 0 && !isServing && !isFinishing && !isSuspect) await complete().catch(() => undefined);
    throw error;
  } finally {
    dispose();
  }
}

/** Adds the epochs to the records. The factors end as those of the best epoch, or of the last complete one. */
async function train(task: FitTask<unknown>, records: EpochRecord[], start: () => Promise<Training>): Promise<History> {
  const { epochs, ratings, parameters, resume, checkpoint, usersPassedOver, scheduler } = task;
  const { earlyStopping, onEpoch, signal } = task.options;
  const started = scheduler.started - 1000 * (resume?.progress.seconds ?? 0);
  let setupSeconds = 0;
  const seconds = () => (now() - started) / 1000;
  const best =
    earlyStopping === undefined ? undefined : await Snapshot.of(parameters, scheduler, resume?.progress.best);
  const whole = task.isServing ? undefined : await Snapshot.of(parameters, scheduler);
  let { bestEpoch, bestValue } = resume?.progress ?? { bestEpoch: 0, bestValue: Infinity };
  const isStale = () => earlyStopping !== undefined && records.length - bestEpoch >= earlyStopping.patience;
  let training: Training | undefined;
  while (records.length < epochs && !isStale()) {
    const epoch = records.length + 1;
    // The first copy is of the initial values. A failure between two epochs finds the factors in their final state.
    if (training !== undefined) await whole?.take(scheduler);
    try {
      signal?.throwIfAborted();
      if (training === undefined) {
        training = await start();
        setupSeconds = (now() - scheduler.started) / 1000;
      }
      records.push(await runEpoch(task, training, epoch));
    } catch (error) {
      whole?.restore();
      throw error;
    }
    const record = records[records.length - 1]!;
    await untilAborted(onEpoch?.(record), signal);
    // Epochs on small data end before their loops would yield.
    if (epoch < epochs && scheduler.isDue(ratings)) await scheduler.yieldNow();
    if (earlyStopping !== undefined) {
      const sign = isLessBetter(earlyStopping.metric) ? 1 : -1;
      const value = sign * record.metrics[earlyStopping.metric]!;
      if (value < bestValue - earlyStopping.minDelta) {
        bestValue = value;
        bestEpoch = epoch;
        await best!.take(scheduler);
      }
    }
    if (checkpoint !== undefined && epoch % checkpoint.every === 0) {
      const state = (await training.readState?.(scheduler)) ?? STATELESS;
      const copies = bestEpoch > 0 ? best!.copies : [];
      await checkpoint.write(state, { epochs: records, seconds: seconds(), bestEpoch, bestValue, best: copies });
    }
  }
  const stopped = isStale() ? 'early' : 'epochs';
  if (bestEpoch > 0) best!.restore();
  return {
    epochs: records,
    bestEpoch: bestEpoch > 0 ? bestEpoch : records.length,
    stopped,
    seconds: seconds(),
    setupSeconds,
    ...(usersPassedOver !== undefined && { usersPassedOver }),
  };
}

async function runEpoch(task: FitTask<unknown>, training: Training, epoch: number): Promise<EpochRecord> {
  const { epochs, ratings, parameters, rmseScale, validation, suspects, scheduler } = task;
  const { rates } = training;
  const progress = (epoch - 1) / epochs;
  const started = now();
  const loss = await training.epoch(epoch, scheduler);
  await checkFinite({ loss, parameters, epoch, progress, rates, suspects }, scheduler);
  const seconds = (now() - started) / 1000;
  const metrics = (await validation?.measure()) ?? {};
  return {
    epoch,
    trainLoss: loss,
    ...(rmseScale !== undefined && { trainRmse: rmseScale * Math.sqrt(2 * loss) }),
    metrics,
    ...(validation?.cold !== undefined && { cold: validation.cold }),
    learningRate: rates?.at(progress) ?? 0,
    seconds,
    ratingsPerSecond: seconds > 0 ? ratings / seconds : 0,
  };
}

/** Numbers that are copied between two looks at the clock. */
const PIECE = 1 << 15;

/** A copy of every factor, to restore later. Memory: as much as the factors. */
class Snapshot {
  /** Factor by factor, parameter by parameter. */
  readonly copies: readonly Real[];

  private constructor(private readonly parameters: readonly Parameter[]) {
    this.copies = parameters.flatMap(({ factors }) =>
      factors.map(({ data }) => new (data instanceof Float32Array ? Float32Array : Float64Array)(data.length)),
    );
  }

  /** Of the current values, or of a state stored before. */
  static async of(parameters: readonly Parameter[], scheduler: Scheduler, kept?: readonly Real[]): Promise<Snapshot> {
    const snapshot = new Snapshot(parameters);
    if (kept === undefined || kept.length === 0) await snapshot.take(scheduler);
    else for (let k = 0; k < kept.length; k++) snapshot.copies[k]!.set(kept[k]!);
    return snapshot;
  }

  /** Copies the current values of the factors, all of them: an abort is noticed after it. */
  async take(scheduler: Scheduler): Promise<void> {
    const pairs: (readonly [Real, Real])[] = [];
    this.each((copy, data) => pairs.push([copy, data]));
    for (const [copy, data] of pairs) {
      for (let from = 0; from < data.length; from += PIECE) {
        copy.set(data.subarray(from, from + PIECE), from);
        if (scheduler.isDue(PIECE >> 3)) await nextTask();
      }
    }
  }

  /** Restores the factors to the values last taken. */
  restore(): void {
    this.each((copy, data) => data.set(copy));
  }

  private each(visit: (copy: Real, data: Real) => void): void {
    let next = 0;
    for (const { factors } of this.parameters) for (const { data } of factors) visit(this.copies[next++]!, data);
  }
}

// Detects divergence: which parameter, at which rate, and the likely cause.

/** The learning rates of a training, as reports have them. */
export interface Rates {
  readonly progress: number;
  at(progress: number): number;
}

/** The training data, as possible causes of a divergence. */
export interface Suspects {
  readonly weights?: ArrayLike<number> | null | undefined;
  /** The targets in training; null if the training does not use values. */
  readonly targets: Real | null;
}

/** The result of an epoch. */
interface Outcome {
  readonly loss: number;
  readonly parameters: readonly Parameter[];
  readonly epoch: number;
  /** Where it started. */
  readonly progress: number;
  readonly rates: Rates | undefined;
  readonly suspects: Suspects;
}

/** Checks the loss and the parameters for NaN and Infinity after an epoch. @throws DivergenceError */
export async function checkFinite(outcome: Outcome, scheduler: Scheduler): Promise<void> {
  const { loss, parameters, epoch, progress, rates, suspects } = outcome;
  let name: string | undefined;
  for (const parameter of parameters) {
    if (await areFinite(parameter, scheduler)) continue;
    name = parameter.name;
    break;
  }
  if (Number.isFinite(loss) && name === undefined) return;
  name ??= await nameOfLargest(parameters, scheduler);
  // The epoch's rate; it is 0 where a warm-up starts, and may have decayed to nothing where it ends.
  const rate = rates === undefined ? 0 : Math.max(rates.at(progress), rates.at(rates.progress));
  throw explained(new DivergenceError(epoch, name, rate), suspects);
}

/** Whether every value of every factor is finite. */
async function areFinite({ factors }: Parameter, scheduler: Scheduler): Promise<boolean> {
  let sum = 0;
  for (const { data } of factors) {
    await forEachChunk(data.length, scheduler, (from, to) => {
      sum += sumOfZeros(data, from, to);
    });
  }
  return sum === 0;
}

/** The sum of x 0, which is 0 for finite numbers and NaN otherwise. Four independent sums do not wait for each other. */
// Not `let [a, b, c, d] = ...`, which made V8 leave the optimized code on nearly every call.
function sumOfZeros(data: Real, from: number, to: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = from;
  for (; i + 3 < to; i += 4) {
    a += data[i]! * 0;
    b += data[i + 1]! * 0;
    c += data[i + 2]! * 0;
    d += data[i + 3]! * 0;
  }
  for (; i < to; i++) a += data[i]! * 0;
  return a + b + c + d;
}

/** The name of the parameter with the largest absolute value, for a loss that overflows before its parameters do. */
async function nameOfLargest(parameters: readonly Parameter[], scheduler: Scheduler): Promise<string> {
  let [name, most] = ['', -1];
  for (const parameter of parameters) {
    let size = 0;
    for (const { data } of parameter.factors) size = Math.max(size, await largestOf(data, scheduler));
    if (size > most) [name, most] = [parameter.name, size];
  }
  return name;
}

/** The largest absolute value of a table; Infinity if one is NaN. */
export async function largestOf(table: ArrayLike<number>, scheduler: Scheduler): Promise<number> {
  let most = 0;
  await forEachChunk(table.length, scheduler, (from, to) => {
    let own = most;
    for (let at = from; at < to; at++) {
      const size = Math.abs(table[at]!);
      if (!(size <= own)) own = Number.isNaN(size) ? Infinity : size;
    }
    most = own;
  });
  return most;
}

/** Weights from this multiple of their mean on, and absolute values from here on, count as the cause. */
const STANDS_OUT = 10;

/** Why a finite trained state is rejected. */
export const UNSERVABLE = 'left numbers with which scores are beyond float32';

/** The same error with its cause. */
export function explained(error: DivergenceError, { weights, targets }: Suspects, what?: string): DivergenceError {
  const { epoch, parameter, learningRate } = error;
  const details = what === undefined ? {} : { what };
  const weight = weights ? spreadOf(weights) : 1;
  if (weight >= STANDS_OUT)
    return new DivergenceError(epoch, parameter, learningRate, { reason: 'weights', extent: weight, ...details });
  let value = 0;
  for (const target of targets ?? []) value = Math.max(value, Math.abs(target));
  if (value >= STANDS_OUT)
    return new DivergenceError(epoch, parameter, learningRate, { reason: 'values', extent: value, ...details });
  return new DivergenceError(epoch, parameter, learningRate, details);
}

/** The ratio of the largest to the mean of those above 0. */
function spreadOf(weights: ArrayLike<number>): number {
  let [sum, count, most] = [0, 0, 0];
  for (let k = 0; k < weights.length; k++) {
    const weight = weights[k]!;
    if (!(weight > 0)) continue;
    sum += weight;
    count++;
    most = Math.max(most, weight);
  }
  return count > 0 ? most / (sum / count) : 1;
}
