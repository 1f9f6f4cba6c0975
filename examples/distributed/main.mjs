// MovieLens 1M trained by two worker processes, which Redis gives their work, to the same bits as by one process.
// Run: npm run example:distributed (in a clone), or node node_modules/opmf/examples/distributed/main.mjs
// Needs bullmq and ioredis (npm install bullmq ioredis), and redis-server on the PATH or a server at $OPMF_REDIS. The ratings are
// those of $OPMF_DATA, or ../shared/data beside a clone; without, and with --synthetic, made-up ones.

import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DataError, evaluateRatings, splitRandom, syntheticInteractions } from 'opmf';
import { train } from 'opmf/distributed';
import { fitTiles, loadDataset, partitionInteractions } from 'opmf/node';

const WORKERS = 2;
const HOW = `It is in the package redis-server of Debian and Ubuntu, redis of Homebrew, redis:7 of Docker; or set OPMF_REDIS=redis://host:6379.`;
const options = { recommender: 'overparam-mf', rank: 32, epochs: 10, seed: 1 };

const shared = fileURLToPath(new URL('../../../shared/data', import.meta.url));
if (!process.env.OPMF_DATA && existsSync(shared)) process.env.OPMF_DATA = shared;

/** Processes to be ended. */
const started = [];
const folder = await mkdtemp(join(tmpdir(), 'opmf-distributed-'));
const end = (name) => {
  for (const child of started) child.kill();
  process.kill(process.pid, name);
};
for (const name of ['SIGINT', 'SIGTERM']) process.once(name, end);
try {
  await main();
} finally {
  const ended = started.map((child) => (child.exitCode ?? child.signalCode) === null && once(child, 'exit'));
  for (const child of started) child.kill();
  await Promise.all(ended);
  await rm(folder, { recursive: true });
}

async function main() {
  const redis = process.env.OPMF_REDIS ?? (await startRedis());
  if (redis === undefined) return;
  const { train: ratings, test } = splitRandom(await ratingsOfSomething(), { testFraction: 0.1, seed: 1 });

  // 1. Ratings into tiles on disk, as `opmf partition` does.
  const dir = join(folder, 'tiles');
  await partitionInteractions(ratings, dir);

  // 2. Workers: any number, anywhere that sees the server and the store, started and ended at any time.
  const store = join(folder, 'store');
  await mkdir(store);
  const stop = new AbortController();
  const queue = `example-${randomUUID()}`;
  const cli = fileURLToPath(new URL('dist/cli.js', import.meta.resolve('opmf/package.json')));
  for (let k = 0; k < WORKERS; k++) {
    const words = ['worker', '--redis', redis, '--store', store, '--name', queue, '--threads', '1'];
    const worker = start(process.execPath, [cli, ...words]);
    // A worker that cannot be is not waited for; of those that are killed later others do the work.
    worker.once('exit', (code) => code === null || stop.abort(new Error(`a worker ended with code ${code}`)));
  }

  // 3. Trained by them, and here.
  const there = await timed(() => train(dir, options, { redis, store, queue, signal: stop.signal }));
  const here = await timed(() => fitTiles(dir, options));
  for (const [name, { recommender, seconds }] of [
    [`${WORKERS} workers`, there],
    ['one process', here],
  ]) {
    const { rmse } = await evaluateRatings(recommender, test);
    const text = `${name}: test RMSE ${rmse.toFixed(4)}, ${seconds.toFixed(1)} s, SHA-256 of the tables ${hashOf(recommender)}`;
    console.log(text);
  }
  if (hashOf(there.recommender) !== hashOf(here.recommender)) throw new Error('the tables differ');
  console.log('The tables are the same, bit by bit.');
}

async function ratingsOfSomething() {
  const madeUp = () => syntheticInteractions({ users: 2000, items: 1000, ratings: 100_000 });
  if (process.argv.includes('--synthetic')) return madeUp();
  try {
    return await loadDataset('ml-1m');
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    console.log(`Made-up ratings, as MovieLens 1M is not here: ${error.message}`);
    return madeUp();
  }
}

/** A server on a port of its own, which keeps nothing; undefined, after saying how to get one, where there is none. */
async function startRedis() {
  const port = await freePort();
  const words = [
    '--port',
    port,
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--maxmemory-policy',
    'noeviction',
    '--dir',
    folder,
  ];
  const server = start('redis-server', words.map(String));
  let isMissing = false;
  server.once('error', () => {
    isMissing = true;
  });
  while (!isMissing) {
    if (await answers(port)) return `redis://127.0.0.1:${port}`;
    if ((server.exitCode ?? 0) > 0) throw new Error(`redis-server ended with code ${server.exitCode}`);
    await sleep(50);
  }
  started.pop();
  console.log(`No redis-server was found on the PATH. ${HOW}`);
  process.exitCode = 1;
  return undefined;
}

function start(command, words) {
  const child = spawn(command, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  started.push(child);
  return child;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.end());
  });
}

async function timed(work) {
  const begun = performance.now();
  const result = await work();
  return { ...result, seconds: (performance.now() - begun) / 1000 };
}

function hashOf({ userFactors, itemFactors, userBiases, itemBiases }) {
  const hash = createHash('sha256');
  for (const table of [userFactors.data, itemFactors.data, userBiases, itemBiases]) hash.update(table);
  return hash.digest('hex').slice(0, 16);
}
