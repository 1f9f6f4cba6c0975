// The script of a thread that trains sweeps, started by worker.ts: arithmetic and the traffic of the store happen here, so that
// the thread which renews the locks of the jobs is never held up.

import { parentPort, workerData } from 'node:worker_threads';
import { TaskScheduler } from '../../core/scheduler';
import { readRun, StripeEngine, type Sweep, type SweepResult } from '../../training/per-rating/stripes';
import { faultText, isFinal } from './jobs';
import { openStore } from './stores/open-store';

/** A sweep to go on with. */
export interface SweepTask {
  readonly run: string;
  readonly sweep: Sweep;
  /** How many of its squares are in the store. */
  readonly done: number;
  readonly patience: number;
  readonly saveEvery: number;
}

/** What the thread says: at times how far a sweep is saved, then how it ended. */
export type SweepMessage =
  | { readonly saved: number }
  | SweepResult
  | { readonly fault: string; readonly isFinal: boolean };

const { store: place } = workerData as { readonly store: string };
const store = openStore(place);
// Its error is that of the first sweep.
store.catch(() => undefined);
let held: { readonly run: string; readonly engine: StripeEngine } | undefined;
let stopping = new AbortController();

async function train({ run, sweep, done, patience, saveEvery }: SweepTask): Promise<SweepMessage> {
  stopping = new AbortController();
  const { signal } = stopping;
  const stripes = await store;
  if (held?.run !== run) {
    // The memory of one run at a time.
    held = undefined;
    const engine = await StripeEngine.create(await readRun(run, stripes), stripes, new TaskScheduler(undefined));
    held = { run, engine };
  }
  const onSaved = (saved: number) => tell({ saved });
  return held.engine.sweep(sweep, done, { patience, saveEvery, onSaved, signal });
}

function tell(message: SweepMessage): void {
  parentPort!.postMessage(message);
}

parentPort!.on('message', async (task: SweepTask | 'stop') => {
  if (task === 'stop') return stopping.abort();
  try {
    tell(await train(task));
  } catch (error) {
    // What the memory holds is in doubt.
    held = undefined;
    tell({ fault: faultText(error), isFinal: isFinal(error) });
  }
});
