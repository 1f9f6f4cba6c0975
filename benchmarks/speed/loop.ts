// What a fit does to the process it runs in: how long it keeps the event loop from other work, and how much memory it
// takes. Each fit runs in a process of its own (loop-probe.ts), so that nothing of another fit is counted.

import { execFileSync } from 'node:child_process';
import type { DataName } from './arguments';
import type { Bench } from './bench';
import { type Spread, spread } from './interleave';
import type { LoopArguments, LoopResult } from './loop-probe';
import { digits, table } from './table';

const RANK = 32;
const OPTIMIZERS = ['sgd', 'adam'] as const;
const RUNS = 3;
const PROBE = ['benchmarks/run.mjs', 'benchmarks/speed/loop-probe.ts'];

/** Has glibc give large blocks back at once; otherwise rss would not fall when they are let go, nor rise with new ones. */
const MALLOC = { MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' };

export const PROTOCOL =
  'MF, rank 32, each fit in a process of its own; held: the largest time between two turns of a timer of 1 ms, from the call of fit to its end; ' +
  'memory: the peak during fit minus that before it, of what V8 counts (heapUsed + external, array buffers among it) and of rss, sampled on that timer, ' +
  'over the bytes of ratings (12 each) + factors + optimizer slots';

export interface LoopRow {
  readonly data: DataName;
  readonly optimizer: string;
  readonly threads: number;
  readonly heldMilliseconds: Spread;
  readonly bytes: number;
  readonly countedRatio: Spread;
  readonly rssRatio: Spread;
}

export async function loop({ args, sets }: Bench): Promise<LoopRow[]> {
  const rows: LoopRow[] = [];
  for (const data of args.data) {
    // The probe would say why a set is missing once for each of its fits.
    if (data !== 'wide-20m' && (await sets.get(data)) === undefined) continue;
    for (const optimizer of OPTIMIZERS) {
      for (const threads of args.threads) {
        const asked: LoopArguments = { data, optimizer, threads, rank: RANK, epochs: 2, kernels: args.kernels };
        const runs = Array.from({ length: args.rounds ?? (args.quick ? 1 : RUNS) }, () => probe(asked));
        const of = (key: Exclude<keyof LoopResult, 'bytes'>) => spread(runs.map((run) => run[key]));
        const { bytes } = runs[0]!;
        const [countedRatio, rssRatio] = [of('countedRatio'), of('rssRatio')];
        rows.push({
          data,
          optimizer,
          threads,
          heldMilliseconds: of('heldMilliseconds'),
          bytes,
          countedRatio,
          rssRatio,
        });
      }
    }
  }
  const cells = rows.map(({ data, optimizer, threads, heldMilliseconds, bytes, countedRatio, rssRatio }) => [
    data,
    optimizer,
    String(threads),
    `${digits(heldMilliseconds.median)} (${digits(heldMilliseconds.max)})`,
    digits(bytes / 1e6),
    `${digits(countedRatio.median)} (${digits(countedRatio.max)})`,
    `${digits(rssRatio.median)} (${digits(rssRatio.max)})`,
  ]);
  const header = ['data', 'rule', 'threads', 'held ms: median (max)', 'MB', 'counted / MB', 'rss / MB'];
  console.log(table(header, cells));
  return rows;
}

function probe(asked: LoopArguments): LoopResult {
  const output = execFileSync(process.execPath, [...PROBE, JSON.stringify(asked)], {
    encoding: 'utf8',
    env: { ...process.env, ...MALLOC },
  });
  return JSON.parse(output.slice(output.lastIndexOf('\n', output.length - 2) + 1)) as LoopResult;
}
