// CPU seconds of an epoch of FM: rows with labels (Frappe, 202,027 rows of ten features, log loss, Adam, batches of 1024) at
// rank 16 and 32, and likes of MovieLens 100K with side features under the losses of orders. Medians of fits in turn, without
// the first of each; what a fit takes beside its epochs is cancelled by the difference of two numbers of epochs.
// Run: npm run bench:fm [-- rounds]

import { cpus } from 'node:os';
import { FM, type FMOptions } from 'opmf';
import { loadDataset } from 'opmf/node';
import { itemFeatures, userFeatures } from './film-features';
import { loadFrappe } from './frappe-data';

const rounds = Number(process.argv[2] ?? 3);
const { train } = await loadFrappe();
const all = await loadDataset('ml-100k');
const likes = all.select(Int32Array.from(all.values.keys()).filter((k) => all.values[k]! >= 4));

const rows = (options: FMOptions) => (epochs: number) => new FM({ ...options, epochs, seed: 1 }).fit(train);
const orders = (loss: 'softmax' | 'warp') => (epochs: number) =>
  new FM({ task: 'ranking', loss, epochs, seed: 1 }).fit(likes, { userFeatures, itemFeatures });
const adam = { task: 'classification', optimizer: 'adam', batchSize: 1024 } as const;
const sgd = { task: 'classification', optimizer: { name: 'sgd', learningRate: 0.01 }, batchSize: 1, rank: 16 } as const;
const adagrad = { name: 'adagrad', per: 'row', learningRate: 0.05 } as const;
const tasks = new Map<string, { fit: (epochs: number) => Promise<unknown>; epochs: number }>([
  ['rows, rank 16', { fit: rows({ ...adam, rank: 16 }), epochs: 4 }],
  ['rows, rank 32', { fit: rows({ ...adam, rank: 32 }), epochs: 4 }],
  ['rows, rank 16, a row a step, SGD', { fit: rows(sgd), epochs: 2 }],
  ['rows, rank 16, a row a step, AdaGrad per row', { fit: rows({ ...sgd, optimizer: adagrad }), epochs: 2 }],
  ['rows, rank 16, a row a step, Adam', { fit: rows({ ...sgd, optimizer: 'adam' }), epochs: 2 }],
  ['orders, softmax', { fit: orders('softmax'), epochs: 2 }],
  ['orders, warp', { fit: orders('warp'), epochs: 2 }],
]);
const only = process.argv[3];
const seconds = async (run: () => Promise<unknown>) => {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
};
const median = (list: number[]) => list.sort((a, b) => a - b)[list.length >> 1]!;
const found: Record<string, number> = {};
for (const [name, { fit, epochs }] of tasks) {
  if (only !== undefined && name !== only) continue;
  await fit(1);
  const list = [];
  for (let round = 0; round < rounds; round++) {
    const [one, more] = [await seconds(() => fit(1)), await seconds(() => fit(1 + epochs))];
    list.push((more - one) / epochs);
  }
  found[name] = Math.round(median(list) * 1e3) / 1e3;
}
console.log(
  JSON.stringify({ cpu: cpus()[0]?.model.trim(), node: process.versions.node, 'CPU seconds an epoch': found }),
);
