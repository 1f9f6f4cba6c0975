// CPU nanoseconds an update of OverparamMF by product and rule, one rating a step, on one thread: MovieLens 1M, rank 32 by default.
// Medians of fits in turn; what a fit takes beside its epochs is cancelled by the difference of two numbers of epochs.
// Run: node benchmarks/run.mjs benchmarks/speed/products.ts [rank] [rounds] [words of the names wanted]

import { cpus } from 'node:os';
import { type Overparam, OverparamMF } from 'opmf';
import { loadDataset } from 'opmf/node';

const [rank, rounds, ...only] = [Number(process.argv[2] ?? 32), Number(process.argv[3] ?? 3), ...process.argv.slice(4)];
const data = await loadDataset('ml-1m');
const products: readonly [string, Overparam][] = [
  ['plain', false],
  ['scalar row', { kind: 'scalar' }],
  ['scalar shared', { kind: 'scalar', scope: 'shared' }],
  ['diagonal row', { kind: 'diagonal' }],
  ['diagonal shared', { kind: 'diagonal', scope: 'shared' }],
  ['diagonal row of width 2', { kind: 'diagonal', width: 2 }],
  ['dense', { kind: 'dense' }],
];
const cases = products.flatMap(([name, overparam]) =>
  (['sgd', 'adam', 'ftrl'] as const)
    .filter((rule) => rule === 'sgd' || name === 'plain' || name === 'diagonal shared')
    .map((rule) => ({ name: `${name}, ${rule}`, overparam, rule })),
);
const seconds = async (run: () => Promise<unknown>) => {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
};
const found: Record<string, number> = {};
for (const { name, overparam, rule } of cases) {
  if (only.length > 0 && !only.some((word) => name.includes(word))) continue;
  const epochs = /dense|width/.test(name) ? 1 : 8;
  const optimizer = { name: rule, learningRate: 0.005 };
  const fit = (more: number) =>
    new OverparamMF({ rank, overparam, optimizer, epochs: 1 + more, batchSize: 1, threads: 1, seed: 1 }).fit(data);
  const list = [];
  for (let round = 0; round < rounds; round++) {
    const [one, all] = [await seconds(() => fit(0)), await seconds(() => fit(epochs))];
    list.push(((all - one) / epochs / data.size) * 1e9);
  }
  found[name] = Math.round(list.sort((a, b) => a - b)[rounds >> 1]!);
}
console.log(JSON.stringify({ cpu: cpus()[0]?.model.trim(), node: process.versions.node, rank, 'ns an update': found }));
