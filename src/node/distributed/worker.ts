// A worker: it runs coordinators and sweeps of all runs of a queue, until it is told to stop. BullMQ finds the jobs, renews their
// locks and gives those of a worker that is gone to another; nothing of that is done here.

import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import { Worker as Thread } from 'node:worker_threads';
import type { Job, WorkerOptions as JobWorkerOptions } from 'bullmq';
import { OpmfError, ThreadError, UnsupportedError } from '../../core/errors';
import { abortSignal, callable, field, optional, readOptions, threadCount } from '../../core/options';
import { VERSION } from '../../core/version';
import type { StripeStore } from '../../training/per-rating/stripe-store';
import {
  agreedSweeps,
  endEpoch,
  isOver,
  readRun,
  type SweepResult,
  stripeKeys,
} from '../../training/per-rating/stripes';
import {
  type Bull,
  connectionTo,
  faultOf,
  faultText,
  isFinal,
  MEETING,
  MOST_STALLED,
  namesOf,
  openRedis,
  Queues,
  type RunJob,
  type SweepJob,
  shownUrl,
  slotsOf,
  sweepJob,
  TIMING,
  type Timing,
  workerName,
} from './jobs';
import { aboutKey, ListWorker, type PartJob } from './lists';
import { openStore } from './stores/open-store';
import type { SweepMessage, SweepTask } from './sweep-thread';

/**
 * The options of `work`.
 *
 * @example
 * ```ts
 * import type { WorkOptions } from 'opmf/distributed';
 * const options: WorkOptions = { redis: 'redis://127.0.0.1:6379', store: '/mnt/shared/opmf', threads: 'auto' };
 * console.log(options.threads); // auto
 * ```
 */
export interface WorkOptions {
  /** The URL of the Redis server that `train` was given: `redis://` or `rediss://`. */
  readonly redis: string;
  /** The store that `train` was given: a shared folder, `s3://bucket/prefix` or `redis://host/0#prefix`. */
  readonly store: string;
  /** Letters, digits, dashes and dots. @defaultValue 'opmf' */
  readonly queue?: string | undefined;
  /** The sweeps at once, each on a thread of its own, at least 1; 'auto': as many as this machine runs. @defaultValue 'auto' */
  readonly threads?: number | 'auto' | undefined;
  /** Ends the worker: it saves its sweeps and hands them back. @defaultValue none */
  readonly signal?: AbortSignal | undefined;
  /** Told in a line of what happens. @defaultValue none */
  readonly onLog?: ((line: string) => unknown) | undefined;
  /** @internal */
  readonly timing?: Partial<Timing> | undefined;
}

const OWNER = 'work';
/** So often a sweep looks whether its run is still wanted, in milliseconds. */
const LOOK = 2000;
/** After so many workers in a row that left it to others, a run has failed; and nobody may be waiting for a part of lists. */
const MOST_REFUSALS = 60;
/** A thread without work for so long is ended. */
const IDLE = 60_000;
/** The coordinators at once: they mostly wait. */
const COORDINATORS = 8;

/**
 * Works on the runs that `train` adds to a queue: what `npx opmf worker` does. Any number of workers on any number of machines may
 * be started and ended, or killed, at any time; the result has the same bits. Resolves once `signal` is aborted and all is handed
 * back.
 *
 * Memory: of each thread the rows of the shorter side, those of one group of the longer and the ratings of some tiles.
 *
 * @throws OptionError, also where no Redis server answers; UnsupportedError where bullmq, ioredis or the client of the store is not
 * installed, or threads cannot be started from this program (a bundle without `sweep-thread.js`).
 *
 * @example
 * ```ts redis
 * import { tmpdir } from 'node:os';
 * import { work } from 'opmf/distributed';
 * const redis = process.env.OPMF_REDIS ?? 'redis://127.0.0.1:6379';
 * const stop = new AbortController();
 * const working = work({ redis, store: tmpdir(), queue: 'another', threads: 1, signal: stop.signal });
 * stop.abort(); // as on SIGTERM
 * await working;
 * ```
 */
export async function work(options: WorkOptions): Promise<void> {
  const read = readOptions<Own>(OWNER, options, {
    ...MEETING,
    threads: field(threadCount, 'auto'),
    signal: optional(abortSignal),
    onLog: optional(callable<(line: string) => unknown>()),
    timing: optional((value) => value as Partial<Timing>),
  });
  const { redis, queue, signal } = read;
  const threads = read.threads === 'auto' ? availableParallelism() : read.threads;
  const timing = { ...TIMING, ...read.timing };
  const script = threadScript();
  const tell = (line: string) => read.onLog?.(line);
  const onError = repeatedOnce((text) => tell(text));
  const bull = await openRedis(OWNER, redis);
  const store = await openStore(read.store);
  const queues = new Queues(bull, redis, queue, onError);
  const pool = new ThreadPool(script, read.store);
  const parts = { bull, queues, store, pool, timing, tell };
  const lists = new ListWorker(store, threads);
  const { lockDuration, stalledInterval } = timing;
  const common: JobWorkerOptions = {
    ...{ ...connectionTo(redis), lockDuration, stalledInterval, maxStalledCount: MOST_STALLED },
    name: workerName(threads, process.pid),
    runRetryDelay: 1000,
  };
  const names = namesOf(queue);
  const running = [
    new bull.Worker<RunJob>(names.runs, (job, token) => told(bull, coordinate(job, token!, parts)), {
      ...common,
      concurrency: COORDINATORS,
    }),
    new bull.Worker<SweepJob>(names.sweeps, (job, token) => told(bull, sweep(job, token!, parts)), {
      ...common,
      concurrency: threads,
    }),
    new bull.Worker<PartJob>(names.lists, (job, token) => told(bull, part(job, token!, parts, lists)), common),
  ];
  for (const worker of running) {
    worker.on('error', onError);
    worker.on('failed', (job, error) => tell(`${job?.name} ${job?.id} failed: ${error.message}`));
    worker.on('stalled', (id: string) => tell(`${id}: its worker is silent; it is given to another`));
    worker.on('lockRenewalFailed', (ids: string[]) => pool.stop(ids));
  }
  try {
    await Promise.all(running.map((worker) => worker.waitUntilReady()));
    tell(
      `opmf ${VERSION}: ${threads} sweeps at once of queue '${queue}' at ${shownUrl(redis)}, store ${shownUrl(read.store)}`,
    );
    await aborted(signal);
  } finally {
    pool.stopAll();
    lists.stop();
    await Promise.all(running.map((worker) => worker.close()));
    await pool.close();
    await lists.close();
    await queues.close();
    await store.close();
  }
}

type Own = WorkOptions & { readonly queue: string; readonly threads: number | 'auto' };

/** What a job works with. */
interface Parts {
  readonly bull: Bull;
  readonly queues: Queues;
  readonly store: StripeStore;
  readonly pool: ThreadPool;
  readonly timing: Timing;
  tell(line: string): void;
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve();
    else signal?.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Says of the same error once in half a minute: a server that is away is missed at every attempt. */
function repeatedOnce(tell: (text: string) => void): (error: Error) => void {
  let [last, until] = ['', 0];
  return ({ message }) => {
    const time = Date.now();
    if (message === last && time < until) return;
    [last, until] = [message, time + 30_000];
    tell(message);
  };
}

/** An error of ours has its kind in front of the text; one that would come again is one of BullMQ that says so. */
async function told(bull: Bull, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof OpmfError)) throw error;
    throw isFinal(error) ? new bull.UnrecoverableError(faultText(error)) : new Error(faultText(error));
  }
}

// The coordinator of a run: it adds the sweeps of an epoch as its children, waits for them, and goes on to the next. It holds
// nothing: wherever it is begun again, it goes on from what its job and the store say.

async function coordinate(job: Job<RunJob>, token: string, parts: Parts): Promise<void> {
  const { bull, queues, store, tell } = parts;
  await understand(job, token, parts);
  const run = await readRun(job.data.run, store);
  for (let { epoch } = job.data; epoch <= run.epochs && !job.data.isCancelled; epoch++) {
    if (!(await isOver(run, epoch, store))) {
      const sweeps = await agreedSweeps(run, epoch, Math.max(1, await slotsOf(queues.sweeps)), store);
      const parent = { id: job.id!, queue: job.queueQualifiedName };
      const jobs = sweeps.map((sweep) => sweepJob(job.data, sweep, parent));
      // BullMQ tells by their ids of those that it has, but not of those that are done and removed.
      const done = (await job.getChildrenValues()) ?? {};
      await queues.sweeps.addBulk(jobs.filter(({ opts }) => !Object.hasOwn(done, queues.sweeps.toKey(opts.jobId!))));
      if (await job.moveToWaitingChildren(token)) throw new bull.WaitingChildrenError();
      await endEpoch(run, epoch, store);
      tell(`run ${run.id}: epoch ${epoch} of ${run.epochs} is over`);
    }
    await job.updateData({ ...job.data, epoch: epoch + 1, refusals: 0 });
    // What children returned is kept for as long as their parent.
    const client = await queues.runs.getBackend().client;
    await client.del(queues.runs.toKey(`${job.id}:processed`));
  }
}

/** A job of another version, or of a run that the store of this worker does not have, is left to others. */
async function understand(
  job: Job<RunJob | SweepJob | PartJob>,
  token: string,
  parts: Parts,
  keyOf = (run: string) => stripeKeys({ id: run }).run,
): Promise<void> {
  const { version, run } = job.data;
  if (version !== VERSION || !(await parts.store.has(keyOf(run)))) await refuse(job, token, parts);
}

async function refuse(job: Job<RunJob | SweepJob | PartJob>, token: string, parts: Parts): Promise<never> {
  const { bull, timing, tell } = parts;
  const { version, run } = job.data;
  const reason =
    version === VERSION
      ? 'this store has no such run: is it the store that train() was given?'
      : `it is of opmf ${version}, and this is ${VERSION}: results might differ in their last bits; install the same`;
  tell(`run ${run} is left to other workers: ${reason}`);
  if ('epoch' in job.data) {
    const refusals = (job.data.refusals ?? 0) + 1;
    if (refusals > MOST_REFUSALS) throw new UnsupportedError(`no worker of the queue can train run ${run}: ${reason}`);
    await job.updateData({ ...job.data, refusals });
  }
  await job.moveToDelayed(Date.now() + timing.refusal, token);
  throw new bull.DelayedError();
}

// A sweep.

async function sweep(job: Job<SweepJob>, token: string, parts: Parts): Promise<void> {
  const { bull, pool, timing, tell } = parts;
  if (!(await isWanted(job, parts))) return;
  await understand(job, token, parts);
  const { run, sweep, done } = job.data;
  const begun = performance.now();
  const name = `run ${run}: epoch ${sweep.epoch}, group ${sweep.group}, stripes ${sweep.from} to ${sweep.to}`;
  let isUnwanted = false;
  const watch = setInterval(
    async () => {
      if (await isWanted(job, parts).catch(() => true)) return;
      isUnwanted = true;
      pool.stop([job.id!]);
    },
    Math.min(LOOK, timing.lockDuration),
  );
  const save = (saved: number) => job.updateData({ ...job.data, done: saved });
  try {
    const { patience, saveEvery } = timing;
    const ended = await pool.sweep(job.id!, { run, sweep, done, patience, saveEvery }, (saved) => {
      // A job that is another worker's by now keeps what that one says.
      save(saved).catch(() => undefined);
    });
    const seconds = ((performance.now() - begun) / 1000).toFixed(2);
    if (ended.isComplete) return tell(`${name}: ${ended.done - done} squares, ${seconds} s`);
    if (isUnwanted) return tell(`${name}: its run is not wanted any more`);
    await save(ended.done);
    if (pool.isStopped) {
      tell(`${name}: saved after ${ended.done} squares, handed back`);
      await job.moveToWait(token);
      throw new bull.WaitingError();
    }
    tell(`${name}: saved after ${ended.done} squares, waits for stripes of others`);
    await job.moveToDelayed(Date.now() + Math.min(1000, patience / 4), token);
    throw new bull.DelayedError();
  } finally {
    clearInterval(watch);
  }
}

/** Whether somebody waits for a sweep: its coordinator is there, and neither cancelled nor failed by another sweep. */
async function isWanted(job: Job<SweepJob>, { queues }: Parts): Promise<boolean> {
  const parent = await queues.runs.getJob(job.data.run);
  return parent !== undefined && !parent.data.isCancelled && !parent.finishedOn && !parent.deferredFailure;
}

// A part of the lists of all users. It gives way while it is made, so that locks are renewed.

async function part(job: Job<PartJob>, token: string, parts: Parts, lists: ListWorker): Promise<void> {
  // What is whole has left the store, and the job of a killed worker may have stayed. A caller who waits for it adds it again.
  const mayBeOver = job.stalledCounter > 0 || job.attemptsStarted > MOST_REFUSALS;
  if (mayBeOver && !(await parts.store.has(aboutKey(job.data.run)))) return;
  await understand(job, token, parts, aboutKey);
  const begun = performance.now();
  try {
    await lists.write(job.data);
  } catch (error) {
    if (!lists.isStopped) throw error;
    await job.moveToWait(token);
    throw new parts.bull.WaitingError();
  }
  parts.tell(`lists ${job.data.run}: part ${job.data.part}, ${((performance.now() - begun) / 1000).toFixed(2)} s`);
}

// Threads.

/** The threads of a worker. One that has the memory of a run goes on with it. */
class ThreadPool {
  isStopped = false;
  private readonly idle = new Set<SweepThread>();
  private readonly busy = new Map<string, SweepThread>();

  constructor(
    private readonly script: URL,
    private readonly store: string,
  ) {}

  async sweep(id: string, task: SweepTask, onSaved: (done: number) => void): Promise<SweepResult> {
    if (this.isStopped) return { done: task.done, isComplete: false };
    const alive = [...this.idle].filter(({ isAlive }) => isAlive);
    const thread = alive.find(({ run }) => run === task.run) ?? alive[0] ?? new SweepThread(this.script, this.store);
    this.idle.delete(thread);
    this.busy.set(id, thread);
    try {
      return await thread.sweep(task, onSaved);
    } finally {
      this.busy.delete(id);
      this.idle.add(thread);
      // With it goes the memory of its run.
      setTimeout(() => this.endIdle(thread), IDLE).unref();
    }
  }

  private async endIdle(thread: SweepThread): Promise<void> {
    if (!this.idle.has(thread) || performance.now() - thread.used < 0.9 * IDLE) return;
    this.idle.delete(thread);
    await thread.end();
  }

  /** Sweeps are to be saved and left. */
  stop(ids: readonly string[]): void {
    for (const id of ids) this.busy.get(id)?.stop();
  }

  stopAll(): void {
    this.isStopped = true;
    this.stop([...this.busy.keys()]);
  }

  async close(): Promise<void> {
    await Promise.all([...this.idle, ...this.busy.values()].map((thread) => thread.end()));
  }
}

/** One sweep at a time. */
class SweepThread {
  /** The run whose memory it has. */
  run: string | undefined;
  isAlive = true;
  /** When it had its last sweep. */
  used = 0;
  private readonly thread: Thread;
  private answer: ((message: SweepMessage) => void) | undefined;
  private lose: ((error: Error) => void) | undefined;

  constructor(script: URL, store: string) {
    this.thread = new Thread(script, { workerData: { store } });
    this.thread.on('message', (message: SweepMessage) => this.answer?.(message));
    this.thread.on('error', (error: Error) => this.end(error.message));
    this.thread.on('exit', (code) => this.end(`it ended with code ${code}`));
  }

  sweep(task: SweepTask, onSaved: (done: number) => void): Promise<SweepResult> {
    this.run = task.run;
    const sweeping = new Promise<SweepResult>((resolve, reject) => {
      this.lose = reject;
      this.answer = (message) => {
        if ('saved' in message) onSaved(message.saved);
        else if ('fault' in message) reject(message.isFinal ? faultOf(message.fault, OWNER) : new Error(message.fault));
        else resolve(message);
      };
      this.thread.postMessage(task);
    });
    return sweeping.finally(() => {
      this.used = performance.now();
    });
  }

  stop(): void {
    this.thread.postMessage('stop');
  }

  async end(reason = 'it was ended'): Promise<void> {
    this.isAlive = false;
    this.lose?.(new ThreadError(reason));
    await this.thread.terminate();
  }
}

/** The program of a thread: a file beside this one in the package. */
function threadScript(): URL {
  // An ES module has the first; of a CommonJS one tsup.config.ts makes it undefined.
  const own: string | URL = import.meta.url ?? pathToFileURL(__filename);
  const file = new URL('./sweep-thread.js', own);
  if (existsSync(file)) return file;
  throw new UnsupportedError(
    `${OWNER}: ${file.pathname} is not there, which its threads run: keep opmf out of the bundle, or start npx opmf worker`,
  );
}
