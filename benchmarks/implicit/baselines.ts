// Popularity, ItemKNN and EASE on the MovieLens 1M of NCF, to be read beside published figures: docs/baselines.md.
// Run: npm run bench:baselines

import { EASE, ItemKNN, Popularity, type Recommender } from 'opmf';
import { evaluateNcf, loadNcf } from './ncf';

const { train, cases } = loadNcf();
const arms: readonly (readonly [string, Recommender])[] = [
  ['Popularity', new Popularity()],
  ['ItemKNN', new ItemKNN({ neighbors: 70, featureWeighting: 'tf-idf' })],
  ['EASE', new EASE({ regularization: 1000 })],
];
for (const [name, recommender] of arms) {
  const before = process.cpuUsage();
  const { seconds } = await recommender.fit(train);
  const cpu = process.cpuUsage(before).user / 1e6;
  const { hitRate, ndcg } = evaluateNcf(recommender, cases);
  console.log(
    `${name.padEnd(12)} HR@10 ${hitRate.toFixed(4)}  NDCG@10 ${ndcg.toFixed(4)}  fit ${seconds.toFixed(1)} s, ${cpu.toFixed(1)} of the CPU  ${JSON.stringify(recommender.options)}`,
  );
}
