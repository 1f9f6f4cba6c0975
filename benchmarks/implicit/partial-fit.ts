// What is new without a full refit: ml-100k by time; the first 90 % are trained on, and the last 10 % arrive, of which a
// random fifth is tested. RMSE and time of partialFit with the rest of them against a fit of everything but the tested.
// Run: node benchmarks/run.mjs benchmarks/implicit/partial-fit.ts

import { evaluateRatings, Interactions, MF, OverparamMF, splitRandom } from 'opmf';
import { loadDataset } from 'opmf/node';
import { machine } from '../machine';

const rows = [...(await loadDataset('ml-100k'))].sort((a, b) => a.timestamp! - b.timestamp!);
const cut = Math.round(rows.length * 0.9);
const before = Interactions.from(rows.slice(0, cut));
const { train, test } = splitRandom(Interactions.from(rows.slice(cut)), { testFraction: 0.2, seed: 1 });
const all = Interactions.from([...before, ...train]);

console.log(JSON.stringify(machine()));
console.log(`ml-100k by time: ${before.size} trained on, ${train.size} arrive, ${test.size} tested`);
for (const Recommender of [MF, OverparamMF]) {
  const times: number[] = [];
  const refits: number[] = [];
  const errors: number[] = [];
  for (let seed = 1; seed <= 5; seed++) {
    const old = new Recommender({ seed });
    await old.fit(before);
    const stale = evaluateRatings(old, test).rmse;
    let started = performance.now();
    await old.partialFit(train);
    times.push(performance.now() - started);
    const refit = new Recommender({ seed });
    started = performance.now();
    await refit.fit(all);
    refits.push(performance.now() - started);
    errors.push(stale, evaluateRatings(old, test).rmse, evaluateRatings(refit, test).rmse);
  }
  const median = (list: number[]) => list.sort((a, b) => a - b)[list.length >> 1]!;
  const mean = (place: number) => errors.filter((_, k) => k % 3 === place).reduce((sum, x) => sum + x, 0) / 5;
  const [partialTime, refitTime] = [median(times), median(refits)];
  console.log(
    `${Recommender.name.padEnd(12)} RMSE before ${mean(0).toFixed(4)}, partialFit ${mean(1).toFixed(4)}, refit ${mean(2).toFixed(4)} ` +
      `(${(mean(1) / mean(2)).toFixed(4)}); ${partialTime.toFixed(1)} ms of ${refitTime.toFixed(1)} ms (${((100 * partialTime) / refitTime).toFixed(0)} %)`,
  );
}
