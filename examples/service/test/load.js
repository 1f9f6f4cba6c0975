// 2,000 requests/s of recommend (n = 10, 20,000 items, rank 64), while the service retrains on a million ratings. The service
// has one core (taskset), this program the other. Run: npm run load

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import autocannon from 'autocannon';
import { syntheticInteractions } from 'opmf';
import { writeResult } from './results.js';
import { startService, until } from './service.js';

const RATE = 2000;
const SECONDS = 20;
const SHAPE = { users: 20_000, items: 20_000, ratings: 1_000_000 };
const pin = (core) => (process.platform === 'linux' ? ['taskset', '-c', String(core)] : []);

const folder = mkdtempSync(join(tmpdir(), 'opmf-load-'));
const env = {
  DATA_DIR: folder,
  SEED: 'off',
  TRAIN_AFTER_EVENTS: '1e9',
  MODEL_OPTIONS: '{"rank":64}',
  VECTOR_INDEX: 'none',
};
const filling = await startService(env);
const data = syntheticInteractions(SHAPE);
const ids = [...data.users];
const fillSeconds = await fill(filling);
await filling.stop();

const service = await startService(env, { command: pin(0) }); // Trains, as there is no model yet.
if (process.platform === 'linux') execFileSync('taskset', ['-apc', '1', String(process.pid)]);
const health = async () => (await service.call('/health')).body;
await shoot(5); // Warm.

const without = await shoot(SECONDS);
await service.call('/train', {});
const once = await shoot(SECONDS);
await until(async () => !(await health()).training, 600_000);
const again = setInterval(async () => (await health()).training || service.call('/train', {}), 100);
const always = await shoot(SECONDS);
clearInterval(again);
await until(async () => !(await health()).training, 600_000);
const { requests } = await autocannon({
  url: service.url,
  connections: 10,
  duration: 10,
  requests: [{ setupRequest }],
});
writeResult('load', {
  requestsPerSecond: RATE,
  seconds: SECONDS,
  data: SHAPE,
  rank: 64,
  coresOfService: 1,
  unit: 'ms from when a request was due to its answer',
  withoutTraining: without,
  oneTraining: once,
  trainingAllTheTime: always,
  trainingSeconds: await metric('training_seconds'),
  mostRequestsPerSecond: requests.average,
  mostEventsPerSecond: Math.round(data.size / fillSeconds),
});
await service.stop();
rmSync(folder, { recursive: true });

async function fill({ call }) {
  const begun = performance.now();
  let events = [];
  let at = 0;
  const sent = [];
  for (const { userId, itemId, value } of data) {
    events.push({ id: String(at++), userId, itemId, value });
    if (events.length < 1000 && at < data.size) continue;
    sent.push(call('/events', events));
    events = [];
    if (sent.length > 8) await sent.shift();
  }
  for (const { status } of await Promise.all(sent)) if (status !== 200) throw new Error(`POST /events: ${status}`);
  return (performance.now() - begun) / 1000;
}

function setupRequest(request) {
  const id = ids[Math.floor(Math.random() * ids.length)];
  return { ...request, path: `/users/${id}/recommendations?n=10` };
}

/**
 * Sends requests at even intervals whether others were answered or not, and measures from when each was due: who waits in a
 * queue is counted. Autocannon sends what is due within a second at its beginning, and corrects for it by another interval.
 */
async function shoot(seconds) {
  const agent = new Agent({ keepAlive: true });
  const count = RATE * seconds;
  const times = new Float64Array(count);
  const [cpuBefore, swapsBefore] = [await metric('process_cpu_seconds_total'), (await health()).model.swaps];
  let [sent, answered, failed] = [0, 0, 0];
  await new Promise((resolve) => {
    const begun = performance.now();
    const timer = setInterval(() => {
      for (; sent < count && performance.now() - begun >= (sent * 1000) / RATE; sent++) send(sent);
      if (sent === count) clearInterval(timer);
    }, 1);
    const end = (at, isGood) => {
      times[at] = performance.now() - begun - (at * 1000) / RATE;
      if (!isGood) failed++;
      if (++answered === count) resolve();
    };
    const send = (at) =>
      get(service.url + setupRequest({}).path, { agent }, (response) =>
        response.resume().once('end', () => end(at, response.statusCode === 200)),
      ).once('error', () => end(at, false));
  });
  agent.destroy();
  const cores = ((await metric('process_cpu_seconds_total')) - cpuBefore) / seconds;
  times.sort();
  const [p50, p90, p99, p999, max] = [0.5, 0.9, 0.99, 0.999, 1].map((q) =>
    Number(times[Math.ceil(q * count) - 1].toFixed(1)),
  );
  const swaps = (await health()).model.swaps - swapsBefore;
  return {
    requests: count,
    failed,
    p50,
    p90,
    p99,
    p999,
    max,
    swaps,
    coresUsed: Number(cores.toFixed(2)),
    load: loadavg()[0],
  };
}

async function metric(name) {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)[1]);
}
