// train() of opmf/distributed: fitTiles, whose epochs are worked on elsewhere. It adds one job and looks at it until the epoch is
// over: states are polled, as notifications may be lost.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from 'bullmq';
import { abortSignal, callable, optional, readOptions } from '../../core/options';
import type { MF } from '../../recommenders/mf';
import type { OverparamMF } from '../../recommenders/overparam-mf';
import type { FitOptions } from '../../recommenders/recommender';
import type { History } from '../../training/fit';
import type { StripeStore } from '../../training/per-rating/stripe-store';
import { isOver, type StripeRun } from '../../training/per-rating/stripes';
import type { FitTilesOptions } from '../tiles/fit-tiles';
import { type EpochRunner, fitStripes } from './fit-stripes';
import { faultOf, jobOptions, MEETING, newRun, openRedis, pauses, Queues, type RunJob, slotsOf } from './jobs';
import { openStore } from './stores/open-store';

/**
 * Where `train` finds its workers, and what of `fit` applies.
 *
 * @example
 * ```ts
 * import type { TrainOptions } from 'opmf/distributed';
 * const options: TrainOptions = { redis: 'redis://127.0.0.1:6379', store: 's3://ratings/opmf?region=eu-central-1' };
 * console.log(options.store); // s3://ratings/opmf?region=eu-central-1
 * ```
 */
export interface TrainOptions {
  /** The URL of a Redis or Valkey server: `redis://` or `rediss://`. */
  readonly redis: string;
  /** Where stripes are kept, which workers reach as well: a shared folder, `s3://bucket/prefix` or `redis://host/0#prefix`. */
  readonly store: string;
  /** Workers of the same name take part. Letters, digits, dashes and dots. @defaultValue 'opmf' */
  readonly queue?: string | undefined;
  /** As of `fit`: validation, early stopping, checkpoints, `onEpoch`. @defaultValue none */
  readonly fitOptions?: FitOptions | undefined;
  /** Ends the training, and takes its jobs from the queue. @defaultValue none */
  readonly signal?: AbortSignal | undefined;
  /** Told of progress, at most twice a second. @defaultValue none */
  readonly onProgress?: ((progress: TrainProgress) => unknown) | undefined;
  /** @internal */
  readonly timing?: { readonly poll: number } | undefined;
}

/** How far a training has come. */
export interface TrainProgress {
  readonly epoch: number;
  readonly epochs: number;
  /** The sweeps of the epoch that have ended, and all of them. A sweep is some stripes of the longer side, for one epoch. */
  readonly sweeps: number;
  readonly of: number;
  /** How many sweeps the workers that are connected take at once; 0 where the server does not list its clients. */
  readonly slots: number;
  /** Until the end of the last epoch; Infinity while nothing is done. */
  readonly secondsLeft: number;
}

const OWNER = 'train';
/** So often progress is looked for. */
const PROGRESS = 500;
/** So long jobs that are being worked on are waited for, until they can be removed. */
const REMOVAL = 15_000;

/**
 * Trains MF or OverparamMF as `fitTiles` does, on any number of machines, to the same bits: workers (`npx opmf worker`) train the
 * stripes of a partition, which go between them by a store.
 *
 * The order of training is that of one machine, so that the result does not depend on how many workers there are, which of them end
 * or are killed, or when. Called again with the same folder and options, after this process was killed too, it goes on where
 * the run is. Not trained so is what `fitTiles` does not train.
 *
 * Cost: through the store an epoch moves the rows of the longer side twice, those of the shorter side at most twice for each sweep
 * of a group, and the ratings once. The store has room for the ratings (12 bytes each, 16 with weights) and a few copies of the
 * tables with the optimizer's memory.
 *
 * @param dir - a folder of `partitionInteractions`, which only this process reads.
 * @param options - as of `fitTiles`, but for `threads` and `onProgress`.
 * @throws as `fitTiles`; OptionError where no Redis server answers; UnsupportedError where bullmq or ioredis is not installed, with
 * what to install; what a worker failed with: DataError for a store that is full or not to be reached.
 *
 * @example
 * ```ts redis
 * import { mkdtemp } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { syntheticInteractions } from 'opmf';
 * import { train, work } from 'opmf/distributed';
 * import { partitionInteractions } from 'opmf/node';
 * const store = await mkdtemp(join(tmpdir(), 'opmf-'));
 * const dir = join(await mkdtemp(join(tmpdir(), 'opmf-')), 'tiles');
 * await partitionInteractions(syntheticInteractions({ users: 200, items: 100, ratings: 5000 }), dir);
 * const where = { redis: process.env.OPMF_REDIS ?? 'redis://127.0.0.1:6379', store, queue: 'example' };
 * const stop = new AbortController();
 * const worker = work({ ...where, threads: 2, signal: stop.signal }); // on any machine, or npx opmf worker
 * const { history } = await train(dir, { recommender: 'mf', rank: 8, epochs: 3 }, where);
 * console.log(history.epochs.length); // 3
 * stop.abort();
 * await worker;
 * ```
 */
export async function train(
  dir: string,
  options: Omit<FitTilesOptions, 'onProgress'>,
  where: TrainOptions,
): Promise<{ readonly recommender: MF | OverparamMF; readonly history: History }> {
  const read = readOptions<Own>(OWNER, where, {
    ...MEETING,
    fitOptions: optional((value) => value as FitOptions),
    signal: optional(abortSignal),
    onProgress: optional(callable<(progress: TrainProgress) => unknown>()),
    timing: optional((value) => value as { readonly poll: number }),
  });
  const signals = [read.signal, read.fitOptions?.signal].filter((one) => one !== undefined);
  const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
  signal?.throwIfAborted();
  const bull = await openRedis(OWNER, read.redis);
  const store = await openStore(read.store);
  // A server that is away is waited for.
  const queues = new Queues(bull, read.redis, read.queue, () => undefined);
  try {
    const runEpochs = (run: StripeRun) => new RemoteEpochs(run, { ...read, queues, store, signal });
    const fitOptions = { ...read.fitOptions, ...(signal && { signal }) };
    return await fitStripes(dir, options, fitOptions, { owner: OWNER, store, runEpochs });
  } finally {
    await queues.close();
    await store.close();
  }
}

type Own = TrainOptions & { readonly queue: string };

interface Parts extends Pick<Own, 'onProgress' | 'timing'> {
  readonly queues: Queues;
  readonly store: StripeStore;
  readonly signal: AbortSignal | undefined;
}

/** The epochs of a run, as workers train them. */
class RemoteEpochs implements EpochRunner {
  private begun: Promise<void> | undefined;
  private readonly estimate = new Estimate();
  private looked = 0;

  constructor(
    private readonly run: StripeRun,
    private readonly parts: Parts,
  ) {}

  /** Resolves once an epoch is over. */
  async epoch(epoch: number): Promise<void> {
    const { run, parts } = this;
    const { queues, store, signal, timing } = parts;
    if (await isOver(run, epoch, store)) return;
    this.begun ??= this.begin();
    await this.begun;
    for (const pause = pauses(signal, timing?.poll); ; await pause()) {
      signal?.throwIfAborted();
      const job = await queues.runs.getJob(run.id);
      if (job === undefined) {
        // It has ended, or the server has lost it.
        if (await isOver(run, epoch, store)) return;
        await this.add();
      } else if (job.data.epoch > epoch) return;
      else if (job.finishedOn) throw await this.faultOf(job);
      else await this.report(job, epoch);
    }
  }

  /** Takes back what nobody waits for any more. */
  async close(): Promise<void> {
    // A server that is away is not waited for.
    await Promise.race([this.remove(), sleep(REMOVAL, undefined, { ref: false })]);
  }

  private async add(): Promise<void> {
    const { run, parts } = this;
    await parts.queues.runs.add('run', newRun(run), jobOptions(run.id));
  }

  /** Adds the run, or finds it. What has failed or was taken back for an earlier caller is begun again. */
  private async begin(): Promise<void> {
    const { run, parts } = this;
    const job = await parts.queues.runs.getJob(run.id);
    if (job?.finishedOn || job?.data.isCancelled) await this.remove();
    await this.add();
  }

  /** Removes the run with its sweeps: those that are being trained once their workers have noticed. */
  private async remove(): Promise<void> {
    const { run, parts } = this;
    for (const until = Date.now() + REMOVAL; Date.now() < until; await sleep(100)) {
      const job = await parts.queues.runs.getJob(run.id);
      // At its end it goes by itself.
      if (job === undefined || (job.data.epoch > run.epochs && !job.finishedOn)) return;
      try {
        // Each time: the coordinator may have written meanwhile.
        await job.updateData({ ...job.data, isCancelled: true });
        await job.remove();
        return;
      } catch {
        // A worker has it, or it has ended just now.
      }
    }
  }

  /** Why a run has failed. The run is removed, so that another call begins it again. */
  private async faultOf(job: Job<RunJob>): Promise<Error> {
    const { queues } = this.parts;
    const { failedReason = '' } = job;
    const child = /^child .*:([^:]+) failed$/.exec(failedReason)?.[1];
    const reason = child === undefined ? undefined : (await queues.sweeps.getJob(child))?.failedReason;
    return faultOf(reason ?? failedReason, OWNER);
  }

  private async report(job: Job<RunJob>, epoch: number): Promise<void> {
    const { run, parts, estimate } = this;
    const { onProgress, queues } = parts;
    if (onProgress === undefined || Date.now() - this.looked < PROGRESS) return;
    this.looked = Date.now();
    const { processed = 0, unprocessed = 0 } = await job.getDependenciesCount({ processed: true, unprocessed: true });
    const of = processed + unprocessed;
    const secondsLeft = estimate.secondsLeft(epoch - 1 + (of === 0 ? 0 : processed / of), run.epochs);
    onProgress({ epoch, epochs: run.epochs, sweeps: processed, of, slots: await slotsOf(queues.sweeps), secondsLeft });
  }
}

/** The time left, by what has been done since it was first asked. */
class Estimate {
  private begun: { readonly time: number; readonly done: number } | undefined;

  secondsLeft(done: number, all: number): number {
    const time = performance.now();
    this.begun ??= { time, done };
    const rate = (done - this.begun.done) / (time - this.begun.time);
    return rate > 0 ? (all - done) / rate / 1000 : Number.POSITIVE_INFINITY;
  }
}
