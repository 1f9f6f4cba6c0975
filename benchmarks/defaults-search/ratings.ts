// The defaults for ratings beside their rivals and damped biases: penalties times what the noise of the data says, rates by epochs.
// Run: npm run bench:defaults-ratings [-- ml-100k,filmtrust 5]

import { writeFileSync } from 'node:fs';
import { ALS, evaluateRatings, type Interactions, MF, OverparamMF, SVDpp, splitRandom } from 'opmf';
import { loadDataset } from 'opmf/node';
import { fitSide } from './bounds-ratings';

const sets = process.argv[2]?.split(',') ?? ['filmtrust', 'movietweetings-8k', 'ciaodvd', 'ml-latest-small', 'ml-100k'];
const seed = Number(process.argv[3] ?? 5);
const ARMS = {
  mf: () => new MF(),
  'overparam-mf': () => new OverparamMF(),
  svdpp: () => new SVDpp(),
  'overparam-mf, penalties of before': () => new OverparamMF({ regularization: { embedding: 0.235, bias: 0.15 } }),
  'overparam-mf, twice': () => new OverparamMF({ regularization: { embedding: 0.47, bias: 0.3 } }),
  'overparam-mf, 1 epoch': () => new OverparamMF({ epochs: 1 }),
  'overparam-mf, 4 epochs': () => new OverparamMF({ epochs: 4 }),
  'overparam-mf, 50 epochs': () => new OverparamMF({ epochs: 50 }),
  'als explicit': () => new ALS({ feedback: 'explicit' }),
  'als explicit, of before': () => new ALS({ feedback: 'explicit', regularization: 0.06, regularizationExponent: 1 }),
};
const results = [];
for (const name of sets) {
  const { train, test } = splitRandom(await loadDataset(name), { testFraction: 0.1, seed });
  const rmse: Record<string, number> = { 'damped biases, tuned': bestBiases(train, test) };
  for (const [arm, make] of Object.entries(ARMS)) {
    const model = make();
    await model.fit(train);
    rmse[arm] = (await evaluateRatings(model, test)).rmse;
  }
  const rounded = Object.fromEntries(Object.entries(rmse).map(([arm, value]) => [arm, Number(value.toFixed(4))]));
  results.push({ set: name, seed, rmse: rounded });
  console.log(name, rounded);
}
if (process.argv[2] === undefined)
  writeFileSync('benchmarks/results/defaults-21/ratings.json', `${JSON.stringify({ results }, null, 2)}\n`);

/** RMSE of mu + b_u + b_i at the best of 64 dampings, judged on the test set itself. */
function bestBiases(train: Interactions, test: Interactions): number {
  const mean = train.stats().mean;
  let best = Infinity;
  for (let users = 0.5; users <= 64; users *= 2) {
    for (let items = 0.5; items <= 64; items *= 2) {
      const user = new Float64Array(train.users.size);
      const item = new Float64Array(train.items.size);
      for (let round = 0; round < 6; round++) {
        fitSide(item, train.itemIndex, items, (k) => train.values[k]! - mean - user[train.userIndex[k]!]!);
        fitSide(user, train.userIndex, users, (k) => train.values[k]! - mean - item[train.itemIndex[k]!]!);
      }
      let squares = 0;
      for (const { userId, itemId, value } of test) {
        const [u, i] = [train.users.indexOf(userId), train.items.indexOf(itemId)];
        squares += (value! - mean - (user[u!] ?? 0) - (item[i!] ?? 0)) ** 2;
      }
      best = Math.min(best, Math.sqrt(squares / test.size));
    }
  }
  return best;
}
