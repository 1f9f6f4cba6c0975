// The lists of all users of a saved model, made by workers: a part of the users is a job. Model and parts go through the store,
// in pieces that are written once; a part has the same bytes whoever writes it.

import { createHash } from 'node:crypto';
import { type FileHandle, mkdtemp, open, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Queue as JobQueue } from 'bullmq';
import { DataError } from '../../core/errors';
import { integer, optional, readOptions, string } from '../../core/options';
import { VERSION } from '../../core/version';
import type { Id } from '../../data/vocabulary';
import { decodeUtf8, encodeUtf8 } from '../../io/files/safetensors';
import type { StripeStore } from '../../training/per-rating/stripe-store';
import { fill } from '../file-chunks';
import { requireWritable, unwritable } from '../output-file';
import {
  formatOf,
  type ListRequest,
  type ListSource,
  listFields,
  sourceOf,
  writeListsOf,
} from '../recommendations-file';
import { faultOf, jobOptions, MEETING, namesOf, openRedis, pauses, queueOptions } from './jobs';
import { openStore } from './stores/open-store';

/** The data of a job. */
export interface PartJob {
  readonly version: string;
  /** The lists that it is a part of. */
  readonly run: string;
  /** From 1. */
  readonly part: number;
}

/** What workers are told of the lists. */
interface About {
  readonly format: 'csv' | 'ndjson';
  readonly request: ListRequest;
  readonly parts: number;
  readonly model: Content;
}

/** The bytes of a file that lies in the store in pieces. */
interface Content {
  readonly bytes: number;
}

const OWNER = 'recommendAll';
/** The bytes of a piece of a file. */
const PIECE = 1 << 25;
/** The users of a part, where the caller does not say, and the most parts. */
const USERS = 100_000;
const MOST_PARTS = 10_000;

const keysOf = (run: string) => ({
  all: `lists/${run}/`,
  about: `lists/${run}/about`,
  model: `lists/${run}/model`,
  part: (part: number) => `lists/${run}/part-${part}`,
  /** Written after the pieces of a part. */
  end: (part: number) => `lists/${run}/part-${part}/end`,
});

/** What a worker that knows of no such lists does not have. */
export const aboutKey = (run: string): string => keysOf(run).about;

/**
 * Writes the file of `writeRecommendations`, whose parts are made by workers (`npx opmf worker`), to the same bytes.
 *
 * Any number of workers of the queue take part, and may be started, ended or killed at any time. Called again with the same model and
 * options, after this process was killed too, it goes on with the parts that there are. Store: the model file and the lists, until
 * the file is whole. A worker needs room for the model and a part in its temporary folder, and memory as `writeRecommendations`
 * given a path.
 *
 * @param path - a name that ends in .ndjson, .jsonl or .csv; it appears when it is whole.
 * @param model - the path of a file that `saveModel` wrote, which only this process reads.
 * @param options - as of `writeRecommendations`; `onProgress`: called with users done and all.
 * @param where - as of `train`.
 * @throws as `writeRecommendations`, and as `train` where a server or the store is not to be reached.
 *
 * @example
 * ```ts no-run
 * import { recommendAll } from 'opmf/distributed';
 * const where = { redis: 'redis://127.0.0.1:6379', store: '/mnt/shared/opmf' };
 * const { users } = await recommendAll('lists.csv', 'model.safetensors', { n: 20 }, where);
 * ```
 */
export async function recommendAll(
  path: string,
  model: string,
  options:
    | {
        /** The most items of a user. @defaultValue 10 */
        readonly n?: number | undefined;
        /** Leaves out what the user has rated in training. @defaultValue true; false for a model saved without history */
        readonly filterSeen?: boolean | undefined;
        /** Items to leave out. */
        readonly exclude?: Iterable<Id> | undefined;
        /** Only these. @defaultValue every item with a training rating */
        readonly candidates?: Iterable<Id> | undefined;
        /** The jobs, from 1 to 10,000; the file does not depend on them. @defaultValue one for 100,000 users */
        readonly parts?: number | undefined;
        readonly onProgress?: ((done: number, all: number) => void) | undefined;
        readonly signal?: AbortSignal | undefined;
      }
    | undefined,
  where: {
    /** The URL of a Redis or Valkey server: `redis://` or `rediss://`. */
    readonly redis: string;
    /** As of `train`: a shared folder, `s3://bucket/prefix` or `redis://host/0#prefix`. */
    readonly store: string;
    /** Workers of the same name take part. Letters, digits, dashes and dots. @defaultValue 'opmf' */
    readonly queue?: string | undefined;
  },
): Promise<{ readonly users: number }> {
  const read = readOptions(OWNER, options, {
    ...listFields(),
    parts: optional(integer({ min: 1, max: MOST_PARTS })),
  });
  const { parts: asked, onProgress, signal, ...request } = read;
  const { redis, store: place, queue: name } = readOptions(OWNER, where, MEETING);
  const format = formatOf(OWNER, path);
  await requireWritable(path);
  const source = await sourceOf(string(model, 'model'), undefined, signal);
  await source.close?.();
  const { users } = source;
  const parts = asked ?? Math.min(MOST_PARTS, Math.max(1, Math.ceil(users / USERS)));
  const run = createHash('sha256')
    .update(source.fingerprint)
    .update(JSON.stringify([VERSION, format, request, parts]))
    .digest('hex')
    .slice(0, 32);
  const keys = keysOf(run);
  const bull = await openRedis(OWNER, redis);
  const store = await openStore(place);
  const queue = new bull.Queue<PartJob>(namesOf(name).lists, queueOptions(redis));
  // A server that is away is waited for.
  queue.on('error', () => undefined);
  try {
    await publish(store, run, model, { format, request, parts });
    const jobs = new PartJobs(queue, store, run, signal);
    for (let part = 1; part <= parts; part++) await jobs.begin(part);
    const written = `${path}.part`;
    const file = await open(written, 'w');
    try {
      for (let part = 1; part <= parts; part++) {
        await jobs.end(part);
        const { bytes } = (await document<Content>(store, keys.end(part)))!;
        await fetchInto(store, keys.part(part), bytes, file, path);
        onProgress?.(Math.floor((users * part) / parts), users);
      }
      await file.sync();
      await rename(written, path);
    } catch (error) {
      await rm(written, { force: true });
      await jobs.remove(parts);
      throw error;
    } finally {
      await file.close();
    }
    await jobs.remove(parts);
    await store.remove(keys.all);
    return { users };
  } finally {
    await queue.close();
    await store.close();
  }
}

/** Puts a model into the store, and what is asked of it. */
async function publish(store: StripeStore, run: string, model: string, about: Omit<About, 'model'>): Promise<void> {
  const keys = keysOf(run);
  if (await store.has(keys.about)) return;
  const bytes = await putFile(store, keys.model, model);
  await store.put(keys.about, encodeUtf8(JSON.stringify({ ...about, model: { bytes } } satisfies About)));
}

/** The jobs of some lists, as their caller sees them: their states are polled, as notifications may be lost. */
class PartJobs {
  constructor(
    private readonly queue: JobQueue<PartJob>,
    private readonly store: StripeStore,
    private readonly run: string,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** Adds a part that is not there, unless it has been added. What has failed for an earlier caller is begun again. */
  async begin(part: number): Promise<void> {
    this.signal?.throwIfAborted();
    const { store, run, queue } = this;
    if (await store.has(keysOf(run).end(part))) return;
    const job = await queue.getJob(this.idOf(part));
    if (job?.finishedOn) await job.remove().catch(() => undefined);
    await queue.add('part', { version: VERSION, run, part }, jobOptions(this.idOf(part)));
  }

  /** Resolves once a part is in the store. */
  async end(part: number): Promise<void> {
    const { store, run, queue, signal } = this;
    const key = keysOf(run).end(part);
    for (const pause = pauses(signal); !(await store.has(key)); await pause()) {
      signal?.throwIfAborted();
      const job = await queue.getJob(this.idOf(part));
      if (job?.failedReason && job.finishedOn) {
        // Whatever is wrong with it, another call begins anew.
        await store.remove(keysOf(run).all);
        throw faultOf(job.failedReason, OWNER);
      }
      // The server has lost it, or it has ended just now.
      if (job === undefined) await this.begin(part);
    }
  }

  /** Removes those that no worker has: nobody waits for them any more. */
  async remove(parts: number): Promise<void> {
    for (let part = 1; part <= parts; part++) await this.queue.remove(this.idOf(part)).catch(() => undefined);
  }

  private idOf(part: number): string {
    return `${this.run}.${part}`;
  }
}

/** Makes parts, one at a time; keeps the model of the last. */
export class ListWorker {
  private readonly stopping = new AbortController();
  private folder: string | undefined;
  private held: { readonly run: string; readonly source: ListSource } | undefined;

  constructor(
    private readonly store: StripeStore,
    private readonly threads: number,
  ) {}

  get isStopped(): boolean {
    return this.stopping.signal.aborted;
  }

  /** Makes a part, unless it is there. @throws the reason of `stop` */
  async write({ run, part }: PartJob): Promise<void> {
    const { store, threads, stopping } = this;
    const keys = keysOf(run);
    if (await store.has(keys.end(part))) return;
    const about = await document<About>(store, keys.about);
    if (about === undefined) return;
    this.folder ??= await mkdtemp(join(tmpdir(), 'opmf-lists-'));
    const source = await this.modelOf(run, about, this.folder);
    const out = join(this.folder, `part-${part}.${about.format}`);
    try {
      const { request, parts: of } = about;
      await writeListsOf(source, out, { request, part: { index: part, of }, threads, signal: stopping.signal });
      const bytes = await putFile(store, keys.part(part), out);
      await store.put(keys.end(part), encodeUtf8(JSON.stringify({ bytes } satisfies Content)));
    } finally {
      for (const name of [out, `${out}.part`, `${out}.part.json`]) await rm(name, { force: true });
    }
  }

  stop(): void {
    this.stopping.abort();
  }

  async close(): Promise<void> {
    await this.held?.source.close?.();
    if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true });
  }

  private async modelOf(run: string, { model }: About, folder: string): Promise<ListSource> {
    if (this.held?.run === run) return this.held.source;
    await this.held?.source.close?.();
    this.held = undefined;
    const path = join(folder, 'model.safetensors');
    const file = await open(path, 'w');
    try {
      await fetchInto(this.store, keysOf(run).model, model.bytes, file, path);
    } finally {
      await file.close();
    }
    const source = await sourceOf(path, undefined, this.stopping.signal);
    this.held = { run, source };
    return source;
  }
}

async function document<T>(store: StripeStore, key: string): Promise<T | undefined> {
  const bytes = await store.get(key);
  return bytes && (JSON.parse(decodeUtf8(bytes)) as T);
}

/** Puts a file into the store, in pieces that are numbered from 0; how many bytes it has. */
async function putFile(store: StripeStore, key: string, path: string): Promise<number> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    for (let at = 0; at < size; at += PIECE) {
      const piece = `${key}/${at / PIECE}`;
      if (await store.has(piece)) continue;
      const bytes = new Uint8Array(Math.min(PIECE, size - at));
      if ((await fill(file, bytes, at)) < bytes.length)
        throw new DataError(`${path} has become shorter while it was read`, { file: path });
      await store.put(piece, bytes);
    }
    return size;
  } finally {
    await file.close();
  }
}

/** Appends a file of the store to one on disk. */
async function fetchInto(
  store: StripeStore,
  key: string,
  bytes: number,
  file: FileHandle,
  path: string,
): Promise<void> {
  for (let at = 0; at < bytes; at += PIECE) {
    const piece = await store.get(`${key}/${at / PIECE}`);
    if (piece?.length !== Math.min(PIECE, bytes - at))
      throw new DataError(`the store has lost ${key}/${at / PIECE}; was it emptied meanwhile? Call recommendAll again`);
    await file.writeFile(piece).catch((error: Error) => {
      throw unwritable(path, error.message);
    });
  }
}
