// How long an epoch of a network takes, beside TensorFlow.js on its WebAssembly back end, the only one of its back ends for
// Node without native code that trains these in bearable time: DeepFM on the Frappe rows (10 fields, dim 10, hidden
// 400-400-400) and NeuMF on a 20 % sample of ML-1M with 4 negatives. TensorFlow.js is timed by a few batches and
// extrapolated: with all rows of its tables, and with tables of the batch's own rows alone, which flatters it.
// Run: node benchmarks/run.mjs benchmarks/models/epochs.ts

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { DeepFM, type EpochRecord, NeuralCF, splitRandom } from 'opmf';
import { loadDataset } from 'opmf/node';
import { Stream } from '../../src/core/random';
import { machine } from '../machine';
import { type Spread, spread } from '../speed/interleave';
import { FOLDER, loadTensorFlow } from '../speed/rivals';
import { joined, loadFrappe } from './frappe-data';
import { type DeepTensorFlow, deepFm, neuMf, type Step } from './tensor-flow-models';

const EPOCHS = 1;
const ROUNDS = 3;
const DIM = 10;
const HIDDEN = [400, 400, 400];
const RANK = 8;
const EMBEDDING_DIM = 32;
const MLP_HIDDEN = [32, 16, 8];
const NEGATIVES = 4;

/** An epoch to be timed. */
interface Contest {
  readonly name: string;
  readonly rows: number;
  readonly batchSize: number;
  /** Epochs of opmf, in seconds. */
  ours(): Promise<number[]>;
  /** Tables with all rows, then with those of the batch alone. */
  steps(tf: DeepTensorFlow): { whole: () => number; own: () => number };
}

const tf = await loadTensorFlow<DeepTensorFlow>();
tf.enableProdMode();
tf.setWasmPaths(`${resolve(FOLDER, 'node_modules/@tensorflow/tfjs-backend-wasm/dist')}/`);
await tf.setBackend('wasm');

console.log(JSON.stringify(machine()));
const results = [];
for (const contest of [await deepFmContest(), await neuMfContest()]) {
  const { whole, own } = contest.steps(tf);
  const seconds: Record<'opmf' | 'whole' | 'own', number[]> = { opmf: [], whole: [], own: [] };
  const batches = contest.rows / contest.batchSize;
  for (const call of [whole, own]) call();
  for (let round = 0; round < ROUNDS; round++) {
    seconds.opmf.push(...(await contest.ours()));
    seconds.whole.push(batches * timed(whole));
    seconds.own.push(batches * timed(own));
  }
  const of = Object.fromEntries(Object.entries(seconds).map(([who, list]) => [who, spread(list)])) as Record<
    keyof typeof seconds,
    Spread
  >;
  results.push({ name: contest.name, rows: contest.rows, batchSize: contest.batchSize, seconds: of });
  const times = (who: 'whole' | 'own') =>
    `${of[who].median.toFixed(0)} s (${(of[who].median / of.opmf.median).toFixed(1)}x)`;
  console.log(
    `${contest.name}, ${contest.rows} rows in batches of ${contest.batchSize}: opmf ${of.opmf.median.toFixed(2)} s an epoch; ` +
      `TensorFlow.js ${times('whole')}, with the batch's own rows alone ${times('own')}`,
  );
}
const document = { machine: machine(), protocol: 'see the head of benchmarks/models/epochs.ts', results };
writeFileSync('benchmarks/results/models-epochs.json', `${JSON.stringify(document, null, 2)}\n`);

async function deepFmContest(): Promise<Contest> {
  const { train, validation, test } = await loadFrappe();
  const all = joined([train, validation, test]);
  const batchSize = 1024;
  const fields = all.fields.length;
  const columns = all.fields.map((_, f) =>
    Int32Array.from({ length: batchSize }, (_, r) => all.indices[r * fields + f]!),
  );
  return {
    name: 'DeepFM',
    rows: all.size,
    batchSize,
    ours: () =>
      secondsOf((onEpoch) =>
        new DeepFM({ embeddingDim: DIM, hidden: HIDDEN, batchSize, epochs: EPOCHS }).fit(all, { onEpoch }),
      ),
    steps: (tf) => {
      const labels = all.labels!.slice(0, batchSize);
      const whole = deepFm(tf, all.features, fields, DIM, HIDDEN);
      const own = renumbered(columns);
      const least = deepFm(tf, own.size, fields, DIM, HIDDEN);
      return { whole: () => whole(columns, labels), own: () => least(own.columns, labels) };
    },
  };
}

async function neuMfContest(): Promise<Contest> {
  const { test: data } = splitRandom(await loadDataset('ml-1m'), { testFraction: 0.2, seed: 1 });
  /** Interactions of a step of opmf, each with its negatives: rows here. */
  const interactions = 256;
  const batchSize = interactions * (1 + NEGATIVES);
  const stream = Stream.of(1);
  const users = Int32Array.from({ length: batchSize }, (_, r) => data.userIndex[Math.floor(r / (1 + NEGATIVES))]!);
  const items = Int32Array.from({ length: batchSize }, (_, r) =>
    r % (1 + NEGATIVES) === 0 ? data.itemIndex[r / (1 + NEGATIVES)]! : stream.below(data.items.size),
  );
  const labels = Float32Array.from({ length: batchSize }, (_, r) => (r % (1 + NEGATIVES) === 0 ? 1 : 0));
  return {
    name: 'NeuMF',
    rows: data.size * (1 + NEGATIVES),
    batchSize,
    ours: () =>
      secondsOf((onEpoch) =>
        new NeuralCF({
          rank: RANK,
          embeddingDim: EMBEDDING_DIM,
          hidden: MLP_HIDDEN,
          negatives: NEGATIVES,
          batchSize: interactions,
          epochs: EPOCHS,
        }).fit(data, { onEpoch }),
      ),
    steps: (tf) => {
      const whole: Step = neuMf(tf, data.users.size, data.items.size, RANK, [2 * EMBEDDING_DIM, ...MLP_HIDDEN]);
      const [u, i] = [renumbered([users]), renumbered([items])];
      const least = neuMf(tf, u.size, i.size, RANK, [2 * EMBEDDING_DIM, ...MLP_HIDDEN]);
      return {
        whole: () => whole([users, items], labels),
        own: () => least([u.columns[0]!, i.columns[0]!], labels),
      };
    },
  };
}

/** The rows of the columns among those that occur in them. */
function renumbered(columns: readonly Int32Array[]): { columns: Int32Array[]; size: number } {
  const numbers = new Map([...new Set(columns.flatMap((column) => [...column]))].map((row, at) => [row, at]));
  return { columns: columns.map((column) => column.map((row) => numbers.get(row)!)), size: numbers.size };
}

async function secondsOf(fit: (onEpoch: (record: EpochRecord) => void) => Promise<unknown>): Promise<number[]> {
  const seconds: number[] = [];
  await fit((record) => void seconds.push(record.seconds));
  return seconds;
}

function timed(call: () => number): number {
  const started = performance.now();
  call();
  return (performance.now() - started) / 1000;
}
