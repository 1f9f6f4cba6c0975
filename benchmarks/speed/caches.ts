// What an update of MF costs by where its rows are: in the first-level cache, the second, or tiles of more. SGD, one thread, the
// least of twelve epochs in processor seconds.
// Run: node benchmarks/run.mjs benchmarks/speed/caches.ts [ranks]

import { sgd } from 'opmf';
import { Stream } from '../../src/core/random';
import { TaskScheduler } from '../../src/core/scheduler';
import { drawStart, MFModel } from '../../src/models/factorization';
import { resolveOptimizer } from '../../src/optimizers/registry';
import { Penalty } from '../../src/parameters/parameter';
import { squared } from '../../src/training/losses';
import { startTraining } from '../../src/training/start-training';
import { digits, table } from './table';

const EPOCHS = 12;
/** Users, and as many items. */
const ROWS = [30, 120, 400, 3000];
const [ranks = '32,64,128'] = process.argv.slice(2);
const scheduler = new TaskScheduler(undefined);

const seconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const lines: string[][] = [];
for (const rank of ranks.split(',').map(Number)) {
  const cells: string[] = [];
  for (const rows of ROWS) {
    const size = rows > 1000 ? 1_000_000 : 250_000;
    const stream = Stream.of(1);
    const draw = () => Int32Array.from({ length: size }, () => stream.below(rows));
    const [users, items] = [draw(), draw()];
    const targets = Float32Array.from({ length: size }, () => stream.uniform() - 0.5);
    const model = new MFModel({ users: rows, items: rows, rank, initScale: 0 });
    await drawStart([model.userEmbedding, model.itemEmbedding], { seed: 1, initScale: 0.1 }, scheduler);
    const penalties = model.parameters.map((parameter) => new Penalty(parameter, 0.02, null));
    const optimizer = resolveOptimizer(sgd({ learningRate: 0.02 }));
    const options = { epochs: EPOCHS, batchSize: 1, shuffle: true, stream, kernels: 'wasm' } as const;
    const data = { size, users, items, targets, weights: null };
    const training = await startTraining({ model, loss: squared, optimizer, penalties, data, options }, scheduler);
    let least = Number.POSITIVE_INFINITY;
    for (let epoch = 1; epoch <= EPOCHS; epoch++) {
      const from = seconds();
      await training.epoch(epoch, scheduler);
      least = Math.min(least, seconds() - from);
    }
    training.dispose?.();
    cells.push(`${digits((least / size) * 1e9)} (${Math.round((2 * rows * rank * 4) / 1024)} KiB)`);
  }
  lines.push([String(rank), ...cells]);
}
console.log('nanoseconds an update (bytes of all rows)');
console.log(table(['rank', ...ROWS.map((rows) => `${rows} x ${rows}`)], lines));
