// What is new without a full refit: ml-100k by time; the first 90 % are trained on, and the last 10 % arrive, of which a
// random fifth is tested. RMSE and time of partialFit with the rest of them against a fit of everything but the tested,
// in turns, in a process that is warm, as a service is. Run: node benchmarks/run.mjs benchmarks/implicit/partial-fit.ts

import { writeFileSync } from 'node:fs';
import { evaluateRatings, Interactions, MF, OverparamMF, splitRandom } from 'opmf';
import { loadDataset } from 'opmf/node';
import { machine } from '../machine';
import { spread } from '../speed/interleave';

const SEEDS = [1, 2, 3, 4, 5];
const WARM_ROUNDS = 4;
const ROUNDS = 8;

const rows = [...(await loadDataset('ml-100k'))].sort((a, b) => a.timestamp! - b.timestamp!);
const cut = Math.round(rows.length * 0.9);
const before = Interactions.from(rows.slice(0, cut));
const { train, test } = splitRandom(Interactions.from(rows.slice(cut)), { testFraction: 0.2, seed: 1 });
const all = Interactions.from([...before, ...train]);

const mean = (list: readonly number[]) => list.reduce((sum, x) => sum + x, 0) / list.length;
const timed = async (work: () => Promise<unknown>) => {
  const started = performance.now();
  await work();
  return performance.now() - started;
};

console.log(JSON.stringify(machine()));
console.log(`ml-100k by time: ${before.size} trained on, ${train.size} arrive, ${test.size} tested`);
const results = [];
for (const [name, Recommender] of [
  ['MF', MF],
  ['OverparamMF', OverparamMF],
] as const) {
  const errors: { stale: number; partial: number; refit: number }[] = [];
  const times: { partial: number; refit: number }[] = [];
  for (let round = 0; round < WARM_ROUNDS + ROUNDS; round++) {
    for (const seed of SEEDS) {
      const model = new Recommender({ seed });
      await model.fit(before);
      const stale = (await evaluateRatings(model, test)).rmse;
      const refit = new Recommender({ seed });
      const time = { partial: await timed(() => model.partialFit(train)), refit: await timed(() => refit.fit(all)) };
      if (round >= WARM_ROUNDS) times.push(time);
      if (round === 0)
        errors.push({
          stale,
          partial: (await evaluateRatings(model, test)).rmse,
          refit: (await evaluateRatings(refit, test)).rmse,
        });
    }
  }
  const [stale, partial, full] = (['stale', 'partial', 'refit'] as const).map((key) => mean(errors.map((e) => e[key])));
  const partialMs = spread(times.map((time) => time.partial));
  const refitMs = spread(times.map((time) => time.refit));
  results.push({ name, rmse: { stale, partial, refit: full }, partialMs, refitMs });
  console.log(
    `${name.padEnd(12)} RMSE before ${stale!.toFixed(4)}, partialFit ${partial!.toFixed(4)}, refit ${full!.toFixed(4)} ` +
      `(${(partial! / full!).toFixed(4)}); ${partialMs.median.toFixed(1)} ms of ${refitMs.median.toFixed(1)} ms ` +
      `(${((100 * partialMs.median) / refitMs.median).toFixed(0)} %)`,
  );
}
const document = {
  machine: machine(),
  protocol: 'ml-100k by time, see the head of partial-fit.ts',
  seeds: SEEDS,
  results,
};
writeFileSync('benchmarks/results/partial-fit.json', `${JSON.stringify(document, null, 2)}\n`);
