// ALS on the NCF split of MovieLens 1M, after "Revisiting the Performance of iALS on Item Recommendation Benchmarks"
// (Rendle, Krichene, Zhang, Koren, RecSys 2022). To be reached: HR@10 .7109, NDCG@10 .4382. Run: node benchmarks/run.mjs benchmarks/implicit/als.ts [ranks, as 64,192]

import { writeFileSync } from 'node:fs';
import { ALS, type ALSOptions } from 'opmf';
import { machine } from '../machine';
import { evaluateNcf, loadNcf } from './als-ncf';

const TARGET = { hr10: 0.7109, ndcg10: 0.4382 };
const ranks = (process.argv[2] ?? '64').split(',').map(Number);
const { train, test } = loadNcf();
const runs = [];
for (const rank of ranks) {
  const options: ALSOptions = { rank, epochs: 12, regularization: 0.007, unobservedWeight: 0.3, initScale: 0.1 };
  const model = new ALS(options);
  const before = process.cpuUsage();
  const { seconds, epochs } = await model.fit(train);
  // Of all threads; on a busy machine it says more than the clock.
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = (user + system) / 1e6;
  const figures = evaluateNcf(model, test);
  const trainLoss = epochs.map((epoch) => epoch.trainLoss);
  runs.push({ options: model.options, seconds, cpuSeconds, ...figures, trainLoss });
  const [hr, ndcg] = [figures.hr10, figures.ndcg10].map((value) => value.toFixed(4));
  console.log(
    `${JSON.stringify(options)}: ${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} of CPU), HR@10 ${hr}, NDCG@10 ${ndcg}`,
  );
}
const document = { machine: machine(), protocol: 'NCF split of ml-1m, 99 negatives', target: TARGET, runs };
writeFileSync('benchmarks/results/als-ncf.json', `${JSON.stringify(document, null, 2)}\n`);
