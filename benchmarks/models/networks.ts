// Processor seconds of an epoch of the networks of epochs.ts, on their rows, by this commit alone: the second of two, and what
// the fit takes besides. Rounds in turn, medians.
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
const fits: Readonly<Record<string, (options: OnEpoch) => Promise<unknown>>> = {
  DeepFM: (options) => new DeepFM(deep).fit(rows, options),
  WideDeep: (options) => new WideDeep(deep).fit(rows, options),
  NeuMF: (options) => new NeuralCF(neural).fit(pairs, options),
};

const secondsFrom = (started: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1e6;
};
const contestants = Object.entries(fits).map(([name, fit]) => ({
  name,
  async run() {
    const started = process.cpuUsage();
    const ends: number[] = [];
    await fit({ onEpoch: () => void ends.push(secondsFrom(started)) });
    const epoch = ends[1]! - ends[0]!;
    return { epoch, besides: secondsFrom(started) - 2 * epoch };
  },
}));
const results = (await interleave(contestants, ROUNDS)).map(({ name, samples }) => ({
  name,
  epoch: spread(samples.map(({ epoch }) => epoch)),
  besides: spread(samples.map(({ besides }) => besides)),
}));
for (const { name, epoch, besides } of results)
  console.log(`${name}: ${epoch.median.toFixed(2)} s an epoch, ${besides.median.toFixed(2)} s besides`);
const document = { machine: machine(), protocol: `processor seconds, ${ROUNDS} rounds in turn`, results };
writeFileSync('benchmarks/results/models-networks.json', `${JSON.stringify(document, null, 2)}\n`);
