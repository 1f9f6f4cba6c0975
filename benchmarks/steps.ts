// Nanoseconds a rating of the training loop, fused and step by step, runs in turn. Run: npm run bench:steps

import { type Overparam, OverparamMFModel, sgd, syntheticInteractions } from 'opmf';
import { Stream } from '../src/core/random';
import { resolveOptimizer } from '../src/optimizers/registry';
import { Penalty } from '../src/parameters/penalty';
import { squared } from '../src/training/losses';
import { Trainer } from '../src/training/trainer';
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
async function nanoseconds(overparam: Overparam, rank: number, fused: boolean): Promise<number> {
  const model = new OverparamMFModel({ users: data.users.size, items: data.items.size, rank, overparam });
  const penalties = model.parameters.map((parameter) => new Penalty(parameter, 0.02, null));
  const options = { epochs: 2, batchSize: 1, shuffle: true, stream: Stream.of(1), fused };
  const rule = resolveOptimizer(sgd({ learningRate: 0.01 }));
  const trainer = new Trainer(model, squared, rule, penalties, ratings, options);
  await trainer.epoch(1);
  return ((await trainer.epoch(2)).seconds / data.size) * 1e9;
}

console.log(
  `${JSON.stringify(machine())}\n${data.size} synthetic ratings, one epoch after one of warm-up, ${RUNS} runs in turn`,
);
console.log('tables      rank   step by step (min median max)   fused (min median max)   ratio of medians');
for (const [name, overparam] of [
  ['plain', false],
  ['scalar row', { kind: 'scalar' }],
] as const) {
  for (const rank of [16, 32, 64]) {
    const slow: number[] = [];
    const fast: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      slow.push(await nanoseconds(overparam, rank, false));
      fast.push(await nanoseconds(overparam, rank, true));
    }
    const of = (list: number[]) => list.sort((a, b) => a - b);
    const three = (list: number[]) =>
      [list[0]!, list[RUNS >> 1]!, list[RUNS - 1]!].map((ns) => ns.toFixed(0)).join(' ');
    const ratio = of(slow)[RUNS >> 1]! / of(fast)[RUNS >> 1]!;
    console.log(
      `${name.padEnd(10)}  ${String(rank).padStart(4)}   ${three(slow).padEnd(30)}  ${three(fast).padEnd(23)}  ${ratio.toFixed(2)}`,
    );
  }
}
