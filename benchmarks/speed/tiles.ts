// Ratings beyond memory: rows a second of partitionInteractions against the reader's, seconds an epoch and rating of fitTiles
// against a fit in memory, and the most memory that each process had.
// Run: npm run bench:tiles [-- full | tiny] [-- threads=2] (20M ratings; full: 200M, tiny: 2M; minutes). Every part is a
// process of its own, and those that work from disk are limited to 1 GiB of memory: by a scope of systemd (what is resident)
// where it runs, else by RLIMIT_DATA (all that is allocated and can be written, which is more). A process that asks for more
// must die first, or no limit is said to be. Trained in memory is as much as this machine holds: all of it, and the tables
// are compared bit by bit, or 20M ratings.

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { readInteractions } from '../../src/node/read-files';
import { fitTiles } from '../../src/node/tiles/fit-tiles';
import { partitionInteractions } from '../../src/node/tiles/partition';
import { MF } from '../../src/recommenders/mf';
import { machine } from '../machine';

const LIMIT = 2 ** 30;
const EPOCHS = 3;
const SIZES = { tiny: 2_000_000, quick: 20_000_000, full: 200_000_000 } as const;
/** So many are trained in memory where there is no room for all. */
const HELD = 20_000_000;
/** Bytes a rating of a fit in memory from text: as interactions, as the rows of training, as history; and some to spare. */
const HELD_BYTES = 60;

const [task = 'quick', ...rest] = process.argv.slice(2);
const threads = Number(rest.find((word) => word.startsWith('threads='))?.slice(8) ?? 1);

/** Writes "user,item,rating" lines: 200 ratings a user in the mean, items by a power law, half stars. */
function writeRatings(path: string, count: number): void {
  const [users, items] = [Math.ceil(count / 200), Math.max(1000, Math.ceil(count / 4000))];
  let state = 0x9e3779b9;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  const file = openSync(path, 'w');
  const lines: string[] = [];
  for (let row = 0; row < count; row++) {
    // Some users have ten times as many as others; in no order, as a log has them.
    const user = Math.floor(users * next() ** 1.5);
    const item = Math.floor(items * next() ** 2);
    const value = Math.min(5, Math.max(0.5, Math.round(6 + 2 * Math.sin(user) + 2 * Math.cos(item) + 2 * next()) / 2));
    lines.push(`${user},${item},${value}\n`);
    if (lines.length === 50_000 || row === count - 1) writeSync(file, lines.splice(0).join(''));
  }
  closeSync(file);
}

/** What a part took: by the clock, by the processor, and the most memory that the process had. */
async function measured<T>(work: () => Promise<T>) {
  const started = performance.now();
  const cpu = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  const peak = process.resourceUsage().maxRSS * 1024;
  return { seconds: (performance.now() - started) / 1000, cpuSeconds: (user + system) / 1e6, peak, result };
}

const options = { rank: 32, epochs: EPOCHS, seed: 1, threads };
const hashOf = ({
  userFactors,
  itemFactors,
  userBiases,
  itemBiases,
}: Pick<MF, 'userFactors' | 'itemFactors' | 'userBiases' | 'itemBiases'>) => {
  const hash = createHash('sha256');
  for (const table of [userFactors.data, itemFactors.data, userBiases, itemBiases]) hash.update(table as Float32Array);
  return hash.digest('hex');
};

/** Seconds by the processor of each epoch, in the clock's too. */
function epochs() {
  let before = process.cpuUsage();
  const list: { seconds: number; cpuSeconds: number }[] = [];
  const onEpoch = ({ seconds }: { seconds: number }) => {
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    list.push({ seconds, cpuSeconds: (user + system) / 1e6 });
  };
  return { list, onEpoch };
}

const parts = {
  async read([path, duplicates]: string[]) {
    const given = { duplicates: duplicates as 'keep' | 'last', maxBytes: 2 ** 40 };
    const { result, ...took } = await measured(() => readInteractions(path!, given));
    return { ...took, rows: result.size + result.leftOut.repeated };
  },
  async partition([path, dir, duplicates]: string[]) {
    const given = { duplicates: duplicates as 'keep' | 'last', maxBytes: 2 ** 40 };
    const { result, ...took } = await measured(() => partitionInteractions(path!, dir!, given));
    return { ...took, rows: result.ratings + result.leftOut.repeated, blocks: result.blocks };
  },
  async memory([path, duplicates]: string[]) {
    const data = await readInteractions(path!, { duplicates: duplicates as 'keep' });
    const model = new MF(options);
    const { list, onEpoch } = epochs();
    const { result, ...took } = await measured(() => model.fit(data, { onEpoch }));
    return { ...took, setupSeconds: result.setupSeconds, epochs: list, ratings: data.size, hash: hashOf(model) };
  },
  async tiles([dir, memory]: string[]) {
    const { list, onEpoch } = epochs();
    const asked = { ...options, recommender: 'mf', memory: Number(memory), history: false } as const;
    const { result, ...took } = await measured(() => fitTiles(dir!, asked, { onEpoch }));
    return { ...took, setupSeconds: result.history.setupSeconds, epochs: list, hash: hashOf(result.recommender as MF) };
  },
};
/** Asks for half as much again as the limit, and prints what it has had. */
function overstep(): void {
  const held: Uint8Array[] = [];
  while (held.length < (1.5 * LIMIT) / 2 ** 26) held.push(new Uint8Array(2 ** 26).fill(1));
  console.log(held.length * 2 ** 26);
}

type Part = keyof typeof parts;
type Result<P extends Part> = Awaited<ReturnType<(typeof parts)[P]>>;

/** What limits the memory of a process here, in front of its command. */
const limiters = {
  'systemd-run': ['systemd-run', '--scope', '--quiet', '-p', `MemoryMax=${LIMIT}`, '-p', 'MemorySwapMax=0'],
  'ulimit -d': ['sh', '-c', `ulimit -d ${LIMIT / 1024} && exec "$@"`, 'sh'],
};
type Limiter = keyof typeof limiters;
const node = [process.execPath, 'benchmarks/run.mjs', 'benchmarks/speed/tiles.ts'];

/** The first limiter under which a process that asks for more dies, while without one it does not. */
function findLimiter(): Limiter | undefined {
  const survives = (prefix: readonly string[]) => {
    const [file, ...args] = [...prefix, ...node, 'overstep'];
    return spawnSync(file!, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).status === 0;
  };
  if (!survives([])) throw new Error(`a process of ${(1.5 * LIMIT) / 2 ** 30} GiB dies here without a limit`);
  const there: Limiter[] = existsSync('/run/systemd/system') ? ['systemd-run', 'ulimit -d'] : ['ulimit -d'];
  return there.find((name) => !survives(limiters[name]));
}

/** Runs a part in a process of its own, limited or not. */
function run<P extends Part>(part: P, words: readonly string[], limiter?: Limiter): Result<P> {
  const prefix = limiter === undefined ? [] : limiters[limiter];
  const [file, ...args] = [...prefix, ...node, 'part', part, `threads=${threads}`, ...words];
  return JSON.parse(execFileSync(file!, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })) as Result<P>;
}

const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;

function compare(name: keyof typeof SIZES): void {
  const ratings = SIZES[name];
  const folder = mkdtempSync(join(tmpdir(), 'opmf-tiles-'));
  const limiter = findLimiter();
  const limit = limiter === undefined ? 'none' : `${mib(LIMIT)} by ${limiter}`;
  console.log(`limit: ${limit}; a process that asked for ${mib(1.5 * LIMIT)} ${limiter ? 'died' : 'did not die'}`);
  try {
    const about = { ...machine(), ratings, ...options, limit };
    console.log(JSON.stringify(about));
    const path = join(folder, 'ratings.csv');
    writeRatings(path, ratings);
    const small = ratings > HELD ? join(folder, 'small.csv') : path;
    const held = freemem() < HELD_BYTES * ratings ? small : path;
    if (small !== path) writeRatings(small, HELD);
    console.log(`${ratings} ratings, ${Math.round(statSync(path).size / 1e6)} MB of text`);
    const speed = ({ rows, seconds, cpuSeconds }: { rows: number; seconds: number; cpuSeconds: number }) =>
      `${(rows / seconds / 1e6).toFixed(2)} M rows/s, ${(rows / cpuSeconds / 1e6).toFixed(2)} M a second of the processor`;
    const dir = join(folder, 'tiles');
    const policies = ['keep', 'last'] as const;
    const rates = policies.map((duplicates) => {
      const isKept = duplicates === 'keep';
      const read = run('read', [isKept ? path : small, duplicates]);
      console.log(`reader, duplicates '${duplicates}': ${speed(read)}, ${mib(read.peak)}`);
      const words = isKept ? [path, dir, duplicates] : [small, join(folder, duplicates), duplicates];
      const partition = run('partition', words, limiter);
      const part = partition.rows / partition.cpuSeconds / (read.rows / read.cpuSeconds);
      console.log(
        `partition of ${partition.rows}: ${speed(partition)}, ${part.toFixed(2)} of the reader's; ${mib(partition.peak)}`,
      );
      return { duplicates, read, partition, part };
    });
    const ofEpochs = (list: readonly { seconds: number; cpuSeconds: number }[], count: number) => {
      const ns = (pick: (epoch: { seconds: number; cpuSeconds: number }) => number) =>
        (1e9 * mean(list.slice(1).map(pick))) / count;
      return { ns: ns(({ seconds }) => seconds), cpuNs: ns(({ cpuSeconds }) => cpuSeconds) };
    };
    const said = (it: { ns: number; cpuNs: number }, took: { setupSeconds: number; peak: number }) =>
      `${it.ns.toFixed(1)} ns a rating and epoch, ${it.cpuNs.toFixed(1)} of the processor; ${took.setupSeconds.toFixed(1)} s before; ${mib(took.peak)}`;
    const memory = run('memory', [held, 'keep']);
    const inMemory = ofEpochs(memory.epochs, memory.ratings);
    console.log(`in memory, ${memory.ratings}: ${said(inMemory, memory)}`);
    const tiles = run('tiles', [dir, String(LIMIT)], limiter);
    const onDisk = ofEpochs(tiles.epochs, ratings);
    console.log(`fitTiles, ${ratings}: ${said(onDisk, tiles)}`);
    const isSame = held === path ? tiles.hash === memory.hash : undefined;
    console.log(
      `times in memory: ${(onDisk.ns / inMemory.ns).toFixed(2)}, of the processor ${(onDisk.cpuNs / inMemory.cpuNs).toFixed(2)}; same bits: ${isSame ?? 'not compared'}`,
    );
    const results = { rates, memory, tiles, inMemory, onDisk, isSame };
    writeFileSync(`benchmarks/results/tiles-${name}.json`, `${JSON.stringify({ ...about, ...results }, null, 2)}\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (task === 'part') {
  const [part, , ...words] = rest;
  console.log(JSON.stringify(await parts[part as Part](words)));
} else if (task === 'overstep') overstep();
else if (Object.hasOwn(SIZES, task)) compare(task as keyof typeof SIZES);
else compare('quick');
