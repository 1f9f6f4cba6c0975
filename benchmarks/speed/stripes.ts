// What an epoch in stripes costs beside one of fitTiles, without job engine and network: seconds of the processor, and the bytes that go
// through the store (a folder), by what they are. All in this process, on one thread; the bits are compared.
// Run: npm run bench:stripes [-- ratings=20000000] (a minute)

import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TaskScheduler } from '../../src/core/scheduler';
import { syntheticInteractions } from '../../src/data/synthetic';
import { fitStripes } from '../../src/node/distributed/fit-stripes';
import { openStore } from '../../src/node/distributed/stores/open-store';
import { fitTiles } from '../../src/node/tiles/fit-tiles';
import { partitionInteractions } from '../../src/node/tiles/partition';
import type { StripeStore } from '../../src/training/per-rating/stripe-store';
import { agreedSweeps, endEpoch, StripeEngine, type StripeRun } from '../../src/training/per-rating/stripes';
import { machine } from '../machine';

const given = process.argv.find((word) => word.startsWith('ratings='));
const ratings = Number(given?.slice(8) ?? 20_000_000);
const [users, items] = [Math.ceil(ratings / 100), Math.ceil(ratings / 1000)];
const options = { recommender: 'mf', rank: 32, epochs: 3, seed: 1, threads: 1, history: false } as const;

/** Counts the bytes of each kind of key. */
function counting(store: StripeStore) {
  const bytes: Record<string, number> = {};
  const add = (way: string, key: string, length: number) => {
    const [, kind, , side] = key.split('/');
    const name = kind === 'ratings' ? kind : `${side ?? kind} ${way}`;
    bytes[name] = (bytes[name] ?? 0) + length;
  };
  const counted: StripeStore = {
    get: async (key) => {
      const value = await store.get(key);
      if (value !== undefined) add('read', key, value.length);
      return value;
    },
    has: (key) => store.has(key),
    put: async (key, value) => {
      add('written', key, value.length);
      await store.put(key, value);
    },
    remove: (prefix) => store.remove(prefix),
    close: () => store.close(),
  };
  return { bytes, counted };
}

const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** With as many engines as lanes, or with one for all, which gives a sweep back as soon as it has to wait. */
async function inStripes(dir: string, folder: string, lanes: number, count: number) {
  mkdirSync(folder);
  const store = await openStore(folder);
  const { bytes, counted } = counting(store);
  const epochs: number[] = [];
  const runEpochs = async (run: StripeRun) => {
    const engines: StripeEngine[] = [];
    while (engines.length < count) engines.push(await StripeEngine.create(run, counted, new TaskScheduler(undefined)));
    const patience = count < lanes ? 0 : Infinity;
    const epoch = async (epoch: number) => {
      const before = cpu();
      const waiting = (await agreedSweeps(run, epoch, lanes, store)).map((sweep) => ({ sweep, done: 0 }));
      const work = async (engine: StripeEngine) => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          const { done, isComplete } = await engine.sweep(next.sweep, next.done, { patience });
          if (!isComplete) waiting.push({ sweep: next.sweep, done });
        }
      };
      await Promise.all(engines.map(work));
      await endEpoch(run, epoch, store);
      epochs.push(cpu() - before);
    };
    return { epoch, close: async () => undefined };
  };
  const { recommender } = await fitStripes(dir, options, undefined, { owner: 'train', store, runEpochs });
  await store.close();
  const perEpoch = Object.fromEntries(Object.entries(bytes).map(([name, count]) => [name, count / options.epochs]));
  return { lanes, engines: count, cpuSeconds: later(epochs), bytesAnEpoch: perEpoch, hash: hashOf(recommender) };
}

/** The mean of the epochs after the first. */
const later = (list: readonly number[]) => list.slice(1).reduce((sum, value) => sum + value, 0) / (list.length - 1);
const hashOf = (recommender: { save(): Uint8Array }) => createHash('sha256').update(recommender.save()).digest('hex');

const folder = mkdtempSync(join(tmpdir(), 'opmf-stripes-'));
try {
  const dir = join(folder, 'tiles');
  const data = syntheticInteractions({ users, items, ratings });
  await partitionInteractions(data, dir, { stripes: { users: 32, items: 32 } });
  const about = { ...machine(), ratings, users, items, ...options };
  console.log(JSON.stringify(about));
  const epochs: number[] = [];
  let before = cpu();
  const onEpoch = () => {
    epochs.push(cpu() - before);
    before = cpu();
  };
  const { recommender } = await fitTiles(dir, options, { onEpoch });
  const tiles = { cpuSeconds: later(epochs), hash: hashOf(recommender) };
  console.log(`fitTiles: ${tiles.cpuSeconds.toFixed(2)} s of the processor an epoch`);
  const stripes: (Awaited<ReturnType<typeof inStripes>> & { times: number; isSame: boolean })[] = [];
  for (const [lanes, engines] of [
    [1, 1],
    [2, 2],
    [4, 4],
    [4, 1],
  ] as const) {
    const result = await inStripes(dir, join(folder, `store-${lanes}-${engines}`), lanes, engines);
    const compared = { times: result.cpuSeconds / tiles.cpuSeconds, isSame: result.hash === tiles.hash };
    stripes.push({ ...result, ...compared });
    const said = Object.entries(result.bytesAnEpoch).map(([name, bytes]) => `${name} ${(bytes / 1e6).toFixed(1)} MB`);
    console.log(
      `lanes ${lanes}, engines ${engines}: ${result.cpuSeconds.toFixed(2)} s, ${compared.times.toFixed(2)} times; same bits: ${compared.isSame}; an epoch: ${said.join(', ')}`,
    );
  }
  writeFileSync('benchmarks/results/stripes.json', `${JSON.stringify({ ...about, tiles, stripes }, null, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
