// The one loop of every fit: epochs, validation, early stopping, checkpoints, and what an abort, an error or a divergence
// leaves behind. It knows neither what is trained nor how: that is behind the seam Training.

import { DivergenceError } from '../core/errors';
import { forEachChunk, now, type Scheduler, TaskScheduler, untilAborted } from '../core/scheduler';
import { isLessBetter, type MetricName } from '../metrics/metric-names';
import type { Real } from '../optimizers/factor';
import type { Parameter } from '../parameters/parameter';

/**
 * THE SEAM of what trains: steps of batches, per-rating steps, alternating least squares, multiplicative rules. What goes
 * from epoch to epoch beside the factors is the same whatever makes the steps (WebAssembly, JavaScript, threads), so that
 * one may go on where another has stopped.
 */
export interface Training {
  /** Absent without rates, as in ALS: reported as 0. */
  readonly rates?: Rates;
  /**
   * One pass over the data (from 1), after which the factors are up to date. Resolves to the mean loss of a rating; may
   * end early once it is not finite.
   */
  epoch(epoch: number, scheduler: Scheduler): Promise<number>;
  /** What is carried beside the factors: a copy, between two epochs. Absent: nothing is. */
  readState?(scheduler: Scheduler): Promise<TrainingState>;
  /** Goes on with what another has carried, before the first epoch. The factors are those of then already. */
  writeState?(state: TrainingState, scheduler: Scheduler): Promise<void>;
  /** Gives back memory and threads. No epochs after that. */
  dispose?(): void;
}

/** What a training carries from epoch to epoch. */
export interface TrainingState {
  /** The update rule's memory of the factors, by their names, slot by slot. */
  readonly slots: ReadonlyMap<string, readonly Real[]>;
  /** Steps of batches so far; 0 where steps follow from the epoch. */
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
  /** The validation rows of a user or an item that training never saw; absent without validation on interactions. */
  readonly cold?: number;
  /** The rate of embeddings at the start of the epoch; 0 where there is none, as in ALS. */
  readonly learningRate: number;
  /** Wall-clock time of the epoch. */
  readonly seconds: number;
  /** 0 where the host's clock did not move meanwhile. */
  readonly ratingsPerSecond: number;
}

/** A whole fit. */
export interface History {
  readonly epochs: readonly EpochRecord[];
  /** The epoch whose parameters the model has: the best with early stopping, else the last. */
  readonly bestEpoch: number;
  readonly stopped: 'epochs' | 'early';
  readonly seconds: number;
  /**
   * With validation on interactions: how many of its rows are of a pair of user and item that was trained on. Rankings leave
   * them out; RMSE and the other metrics of rows count them, and are the better for it.
   */
  readonly seen?: number;
  /**
   * Where negatives are drawn: how many users have every item of the training data. There is nothing to draw for them, so
   * that their rows are not trained on.
   */
  readonly usersPassedOver?: number;
}

/** How far a fit has come: with the factors and the training's state, all that going on takes. */
export interface FitProgress {
  readonly epochs: readonly EpochRecord[];
  readonly seconds: number;
  /** With early stopping: the best epoch so far, 0 for none, its metric (as a cost), and the factors then. */
  readonly bestEpoch: number;
  readonly bestValue: number;
  readonly best: readonly Real[];
}

/** What the caller of a fit asks of the loop. */
export interface LoopOptions {
  readonly earlyStopping?:
    | { readonly metric: MetricName | 'logloss'; readonly patience: number; readonly minDelta: number }
    | undefined;
  readonly onEpoch?: ((epoch: EpochRecord) => unknown) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A fit that is set up; `State` is the trained state. */
export interface FitTask<State> {
  readonly epochs: number;
  /** The number of training ratings. */
  readonly ratings: number;
  /** What is trained. */
  readonly parameters: readonly Parameter[];
  /** Sets up what trains: called once, before the first epoch. */
  start(scheduler: Scheduler): Training | Promise<Training>;
  /** Factor that converts the root of the mean squared training error to the rating scale; undefined unless the loss is squared. */
  readonly rmseScale?: number | undefined;
  /** What is measured after every epoch. */
  readonly validation?: { readonly cold?: number | undefined; measure(): Promise<Metrics> } | undefined;
  /** @see History.usersPassedOver */
  readonly usersPassedOver?: number | undefined;
  readonly options: LoopOptions;
  /** Where to go on: the factors are those of that moment already. */
  readonly resume?: { readonly state: TrainingState; readonly progress: FitProgress } | undefined;
  /** Called after every so many epochs. */
  readonly checkpoint?: Checkpointing | undefined;
  /** What may be at fault where training diverges. */
  readonly suspects: Suspects;
  /** Whether the recommender has a trained state already, which an abort or an error is to leave. */
  readonly isServing: boolean;
  /**
   * The trained state, when nothing trains on. Called once at most: it may change the model. Throws what `unservable`
   * makes of the name of a parameter with which answers would not be finite.
   */
  finish(scheduler: Scheduler, unservable: (parameter: string) => Error): Promise<State>;
  install(state: State): void;
  /** Gives way to other tasks, within epochs and between them. */
  readonly scheduler: Scheduler;
}

/** Who keeps checkpoints, and how often. */
export interface Checkpointing {
  readonly every: number;
  write(state: TrainingState, progress: FitProgress): Promise<void>;
}

/**
 * Trains for the planned epochs and installs the result. With early stopping it is that of the best epoch. After an abort
 * or an error a recommender that serves goes on serving what it did; one that does not is given the last epoch that was
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
  // The training gives back its memory before the history is laid out.
  const finish = async (scheduler: Scheduler) => {
    dispose();
    await scheduler.yieldNow();
    const { epoch = task.epochs, learningRate = 0 } = records.at(-1) ?? {};
    return task.finish(scheduler, (parameter) =>
      explained(new DivergenceError(epoch, parameter, learningRate), suspects, UNSERVABLE),
    );
  };
  /** Heeds no abort: what it installs is installed after an abort too. */
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
    // What made a training diverge may have been the checkpoint.
    const isSuspect = resume !== undefined && error instanceof DivergenceError;
    // An epoch that cannot be served, as its numbers are too large, is no epoch to be kept.
    if (records.length > 0 && !isServing && !isFinishing && !isSuspect) await complete().catch(() => undefined);
    throw error;
  } finally {
    dispose();
  }
}

/** Adds the epochs to the records. The factors end as those of the best epoch, or of the last that is whole. */
async function train(task: FitTask<unknown>, records: EpochRecord[], start: () => Promise<Training>): Promise<History> {
  const { epochs, ratings, parameters, resume, checkpoint, usersPassedOver, scheduler } = task;
  const { earlyStopping, onEpoch, signal } = task.options;
  const started = now() - 1000 * (resume?.progress.seconds ?? 0);
  const seconds = () => (now() - started) / 1000;
  const best = earlyStopping === undefined ? undefined : new Snapshot(parameters, resume?.progress.best);
  const whole = task.isServing ? undefined : new Snapshot(parameters);
  let { bestEpoch, bestValue } = resume?.progress ?? { bestEpoch: 0, bestValue: Infinity };
  const isStale = () => earlyStopping !== undefined && records.length - bestEpoch >= earlyStopping.patience;
  let training: Training | undefined;
  while (records.length < epochs && !isStale()) {
    const epoch = records.length + 1;
    // The first copy is of the start. What fails between two epochs finds the factors as they are to stay.
    if (training !== undefined) whole?.take();
    try {
      signal?.throwIfAborted();
      training ??= await start();
      records.push(await runEpoch(task, training, epoch));
    } catch (error) {
      whole?.restore();
      throw error;
    }
    const record = records[records.length - 1]!;
    await untilAborted(onEpoch?.(record), signal);
    // Epochs of small data are over before their loops would give way.
    if (epoch < epochs && scheduler.isDue(ratings)) await scheduler.yieldNow();
    if (earlyStopping !== undefined) {
      const sign = isLessBetter(earlyStopping.metric) ? 1 : -1;
      const value = sign * record.metrics[earlyStopping.metric]!;
      if (value < bestValue - earlyStopping.minDelta) {
        bestValue = value;
        bestEpoch = epoch;
        best!.take();
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

/** A copy of every factor, to go back to. Memory: as much as the factors. */
class Snapshot {
  /** Factor by factor, parameter by parameter. */
  readonly copies: readonly Real[];

  /** Of the values at present, or of a state that was kept before. */
  constructor(
    private readonly parameters: readonly Parameter[],
    kept: readonly Real[] = [],
  ) {
    this.copies = parameters.flatMap(({ factors }) => factors.map(({ data }) => data.slice()));
    for (let k = 0; k < kept.length; k++) this.copies[k]!.set(kept[k]!);
  }

  /** Copies the factors' present values. */
  take(): void {
    this.each((copy, data) => copy.set(data));
  }

  /** Puts the factors back to the values last taken. */
  restore(): void {
    this.each((copy, data) => data.set(copy));
  }

  private each(visit: (copy: Real, data: Real) => void): void {
    let next = 0;
    for (const { factors } of this.parameters) for (const { data } of factors) visit(this.copies[next++]!, data);
  }
}

// Where training leaves the finite numbers: which parameter, at which rate, and whose fault it is.

/** The learning rates of a training, as reports have them. */
export interface Rates {
  readonly progress: number;
  at(progress: number): number;
}

/** What a training was on, as far as it can be at fault. */
export interface Suspects {
  readonly weights?: ArrayLike<number> | null | undefined;
  /** As training sees them; null where it does not look at values. */
  readonly targets: Real | null;
}

/** An epoch as it has left things. */
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
  // The epoch's rate, which is 0 where a warm-up starts; where it ends it may have decayed to nothing.
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

/** The sum of x 0, which is 0 for what is finite and else NaN. Four sums do not wait for each other. */
// Not `let [a, b, c, d] = ...`: V8 left the optimized code at nearly every call.
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

/** The name of the parameter with the largest value in size: where a loss overflows before its parameters do. */
async function nameOfLargest(parameters: readonly Parameter[], scheduler: Scheduler): Promise<string> {
  let [name, most] = ['', -1];
  for (const parameter of parameters) {
    let size = 0;
    for (const { data } of parameter.factors) size = Math.max(size, await largestOf(data, scheduler));
    if (size > most) [name, most] = [parameter.name, size];
  }
  return name;
}

/** The largest size of a table's values; Infinity where one is no number. */
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

/** Weights from so many times their mean on, and values from so far on, are at fault themselves. */
const STANDS_OUT = 10;

/** Why a trained state is refused that training itself has left finite. */
export const UNSERVABLE = 'left numbers with which scores are beyond float32';

/** The same error with what was at fault. */
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

/** How many times the mean of those above 0 the largest is. */
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
