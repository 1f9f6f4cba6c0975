// Random options objects over all recommenders: each is refused by an error of the library, or trains to a model that
// answers with finite numbers, also after a load. Ends with code 1 where one is neither.
// Run: node benchmarks/run.mjs benchmarks/faults/options.ts [RUNS [SEED [NAME,...]]]
// 100,000 runs over all of them, some three minutes of a core, are kept as benchmarks/results/options.json.

import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { RECOMMENDER_NAMES } from '../../src/recommenders/registry';
import { outcomeOf, randomData, randomFitOptions, randomOptions } from '../../test/support/random-options';
import { machine } from '../machine';

const KEPT_FROM = 100_000;

const [runs, seed] = [Number(process.argv[2] ?? KEPT_FROM), Number(process.argv[3] ?? 1)];
const asked = process.argv[4]?.split(',');
const names = RECOMMENDER_NAMES.filter((name) => asked === undefined || asked.includes(name));
const results: Record<string, Record<string, number>> = {};
let faults = 0;
for (const name of names) {
  const counts = { trained: 0, refused: 0, diverged: 0, data: 0, fault: 0 };
  const draws = fc.tuple(randomOptions(name), randomData, randomFitOptions);
  const property = fc.asyncProperty(draws, async ([options, data, fitOptions]) => {
    try {
      counts[await outcomeOf(name, options, data, fitOptions)]++;
    } catch (error) {
      if (counts.fault++ >= 5) return;
      const drawn = fc.stringify([options, data, fitOptions]).slice(0, 600);
      console.log(name, drawn, String((error as Error).stack).slice(0, 500));
    }
  });
  await fc.assert(property, { numRuns: Math.ceil(runs / names.length), seed });
  results[name] = counts;
  faults += counts.fault;
  console.log(name.padEnd(14), JSON.stringify(counts));
}
if (faults > 0) process.exitCode = 1;
if (runs >= KEPT_FROM && asked === undefined) {
  const kept = { machine: machine(), command: `options.ts ${runs} ${seed}`, results };
  writeFileSync('benchmarks/results/options.json', `${JSON.stringify(kept, null, 2)}\n`);
}
