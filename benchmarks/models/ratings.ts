// SVD++ and NMF beside published figures: the exact options of Surprise and of MyMediaLite, and the defaults here, over 5
// random folds of MovieLens. Run: OPMF_DATA=... npm run bench:models (part of a name: only the rows that have it)

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { crossValidate, NMF, type Recommender, SVDpp, sgd } from 'opmf';
import { loadDataset } from 'opmf/node';
import { machine } from '../machine';

const FILE = 'benchmarks/results/models-ratings.json';

/** Surprise: SVDpp() as it is. */
const SURPRISE = new SVDpp({
  rank: 20,
  epochs: 20,
  optimizer: sgd({ learningRate: 0.007 }),
  regularization: 0.02,
  initScale: 0.1,
  standardize: false,
});

/** MyMediaLite: SVDPlusPlus num_factors=20 regularization=.1 bias_reg=.005 learn_rate=.01 bias_learn_rate=.007 num_iter=50. */
const MYMEDIALITE = new SVDpp({
  rank: 20,
  epochs: 50,
  optimizer: sgd({ learningRate: { embedding: 0.01, bias: 0.007 } }),
  regularization: { embedding: 0.1, bias: 0.005 },
  initScale: 0.1,
  standardize: false,
});

/** Surprise: NMF() as it is. */
const SURPRISE_NMF = new NMF({ rank: 15, epochs: 50, regularization: 0.06, initRange: 1 });

interface Row {
  readonly name: string;
  readonly dataset: 'ml-100k' | 'ml-1m';
  readonly model: Recommender;
  /** RMSE, as published. */
  readonly published?: number;
}

const ROWS: readonly Row[] = [
  { name: 'SVD++ of Surprise', dataset: 'ml-100k', model: SURPRISE, published: 0.919 },
  { name: 'SVD++ k=20 of MyMediaLite', dataset: 'ml-100k', model: MYMEDIALITE, published: 0.90829 },
  { name: 'SVD++, defaults', dataset: 'ml-100k', model: new SVDpp() },
  { name: 'NMF of Surprise', dataset: 'ml-100k', model: SURPRISE_NMF, published: 0.963 },
  { name: 'NMF by gradients, defaults', dataset: 'ml-100k', model: new NMF({ solver: 'gradient' }) },
  { name: 'NMF of Surprise on ML-1M', dataset: 'ml-1m', model: SURPRISE_NMF, published: 0.916 },
  { name: 'SVD++ on ML-1M, defaults', dataset: 'ml-1m', model: new SVDpp(), published: 0.851 },
];

const wanted = process.argv[2] ?? '';
const known = existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')).results : [];
const results: { name: string }[] = known;
for (const { name, dataset, model, published } of ROWS.filter((row) => row.name.includes(wanted))) {
  const started = performance.now();
  const { mean, std } = await crossValidate(model, await loadDataset(dataset), { folds: 5, seed: 1 });
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  const result = { name, dataset, options: model.options, published: published ?? null, mean, std, seconds };
  const at = results.findIndex((one) => one.name === name);
  results.splice(at < 0 ? results.length : at, at < 0 ? 0 : 1, result);
  console.log(
    `${name.padEnd(27)} RMSE ${mean.rmse.toFixed(4)} +- ${std.rmse.toFixed(4)} (published ${published ?? '-'}), MAE ${mean.mae.toFixed(4)}, ${seconds} s`,
  );
  const protocol = '5 random folds, seed 1, pooled within a fold; seconds of all five, as run beside other work';
  writeFileSync(FILE, `${JSON.stringify({ machine: machine(), protocol, results }, null, 2)}\n`);
}
