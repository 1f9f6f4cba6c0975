// Training by workers in processes of their own, over a real Redis: the bits of one machine, whoever is killed meanwhile.

import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { adam, DataError, MF, OptionError, type Recommender, syntheticInteractions } from '../../src';
import { fitTiles, partitionInteractions } from '../../src/node';
import { type TrainOptions, train } from '../../src/node/distributed';
import type { chooseBlocks } from '../../src/training/per-rating/block-schedule';
import { ROOT } from '../docs/blocks';
import { opmf } from '../node/cli/opmf';
import { redisServer } from '../support/redis-server';
import { bundleWorkers, Listened, type Programs, SHORT, type Where } from '../support/worker-processes';
import { programFolder } from './bundle';

const grid = { users: 16, items: 8 };
jest.mock('../../src/training/per-rating/block-schedule', () => {
  const actual = jest.requireActual('../../src/training/per-rating/block-schedule');
  return { ...actual, chooseBlocks: (..._: Parameters<typeof chooseBlocks>) => grid };
});

const redis = process.env.OPMF_REDIS ?? '';
const withRedis = redis === '' ? describe.skip : describe;
if (redis === '') console.log('training by workers is not tested: OPMF_REDIS, the URL of a Redis server, is not set');

const options = { recommender: 'mf', rank: 8, epochs: 4, optimizer: adam({ learningRate: 0.01 }), seed: 3 } as const;
const hashOf = (recommender: Recommender) => createHash('sha256').update(recommender.save()).digest('hex');

withRedis('training by workers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'opmf-distributed-'));
  const dir = join(folder, 'tiles');
  const bundles = programFolder('distributed');
  let programs: Programs;
  let wanted: string;
  const started: Listened[] = [];
  let made = 0;

  beforeAll(async () => {
    programs = bundleWorkers(bundles, ROOT);
    const data = syntheticInteractions({ users: 400, items: 300, ratings: 12_000 });
    await partitionInteractions(data, dir, { stripes: grid });
    const alone = new MF({ rank: 8, epochs: 4, optimizer: options.optimizer, seed: 3 });
    await alone.fit(data);
    wanted = hashOf(alone);
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((process) => process.kill()));
  });
  afterAll(() => {
    for (const path of [folder, bundles]) rmSync(path, { recursive: true, force: true });
  });

  /** A queue and a store that no other test has. */
  const place = (server = redis): Where => {
    const queue = `test-${process.pid}-${made++}`;
    const store = join(folder, queue);
    mkdirSync(store);
    return { redis: server, store, queue };
  };
  const worker = (where: Where, threads = 1) => {
    const process = new Listened(programs.worker, { ...where, threads, timing: SHORT });
    started.push(process);
    return process;
  };
  const trained = async (where: Where, more: Partial<TrainOptions> = {}) =>
    hashOf((await train(dir, options, { ...where, ...more })).recommender);
  const queuesOf = ({ queue }: Where) =>
    ['runs', 'sweeps'].map((kind) => new Queue(`${queue}-${kind}`, { connection: { url: redis } }));
  const jobsIn = async (where: Where) => {
    const queues = queuesOf(where);
    const counts = await Promise.all(
      queues.map((queue) =>
        queue.getJobCountByTypes('waiting', 'active', 'delayed', 'failed', 'completed', 'waiting-children'),
      ),
    );
    await Promise.all(queues.map((queue) => queue.close()));
    return counts[0]! + counts[1]!;
  };

  test('the bits are those in memory and from disk, with 1, 2 and 4 workers, and nothing is left', async () => {
    expect(hashOf((await fitTiles(dir, options)).recommender)).toBe(wanted);
    for (const count of [1, 2, 4]) {
      const where = place();
      for (let k = 0; k < count; k++) await worker(where).said(/sweeps at once/);
      expect(await trained(where)).toBe(wanted);
      expect(await jobsIn(where)).toBe(0);
      expect(readdirSync(where.store, { recursive: true }).filter((name) => String(name).endsWith('.opmf'))).toEqual(
        [],
      );
      await Promise.all(started.splice(0).map((process) => process.kill('SIGTERM')));
    }
  });

  test('a worker that is killed, one that is ended and one that comes later', async () => {
    const where = place();
    const [first, second] = [worker(where), worker(where, 2)];
    const result = trained(where);
    await first.said(/epoch 1, .* squares/);
    await first.kill();
    worker(where);
    await second.said(/epoch 2, .* squares/);
    await second.kill('SIGTERM');
    expect(second.code).toBe(0);
    expect(await result).toBe(wanted);
  });

  test('the worker whose coordinator adds sweeps is killed', async () => {
    const where = place();
    const workers = [worker(where), worker(where)];
    const result = trained(where);
    const killed = await Promise.any(workers.map((one) => one.said(/epoch 1 of 4 is over/).then(() => one)));
    await killed.kill();
    expect(await result).toBe(wanted);
  });

  test('the server is killed, and started from its append-only file', async () => {
    const server = await redisServer();
    try {
      const where = place(server.address);
      const workers = [worker(where), worker(where)];
      const result = trained(where);
      await Promise.any(workers.map((one) => one.said(/epoch 2, .* squares/)));
      await server.kill();
      await sleep(300);
      await server.start();
      expect(await result).toBe(wanted);
      await Promise.all(started.splice(0).map((process) => process.kill()));
    } finally {
      await server.close();
    }
  });

  test('a run whose caller is killed ends without it, and another call has its result', async () => {
    const where = place();
    const caller = new Listened(programs.caller, { dir, options: { ...options, optimizer: undefined }, where });
    started.push(caller);
    const one = worker(where);
    await one.said(/epoch 1 of 4 is over/);
    await caller.kill();
    await one.said(/epoch 4 of 4 is over/);
    await one.kill('SIGTERM');
    const { recommender } = await train(dir, { ...options, optimizer: undefined }, where);
    expect(hashOf(recommender)).toBe(hashOf((await fitTiles(dir, { ...options, optimizer: undefined })).recommender));
  });

  test('an abort takes the jobs from the queue, and the same call goes on', async () => {
    const where = place();
    const one = worker(where);
    const stop = new AbortController();
    const result = trained(where, { signal: stop.signal });
    await one.said(/epoch 2, .* squares/);
    stop.abort(new Error('enough'));
    await expect(result).rejects.toThrow('enough');
    expect(await jobsIn(where)).toBe(0);
    expect(await trained(where)).toBe(wanted);
  });

  test('two runs at once, each with its own result', async () => {
    const where = place();
    worker(where, 2);
    const other = { ...options, seed: 4 };
    const [first, second] = await Promise.all([trained(where), train(dir, other, where)]);
    expect(first).toBe(wanted);
    expect(hashOf(second.recommender)).toBe(hashOf((await fitTiles(dir, other)).recommender));
  });

  test('what a worker fails with is what the caller is told', async () => {
    const where = place();
    const result = trained(where);
    const ratings = async (): Promise<string> => {
      const found = readdirSync(where.store, { recursive: true }).map(String);
      const isPublished = found.some((name) => name.includes('run.json'));
      const file = found.find((name) => /ratings.*\.opmf$/.test(name));
      if (isPublished && file !== undefined) return join(where.store, file);
      await sleep(50);
      return ratings();
    };
    const file = await ratings();
    const bytes = readFileSync(file);
    writeFileSync(file, Buffer.from(bytes).fill(7, 0, 4));
    worker(where);
    const error = await result.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect((error as Error).message).toMatch(/ratings.*damaged/);
    expect(await jobsIn(where)).toBe(0);
  });

  test('a job of another version is left to others, until it is clear that there are none', async () => {
    const where = place();
    const [runs, sweeps] = queuesOf(where);
    await runs!.add('run', { version: '0.0.1', run: 'some', epoch: 1 }, { jobId: 'some' });
    const one = worker(where);
    expect(await one.said(/left to other workers/)).toMatch(/opmf 0\.0\.1, and this is/);
    await one.said(/failed: UnsupportedError: no worker of the queue can train run some: it is of opmf 0\.0\.1/);
    expect(await runs!.getJobCountByTypes('failed')).toBe(1);
    await runs!.obliterate({ force: true });
    await Promise.all([runs!.close(), sweeps!.close()]);
  });

  test('the command line: a worker, a training by it, and its end', async () => {
    const { store, queue } = place();
    const where = ['--redis', redis, '--store', store, '--name', queue];
    const model = join(folder, 'model.safetensors');
    const set = ['--model', 'mf', '--set', 'rank=8', '--set', 'epochs=2', '--seed', '3'];
    const one = new Listened(programs.cli, ['worker', ...where, '--threads', '2']);
    started.push(one);
    await one.said(/^\S+Z opmf \d.*: 2 sweeps at once of queue 'test/);
    const { code, err } = await opmf('train', dir, '--out', model, ...set, ...where);
    expect([code, err]).toEqual([0, '']);
    await opmf('train', dir, '--out', `${model}.2`, ...set);
    expect(readFileSync(model).equals(readFileSync(`${model}.2`))).toBe(true);
    await one.kill('SIGTERM');
    expect([one.code, one.lines.at(-1)]).toEqual([0, expect.stringMatching(/ ended$/)]);
  });
});

test.each(['bullmq', 'ioredis'])('without the package %s: an error that says how to install it', async (name) => {
  jest.resetModules();
  jest.doMock(name, () => {
    throw Object.assign(new Error(`Cannot find package '${name}'`), { code: 'ERR_MODULE_NOT_FOUND' });
  });
  const { train } = require('../../src/node/distributed') as typeof import('../../src/node/distributed');
  await expect(train('tiles', {}, { redis: 'redis://127.0.0.1:1', store: tmpdir() })).rejects.toMatchObject({
    name: 'UnsupportedError',
    message: `opmf/distributed needs the package ${name}, which is not installed: npm install ${name}`,
  });
  jest.dontMock(name);
});

test('options that are wrong, and a server that is not there', async () => {
  const where = { redis: 'redis://me:secret@127.0.0.1:1', store: tmpdir() };
  const error = await train('tiles', {}, where).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(OptionError);
  expect((error as Error).message).toMatch(
    /train: no Redis server answers at redis:\/\/me:\*\*\*@127\.0\.0\.1:1: .*ECONNREFUSED/,
  );
  await expect(train('tiles', {}, { ...where, redis: 'localhost:6379' })).rejects.toThrow('the URL of a Redis server');
  await expect(train('tiles', {}, { ...where, queue: 'a:b' })).rejects.toThrow('letters, digits, dashes and dots');
  const { code, err } = await opmf('worker', '--redis', 'redis://127.0.0.1:1');
  expect([code, err]).toEqual([2, expect.stringContaining('--store is missing')]);
  expect((await opmf('train', 'ml-100k', '--out', 'x', '--redis', 'redis://x')).err).toContain(
    'folder of opmf partition',
  );
});
