// ALS on the NCF split of MovieLens 1M, after "Revisiting the Performance of iALS on Item Recommendation Benchmarks"
// (Rendle, Krichene, Zhang, Koren, RecSys 2022). To be reached: HR@10 .7109, NDCG@10 .4382.
// Run: node benchmarks/run.mjs benchmarks/implicit/als.ts [ranks, as 64,192]

import { writeFileSync } from 'node:fs';
import { ALS } from 'opmf';
import { machine } from '../machine';
import { ncf, run } from './protocols';

const ranks = (process.argv[2] ?? '64').split(',').map(Number);
const protocol = await ncf();
const runs = [];
for (const rank of ranks) {
  const options = { rank, epochs: 12, regularization: 0.007, unobservedWeight: 0.3, initScale: 0.1 };
  runs.push(await run(`ALS, rank ${rank}`, new ALS(options), protocol));
}
const target = { 'hr@10': 0.7109, 'ndcg@10': 0.4382 };
const document = { machine: machine(), protocol: 'NCF split of ml-1m, 99 negatives', target, runs };
writeFileSync('benchmarks/results/als-ncf.json', `${JSON.stringify(document, null, 2)}\n`);
