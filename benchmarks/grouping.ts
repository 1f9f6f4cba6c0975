// What grouping does to convergence: test RMSE after each number of epochs, grouping 1 and 4, several seeds, defaults
// otherwise. Run: node benchmarks/run.mjs benchmarks/grouping.ts

import { evaluateRatings, MF, OverparamMF, splitRandom } from 'opmf';
import { loadDataset } from 'opmf/node';
import { machine } from './machine';

const SEEDS = [1, 2, 3];
const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;

console.log(JSON.stringify(machine()));
console.log('90/10 splits, rank 32, the defaults otherwise; means over seeds 1 to 3 and their range');
for (const name of ['ml-100k', 'ml-1m']) {
  const data = await loadDataset(name);
  for (const Recommender of [MF, OverparamMF]) {
    for (const epochs of [4, 10]) {
      for (const grouping of [1, 4] as const) {
        const errors: number[] = [];
        const nanoseconds: number[] = [];
        for (const seed of SEEDS) {
          const { train, test } = splitRandom(data, { testFraction: 0.1, seed });
          const model = new Recommender({ epochs, grouping, seed });
          const history = await model.fit(train);
          errors.push((await evaluateRatings(model, test)).rmse);
          nanoseconds.push(...history.epochs.slice(1).map(({ seconds }) => (seconds / train.size) * 1e9));
        }
        const median = nanoseconds.sort((a, b) => a - b)[nanoseconds.length >> 1]!;
        const range = `${Math.min(...errors).toFixed(4)} to ${Math.max(...errors).toFixed(4)}`;
        console.log(
          `${name.padEnd(8)} ${Recommender.name.padEnd(12)} epochs ${String(epochs).padEnd(3)} grouping ${grouping}: ` +
            `RMSE ${mean(errors).toFixed(4)} (${range}), ${median.toFixed(1)} ns a rating`,
        );
      }
    }
  }
}
