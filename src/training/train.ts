// A whole fit: epochs, a watch over the validation metrics, early stopping, and what an abort leaves behind.

import type { Scheduler } from '../core/scheduler';
import { now } from '../core/scheduler';
import { untilAborted } from '../core/until-aborted';
import type { MetricName } from '../metrics/metric-names';
import { isLessBetter, type RowMetricName } from '../metrics/row-metrics';
import type { Real } from '../optimizers/factor';
import type { Parameter } from '../parameters/parameter';
import { checkFinite } from './divergence';
import type { EpochRecord, History } from './history';
import { STATELESS, type TrainerState } from './rule-state';
import { Snapshot } from './snapshot';
import type { Solver } from './solver';
import type { EpochResult } from './trainer';

/** What runs the epochs of a fit: a Trainer, or a Solver by its clock. */
export interface Epochs {
  epoch(epoch: number, scheduler: Scheduler): Promise<EpochResult>;
}

/** What a fit holds on to: its epochs, what goes from one to the next beside the factors, and memory to be given back. */
export interface Training extends Epochs {
  /** Goes on with a state that was read, before the first epoch. */
  resume(state: TrainerState): void;
  readState(scheduler: Scheduler): Promise<TrainerState>;
  dispose(): void;
}

/** A solver with its time taken. It has no learning rate, which is told as 0, and carries nothing but the factors. */
export function timed(solver: Solver, parameters: readonly Parameter[]): Training {
  return {
    async epoch(epoch, scheduler) {
      const started = now();
      const loss = await solver.epoch(epoch, scheduler);
      await checkFinite(loss, parameters, epoch, 0, NO_RATES, scheduler);
      return { loss, seconds: (now() - started) / 1000, learningRate: 0 };
    },
    resume: () => undefined,
    readState: async () => STATELESS,
    dispose: () => undefined,
  };
}

const NO_RATES = { progress: 0, at: () => 0 };

/** What a fit needs to know beside the trainer. */
export interface FitPlan {
  readonly epochs: number;
  /** The number of training ratings. */
  readonly ratings: number;
  /** The root mean squared error of a mean loss, on the rating scale; absent where the loss is not squared. */
  readonly rmseOf?: ((loss: number) => number) | undefined;
  /** The validation metrics at present. */
  readonly validate?: (() => Promise<Readonly<Partial<Record<MetricName | RowMetricName, number>>>>) | undefined;
  /** The rows of the validation that training knows nothing of; absent without one. */
  readonly cold?: number | undefined;
  readonly earlyStopping?:
    | { readonly metric: MetricName | RowMetricName; readonly patience: number; readonly minDelta: number }
    | undefined;
  readonly onEpoch?: ((epoch: EpochRecord) => unknown) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** @see History.usersPassedOver */
  readonly usersPassedOver?: number | undefined;
  /** Gives way to other tasks, within epochs and between them. */
  readonly scheduler: Scheduler;
  /** Where to go on: the factors are those of that moment already. */
  readonly resume?: FitProgress | undefined;
  /** Whether an abort or an error is to leave the last whole epoch in the factors; otherwise it leaves anything there. */
  readonly keepsWholeEpochs: boolean;
  /** Called after every so many epochs with all that going on from here takes beside the trainer and the factors. */
  readonly checkpoint?: { readonly every: number; write(progress: FitProgress): Promise<void> } | undefined;
}

/** How far a fit has come. */
export interface FitProgress {
  readonly epochs: readonly EpochRecord[];
  readonly seconds: number;
  /** With early stopping: the best epoch so far, 0 for none, its metric (as a cost), and the factors then. */
  readonly bestEpoch: number;
  readonly bestValue: number;
  readonly best: readonly Real[];
}

/**
 * Trains for the planned epochs. With early stopping the parameters of the best epoch are put back; after an abort or
 * an error, where the plan says so, those of the last epoch that was trained and measured are, and the error is thrown on.
 */
export async function train(
  model: { readonly parameters: readonly Parameter[] },
  trainer: Epochs,
  plan: FitPlan,
): Promise<History> {
  const { epochs, ratings, earlyStopping, signal, scheduler, resume, checkpoint } = plan;
  const started = now() - 1000 * (resume?.seconds ?? 0);
  const seconds = () => (now() - started) / 1000;
  const records: EpochRecord[] = [...(resume?.epochs ?? [])];
  const best = earlyStopping === undefined ? undefined : new Snapshot(model.parameters, resume?.best);
  const whole = plan.keepsWholeEpochs ? new Snapshot(model.parameters) : undefined;
  let { bestEpoch, bestValue } = resume ?? { bestEpoch: 0, bestValue: Infinity };
  const isStale = () => earlyStopping !== undefined && records.length - bestEpoch >= earlyStopping.patience;
  while (records.length < epochs && !isStale()) {
    const epoch = records.length + 1;
    // The first copy is of the start. What fails between two epochs finds the factors as they are to stay.
    if (records.length > (resume?.epochs.length ?? 0)) whole?.take();
    try {
      signal?.throwIfAborted();
      records.push(await runEpoch(trainer, plan, epoch));
    } catch (error) {
      whole?.restore();
      throw error;
    }
    const record = records[records.length - 1]!;
    await untilAborted(plan.onEpoch?.(record), signal);
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
      const copies = bestEpoch > 0 ? best!.copies : [];
      await checkpoint.write({ epochs: records, seconds: seconds(), bestEpoch, bestValue, best: copies });
    }
  }
  const stopped = isStale() ? 'early' : 'epochs';
  if (bestEpoch > 0) best!.restore();
  const { usersPassedOver } = plan;
  const chosen = bestEpoch > 0 ? bestEpoch : records.length;
  return {
    epochs: records,
    bestEpoch: chosen,
    stopped,
    seconds: seconds(),
    ...(usersPassedOver !== undefined && { usersPassedOver }),
  };
}

async function runEpoch(trainer: Epochs, plan: FitPlan, epoch: number): Promise<EpochRecord> {
  const { loss, seconds, learningRate } = await trainer.epoch(epoch, plan.scheduler);
  return {
    epoch,
    trainLoss: loss,
    ...(plan.rmseOf === undefined ? {} : { trainRmse: plan.rmseOf(loss) }),
    metrics: (await plan.validate?.()) ?? {},
    ...(plan.cold === undefined ? {} : { cold: plan.cold }),
    learningRate,
    seconds,
    ratingsPerSecond: seconds > 0 ? plan.ratings / seconds : 0,
  };
}
