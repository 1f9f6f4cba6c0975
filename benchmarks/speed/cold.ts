// A fit with the defaults in a fresh process: milliseconds of the first, and of those after it, by the clock and by the
// processor, with the test RMSE. MovieLens 1M, 90/10, seed 1.
// Run: node benchmarks/run.mjs benchmarks/speed/cold.ts mf|overparam-mf [rank] [epochs]

import { evaluateRatings, MF, OverparamMF, splitRandom } from 'opmf';
import { loadDataset } from 'opmf/node';

const FITS = 7;
const [, , kind = 'mf', rank = '32', epochs = '3'] = process.argv;
const { train, test } = splitRandom(await loadDataset('ml-1m'), { testFraction: 0.1, seed: 1 });
const Kind = kind === 'mf' ? MF : OverparamMF;
for (let fit = 1; fit <= FITS; fit++) {
  const model = new Kind({ rank: Number(rank), epochs: Number(epochs), threads: 1 });
  const [cpu, begun] = [process.cpuUsage(), performance.now()];
  await model.fit(train);
  const { user, system } = process.cpuUsage(cpu);
  const clock = (performance.now() - begun).toFixed(0);
  const { rmse } = await evaluateRatings(model, test);
  const spent = ((user + system) / 1000).toFixed(0);
  console.log(`${kind}, fit ${fit}: ${clock} ms, ${spent} of the processor, RMSE ${rmse.toFixed(4)}`);
}
