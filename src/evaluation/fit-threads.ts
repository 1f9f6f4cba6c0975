// Fits at once, each on a thread of its own, so that its bits are those of a fit alone. A thread is sent plain data; what
// cannot be sent, or is not answered, is done here.

import { untilAborted } from '../core/scheduler';
import { findHost, sayOnce, type WorkerHandle } from '../core/worker-host';
import type { FeatureRows } from '../data/feature-fields';
import { FeatureTable } from '../data/feature-table';
import { Interactions } from '../data/interactions';
import type { Split } from '../data/splits';
import { type Id, Vocabulary } from '../data/vocabulary';
import { canCompile, createMemory, inWasm } from '../wasm/host';
import { type Fit, type FitResult, type Parts, runFit } from './fits';

/** Runs fits, on this thread or on others. */
export interface FitRunner {
  /** How many may be under way at once. */
  readonly atOnce: number;
  run(fit: Fit, parts: Parts, signal: AbortSignal | undefined): Promise<FitResult>;
  /** Ends its threads. */
  close(): void;
}

/**
 * A runner for so many fits at once. Threads are started when they are needed; where the file of the worker is not beside this
 * one (sources, bundles), or there are no threads, this one does all.
 */
export function startFitRunner(threads: number | 'auto', file: string | undefined = workerFile()): FitRunner {
  const host = file === undefined ? null : findHost();
  const wanted = threads === 'auto' ? (host?.parallelism ?? 1) : threads;
  const all: FitThread[] = [];
  const idle: FitThread[] = [];
  let most = host === null || wanted === 1 || lacksAddresses() ? 0 : wanted;
  let isClosed = false;
  const start = (): FitThread | undefined => {
    if (all.length >= most) return undefined;
    try {
      all.push({ handle: host!.start(`import(${JSON.stringify(file)})`), parts: undefined });
      return all.at(-1);
    } catch (error) {
      most = all.length;
      doWithout(error);
      return undefined;
    }
  };
  return {
    atOnce: Math.max(most, 1),
    async run(fit, parts, signal) {
      // More fits than threads: some have ended.
      const thread = typeof fit.recommender === 'function' ? undefined : (idle.pop() ?? start());
      if (thread === undefined) return runFit(fit, parts, signal);
      let result: unknown = null;
      try {
        const message: FitMessage = { fit, ...(thread.parts !== parts && { parts: packed(parts) }) };
        thread.parts = parts;
        result = await untilAborted(thread.handle.ask(message), signal);
        idle.push(thread);
      } catch (error) {
        signal?.throwIfAborted();
        if (isClosed) throw error;
        doWithout(error);
      }
      // What fails there fails here, with the error itself.
      return (result as FitResult | null) ?? runFit(fit, parts, signal);
    },
    close() {
      isClosed = true;
      for (const { handle } of all) handle.terminate();
    },
  };
}

/** Whether there are too few addresses (ulimit -v): an engine that finds none for a thread ends the process. */
function lacksAddresses(): boolean {
  // A memory takes more of them.
  const lacks = inWasm('auto', () => createMemory(1)) === null && canCompile();
  if (lacks) doWithout(new Error('too few addresses (ulimit -v)'));
  return lacks;
}

interface FitThread {
  readonly handle: WorkerHandle;
  /** The last message it was sent. */
  parts: Parts | undefined;
}

function doWithout(error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  sayOnce(`opmf does without a thread, with the same results: ${reason}`);
}

/** What of Node is asked for at run time. */
interface NodeProcess {
  getBuiltinModule?(name: 'fs'): { existsSync(path: URL): boolean };
  getBuiltinModule?(name: 'url'): { pathToFileURL(path: string): URL };
}

/** The address of the program that a thread runs: a file beside this one in the package. Undefined where it is not there. */
function workerFile(): string | undefined {
  const { process } = globalThis as { process?: NodeProcess };
  if (typeof process?.getBuiltinModule !== 'function') return undefined;
  try {
    // An ES module has the first; of a CommonJS one tsup.config.ts makes it undefined.
    const own: string | URL = import.meta.url ?? process.getBuiltinModule('url').pathToFileURL(__filename);
    const file = new URL('./fit-worker.js', own);
    return process.getBuiltinModule('fs').existsSync(file) ? file.href : undefined;
  } catch {
    return undefined;
  }
}

/** A message to a thread; without parts the thread uses those of the message before. */
interface FitMessage {
  readonly fit: Fit;
  readonly parts?: PackedParts;
}

type Columns = Omit<Parameters<typeof Interactions.ofIndices>[0], 'users' | 'items'>;
type PackedParts =
  | { readonly users: Id[]; readonly items: Id[]; readonly train: Columns; readonly test: Columns }
  | { readonly train: FeatureRows; readonly test: FeatureRows };

function packed(parts: Parts): PackedParts {
  if (parts.train instanceof FeatureTable) {
    const rows = ({ size, starts, indices, values, labels, weights, fields }: FeatureRows): FeatureRows => {
      return { size, starts, indices, values, labels, weights, fields };
    };
    return { train: rows(parts.train), test: rows(parts.test as FeatureTable) };
  }
  const { train, test } = parts as Split;
  const columns = ({ userIndex, itemIndex, values, weights }: Interactions): Columns => {
    return { userIndex, itemIndex, values, weights };
  };
  return { users: [...train.users], items: [...train.items], train: columns(train), test: columns(test) };
}

function unpacked(parts: PackedParts): Parts {
  if (!('users' in parts))
    return { train: FeatureTable.fromRows(parts.train), test: FeatureTable.fromRows(parts.test) };
  const ids = { users: Vocabulary.from(parts.users), items: Vocabulary.from(parts.items) };
  return {
    train: Interactions.ofIndices({ ...ids, ...parts.train }),
    test: Interactions.ofIndices({ ...ids, ...parts.test }),
  };
}

/** The loop of a thread: it answers messages one after another. A fit that fails is answered by null. */
export function fitAnswerer(): (message: unknown) => Promise<FitResult | null> {
  let parts: Parts | undefined;
  return async (message) => {
    const { fit, parts: sent } = message as FitMessage;
    parts = sent === undefined ? parts : unpacked(sent);
    return runFit(fit, parts!, undefined).catch(() => null);
  };
}

/** Maps the inputs by `task`, at most `limit` at a time, started in order. The first failure is thrown, and no more start. */
export async function mapLimited<I, O>(
  inputs: readonly I[],
  limit: number,
  task: (input: I) => Promise<O>,
): Promise<O[]> {
  const results: O[] = new Array(inputs.length);
  let next = 0;
  let failed = false;
  const lane = async () => {
    while (next < inputs.length && !failed) {
      const at = next++;
      try {
        results[at] = await task(inputs[at]!);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, inputs.length) }, lane));
  return results;
}
