// What the default rates make of other batch sizes: test RMSE after the same epochs, beside batchSize 1.
// Run: npm run bench:batch-sizes [-- ml-100k,filmtrust [svdpp,nmf]]
// Kept in benchmarks/results: a run of all sets, and one of svdpp alone.

import { writeFileSync } from 'node:fs';
import { evaluateRatings, type History, MF, NMF, OverparamMF, SVDpp, splitRandom } from 'opmf';
import { loadDataset } from 'opmf/node';
import { machine } from './machine';

const SETS = ['ml-100k', 'ml-latest-small', 'filmtrust', 'ml-1m'];
const SIZES = [1, 8, 32, 128, 512, 1024, 4096];
const SEEDS = [1, 2, 3];
const KINDS = {
  mf: (batchSize: number) => new MF({ batchSize }),
  'overparam-mf': (batchSize: number) => new OverparamMF({ batchSize }),
  nmf: (batchSize: number) => new NMF({ solver: 'gradient', batchSize }),
  // A batch has ratings of one user: there are no large ones.
  svdpp: (batchSize: number) => new SVDpp({ batchSize }),
};

const asked = process.argv[2]?.split(',') ?? SETS;
const kinds = (process.argv[3]?.split(',') ?? ['mf', 'overparam-mf']) as (keyof typeof KINDS)[];
const results = [];
for (const dataset of asked) {
  const data = await loadDataset(dataset);
  for (const kind of kinds) {
    let single = 0;
    for (const batchSize of SIZES) {
      const rmse: number[] = [];
      let seconds = 0;
      let learningRate: unknown;
      for (const seed of dataset === 'ml-1m' ? [1] : SEEDS) {
        const { train, test } = splitRandom(data, { testFraction: 0.1, seed });
        const model = KINDS[kind](batchSize);
        const history: History = await model.fit(train);
        seconds += history.seconds;
        learningRate = model.options.optimizer?.learningRate;
        rmse.push((await evaluateRatings(model, test)).rmse);
      }
      const mean = rmse.reduce((sum, value) => sum + value, 0) / rmse.length;
      if (batchSize === 1) single = mean;
      const above = 100 * (mean / single - 1);
      results.push({
        dataset,
        recommender: kind,
        batchSize,
        rmse,
        mean,
        above,
        learningRate,
        seconds: seconds / rmse.length,
      });
      console.log(
        `${dataset.padEnd(16)} ${kind.padEnd(13)} ${String(batchSize).padStart(5)}  ${mean.toFixed(4)}  ${above >= 0 ? '+' : ''}${above.toFixed(2)} %  ${(seconds / rmse.length).toFixed(2)} s  ${JSON.stringify(learningRate)}`,
      );
    }
  }
}
const name = process.argv[2] === undefined ? 'batch-sizes' : `${kinds}` === 'svdpp' ? 'batch-sizes-svdpp' : undefined;
if (name !== undefined) {
  const protocol = 'splitRandom, testFraction .1, seeds 1-3 (ml-1m: 1); model seed 1; last epoch';
  writeFileSync(
    `benchmarks/results/${name}.json`,
    `${JSON.stringify({ machine: machine(), protocol, results }, null, 2)}\n`,
  );
}
