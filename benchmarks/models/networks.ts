// Seconds of an epoch of the networks of epochs.ts, on their rows, by this commit alone: the second of two, of the processor on one
// thread and by the clock on two, and what the fit takes besides; and the longest time between two ticks of a timer. Rounds in turn, medians.
// Run: node benchmarks/run.mjs benchmarks/models/networks.ts

import { writeFileSync } from 'node:fs';
import { DeepFM, NeuralCF, splitRandom, WideDeep } from 'opmf';
import { loadDataset } from 'opmf/node';
import { machine } from '../machine';
import { interleave, spread } from '../speed/interleave';
import { joined, loadFrappe } from './frappe-data';

const ROUNDS = 3;
const { train, validation, test } = await loadFrappe();
const rows = joined([train, validation, test]);
const { test: pairs } = splitRandom(await loadDataset('ml-1m'), { testFraction: 0.2, seed: 1 });

const deep = { embeddingDim: 10, hidden: [400, 400, 400], batchSize: 1024, epochs: 2 };
const neural = { rank: 8, embeddingDim: 32, hidden: [32, 16, 8], negatives: 4, batchSize: 256, epochs: 2 };
type OnEpoch = { readonly onEpoch: () => void };
type Threads = { readonly threads: number };
const fits: Readonly<Record<string, (threads: Threads, options: OnEpoch) => Promise<unknown>>> = {
  DeepFM: (threads, options) => new DeepFM({ ...deep, ...threads }).fit(rows, options),
  WideDeep: (threads, options) => new WideDeep({ ...deep, ...threads }).fit(rows, options),
  NeuMF: (threads, options) => new NeuralCF({ ...neural, ...threads }).fit(pairs, options),
};

const secondsFrom = (started: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1e6;
};
const contestants = Object.entries(fits).flatMap(([name, fit]) =>
  [1, 2].map((threads) => ({
    name: `${name}, ${threads === 1 ? 'one thread' : 'two threads, by the clock'}`,
    async run() {
      const [started, since] = [process.cpuUsage(), performance.now()];
      const seconds = () => (threads === 1 ? secondsFrom(started) : (performance.now() - since) / 1e3);
      const ends: number[] = [];
      let [last, held] = [since, 0];
      const timer = setInterval(() => {
        held = Math.max(held, performance.now() - last);
        last = performance.now();
      }, 1);
      await fit({ threads }, { onEpoch: () => void ends.push(seconds()) });
      clearInterval(timer);
      const epoch = ends[1]! - ends[0]!;
      return { epoch, besides: seconds() - 2 * epoch, held };
    },
  })),
);
const results = (await interleave(contestants, ROUNDS)).map(({ name, samples }) => ({
  name,
  epoch: spread(samples.map(({ epoch }) => epoch)),
  besides: spread(samples.map(({ besides }) => besides)),
  held: spread(samples.map(({ held }) => held)),
}));
for (const { name, epoch, besides, held } of results)
  console.log(
    `${name}: ${epoch.median.toFixed(2)} s an epoch, ${besides.median.toFixed(2)} s besides, held ${held.median.toFixed(0)} ms`,
  );
const document = {
  machine: machine(),
  protocol: `processor seconds on one thread, wall-clock on two, held in ms, ${ROUNDS} rounds in turn`,
  results,
};
writeFileSync('benchmarks/results/models-networks.json', `${JSON.stringify(document, null, 2)}\n`);
