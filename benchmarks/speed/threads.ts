// What a second thread gives each training: seconds of the processor and by the clock on one and on two, the longest that the
// event loop is held, and whether the bits are the same. Run: npm run bench:threads [-- rounds [part of a case's name]]

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { EASE, type Interactions, ItemKNN, NMF, SVDpp } from 'opmf';
import { loadGowalla, loadNcf } from '../implicit/data';
import { machine } from '../machine';
import { DataSets } from './data-sets';
import { interleave, type Spread, spread } from './interleave';
import { digits, SPREAD_TITLE, spreadText, table } from './table';

/** Something to do on some threads: what it leaves, for the bits to be compared. */
interface Case {
  readonly name: string;
  load(): Promise<unknown>;
  run(data: never, threads: number): Promise<Uint8Array>;
}

interface Trains {
  fit(data: Interactions): Promise<unknown>;
  save(): Uint8Array;
}

/** A fit; the options say how many threads there were, and are no result. */
function fitOf(name: string, load: () => Promise<Interactions>, make: (threads: number) => Trains): Case {
  return {
    name,
    load,
    async run(data: Interactions, threads) {
      const model = make(threads);
      await model.fit(data);
      // After the header, which has them.
      const bytes = model.save();
      return bytes.subarray(8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true)));
    },
  };
}

const ncf = async () => (await loadNcf()).train;

const gowalla = async () => (await loadGowalla()).train;
const ratings = async () => (await new DataSets().get('ml-1m'))!;

const CASES: readonly Case[] = [
  fitOf('EASE, NCF ML-1M', ncf, (threads) => new EASE({ threads })),
  fitOf('ItemKNN, NCF ML-1M', ncf, (threads) => new ItemKNN({ threads })),
  fitOf('ItemKNN, Gowalla', gowalla, (threads) => new ItemKNN({ threads })),
  fitOf('NMF, ML-1M', ratings, (threads) => new NMF({ threads })),
  fitOf('SVDpp, ML-1M', ratings, (threads) => new SVDpp({ threads })),
];

const PROTOCOL =
  'whole calls on one and on two threads in turn, round after round, the first round left out; held: the longest between two turns of a timer of 1 ms';

interface Sample {
  readonly cpu: number;
  readonly wall: number;
  readonly held: number;
  readonly bits: string;
}

/** Watches a call. */
async function measured(call: () => Promise<Uint8Array>): Promise<Sample> {
  let held = 0;
  let last = performance.now();
  const turn = () => {
    const now = performance.now();
    held = Math.max(held, now - last);
    last = now;
  };
  const timer = setInterval(turn, 1);
  const begun = process.cpuUsage();
  const started = performance.now();
  const result = await call();
  const wall = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(begun);
  turn();
  clearInterval(timer);
  return { cpu: (user + system) / 1e6, wall, held, bits: createHash('sha256').update(result).digest('hex') };
}

const rounds = Number(process.argv[2] ?? 3);
const wanted = process.argv[3] ?? '';

const rows: { name: string; threads: number; cpu: Spread; wall: Spread; held: number; bits: string }[] = [];
for (const one of CASES.filter(({ name }) => name.includes(wanted))) {
  const data = await one.load();
  const counts = [1, 2];
  const contestants = counts.map((threads) => ({
    name: `${one.name}, ${threads}`,
    run: () => measured(() => one.run(data as never, threads)),
  }));
  for (const [at, { name, samples, failure }] of (await interleave(contestants, rounds + 1)).entries()) {
    if (failure !== undefined) throw new Error(`${name}: ${failure}`);
    const warm = samples.slice(1);
    const of = (pick: (sample: Sample) => number) => spread(warm.map(pick));
    const held = Math.max(...warm.map((sample) => sample.held));
    const bits = [...new Set(samples.map((sample) => sample.bits))].join(' ');
    rows.push({
      name: one.name,
      threads: counts[at]!,
      cpu: of(({ cpu }) => cpu),
      wall: of(({ wall }) => wall),
      held,
      bits,
    });
  }
}

const title = ['', 'threads', `CPU seconds, ${SPREAD_TITLE}`, 'by the clock', 'held, ms', 'SHA-256'];
console.log(
  table(
    title,
    rows.map(({ name, threads, cpu, wall, held, bits }) => [
      name,
      `${threads}`,
      spreadText(cpu),
      spreadText(wall),
      held.toFixed(1),
      bits.slice(0, 12),
    ]),
  ),
);
for (const { name, wall, bits } of rows.filter(({ threads }) => threads === 1)) {
  const two = rows.find((row) => row.name === name && row.threads === 2)!;
  const same = bits === two.bits ? 'the same bits' : 'OTHER BITS';
  console.log(`${name}: 2 threads are ${digits(wall.median / two.wall.median)} times as fast; ${same}`);
}
if (wanted === '') {
  const document = { machine: machine(), protocol: PROTOCOL, rounds, rows };
  writeFileSync('benchmarks/results/threads.json', `${JSON.stringify(document, null, 2)}\n`);
}
