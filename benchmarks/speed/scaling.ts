// How the cost of a fit grows: ratings, rank and threads. MF with plain SGD on made-up sets of the shape of MovieLens 20M; of each
// fit the least epoch after the first, by the clock and in processor seconds, and the seconds before the first epoch.
// Run: node benchmarks/run.mjs benchmarks/speed/scaling.ts [millions of ratings, as 1,5,20] [ranks] [threads] [file for the JSON]

import { writeFileSync } from 'node:fs';
import { MF, sgd } from 'opmf';
import { machine } from '../machine';
import { collectGarbage } from './interleave';
import { digits, table } from './table';
import { WIDE, wideSynthetic } from './wide-synthetic';

const EPOCHS = 3;
const [millions = '1,5,20', ranks = '32,64,128,256,512', threads = '1,2', file] = process.argv.slice(2);
const numbers = (list: string) => list.split(',').map(Number);

const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** So small that no fit diverges; an update costs the same. */
const optimizer = sgd({ learningRate: 0.005 });
const rows: object[] = [];
const lines: string[][] = [];
for (const million of numbers(millions)) {
  // Ratings a user and an item fall with the square root of the ratings, so that both sides grow.
  const part = Math.sqrt((million * 1e6) / WIDE.ratings);
  const [users, items] = [Math.round(WIDE.users * part), Math.round(WIDE.items * part)];
  const data = wideSynthetic({ users, items, ratings: million * 1e6 });
  for (const count of numbers(threads)) {
    const cells: string[] = [];
    for (const rank of numbers(ranks)) {
      collectGarbage();
      const marks: { readonly wall: number; readonly cpu: number }[] = [];
      const onEpoch = () => void marks.push({ wall: performance.now() / 1000, cpu: cpu() });
      const options = {
        rank,
        epochs: EPOCHS,
        threads: count,
        optimizer,
        biasDamping: false as const,
        regularization: 0.02,
      };
      const started = cpu();
      const { setupSeconds } = await new MF({ ...options, kernels: 'wasm' }).fit(data, { onEpoch });
      const least = (clock: 'wall' | 'cpu') =>
        Math.min(...marks.slice(1).map((mark, at) => mark[clock] - marks[at]![clock]));
      const [wall, processor] = [least('wall'), least('cpu')];
      const setupCpu = marks[0]!.cpu - started - processor;
      const shape = { ratings: data.size, users, items, rank, threads: count };
      rows.push({ ...shape, epochSeconds: wall, epochCpu: processor, setupSeconds, setupCpu });
      // One thread's clock is the processor's: other work does not count.
      const [epoch, setUp] = count === 1 ? [processor, setupCpu] : [wall, setupSeconds];
      cells.push(`${digits(data.size / 1e6 / epoch)} (${digits(setUp)})`);
    }
    lines.push([`${million} million, ${count} ${count === 1 ? 'thread' : 'threads'}`, ...cells]);
  }
}
console.log(
  'million updates a second (seconds before the first epoch): one thread in processor seconds, several by the clock',
);
console.log(table(['ratings', ...numbers(ranks).map((rank) => `rank ${rank}`)], lines));
if (file !== undefined) {
  const command = ['node benchmarks/run.mjs benchmarks/speed/scaling.ts', millions, ranks, threads, file].join(' ');
  writeFileSync(file, `${JSON.stringify({ command, epochs: EPOCHS, ...machine(), rows }, null, 2)}\n`);
}
