// The lists of all users as a file, written in parts: a call that was stopped goes on where it was.

import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { OptionError } from '../core/errors';
import {
  abortSignal,
  boolean,
  callable,
  check,
  field,
  integer,
  optional,
  readOptions,
  show,
  threadCount,
} from '../core/options';
import type { Id } from '../data/vocabulary';
import { checkRecommender } from '../evaluation/evaluation-options';
import type { Recommender } from '../recommenders/recommender';
import { checkList } from '../serving/predictor';
import type { RecommendationList, RecommendManyOptions } from '../serving/questions';
import { loadModel } from './model-file';
import { ModelStripes } from './model-stripes';
import { requireWritable, unwritable, writeFileAtomically } from './output-file';

/** Characters between two points from which a call can go on. */
const PART = 1 << 20;

/** Where a file stands. */
interface Progress {
  /** Of the model, the options and the users. */
  readonly fingerprint: string;
  /** Users written, and the bytes that they take. */
  readonly users: number;
  readonly bytes: number;
}

const FORMATS = {
  csv: { head: 'userId,itemId,rank,score\n', linesOf: csvLines },
  ndjson: { head: '', linesOf: ndjsonLine },
} as const;

/** One of several parts of the users, in their order. */
interface UserPart {
  /** From 1 to `of`. */
  readonly index: number;
  readonly of: number;
}

const partCheck = check<UserPart>('{ index, of }: whole numbers, index from 1 to of', (value) => {
  const { index, of } = (value ?? {}) as UserPart;
  return Number.isSafeInteger(index) && Number.isSafeInteger(of) && index >= 1 && index <= of;
});

/** What lists are asked of. */
type Asked = Pick<Recommender, 'save' | 'recommendEach'> & { readonly users: Iterable<Id> };

/**
 * Writes what `recommendEach` gives of all users, or some: NDJSON, a user a line, or CSV, an item a line.
 *
 * A name that ends in .ndjson or .jsonl: `{"userId":..,"basis":"model","items":[{"itemId":..,"score":..},..]}`. In .csv:
 * userId,itemId,rank,score with ranks from 1. The file appears when it is whole. Until then its lines are in PATH.part, and
 * PATH.part.json says how far they go: after a kill, an abort or a full disk, the same call with the same model and options
 * goes on from there, to the same bytes; with others it starts anew. Cost: that of `recommendEach`. Memory: some 20 MB, and
 * the model once more while its fingerprint is taken.
 *
 * Given the path of a saved MF, OverparamMF, ALS, SVDpp or NMF, the file is read through once, for its checksum, and then its
 * users some 32 MiB at a time, to the same lists: memory is some 300 MB and four times what the file has of items, whatever
 * the number of users. Models of other kinds, files of opmf 0.1, and those asked for some `users`, are loaded whole.
 *
 * Several machines write a part of the users each (`part`): the files of parts 1 to `of`, one after another, are the file of
 * all, byte by byte; of CSV the first part alone has the header.
 *
 * @param model - a recommender, or the path of a file that `saveModel` wrote.
 * @param options - as of `recommendEach`; `users`: whose lists, in this order; `onProgress`: called with users done and all.
 * @throws DataError if the file cannot be written, or the model's not be read; FormatError if that is damaged, or no model;
 * OptionError; NotFittedError; the signal's reason.
 * @example
 * ```ts
 * import { mkdtemp, readFile } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { MF, syntheticInteractions } from 'opmf';
 * import { saveModel, writeRecommendations } from 'opmf/node';
 * const model = new MF({ rank: 4, epochs: 2 });
 * await model.fit(syntheticInteractions({ users: 60, items: 40, ratings: 900 }));
 * const folder = await mkdtemp(join(tmpdir(), 'opmf-'));
 * const path = join(folder, 'lists.ndjson');
 * console.log(await writeRecommendations(path, model, { n: 5 })); // { users: 60, resumed: 0 }
 * console.log(JSON.parse((await readFile(path, 'utf8')).split('\n')[0]!).items.length); // 5
 * const saved = join(folder, 'model.safetensors');
 * await saveModel(saved, model);
 * const part = { index: 2, of: 3 };
 * console.log(await writeRecommendations(join(folder, 'part-2.csv'), saved, { part })); // { users: 20, resumed: 0 }
 * ```
 */
export async function writeRecommendations(
  path: string,
  model: string | (Pick<Recommender, 'save' | 'recommendEach'> & { readonly users: Iterable<Id> }),
  options?: {
    /** The most items of a user. @defaultValue 10 */
    readonly n?: number | undefined;
    /** Leaves out what the user has rated in training. @defaultValue true; false for a model saved without history */
    readonly filterSeen?: boolean | undefined;
    /** Items to leave out. */
    readonly exclude?: Iterable<Id> | undefined;
    /** Only these. @defaultValue every item with a training rating */
    readonly candidates?: Iterable<Id> | undefined;
    /** @defaultValue every user of the training data */
    readonly users?: Iterable<Id> | undefined;
    /** Which of `of` equal parts of the users, `index` counting from 1. @defaultValue all */
    readonly part?: { readonly index: number; readonly of: number } | undefined;
    readonly onProgress?: ((done: number, all: number) => void) | undefined;
    readonly signal?: AbortSignal | undefined;
    /** As of `recommendEach`. @defaultValue 'auto' */
    readonly threads?: number | 'auto' | undefined;
  },
): Promise<{ readonly users: number /** How many of them an earlier call had written. */; readonly resumed: number }> {
  const owner = 'writeRecommendations';
  const { users, part, onProgress, signal, threads, ...request } = readOptions(owner, options, {
    ...listFields(),
    users: optional(ids),
    part: field(partCheck, { index: 1, of: 1 }),
    threads: field(threadCount, 'auto'),
  });
  formatOf(owner, path);
  await requireWritable(path);
  const source = await sourceOf(model, users, signal);
  try {
    return await writeListsOf(source, path, { request, users, part, threads, signal, onProgress });
  } finally {
    await source.close?.();
  }
}

const ids = (value: unknown, name: string) => [...checkList(value as Iterable<Id>, name, 'a list or set of ids')];

/** The options of lists, whoever makes them. */
export const listFields = () => ({
  n: field(integer({ min: 0 }), 10),
  filterSeen: optional(boolean),
  exclude: optional(ids),
  candidates: optional(ids),
  onProgress: optional(callable<(done: number, all: number) => void>()),
  signal: optional(abortSignal),
});

/** Users in order, and their lists. */
export interface ListSource {
  /** Of the model. */
  readonly fingerprint: string | Uint8Array;
  readonly users: number;
  lists(from: number, to: number, options: RecommendManyOptions): AsyncIterable<[Id, RecommendationList]>;
  close?(): Promise<void>;
}

/** What lists are made of. @throws as a load */
export async function sourceOf(
  model: string | Asked,
  users: readonly Id[] | undefined,
  signal?: AbortSignal,
): Promise<ListSource> {
  if (typeof model !== 'string') return ofRecommender(model, users);
  const stripes = users === undefined ? await ModelStripes.open(model) : undefined;
  if (stripes === undefined) return ofRecommender(await loadModel(model), users);
  try {
    return ofStripes(stripes, await stripes.verify(signal));
  } catch (error) {
    await stripes.close();
    throw error;
  }
}

function ofRecommender(recommender: Asked, users: readonly Id[] | undefined): ListSource {
  const { users: known } = checkRecommender(recommender, ['save', 'recommendEach']);
  const asked = users ?? [...known];
  return {
    fingerprint: createHash('sha256').update(recommender.save()).digest('hex'),
    users: asked.length,
    lists: (from, to, options) => recommender.recommendEach(asked.slice(from, to), options),
  };
}

function ofStripes(stripes: ModelStripes, fingerprint: string): ListSource {
  return {
    fingerprint,
    users: stripes.users,
    async *lists(from, to, options) {
      for await (const { ids, recommender } of stripes.stripes(from, to))
        yield* recommender.recommendEach(ids, options);
    },
    close: () => stripes.close(),
  };
}

/** What is asked of every user. */
export type ListRequest = Pick<RecommendManyOptions, 'n' | 'filterSeen' | 'exclude' | 'candidates'>;

/** Writes a part of the lists of a source, or goes on with it. */
export async function writeListsOf(
  source: ListSource,
  path: string,
  {
    request,
    users: some,
    part: { index, of },
    threads,
    signal,
    onProgress,
  }: {
    readonly request: ListRequest;
    readonly users?: readonly Id[] | undefined;
    readonly part: UserPart;
    readonly threads: number | 'auto';
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((done: number, all: number) => void) | undefined;
  },
) {
  const format = formatOf('writeRecommendations', path);
  const { head, linesOf } = FORMATS[format];
  const fingerprint = createHash('sha256')
    .update(source.fingerprint)
    .update(JSON.stringify([format, request, some ?? null, index, of]))
    .digest('hex');
  const [from, to] = [index - 1, index].map((parts) => Math.floor((source.users * parts) / of)) as [number, number];
  const users = to - from;
  const [part, progress] = [`${path}.part`, `${path}.part.json`];
  const before = await resumable(part, progress, fingerprint);
  const file = await open(part, before === undefined ? 'w' : 'r+').catch((error) => {
    throw failure(path, error);
  });
  let [done, bytes] = [before?.users ?? 0, before?.bytes ?? 0];
  try {
    await file.truncate(bytes);
    let text = bytes === 0 && index === 1 ? head : '';
    const flush = async () => {
      const buffer = Buffer.from(text);
      await writeAll(file, buffer, bytes);
      bytes += buffer.length;
      text = '';
      await file.datasync();
      await writeFileAtomically(progress, JSON.stringify({ fingerprint, users: done, bytes } satisfies Progress));
    };
    for await (const [id, list] of source.lists(from + done, to, { ...request, signal, threads })) {
      text += linesOf(id, list);
      done++;
      if (text.length < PART) continue;
      await flush();
      onProgress?.(done, users);
    }
    await flush();
    onProgress?.(done, users);
  } catch (error) {
    throw failure(path, error);
  } finally {
    await file.close();
  }
  await rename(part, path).catch((error) => {
    throw failure(path, error);
  });
  await rm(progress, { force: true });
  return { users, resumed: before?.users ?? 0 };
}

export function formatOf(owner: string, path: unknown): keyof typeof FORMATS {
  if (typeof path === 'string' && /\.csv$/i.test(path)) return 'csv';
  if (typeof path === 'string' && /\.(ndjson|jsonl)$/i.test(path)) return 'ndjson';
  throw new OptionError(
    'path',
    path,
    `${owner}: path is ${show(path)}; want a name that ends in .ndjson, .jsonl or .csv`,
  );
}

/** Where an earlier call of the same work stopped; undefined if there was none. */
async function resumable(part: string, progress: string, fingerprint: string): Promise<Progress | undefined> {
  try {
    const before: Progress = JSON.parse(await readFile(progress, 'utf8'));
    if (before.fingerprint !== fingerprint) return undefined;
    const file = await open(part);
    try {
      return (await file.stat()).size >= before.bytes ? before : undefined;
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, start: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at, start + at)).bytesWritten;
}

function failure(path: string, error: unknown): unknown {
  const { syscall, message } = error as NodeJS.ErrnoException;
  if (syscall === undefined) return error;
  return unwritable(path, `${message}; what is written stays in ${path}.part, and the same call goes on from it`);
}

function ndjsonLine(userId: Id, list: RecommendationList): string {
  const items = list.map(({ itemId, score }) => ({ itemId, score }));
  return `${JSON.stringify({ userId, basis: list.basis, items })}\n`;
}

function csvLines(userId: Id, list: RecommendationList): string {
  const user = quoted(userId);
  return list.map(({ itemId, score }, k) => `${user},${quoted(itemId)},${k + 1},${score}\n`).join('');
}

/** A field as in RFC 4180; an empty id is quoted, since an empty field is none. */
function quoted(id: Id): string {
  const text = String(id);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
