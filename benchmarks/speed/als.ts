// Seconds of the processor and by the clock an epoch of ALS takes, on NCF's MovieLens 1M and on Gowalla, beside recorded figures
// of implicit and of iALS++ on this kind of machine. Run: npm run bench:als [-- rounds]

import { writeFileSync } from 'node:fs';
import { ALS, type ALSOptions, type Interactions } from 'opmf';
import { loadGowalla, loadNcf } from '../implicit/data';
import { machine } from '../machine';
import { interleave, type Spread, spread } from './interleave';
import { digits, SPREAD_TITLE, spreadText, table } from './table';

/** The first epoch is left out: engines optimize while it runs. */
const EPOCHS = 4;
const PROTOCOL =
  'an epoch is all users, then all items; fits of 4 epochs in turn, round after round; of each the mean of its epochs but the first, set-up left out';
/** Seconds an epoch on one core of an AMD EPYC with AVX-512: implicit 0.7.3 (C++, OpenBLAS, 3 steps), iALS++ (Eigen). Entered from a recorded run. */
const PEERS: Readonly<Record<string, string>> = {
  'ncf conjugate-gradient 64': 'implicit .147',
  'ncf conjugate-gradient 128': 'implicit .21',
  'ncf cholesky 64': 'implicit .50, iALS++ .40',
  'ncf cholesky 128': 'implicit 1.21, iALS++ .85',
  'gowalla conjugate-gradient 64': 'implicit .43, iALS++ 1.9',
  'gowalla conjugate-gradient 128': 'implicit .82, iALS++ 3.7',
};

const rounds = Number(process.argv[2] ?? 3);

interface Sample {
  readonly cpu: number;
  readonly wall: number;
}

async function epochs(data: Interactions, options: ALSOptions): Promise<Sample> {
  let begun = { cpu: process.cpuUsage(), wall: performance.now() };
  let sample: Sample = { cpu: 0, wall: 0 };
  const onEpoch = ({ epoch }: { epoch: number }) => {
    if (epoch === 1) begun = { cpu: process.cpuUsage(), wall: performance.now() };
    const { user, system } = process.cpuUsage(begun.cpu);
    const wall = performance.now() - begun.wall;
    sample = { cpu: (user + system) / 1e6 / (EPOCHS - 1), wall: wall / 1000 / (EPOCHS - 1) };
  };
  await new ALS({ ...options, epochs: EPOCHS }).fit(data, { onEpoch });
  return sample;
}

const rows: { name: string; threads: number; cpu: Spread; wall: Spread; peers: string }[] = [];
for (const [set, load] of [
  ['ncf', loadNcf],
  ['gowalla', loadGowalla],
] as const) {
  const { train } = await load();
  const contestants = (['conjugate-gradient', 'cholesky'] as const).flatMap((solver) =>
    [64, 128].flatMap((rank) =>
      [1, 2].map((threads) => ({
        name: `${set} ${solver} ${rank}`,
        threads,
        run: () => epochs(train, { rank, solver, threads, regularization: 0.007, unobservedWeight: 0.3 }),
      })),
    ),
  );
  const outcomes = await interleave(contestants, rounds);
  outcomes.forEach(({ name, samples, failure }, at) => {
    if (failure !== undefined) throw new Error(`${name}: ${failure}`);
    const of = (pick: (sample: Sample) => number) => spread(samples.map(pick));
    const { threads } = contestants[at]!;
    rows.push({ name, threads, cpu: of(({ cpu }) => cpu), wall: of(({ wall }) => wall), peers: PEERS[name] ?? '' });
  });
}

const title = ['ALS', 'threads', `CPU seconds an epoch, ${SPREAD_TITLE}`, 'by the clock', 'peers, CPU seconds'];
console.log(
  table(
    title,
    rows.map(({ name, threads, cpu, wall, peers }) => [name, `${threads}`, spreadText(cpu), spreadText(wall), peers]),
  ),
);
for (const { name, wall } of rows.filter(({ threads }) => threads === 1)) {
  const two = rows.find((row) => row.name === name && row.threads === 2)!;
  console.log(`${name}: 2 threads are ${digits(wall.median / two.wall.median)} times as fast`);
}
const document = { machine: machine(), protocol: PROTOCOL, rounds, rows };
writeFileSync('benchmarks/results/als-speed.json', `${JSON.stringify(document, null, 2)}\n`);
