// The constants from which docs/scale.md works out where one machine ends: updates a second from disk by rank, bytes a second of
// reading, bytes a rating, what a second thread is worth (of `npm run bench`), stores (of bench:stores, where it has run), and what a job of a sweep costs
// (where $OPMF_REDIS says that there is a Redis). Then the tables of the page.
// Run: npm run bench:scale [-- quick | page] (minutes, some 2 GB of disk; quick: 2M ratings, and nothing is kept; page: writes the
// tables of the kept constants into docs/scale.md)

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { syntheticInteractions } from 'opmf';
import { train } from 'opmf/distributed';
import { fitTiles, partitionInteractions } from 'opmf/node';
import { machine } from '../machine';
import { type ScaleConstants, withTables } from './scale-table';
import { WIDE, wideSynthetic } from './wide-synthetic';

const RESULTS = 'benchmarks/results/scale.json';
const PAGE = 'docs/scale.md';
const STORES = 'benchmarks/results/stores.json';
const SPEED = 'benchmarks/results/speed-wide-20m.json';
const RANKS = [32, 64, 128];
const ROUNDS = 5;
const EPOCHS = 4;
/** Bytes to a read. */
const AT_ONCE = 2 ** 23;

const [task = 'full'] = process.argv.slice(2);
const median = (list: readonly number[]) => [...list].sort((a, b) => a - b)[list.length >> 1]!;

/** Bytes a second of reading a file from its start to its end, the best of some rounds. */
async function readRate(path: string, flags: number): Promise<number> {
  // A page begins here: what reading past the cache asks for.
  const buffer = new Uint8Array(new WebAssembly.Memory({ initial: AT_ONCE / 2 ** 16 }).buffer);
  let best = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const file = await open(path, flags);
    try {
      const started = performance.now();
      const bytes = await readAll(file, buffer);
      best = Math.max(best, bytes / ((performance.now() - started) / 1000));
    } finally {
      await file.close();
    }
  }
  return best;
}

async function readAll(file: FileHandle, buffer: Uint8Array): Promise<number> {
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    at += bytesRead;
    if (bytesRead < buffer.length) return at;
  }
}

/** Nanoseconds a rating of the epochs after the first, and of what comes before them. */
async function fitted(dir: string, ratings: number, rank: number) {
  const seconds: number[] = [];
  const { history } = await fitTiles(
    dir,
    { recommender: 'mf', rank, epochs: EPOCHS, seed: 1, threads: 1, history: false },
    { onEpoch: (epoch) => void seconds.push(epoch.seconds) },
  );
  const each = (time: number) => (1e9 * time) / ratings;
  return { epochs: seconds.slice(1).map(each), setup: each(history.setupSeconds) };
}

async function measure(): Promise<ScaleConstants> {
  const isQuick = task === 'quick';
  const folder = mkdtempSync(join(tmpdir(), 'opmf-scale-'));
  try {
    const dir = join(folder, 'tiles');
    const shape = isQuick ? { users: 20_000, items: 4_000, ratings: 2_000_000 } : WIDE;
    const { ratings, rate, blocks: usual } = await partitioned(dir, shape);
    console.log(`partition: ${(rate / 1e6).toFixed(2)} M ratings/s`);
    const files = ['rows', 'tiles', 'index.json', 'ids.safetensors'].map((name) => statSync(join(dir, name)).size);
    const folderBytes = files.reduce((sum, size) => sum + size, 0) / ratings;
    const rows = join(dir, 'rows');
    const cached = await readRate(rows, constants.O_RDONLY);
    const direct = await readRate(rows, constants.O_RDONLY | (constants.O_DIRECT ?? 0)).catch(() => null);
    const gb = (bytes: number | null) => (bytes === null ? 'not measured' : `${(bytes / 1e9).toFixed(2)} GB/s`);
    console.log(
      `reading: past the cache ${gb(direct)}, out of it ${gb(cached)}; ${folderBytes.toFixed(1)} bytes a rating`,
    );
    // As for several machines: the shorter side cut as finely as the longer.
    const even = join(folder, 'even');
    const { blocks } = await partitioned(even, shape, Math.max(...Object.values(usual)));
    // In turn, so that a moment in which the machine has other work is not one contestant's.
    const contestants = [...RANKS.map((rank) => ({ rank, dir })), { rank: RANKS[0]!, dir: even }];
    const samples = contestants.map(() => ({ epochs: [] as number[], setups: [] as number[] }));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [at, { rank, dir }] of contestants.entries()) {
        const { epochs, setup } = await fitted(dir, ratings, rank);
        samples[at]!.epochs.push(...epochs);
        samples[at]!.setups.push(setup);
      }
    }
    const best = samples.map(({ epochs, setups }, at) => {
      const [nanoseconds, setupNanoseconds] = [Math.min(...epochs), Math.min(...setups)];
      const grid = at < RANKS.length ? '' : `, ${blocks.users} x ${blocks.items} tiles`;
      console.log(
        `rank ${contestants[at]!.rank}${grid}: ${nanoseconds.toFixed(1)} ns a rating and epoch (median ${median(epochs).toFixed(1)}), ${(1e3 / nanoseconds).toFixed(1)} M updates/s; ${setupNanoseconds.toFixed(0)} ns a rating before`,
      );
      return { nanoseconds, setupNanoseconds };
    });
    const ranks = RANKS.map((rank, at) => ({ rank, ...best[at]!, twoThreads: twoThreads(rank) }));
    const evenGrid = { stripes: blocks.users, nanoseconds: best.at(-1)!.nanoseconds };
    const sweepSeconds = await sweepCost(folder);
    if (sweepSeconds !== null) console.log(`a sweep: ${(1000 * sweepSeconds).toFixed(1)} ms beside its arithmetic`);
    return {
      ...machine(),
      ratings,
      grid: usual,
      evenGrid,
      partitionRate: rate,
      ranks,
      disk: { direct: constants.O_DIRECT === undefined ? null : direct, cached },
      folderBytes,
      stores: storeRates(),
      sweepSeconds,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function partitioned(dir: string, shape: typeof WIDE, stripes?: number) {
  const data = wideSynthetic(shape);
  const { ratings, seconds, blocks } = await partitionInteractions(data, dir, { duplicates: 'keep', stripes });
  return { ratings, rate: ratings / seconds, blocks };
}

/** How much faster two threads are than one, as the long benchmark of a quiet machine has found it in memory. */
function twoThreads(rank: number): number {
  type Line = { readonly contestant: string; readonly rank: number; readonly rate: { readonly median: number } };
  const { results } = JSON.parse(readFileSync(SPEED, 'utf8')).updates as { results: (Line & { threads: number })[] };
  const [one, two] = [1, 2].map((threads) => {
    const found = results.find((it) => it.contestant === 'MF sgd' && it.rank === rank && it.threads === threads);
    return found!.rate.median;
  });
  return two! / one!;
}

/** What bench:stores has found of values of 8 MiB. */
function storeRates(): ScaleConstants['stores'] {
  if (!existsSync(STORES)) return [];
  type Rate = { readonly median: number };
  type Sizes = { readonly mib: number; readonly putMibPerSecond: Rate; readonly getMibPerSecond: Rate }[];
  const { stores } = JSON.parse(readFileSync(STORES, 'utf8')) as { stores: Record<string, { readonly sizes: Sizes }> };
  return Object.entries(stores).map(([name, { sizes }]) => {
    const { putMibPerSecond, getMibPerSecond } = sizes.find(({ mib }) => mib === 8)!;
    return { name, put: putMibPerSecond.median * 2 ** 20, get: getMibPerSecond.median * 2 ** 20 };
  });
}

/** Seconds that a sweep of next to nothing takes as a job: one worker, stripes of some kilobytes in the same Redis. */
async function sweepCost(folder: string): Promise<number | null> {
  const redis = process.env.OPMF_REDIS;
  if (!redis) return null;
  const dir = join(folder, 'small');
  const data = syntheticInteractions({ users: 640, items: 160, ratings: 20_000 });
  // Four groups: as many sweeps an epoch.
  await partitionInteractions(data, dir, { stripes: { users: 64, items: 16 } });
  const queue = `scale-${process.pid}`;
  const store = Object.assign(new URL(redis), { hash: queue }).href;
  const words = ['worker', '--redis', redis, '--store', store, '--name', queue, '--threads', '1'];
  const worker = spawn(process.execPath, ['dist/cli.js', ...words], { stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    const seconds: number[] = [];
    const fitOptions = { onEpoch: (epoch: { seconds: number }) => void seconds.push(epoch.seconds) };
    await train(dir, { recommender: 'mf', rank: 8, epochs: 30 }, { redis, store, queue, fitOptions });
    return median(seconds.slice(1)) / 4;
  } finally {
    worker.kill();
    await once(worker, 'exit');
  }
}

/** Writes the tables into the page. */
function writePage(): void {
  const found = JSON.parse(readFileSync(RESULTS, 'utf8')) as ScaleConstants;
  writeFileSync(PAGE, withTables(readFileSync(PAGE, 'utf8'), found));
}

if (task !== 'page') {
  const found = await measure();
  if (task === 'quick') console.log(JSON.stringify(found, null, 2));
  else writeFileSync(RESULTS, `${JSON.stringify(found, null, 2)}\n`);
}
if (task !== 'quick') writePage();
