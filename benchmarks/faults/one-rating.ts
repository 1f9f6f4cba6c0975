// partialFit of one rating at a time into 90 % of ml-1m: how long a call takes, and the longest that it keeps the event loop.
// Ratings of known users and items, then of new ones. Run: node benchmarks/run.mjs benchmarks/faults/one-rating.ts

import { ALS, type Id, Interactions, MF, OverparamMF, type PartialFits, type Recommender, splitRandom } from 'opmf';
import { loadDataset } from 'opmf/node';
import { machine } from '../machine';

const CALLS = 40;
const { train, test } = splitRandom(await loadDataset('ml-1m'), { testFraction: 0.1 });
const [...rows] = test;

/** Milliseconds of the call, and the longest in which no other task got a turn. */
async function measured(model: PartialFits, row: readonly [Id, Id, number]): Promise<[number, number]> {
  const data = Interactions.from([row]);
  let [last, longest, isOver] = [performance.now(), 0, false];
  const beat = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setImmediate(beat);
  };
  setImmediate(beat);
  await new Promise((resolve) => setImmediate(resolve));
  const started = performance.now();
  last = started;
  await model.partialFit(data);
  const total = performance.now() - started;
  isOver = true;
  await new Promise((resolve) => setImmediate(resolve));
  return [total, longest];
}

const text = (list: number[]) => {
  const sorted = list.toSorted((a, b) => a - b);
  return `median ${sorted[sorted.length >> 1]!.toFixed(1)}, most ${sorted.at(-1)!.toFixed(1)} ms`;
};

console.log(JSON.stringify(machine()));
const models: [string, Recommender & PartialFits][] = [
  ['MF', new MF({ epochs: 3 })],
  ['OverparamMF', new OverparamMF({ epochs: 3 })],
  ['ALS', new ALS({ epochs: 2 })],
  ['MF bpr', new MF({ epochs: 2, loss: 'bpr' })],
];
for (const [name, model] of models) {
  await model.fit(train);
  for (const [kind, rowOf] of [
    ['known', (k: number) => rows[k * 97]!],
    ['new', (k: number) => ({ ...rows[k * 89]!, userId: `new ${k}`, ...(k % 2 === 0 ? { itemId: `new ${k}` } : {}) })],
  ] as const) {
    const times: [number, number][] = [];
    for (let k = 0; k < CALLS; k++) {
      const { userId, itemId, value = 1 } = rowOf(k);
      times.push(await measured(model, [userId, itemId, value]));
    }
    const [first, ...others] = times;
    console.log(
      `${name.padEnd(12)} ${kind.padEnd(6)} call: ${text(others.map(([total]) => total))}; in one piece: ` +
        `${text(others.map(([, piece]) => piece))}; the first call ${first![0].toFixed(1)}, its longest piece ${first![1].toFixed(1)} ms`,
    );
  }
}
