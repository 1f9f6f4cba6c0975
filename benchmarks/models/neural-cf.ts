// GMF, MLP and NeuMF on the NCF split of MovieLens 1M, after He et al. (WWW 2017). To be reached: HR@10 .70, NDCG@10 .42;
// published, with factors 8 and pretraining: .684 / .403 (without: table 2 of the paper).
// Run: node benchmarks/run.mjs benchmarks/models/neural-cf.ts [variants, as neumf,gmf,mlp] [options as JSON]

import { writeFileSync } from 'node:fs';
import { adam, cosine, NeuralCF, type NeuralCFOptions } from 'opmf';
import { ncf, run } from '../implicit/protocols';
import { machine } from '../machine';

const variants = (process.argv[2] ?? 'gmf,mlp,neumf').split(',') as NonNullable<NeuralCFOptions['variant']>[];
const { rate = 0.003, ...given } = JSON.parse(process.argv[3] ?? '{}') as NeuralCFOptions & { rate?: number };
const protocol = await ncf();
const runs = [];
for (const variant of variants) {
  const options: NeuralCFOptions = {
    factors: 32,
    layers: [64, 32, 16, 8],
    epochs: 20,
    optimizer: adam({ learningRate: cosine(rate) }),
    ...given,
    variant,
  };
  runs.push(await run(`NeuralCF ${variant}`, new NeuralCF(options), protocol));
}
const target = { 'hr@10': 0.7, 'ndcg@10': 0.42 };
const document = { machine: machine(), protocol: 'NCF split of ml-1m, 99 negatives', target, runs };
if (process.argv[3] === undefined)
  writeFileSync('benchmarks/results/models-neural-cf.json', `${JSON.stringify(document, null, 2)}\n`);
