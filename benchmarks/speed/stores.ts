// The stores of a distributed training: MiB a second of put and get for values of 1, 8 and 64 MiB, and how long it takes to be
// told that a key has no value, which is how a worker waits for another.
// Run: npm run bench:stores (a minute). Folders are on $TMPDIR and on /dev/shm, where there is one: with the flushes of a put and
// without; a value that was just put is read from the file system's cache. Redis is $OPMF_REDIS, else a redis-server of its own
// in memory. S3 is $OPMF_S3 (s3://bucket/prefix?endpoint=URL), else the server of test/support in a process of its own: how fast the
// client is, not how fast a bucket is.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../src/node/distributed/stores/open-store';
import { bytesOf, isSame } from '../../test/support/bytes-of';
import { fakeS3 } from '../../test/support/fake-s3';
import { hasRedisServer, redisServer } from '../../test/support/redis-server';
import { machine } from '../machine';
import { spread } from './interleave';

const MIB = 2 ** 20;
/** MiB, and how often. */
const SIZES = [
  [1, 40],
  [8, 20],
  [64, 9],
] as const;
const LOOKS = 2000;

const round = (value: number) => Number(value.toPrecision(4));
const rounded = (values: readonly number[]) => {
  const { q1, median, q3 } = spread(values);
  return { median: round(median), q1: round(q1), q3: round(q3) };
};

async function measure(address: string) {
  const store = await openStore(address);
  const sizes = [];
  for (const [mib, times] of SIZES) {
    const bytes = bytesOf(mib, mib * MIB);
    const [put, get]: [number[], number[]] = [[], []];
    for (let i = -1; i < times; i++) {
      const key = `bench/${mib}-${i + 1}`;
      const started = performance.now();
      await store.put(key, bytes);
      const written = performance.now();
      const read = await store.get(key);
      const done = performance.now();
      if (!isSame(read, bytes)) throw new Error(`${address} lost ${key}`);
      await store.remove(key);
      // The first is for the compiler.
      if (i < 0) continue;
      put.push((1000 * mib) / (written - started));
      get.push((1000 * mib) / (done - written));
    }
    sizes.push({ mib, times, putMibPerSecond: rounded(put), getMibPerSecond: rounded(get) });
  }
  const looks: number[] = [];
  for (let i = 0; i < LOOKS; i++) {
    const started = performance.now();
    await store.has('bench/none');
    looks.push(1000 * (performance.now() - started));
  }
  await store.remove('bench/');
  await store.close();
  looks.sort((a, b) => a - b);
  return { sizes, missing: { ...rounded(looks), p99: round(looks[Math.floor(0.99 * LOOKS)]!) } };
}

/** Tells its address, and serves until it is ended. */
async function serve(): Promise<void> {
  console.log((await fakeS3()).address);
}

async function main(): Promise<void> {
  const folders = [tmpdir(), '/dev/shm'].filter(existsSync).map((place) => mkdtempSync(join(place, 'opmf-stores-')));
  const redis = !process.env.OPMF_REDIS && hasRedisServer ? await redisServer('--appendonly', 'no') : undefined;
  let server: ChildProcess | undefined;
  const stores: Record<string, string> = {};
  try {
    for (const folder of folders) stores[`folder ${folder.startsWith('/dev/shm') ? '/dev/shm' : '$TMPDIR'}`] = folder;
    const redisAddress = process.env.OPMF_REDIS ?? redis?.address;
    if (redisAddress === undefined) console.error('Redis is left out: there is no $OPMF_REDIS, and no redis-server');
    else stores[process.env.OPMF_REDIS ? 'redis $OPMF_REDIS' : 'redis loopback'] = redisAddress;
    if (process.env.OPMF_S3) stores['s3 $OPMF_S3'] = process.env.OPMF_S3;
    else {
      process.env.AWS_ACCESS_KEY_ID ??= 'some';
      process.env.AWS_SECRET_ACCESS_KEY ??= 'thing';
      server = spawn(process.execPath, ['benchmarks/run.mjs', 'benchmarks/speed/stores.ts', 'serve'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      stores['s3 loopback'] = String((await once(server.stdout!, 'data'))[0]).trim();
    }
    // Others on the machine make all of it slower.
    const load = round(loadavg()[0]!);
    const results: Record<string, Awaited<ReturnType<typeof measure>>> = {};
    for (const [name, address] of Object.entries(stores)) {
      const result = await measure(address);
      results[name] = result;
      const speeds = result.sizes.map(
        ({ mib, putMibPerSecond, getMibPerSecond }) =>
          `${mib} MiB: put ${putMibPerSecond.median}, get ${getMibPerSecond.median} MiB/s`,
      );
      console.log(
        `${name}: ${speeds.join('; ')}; a missing key ${result.missing.median} us (p99 ${result.missing.p99})`,
      );
    }
    const text = JSON.stringify({ ...machine(), load, missingUnit: 'us', stores: results }, null, 2);
    writeFileSync('benchmarks/results/stores.json', `${text}\n`);
  } finally {
    server?.kill();
    await redis?.close();
    for (const folder of folders) rmSync(folder, { recursive: true });
  }
}

await (process.argv[2] === 'serve' ? serve() : main());
