// 1,000 fits on threads in one process: what they leave of workers, handles and memory. Run: npm run bench:thread-fits

import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ALS, MF, syntheticInteractions } from 'opmf';
import { machine } from '../machine';

const FITS = 1000;
/** Memory that is in use after so many fits is that of the library, its programs and the pool of the allocator. */
const WARM_UP = 200;

const data = syntheticInteractions({ users: 200, items: 100, ratings: 3000 });
const megabytes = () => Math.round(process.memoryUsage.rss() / 1e6);
/** Handles that keep the process alive, in Node's words; workers are MessagePorts and WorkerHandles. */
const handles = () => (process as unknown as { getActiveResourcesInfo(): string[] }).getActiveResourcesInfo();

let warm = 0;
for (let fit = 1; fit <= FITS; fit++) {
  const options = { rank: 8, epochs: 1, threads: 2 };
  await (fit % 2 === 0 ? new ALS(options) : new MF(options)).fit(data);
  if (fit === WARM_UP) warm = megabytes();
}
await sleep(200);
const left = handles().filter((name) => name !== 'TTYWrap' && name !== 'PipeWrap');
const end = megabytes();
console.log(
  `${FITS} fits on 2 threads: ${left.length} handles left; ${warm} MB after ${WARM_UP}, ${end} MB after ${FITS}`,
);
const document = { machine: machine(), fits: FITS, left, megabytes: { [WARM_UP]: warm, [FITS]: end } };
writeFileSync('benchmarks/results/thread-fits.json', `${JSON.stringify(document, null, 2)}\n`);
