// One fit in a process of its own, watched by a timer of 1 ms; prints what it saw as a line of JSON. Called by loop.ts.

import { MF, type MFOptions } from 'opmf';
import type { DataName } from './arguments';
import { DataSets } from './data-sets';
import { collectGarbage } from './interleave';

export interface LoopArguments {
  readonly data: DataName;
  readonly optimizer: 'sgd' | 'adam';
  readonly rank: number;
  readonly epochs: number;
  readonly threads: number;
  readonly kernels: MFOptions['kernels'];
}

export interface LoopResult {
  readonly heldMilliseconds: number;
  /** What the fit has to hold: ratings, factors, slots. */
  readonly bytes: number;
  readonly countedRatio: number;
  readonly rssRatio: number;
}

/** Numbers that a rule keeps for every element. */
const SLOTS = { sgd: 0, adam: 2 } as const;
/** Reading the memory takes some microseconds: not at every turn of the timer. */
const MEMORY_EVERY = 4;

const { data: name, optimizer, rank, epochs, threads, kernels } = JSON.parse(process.argv[2]!) as LoopArguments;
const data = await new DataSets().get(name);
if (data === undefined) process.exit(1);
const terms = { rank, epochs, threads, ...(kernels !== undefined && { kernels }) };
const model = new MF({ ...terms, ...(optimizer !== 'sgd' && { optimizer }) } as MFOptions);
await settle();

const before = memory();
const peak = { ...before };
let held = 0;
let scheduler = 0;
let last = performance.now();
const turn = () => {
  const now = performance.now();
  held = Math.max(held, now - last);
  last = now;
  if (scheduler++ % MEMORY_EVERY === 0) look();
};
const timer = setInterval(turn, 1);
await model.fit(data, { onEpoch: look });
turn();
clearInterval(timer);

const factors = (data.users.size + data.items.size) * (rank + 1);
const bytes = 12 * data.size + 4 * factors * (1 + SLOTS[optimizer]);
const result: LoopResult = {
  heldMilliseconds: held,
  bytes,
  countedRatio: (peak.counted - before.counted) / bytes,
  rssRatio: (peak.rss - before.rss) / bytes,
};
console.log(JSON.stringify(result));

/** Collects until nothing more goes: buffers that were let go are given back some time later. */
async function settle(): Promise<void> {
  for (let least = Infinity, idle = 0; idle < 5; idle++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { counted } = memory();
    if (counted < least - 100_000) idle = 0;
    least = Math.min(least, counted);
  }
}

function look(): void {
  const { counted, rss } = memory();
  peak.counted = Math.max(peak.counted, counted);
  peak.rss = Math.max(peak.rss, rss);
}

/** External memory includes array buffers and WebAssembly memory; memory shared between threads shows in rss alone. */
function memory() {
  const { heapUsed, external, rss } = process.memoryUsage();
  return { counted: heapUsed + external, rss };
}
