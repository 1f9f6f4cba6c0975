// What it costs that defaults follow the data: fits on ml-1m untouched, and with all that was chosen given, by turns; and
// the seconds of the processor that the estimate alone takes. Run: npm run bench:defaults-cost [-- 9]

import { writeFileSync } from 'node:fs';
import { OverparamMF, type OverparamMFOptions, splitRandom } from 'opmf';
import { loadDataset } from 'opmf/node';
import { TaskScheduler } from '../../src/core/scheduler';
import { signalOf } from '../../src/recommenders/signal';
import { machine } from '../machine';

const rounds = Number(process.argv[2] ?? 9);
const { train } = splitRandom(await loadDataset('ml-1m'), { testFraction: 0.1, seed: 1 });
const seconds: Record<'untouched' | 'given' | 'estimate', number[]> = { untouched: [], given: [], estimate: [] };
let chosen: OverparamMFOptions = {};
for (let round = 0; round <= rounds; round++) {
  const untouched = new OverparamMF();
  const times = {
    untouched: await timed(() => untouched.fit(train)),
    given: await timed(() => new OverparamMF({ ...chosen, biasDamping: false }).fit(train)),
    estimate: await timed(() => signalOf(train, undefined, new TaskScheduler(undefined))),
  };
  chosen = untouched.options;
  // The first round warms up.
  if (round > 0) for (const name of ['untouched', 'given', 'estimate'] as const) seconds[name].push(times[name]);
}
const medians = Object.fromEntries(
  Object.entries(seconds).map(([name, list]) => [
    name,
    Number(list.sort((a, b) => a - b)[list.length >> 1]!.toFixed(4)),
  ]),
);
const result = {
  machine: machine(),
  dataset: 'ml-1m',
  rounds,
  medians,
  partOfFit: medians.untouched! / medians.given! - 1,
};
console.log(result);
writeFileSync('benchmarks/results/defaults-21/cost.json', `${JSON.stringify(result, null, 2)}\n`);

async function timed(run: () => Promise<unknown>): Promise<number> {
  // Of the processor: other work may be on the machine.
  const from = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1e6;
}
