// 100,000 mutations of saved models of every kind: each is refused as a FormatError, or loads and answers with numbers, in
// time: a mutation that takes longer than LONGEST ends the run.
// Run: node benchmarks/run.mjs benchmarks/implicit/fuzz.ts [mutations] [seed] [file of the result, or none]

import { writeFileSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { machine } from '../machine';
import { type FuzzCounts, fuzz, samples } from './fuzz-files';

/** Milliseconds. */
const LONGEST = 10_000;

if (isMainThread) {
  const [mutations = '100000', seed = '1', file = 'benchmarks/results/fuzz.json'] = process.argv.slice(2);
  const started = performance.now();
  const counts = await watched(Number(mutations), Number(seed));
  const seconds = (performance.now() - started) / 1000;
  const result = { mutations: Number(mutations), seed: Number(seed), ...counts, seconds };
  console.log(JSON.stringify(result));
  if (file !== 'none') writeFileSync(file, `${JSON.stringify({ machine: machine(), ...result }, null, 2)}\n`);
} else {
  const { mutations, seed } = workerData as { mutations: number; seed: number };
  const tell = (mutation: number, name: string) => parentPort!.postMessage({ mutation, name });
  parentPort!.postMessage({ counts: await fuzz(await samples(), mutations, seed, tell) });
}

/** The fuzz on a thread of its own, which a loop that does not end would keep for ever. */
function watched(mutations: number, seed: number): Promise<FuzzCounts & { slowest: number }> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { mutations, seed } });
  return new Promise((resolve, reject) => {
    let [at, since, slowest] = ['the samples', performance.now(), 0];
    const watch = setInterval(() => {
      if (performance.now() - since < LONGEST) return;
      reject(new Error(`${at} of seed ${seed} takes longer than ${LONGEST} ms`));
      void worker.terminate();
    }, 500);
    worker.on('message', ({ mutation, name, counts }) => {
      const now = performance.now();
      if (mutation !== 0) slowest = Math.max(slowest, now - since);
      [at, since] = [`mutation ${mutation}, ${name},`, now];
      if (counts === undefined) return;
      clearInterval(watch);
      resolve({ ...counts, slowest: slowest / 1000 });
    });
    worker.on('error', reject);
    worker.on('exit', () => clearInterval(watch));
  });
}
