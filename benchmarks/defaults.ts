// What `new OverparamMF()` and `new MF()` do untouched: test RMSE after the last epoch, 90/10 random splits.
// Run: npm run bench:defaults [-- ml-100k,filmtrust]

import { writeFileSync } from 'node:fs';
import { evaluateRatings, MF, OverparamMF, splitRandom } from 'opmf';
import { loadDataset } from 'opmf/node';
import { machine } from './machine';

const SETS = ['filmtrust', 'movietweetings-8k', 'ciaodvd', 'ml-latest-small', 'ml-100k', 'ml-1m'];
const SEEDS = [1, 2, 3];

const asked = process.argv[2]?.split(',') ?? SETS;
const results = [];
for (const name of asked) {
  const data = await loadDataset(name);
  for (const make of [() => new OverparamMF(), () => new MF()]) {
    const rmse: number[] = [];
    let seconds = 0;
    let recommender = '';
    for (const seed of SEEDS) {
      const { train, test } = splitRandom(data, { testFraction: 0.1, seed });
      const model = make();
      recommender = model.name;
      seconds += (await model.fit(train)).seconds / SEEDS.length;
      rmse.push((await evaluateRatings(model, test)).rmse);
    }
    const mean = rmse.reduce((sum, value) => sum + value, 0) / rmse.length;
    const std = Math.sqrt(rmse.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (rmse.length - 1));
    results.push({ dataset: name, recommender, rmse, mean, std, seconds });
    console.log(
      `${name.padEnd(18)} ${recommender.padEnd(13)} ${mean.toFixed(4)} +- ${std.toFixed(4)}  [${rmse.map((value) => value.toFixed(4)).join(' ')}]  ${seconds.toFixed(2)} s`,
    );
  }
}
if (process.argv[2] === undefined) {
  const document = {
    machine: machine(),
    protocol: 'splitRandom, testFraction .1, seeds 1-3; model seed 1; last epoch',
    results,
  };
  writeFileSync('benchmarks/results/defaults.json', `${JSON.stringify(document, null, 2)}\n`);
}
