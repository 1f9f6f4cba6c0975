// Some mutations of saved models, and nothing kept of it: a part of the campaign of faults.
// Run: node benchmarks/run.mjs benchmarks/implicit/fuzz-some.ts mutations seed

import { fuzz, samples } from './fuzz-files';

console.log(JSON.stringify(await fuzz(await samples(), Number(process.argv[2]), Number(process.argv[3]))));
