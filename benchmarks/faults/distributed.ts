// Trainings by workers while something is killed, stopped, refused or full: each has to end in the bits of one machine. Workers,
// callers and servers are processes of their own. Run: npm run bench:distributed-faults -- [times, default 20]

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { adam, type MFOptions, OpmfError, type Recommender, syntheticInteractions } from 'opmf';
import { train } from 'opmf/distributed';
import { fitTiles, partitionInteractions } from 'opmf/node';
import { fakeS3 } from '../../test/support/fake-s3';
import { redisServer } from '../../test/support/redis-server';
import { bundleWorkers, Listened, SHORT, type Where } from '../../test/support/worker-processes';
import { machine } from '../machine';
import { Tally } from './campaign';

const times = Number(process.argv[2] ?? 20);
if (!(times >= 1)) throw new Error('want how often a worker, and the server, are killed');

/** Inside of the checkout, where programs find its packages. */
const folder = mkdtempSync(join(resolve('node_modules/.cache'), 'opmf-distributed-'));
const programs = bundleWorkers(folder, '.');
const dir = join(folder, 'tiles');
const WORKERS = 3;
const RATINGS = 200_000;
const EPOCHS = 8;
const grid = { users: 32, items: 16 };

const started = performance.now();
const data = syntheticInteractions({ users: 4000, items: 2000, ratings: RATINGS, seed: 1 });
await partitionInteractions(data, dir, { stripes: grid });
/** A store that is slow is tried with fewer stripes. */
const coarse = join(folder, 'coarse');
await partitionInteractions(data, coarse, { stripes: { users: 8, items: 4 } });
const hashOf = (recommender: Recommender) => createHash('sha256').update(recommender.save()).digest('hex');
/** Each training has a seed of its own, so that none finds the run of another. */
const optionsOf = (seed: number): MFOptions & { readonly recommender: 'mf' } => {
  return { recommender: 'mf', rank: 16, epochs: EPOCHS, optimizer: adam({ learningRate: 0.005 }), seed };
};
const alone = async (seed: number, from = dir) => hashOf((await fitTiles(from, optionsOf(seed))).recommender);
let seeds = 0;

/** A place of its own, with workers that are started again when they end. */
class Scene {
  readonly workers: Listened[] = [];
  readonly where: Where;

  constructor(redis: string, store?: string, env: Record<string, string> = {}) {
    const queue = `faults-${process.pid}-${seeds}`;
    this.where = { redis, store: store ?? join(folder, queue), queue };
    if (store === undefined) mkdirSync(this.where.store);
    Object.assign(process.env, env);
  }

  start(count: number): void {
    for (let k = 0; k < count; k++)
      this.workers.push(new Listened(programs.worker, { ...this.where, threads: 1, timing: SHORT }));
  }

  async train(seed: number, from = dir): Promise<string> {
    return hashOf((await train(from, optionsOf(seed), this.where)).recommender);
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.splice(0).map((worker) => worker.kill('SIGKILL')));
  }
}

/** Milliseconds, not longer than a training has. */
const within = async <T>(work: Promise<T>, seconds = 240): Promise<T> => {
  const late = new AbortController();
  const limit = sleep(1000 * seconds, undefined, { signal: late.signal }).then(() => {
    throw new Error(`not over after ${seconds} s`);
  });
  limit.catch(() => undefined);
  try {
    return await Promise.race([work, limit]);
  } finally {
    late.abort();
  }
};
const verdict = (found: string, wanted: string) => (found === wanted ? null : `the hash is ${found}, not ${wanted}`);
const said = (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));

/** Trains until `faults` of a kind have been done, one training after another, each with its own seed. */
async function under(
  tally: Tally,
  redis: string,
  times: number,
  fault: (scene: Scene) => Promise<void>,
): Promise<void> {
  for (let done = 0; done < times; ) {
    const seed = ++seeds;
    const wanted = await alone(seed);
    const scene = new Scene(redis);
    scene.start(WORKERS);
    let isOver = false;
    try {
      const result = within(scene.train(seed)).finally(() => {
        isOver = true;
      });
      result.catch(() => undefined);
      const before = done;
      while (!isOver && done < times) {
        await sleep(200 + 1300 * Math.random());
        if (isOver) break;
        await fault(scene);
        done++;
      }
      const problem = verdict(await result, wanted);
      // One fault is counted at a time: all of a training have its verdict.
      for (let k = before; k < done; k++) tally.count(problem);
      console.log(`${tally.fault}: ${done} of ${times}`);
    } catch (error) {
      tally.count(said(error));
      done++;
      console.log(`${tally.fault}: ${said(error)}`);
    } finally {
      await scene.close();
    }
  }
}

const promised = 'the training ends by itself, with the SHA-256 of fitTiles';
const server = await redisServer();
const tallies: Tally[] = [];
const kind = (fault: string, what = promised) => {
  const tally = new Tally(fault, what);
  tallies.push(tally);
  return tally;
};

try {
  await under(kind('SIGKILL of a worker at any time'), server.address, times, async ({ workers, where }) => {
    const at = Math.floor(Math.random() * workers.length);
    await workers[at]!.kill('SIGKILL');
    workers[at] = new Listened(programs.worker, { ...where, threads: 1, timing: SHORT });
  });

  const killed = kind(
    'SIGKILL of redis-server at any time, started again from its append-only file (appendfsync always)',
  );
  await under(killed, server.address, times, async () => {
    await server.kill();
    await sleep(500 * Math.random());
    await server.start();
  });

  await under(kind('a worker stopped for 3 s (SIGSTOP) and continued'), server.address, 3, async ({ workers }) => {
    const worker = workers[Math.floor(Math.random() * workers.length)]!;
    await worker.kill('SIGSTOP');
    await sleep(3000);
    await worker.kill('SIGCONT');
  });

  await flaky(kind('a store (S3) that refuses half of all writes (503)'));
  await full(
    kind(
      'a disk that is full in the middle',
      'a DataError that names the disk; with room there, the same call ends in the SHA-256 of fitTiles',
    ),
  );
} finally {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

/** A server of objects that answers half of the writes by 503. */
async function flaky(tally: Tally): Promise<void> {
  const s3 = await fakeS3();
  const keys = { AWS_ACCESS_KEY_ID: 'some', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'eu-central-1' };
  let [asked, refused] = [0, 0];
  s3.fault = (method) => {
    if (method !== 'PUT') return undefined;
    asked++;
    if (Math.random() < 0.5) return undefined;
    refused++;
    return { status: 503, code: 'SlowDown' };
  };
  const seed = ++seeds;
  const scene = new Scene(server.address, s3.address, keys);
  scene.start(WORKERS);
  try {
    const [wanted, found] = [await alone(seed, coarse), await within(scene.train(seed, coarse))];
    tally.count(verdict(found, wanted));
    console.log(`${tally.fault}: ${refused} of ${asked} refused`);
  } catch (error) {
    tally.count(said(error));
    console.log(`${tally.fault}: ${said(error)}`);
  } finally {
    await scene.close();
    await s3.close();
  }
}

/** A disk of its own that another file fills while a training writes to it. */
async function full(tally: Tally): Promise<void> {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'none', disk]).status !== 0) {
    console.error('no disk can be mounted here: a full one is not tried');
    return;
  }
  const store = join(disk, 'store');
  mkdirSync(store);
  const seed = ++seeds;
  const scene = new Scene(server.address, store);
  const ballast = join(disk, 'ballast');
  try {
    const wanted = await alone(seed);
    scene.start(WORKERS);
    const result = within(scene.train(seed));
    result.catch(() => undefined);
    await Promise.any(scene.workers.map((worker) => worker.said(/epoch 2, .* squares/)));
    spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=64k'], { stdio: 'ignore' });
    const size = statSync(ballast).size;
    const error = await result.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    rmSync(ballast);
    const isTyped = error instanceof OpmfError && error.name === 'DataError' && /full|no space/i.test(error.message);
    const problem = isTyped ? verdict(await within(scene.train(seed)), wanted) : `it says ${said(error)}`;
    tally.count(problem);
    console.log(`${tally.fault}: filled by ${size} bytes: ${said(error)}: ${problem ?? 'held'}`);
  } catch (error) {
    tally.count(said(error));
    console.log(`${tally.fault}: ${said(error)}`);
  } finally {
    await scene.close();
    spawnSync('umount', [disk]);
  }
}

const seconds = Math.round((performance.now() - started) / 1000);
const about = { ratings: RATINGS, epochs: EPOCHS, workers: WORKERS, grid, timing: SHORT };
const kept = 'benchmarks/results/distributed-faults.json';
if (times >= 20)
  writeFileSync(kept, `${JSON.stringify({ machine: machine(), ...about, seconds, results: tallies }, null, 2)}\n`);
for (const { fault, held, tried, failures } of tallies) {
  console.log(`${held} of ${tried}: ${fault}`);
  for (const failure of failures) console.log(`  ${failure}`);
}
if (times >= 20) spawnSync('npx', ['biome', 'format', '--write', kept]);
if (tallies.some(({ held, tried }) => held < tried)) process.exitCode = 1;
console.log(`${seconds} s`);
