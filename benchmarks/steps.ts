// Nanoseconds a rating of per-rating training, by who makes the steps: the stepper of batches (the definition), pairs in
// JavaScript, pairs in WebAssembly; runs in turn. Run: npm run bench:steps

import { type Overparam, OverparamMFModel, sgd, syntheticInteractions } from 'opmf';
import { Stream } from '../src/core/random';
import { resolveOptimizer } from '../src/optimizers/registry';
import { Penalty } from '../src/parameters/parameter';
import { squared } from '../src/training/losses';
import { type StepOptions, startTraining } from '../src/training/start-training';
import { NEVER_YIELD } from '../test/support/training';
import { machine } from './machine';

const RUNS = 5;
const data = syntheticInteractions();
const mean = data.stats().mean;
const ratings = {
  size: data.size,
  users: data.userIndex,
  items: data.itemIndex,
  targets: data.values.map((value) => value - mean),
  weights: null,
};

/** One epoch after a warm-up epoch. */
async function nanoseconds(overparam: Overparam, rank: number, engine: Partial<StepOptions>): Promise<number> {
  const model = new OverparamMFModel({ users: data.users.size, items: data.items.size, rank, overparam });
  const penalties = model.parameters.map((parameter) => new Penalty(parameter, 0.02, null));
  const options = { epochs: 2, batchSize: 1, shuffle: true, stream: Stream.of(1), ...engine };
  const rule = resolveOptimizer(sgd({ learningRate: 0.01 }));
  const task = { model, loss: squared, optimizer: rule, penalties, data: ratings, options };
  const training = await startTraining(task, NEVER_YIELD);
  await training.epoch(1, NEVER_YIELD);
  const started = performance.now();
  await training.epoch(2, NEVER_YIELD);
  return ((performance.now() - started) / data.size) * 1e6;
}

console.log(
  `${JSON.stringify(machine())}\n${data.size} synthetic ratings, one epoch after one of warm-up, ${RUNS} runs in turn`,
);
const ENGINES: readonly [string, Partial<StepOptions>][] = [
  ['steps of batches', { perRating: false, kernels: 'js' }],
  ['pairs in JavaScript', { kernels: 'js' }],
  ['pairs in WebAssembly', { kernels: 'wasm' }],
];
console.log('ns a rating: median (min to max)');
for (const [name, overparam] of [
  ['plain', false],
  ['scalar row', { kind: 'scalar' }],
] as const) {
  for (const rank of [16, 32, 64]) {
    const samples = ENGINES.map((): number[] => []);
    for (let run = 0; run < RUNS; run++)
      for (const [i, [, engine]] of ENGINES.entries()) samples[i]!.push(await nanoseconds(overparam, rank, engine));
    for (const [i, [engine]] of ENGINES.entries()) {
      const [min, median, max] = [0, RUNS >> 1, RUNS - 1].map((at) =>
        samples[i]!.sort((a, b) => a - b)[at]!.toFixed(0),
      );
      console.log(
        `${name.padEnd(10)}  rank ${String(rank).padEnd(3)}  ${engine.padEnd(22)} ${median} (${min} to ${max})`,
      );
    }
  }
}
