// Items with few ratings: FM with what is known of films and people, beside MF, which knows ratings alone, and FM without.
// MovieLens 100K, 5 random folds; RMSE, clipped to 1 to 5, of the test ratings whose film has fewer than 5 ratings in the
// training part, and of all. Run: node benchmarks/run.mjs benchmarks/models/cold-items.ts

import { writeFileSync } from 'node:fs';
import { FM, type Interactions, kFold, MF } from 'opmf';
import { loadDataset } from 'opmf/node';
import { spread } from '../../src/evaluation/fits';
import { machine } from '../machine';
import { itemFeatures, userFeatures } from './film-features';

const FEW = 5;

interface Arm {
  readonly name: string;
  predict(train: Interactions, test: Interactions): Promise<Float32Array>;
}

const fm = (name: string, side: Parameters<FM['fit']>[1]): Arm => ({
  name,
  async predict(train, test) {
    const model = new FM({
      task: 'regression',
      rank: 16,
      epochs: 15,
      batchSize: 64,
      initScale: 0.02,
      optimizer: { name: 'adam', learningRate: 0.002 },
      regularization: { embedding: 0.05, linear: 0.02 },
    });
    await model.fit(train, side);
    return model.predictMany(test).map((rating) => Math.min(Math.max(rating, 1), 5));
  },
});
const arms: readonly Arm[] = [
  {
    name: 'MF, defaults',
    async predict(train, test) {
      const model = new MF();
      await model.fit(train);
      return model.predictMany(test);
    },
  },
  fm('FM of users and items', {}),
  fm('FM with side features', { userFeatures, itemFeatures }),
];

const folds = kFold(await loadDataset('ml-100k'), { folds: 5, seed: 1 });
const results = [];
for (const arm of arms) {
  const started = performance.now();
  const [few, all]: [number[], number[]] = [[], []];
  let ratings = 0;
  for (const { train, test } of folds) {
    const counts = new Int32Array(train.items.size);
    for (const item of train.itemIndex) counts[item]!++;
    const predictions = await arm.predict(train, test);
    const rmse = (of: (k: number) => boolean) => {
      let [sum, count] = [0, 0];
      for (let k = 0; k < test.size; k++) {
        if (!of(k)) continue;
        sum += (predictions[k]! - test.values[k]!) ** 2;
        count++;
      }
      return { rmse: Math.sqrt(sum / count), count };
    };
    const cold = rmse((k) => counts[test.itemIndex[k]!]! < FEW);
    few.push(cold.rmse);
    ratings += cold.count;
    all.push(rmse(() => true).rmse);
  }
  const result = {
    name: arm.name,
    ratings,
    few: { folds: few, ...spread(few) },
    all: { folds: all, ...spread(all) },
    seconds: (performance.now() - started) / 1000,
  };
  results.push(result);
  const text = ({ mean, std }: { mean: number; std: number }) => `${mean.toFixed(4)} +- ${std.toFixed(4)}`;
  console.log(`${arm.name}: few ratings ${text(result.few)} (${ratings} in all folds), all ${text(result.all)}`);
  console.log(`  by fold: ${few.map((rmse) => rmse.toFixed(4)).join(' ')}; ${result.seconds.toFixed(1)} s`);
}
const document = { machine: machine(), protocol: 'see the head of benchmarks/models/cold-items.ts', results };
writeFileSync('benchmarks/results/models-cold-items.json', `${JSON.stringify(document, null, 2)}\n`);
