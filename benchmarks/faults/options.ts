// 100,000 random options objects over all recommenders: each is refused by an OptionError, or trains to finite predictions.
// Run: node benchmarks/run.mjs benchmarks/faults/options.ts [RUNS [SEED [NAME,...]]]

import fc from 'fast-check';
import { RECOMMENDER_NAMES } from '../../src/recommenders/registry';
import { outcomeOf, randomOptions } from '../../test/support/random-options';

const runs = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? 1);
const names = RECOMMENDER_NAMES.filter((name) => (process.argv[4]?.split(',') ?? [name]).includes(name));
let faults = 0;
for (const name of names) {
  const counts = { trained: 0, refused: 0, diverged: 0, data: 0, fault: 0 };
  const property = fc.asyncProperty(randomOptions(name), async (options) => {
    try {
      counts[await outcomeOf(name, options)]++;
    } catch (error) {
      if (counts.fault++ < 5)
        console.log(name, fc.stringify(options).slice(0, 600), String((error as Error).stack).slice(0, 500));
    }
  });
  await fc.assert(property, { numRuns: Math.ceil(runs / names.length), seed });
  faults += counts.fault;
  console.log(name.padEnd(14), JSON.stringify(counts));
}
process.exitCode = faults > 0 ? 1 : 0;
