// CPU seconds, and those by the clock, of an epoch of the losses of orders and of logistic with negatives on Gowalla, rank 64,
// a row a step, 256 and the default to a step, on one thread and on two, beside recorded figures of implicit and LightFM on
// this kind of machine. Run: npm run bench:orders-speed [-- rounds [name]]

import { writeFileSync } from 'node:fs';
import { MF, type MFOptions } from 'opmf';
import { machine } from '../machine';
import { interleave, type Spread, spread } from '../speed/interleave';
import { digits, SPREAD_TITLE, spreadText, table } from '../speed/table';
import { loadGowalla } from './data';

/** The first epoch is left out: engines optimize while it runs. */
const EPOCHS = 3;
/** Seconds on one core of an AMD EPYC: implicit 0.7.3 (C++), LightFM with at most 10 draws. Entered from a recorded run. */
const PEERS: Readonly<Record<string, string>> = { 'bpr 1': 'implicit .447', 'warp 1': 'LightFM 3.8' };

const rounds = Number(process.argv[2] ?? 3);
const only = process.argv[3];
const { train } = await loadGowalla();

async function epochs(options: MFOptions): Promise<{ cpu: number; wall: number }> {
  let begun = { cpu: process.cpuUsage(), wall: performance.now() };
  let sample = { cpu: 0, wall: 0 };
  const onEpoch = ({ epoch }: { epoch: number }) => {
    if (epoch === 1) begun = { cpu: process.cpuUsage(), wall: performance.now() };
    const { user, system } = process.cpuUsage(begun.cpu);
    const wall = performance.now() - begun.wall;
    sample = { cpu: (user + system) / 1e6 / (EPOCHS - 1), wall: wall / 1000 / (EPOCHS - 1) };
  };
  await new MF({ rank: 64, biases: false, ...options, epochs: EPOCHS }).fit(train, { onEpoch });
  return sample;
}

const SGD = { name: 'sgd', learningRate: 0.05 } as const;
const losses = [
  { name: 'bpr', options: { loss: 'bpr', negatives: 1 } },
  { name: 'warp', options: { loss: 'warp', negatives: 10 } },
  { name: 'softmax', options: { loss: 'softmax', negatives: 32 } },
  { name: 'logistic', options: { loss: 'logistic', negatives: 4 } },
] as const;
const steps = [
  { name: '1', options: { batchSize: 1, optimizer: SGD } },
  { name: '256', options: { batchSize: 256, optimizer: SGD } },
  { name: 'default', options: {} },
] as const;
const contestants = losses
  .flatMap((loss) =>
    steps.flatMap((step) =>
      [1, 2].map((threads) => ({
        name: `${loss.name} ${step.name}`,
        threads,
        run: () => epochs({ ...loss.options, ...step.options, threads }),
      })),
    ),
  )
  .filter(({ name }) => only === undefined || name === only);
const outcomes = await interleave(contestants, rounds);
const rows: { name: string; threads: number; cpu: Spread; wall: Spread; peers: string }[] = [];
outcomes.forEach(({ name, samples, failure }, at) => {
  if (failure !== undefined) throw new Error(`${name}: ${failure}`);
  const { threads } = contestants[at]!;
  const peers = threads === 1 ? (PEERS[name] ?? '') : '';
  const of = (pick: (sample: { cpu: number; wall: number }) => number) => spread(samples.map(pick));
  rows.push({ name, threads, cpu: of(({ cpu }) => cpu), wall: of(({ wall }) => wall), peers });
});
console.log(
  table(
    ['loss, to a step', 'threads', `CPU seconds an epoch, ${SPREAD_TITLE}`, 'by the clock', 'peers, CPU seconds'],
    rows.map(({ name, threads, cpu, wall, peers }) => [name, `${threads}`, spreadText(cpu), spreadText(wall), peers]),
  ),
);
for (const { name, wall } of rows.filter(({ threads }) => threads === 1)) {
  const two = rows.find((row) => row.name === name && row.threads === 2)!;
  console.log(`${name}: 2 threads are ${digits(wall.median / two.wall.median)} times as fast`);
}
if (only === undefined) {
  const protocol = 'fits of 3 epochs in turn, round after round; of each the mean of its epochs but the first';
  const document = { machine: machine(), protocol, rounds, rows };
  writeFileSync('benchmarks/results/orders-speed.json', `${JSON.stringify(document, null, 2)}\n`);
}
