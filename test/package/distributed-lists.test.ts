// The lists of all users by workers in processes of their own, over a real Redis: the file of one machine, whoever is killed.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { MF, OptionError, syntheticInteractions } from '../../src';
import { saveModel, writeRecommendations } from '../../src/node';
import { recommendAll } from '../../src/node/distributed';
import { ROOT } from '../docs/blocks';
import { bundleWorkers, Listened, SHORT, type Where } from '../support/worker-processes';
import { programFolder } from './bundle';

const redis = process.env.OPMF_REDIS ?? '';
const withRedis = redis === '' ? describe.skip : describe;
if (redis === '') console.log('lists by workers are not tested: OPMF_REDIS, the URL of a Redis server, is not set');

const folder = mkdtempSync(join(tmpdir(), 'opmf-distributed-lists-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

withRedis('lists by workers', () => {
  const programs = programFolder('distributed-lists');
  const model = join(folder, 'model.safetensors');
  let worker: string;
  let wanted: Buffer;
  const started: Listened[] = [];
  let made = 0;

  beforeAll(async () => {
    ({ worker } = bundleWorkers(programs, ROOT));
    const recommender = new MF({ rank: 8, epochs: 1 });
    await recommender.fit(syntheticInteractions({ users: 6000, items: 400, ratings: 60_000 }));
    await saveModel(model, recommender);
    await writeRecommendations(join(folder, 'wanted.csv'), recommender, { n: 50 });
    wanted = readFileSync(join(folder, 'wanted.csv'));
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((process) => process.kill()));
  });
  afterAll(() => rmSync(programs, { recursive: true, force: true }));

  /** A queue and a store that no other test has. */
  const place = (): Where => {
    const queue = `lists-${process.pid}-${made++}`;
    const store = join(folder, queue);
    mkdirSync(store);
    return { redis, store, queue };
  };
  const begin = (where: Where) => {
    const process = new Listened(worker, { ...where, threads: 1, timing: SHORT });
    started.push(process);
    return process;
  };
  const left = async ({ store, queue }: Where) => {
    const jobs = new Queue(`${queue}-lists`, { connection: { url: redis } });
    const countOf = () => jobs.getJobCountByTypes('waiting', 'active', 'delayed', 'failed', 'completed');
    // The last part is in the store before its job is over.
    for (let tries = 0; tries < 100 && (await countOf()) > 0; tries++) await sleep(20);
    const count = await countOf();
    await jobs.close();
    return [count, ...readdirSync(store, { recursive: true }).filter((name) => String(name).endsWith('.opmf'))];
  };

  test('of workers one is killed, one ended and one comes later: the file is that of one machine, and nothing is left', async () => {
    const where = place();
    const out = join(folder, 'lists.csv');
    const first = begin(where);
    const told: number[] = [];
    const result = recommendAll(out, model, { n: 50, parts: 60, onProgress: (done) => told.push(done) }, where);
    await first.said(/part \d+,/);
    await first.kill();
    expect(existsSync(out)).toBe(false);
    const second = begin(where);
    await second.said(/part \d+,/);
    begin(where);
    await second.kill('SIGTERM');
    expect(second.code).toBe(0);
    expect(await result).toEqual({ users: 6000 });
    expect(readFileSync(out).equals(wanted)).toBe(true);
    expect(told).toEqual(Array.from({ length: 60 }, (_, part) => 100 * (part + 1)));
    expect(await left(where)).toEqual([0]);
  });

  test('after an abort the same call goes on with the parts that there are', async () => {
    const where = place();
    const out = join(folder, 'aborted.csv');
    const stop = new AbortController();
    const one = begin(where);
    const result = recommendAll(out, model, { n: 50, parts: 8, signal: stop.signal }, where);
    await one.said(/part 2,/);
    stop.abort(new Error('enough'));
    await expect(result).rejects.toThrow('enough');
    expect([existsSync(out), existsSync(`${out}.part`)]).toEqual([false, false]);
    await recommendAll(out, model, { n: 50, parts: 8 }, where);
    expect(readFileSync(out).equals(wanted)).toBe(true);
    expect(one.lines.filter((line) => /part 1,/.test(line))).toHaveLength(1);
    expect(await left(where)).toEqual([0]);
  });

  test('what a worker fails with is what the caller is told', async () => {
    const where = place();
    begin(where);
    const out = join(folder, 'failed.csv');
    const result = recommendAll(out, model, { candidates: [1, 2] }, where);
    await expect(result).rejects.toThrow(/candidates has 2 ids and the model knows none of them/);
    expect(existsSync(out)).toBe(false);
  });
});

test('options that are wrong', async () => {
  const where = { redis: 'redis://127.0.0.1:1', store: tmpdir() };
  const model = new MF({ rank: 2, epochs: 1 });
  await model.fit(syntheticInteractions({ users: 30, items: 20, ratings: 200 }));
  const [path, out] = [join(folder, 'small.safetensors'), join(folder, 'small.ndjson')];
  await saveModel(path, model);
  await expect(recommendAll(out, path, {}, where)).rejects.toThrow(/recommendAll: no Redis server answers/);
  await expect(recommendAll(out, path, { parts: 0 }, where)).rejects.toThrow(OptionError);
  await expect(recommendAll(out, path, { users: [] } as object, where)).rejects.toThrow(/unknown option 'users'/);
  await expect(recommendAll('lists.txt', path, {}, where)).rejects.toThrow(/want a name that ends in/);
  await expect(recommendAll(out, join(folder, 'none'), {}, where)).rejects.toThrow(/there is no such file/);
  await expect(recommendAll(out, model as never, {}, where)).rejects.toThrow(/model/);
});
