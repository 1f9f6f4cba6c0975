// 100,000 mutations of saved models of every kind: each is refused as a FormatError, or loads and answers with numbers.
// Run: node benchmarks/run.mjs benchmarks/implicit/fuzz.ts [mutations] [seed]

import { writeFileSync } from 'node:fs';
import { machine } from '../machine';
import { fuzz, samples } from './fuzz-files';

const [mutations, seed] = [Number(process.argv[2] ?? 100_000), Number(process.argv[3] ?? 1)];
const started = performance.now();
const counts = fuzz(await samples(), mutations, seed);
const result = { mutations, seed, ...counts, seconds: (performance.now() - started) / 1000 };
console.log(JSON.stringify(result));
writeFileSync('benchmarks/results/fuzz.json', `${JSON.stringify({ machine: machine(), ...result }, null, 2)}\n`);
