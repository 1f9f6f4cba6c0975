// Some thousand fits over options and data, ordinary and not: what they come to, and every one that resolves and cannot be
// served. Run: node benchmarks/run.mjs benchmarks/faults/fits.ts [how many, 2808] [seed, 1]

import { outcomeOf, trials } from './fit-trials';

const [count = 2808, seed = 1] = process.argv.slice(2).map(Number);
const ends = new Map<string, number>();
let faults = 0;
for (const trial of trials(count, seed)) {
  const { end, fault } = await outcomeOf(trial);
  ends.set(end, (ends.get(end) ?? 0) + 1);
  if (fault === undefined) continue;
  faults++;
  console.log(`${trial.name} on ${trial.data}: ${fault}\n  ${JSON.stringify(trial.options)}`);
}
console.log(`${count} fits: ${[...ends].map(([end, n]) => `${n} ${end}`).join(', ')}; ${faults} faults`);
process.exitCode = faults > 0 ? 1 : 0;
