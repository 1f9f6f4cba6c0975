// What train() and the workers of opmf/distributed share: two BullMQ queues, their jobs, and errors that travel as text. A run is
// one coordinator job; the sweeps of an epoch are its children, so that BullMQ knows when an epoch is over and what has failed.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue as JobQueue, JobsOptions, WorkerOptions as JobWorkerOptions, QueueOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import { DataError, FormatError, OpmfError, OptionError, ThreadError, UnsupportedError } from '../../core/errors';
import { type Check, check, type Field, field, string } from '../../core/options';
import { VERSION } from '../../core/version';
import type { StripeRun, Sweep } from '../../training/per-rating/stripes';
import { loadPeer } from '../parquet';

export type Bull = typeof import('bullmq');

/** Times in milliseconds; tests have shorter ones. */
export interface Timing {
  /** A job whose worker is silent for so long, and up to two `stalledInterval` more, is given to another. */
  readonly lockDuration: number;
  readonly stalledInterval: number;
  /** So long a sweep waits for a stripe before it is saved and put back. */
  readonly patience: number;
  /** So often a sweep is saved. */
  readonly saveEvery: number;
  /** A job that a worker does not understand is left to others for so long. */
  readonly refusal: number;
}

export const TIMING: Timing = {
  ...{ lockDuration: 30_000, stalledInterval: 30_000 },
  ...{ patience: 10_000, saveEvery: 60_000, refusal: 5000 },
};

/** A job may lose so many workers before it is held to be what kills them. */
export const MOST_STALLED = 30;
/** A sweep that fails is begun again so many times, unless its error says that it will not do. */
const ATTEMPTS = 3;
/** What has failed is kept for a caller so long: a week, in seconds. */
const KEPT = 7 * 24 * 3600;

/** The data of a coordinator. */
export interface RunJob {
  /** Of opmf: another may round otherwise. */
  readonly version: string;
  readonly run: string;
  /** The epoch that is under way, from 1. */
  readonly epoch: number;
  /** How many workers in a row could do nothing with it. */
  readonly refusals?: number;
  /** The caller has gone back on it. */
  readonly isCancelled?: boolean;
}

/** The data of a sweep. */
export interface SweepJob {
  readonly version: string;
  readonly run: string;
  readonly sweep: Sweep;
  /** How many of its squares are in the store. */
  readonly done: number;
}

export const newRun = ({ id, first }: StripeRun): RunJob => ({ version: VERSION, run: id, epoch: first });

/** The options of a job. Its id is that of the work, so that it is not added twice; one that has failed says why to the caller. */
export const jobOptions = (jobId: string): JobsOptions => ({
  jobId,
  attempts: ATTEMPTS,
  backoff: { type: 'exponential', delay: 500 },
  removeOnComplete: true,
  removeOnFail: { age: KEPT },
});

/** A sweep as a child of its coordinator. */
export function sweepJob({ version, run }: RunJob, sweep: Sweep, parent: { id: string; queue: string }) {
  const data: SweepJob = { version, run, sweep, done: 0 };
  const { epoch, group, from, to } = sweep;
  const own = jobOptions(`${run}.${epoch}.${group}.${from}-${to}`);
  return { name: 'sweep', data, opts: { ...own, parent, failParentOnFailure: true } };
}

/** The names of the queues of a `queue`. */
export const namesOf = (queue: string) => ({
  ...{ runs: `${queue}-runs`, sweeps: `${queue}-sweeps` },
  /** Of recommendAll. */
  lists: `${queue}-lists`,
});

/** The name of a worker, which says how many sweeps it takes at once. */
export const workerName = (threads: number, pid: number) => `${threads}.${pid}`;

/** How many sweeps all workers that are connected take at once. Where a server does not list its clients, 0. */
export async function slotsOf(sweeps: JobQueue): Promise<number> {
  const workers = await sweeps.getWorkers();
  return workers.reduce((sum, { rawname }) => sum + Number(/:w:(\d+)\./.exec(rawname ?? '')?.[1] ?? 1), 0);
}

/** The queues as a client has them, with what is needed to end them. */
export class Queues {
  readonly runs: JobQueue<RunJob>;
  readonly sweeps: JobQueue<SweepJob>;

  constructor({ Queue }: Bull, redis: string, queue: string, onError: (error: Error) => void) {
    const names = namesOf(queue);
    const options = queueOptions(redis);
    this.runs = new Queue(names.runs, options);
    this.sweeps = new Queue(names.sweeps, options);
    for (const made of [this.runs, this.sweeps]) made.on('error', onError);
  }

  async close(): Promise<void> {
    await Promise.all([this.runs.close(), this.sweeps.close()]);
  }
}

/** Events are for those who listen; nobody does here. */
export const queueOptions = (redis: string): QueueOptions => ({
  ...connectionTo(redis),
  streams: { events: { maxLen: 100 } },
});

/** A lost connection is made again for as long as it takes. */
export function connectionTo(redis: string): Pick<JobWorkerOptions, 'connection'> {
  const retryStrategy = (times: number) => Math.min(50 * 2 ** Math.min(times, 6), 2000);
  return { connection: { url: redis, maxRetriesPerRequest: null, retryStrategy } };
}

/** Loads BullMQ and tries the server. @throws UnsupportedError for a package that is missing, OptionError where no server answers */
export async function openRedis(owner: string, redis: string): Promise<Bull> {
  const bull = await loadPeer('bullmq', 'opmf/distributed', () => import('bullmq'));
  const { Redis } = await loadPeer('ioredis', 'opmf/distributed', () => import('ioredis'));
  // A server that is being started again has some seconds.
  for (let pause = 100; ; pause *= 2) {
    const reason = await tryRedis(new Redis(redis, { lazyConnect: true, retryStrategy: () => null }));
    if (reason === undefined) return bull;
    if (pause > MOST_PAUSE)
      throw new OptionError(
        'redis',
        shownUrl(redis),
        `${owner}: no Redis server answers at ${shownUrl(redis)}: ${reason}; want the URL of one, such as redis://127.0.0.1:6379`,
      );
    await sleep(pause);
  }
}

/** The longest pause before a server that did not answer is tried again, in milliseconds. */
const MOST_PAUSE = 1600;

/** What is wrong with a server; undefined where it answers. */
async function tryRedis(client: Redis): Promise<string | undefined> {
  let reason = '';
  client.on('error', (error) => {
    reason = error.message;
  });
  try {
    await client.connect();
    await client.ping();
    return undefined;
  } catch (error) {
    return reason || (error as Error).message;
  } finally {
    if (client.status !== 'end') client.disconnect();
  }
}

/** An address without its password. */
export function shownUrl(url: string): string {
  return url.replace(/(\/\/[^/:@]*):[^@/]*@/, '$1:***@');
}

const redisUrl = /* @__PURE__ */ check<string>(
  'the URL of a Redis server, such as redis://127.0.0.1:6379',
  (value) => typeof value === 'string' && /^rediss?:\/\/./.test(value),
);

const queueName = /* @__PURE__ */ check<string>(
  'a name of letters, digits, dashes and dots',
  (value) => typeof value === 'string' && /^[\w.-]{1,100}$/.test(value),
);

/** An option without a default. */
const required = <T>(wanted: Check<T>): Field<T> => ({ read: wanted, wanted: wanted.wanted });

/** The options by which callers and workers meet. */
export const MEETING = {
  redis: /* @__PURE__ */ required(redisUrl),
  store: /* @__PURE__ */ required(string),
  queue: /* @__PURE__ */ field(queueName, 'opmf'),
};

/** Between looks at what another does, which is noticed a twentieth late, and `most` milliseconds, at most. Aborts end a pause. */
export function pauses(signal: AbortSignal | undefined, most = 1000): () => Promise<void> {
  let waited = 0;
  return async () => {
    const pause = Math.min(most, Math.max(10, waited / 20));
    waited += pause;
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  };
}

// Errors travel from a thread to the worker, and by Redis to the caller, as text: their name and what they say.

const KINDS: Readonly<Record<string, new (message: string) => OpmfError>> = {
  DataError,
  FormatError,
  UnsupportedError,
};

/** An error as text. */
export function faultText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** The error of a text: of its kind where that is ours. */
export function faultOf(text: string, owner: string): Error {
  const [, name = '', message = text] = /^(\w*Error): ([\s\S]*)$/.exec(text) ?? [];
  const Kind = Object.hasOwn(KINDS, name) ? KINDS[name]! : undefined;
  return Kind === undefined ? new OpmfError(`${owner}: a worker failed: ${text}`) : new Kind(message);
}

/**
 * Whether an error would come again, on any machine. That of a store (DataError) may not, nor that of a thread that ended: such a
 * job is tried some times more.
 */
export function isFinal(error: unknown): boolean {
  return error instanceof OpmfError && !(error instanceof ThreadError) && !(error instanceof DataError);
}
