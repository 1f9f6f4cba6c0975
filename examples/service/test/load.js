// 2,000 requests/s of recommend (n = 10, 20,000 items, rank 64), while the service retrains on a million ratings. The service
// has one core (taskset), this program the other. Run: npm run load

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import autocannon from 'autocannon';
import { syntheticInteractions } from 'opmf';
import { writeResult } from './results.js';
import { startService, until } from './service.js';

const RATE = 2000;
const SECONDS = 20;
/** Autocannon sends a connection's share of a second one after another, so there are about so many requests at once. */
const CONNECTIONS = 20;
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
const fillSeconds = await fill(filling);
await filling.stop();

const service = await startService(env, { command: pin(0) }); // Trains, as there is no model yet.
if (process.platform === 'linux') execFileSync('taskset', ['-apc', '1', String(process.pid)]);
const health = async () => (await service.call('/health')).body;
await shoot(5); // Warm.

const quiet = await shoot(SECONDS);
const { swaps } = (await health()).model;
await service.call('/train', {});
const again = setInterval(async () => (await health()).training || service.call('/train', {}), 500);
const training = await shoot(SECONDS);
clearInterval(again);
const finished = (await health()).model.swaps - swaps;
// On one core a training may outlast the load: that it goes on at all is seen by its end.
await until(async () => !(await health()).training, 600_000);
const metrics = await (await fetch(`${service.url}/metrics`)).text();
writeResult('load', {
  rate: RATE,
  seconds: SECONDS,
  connections: CONNECTIONS,
  data: SHAPE,
  rank: 64,
  coresOfService: 1,
  eventsPerSecondIn: Math.round(data.size / fillSeconds),
  quiet,
  training: { ...training, modelsSwapped: finished },
  trainingSeconds: Number(/^training_seconds (\S+)/m.exec(metrics)[1]),
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

/** Asks for known users at random; what autocannon measured, in milliseconds. */
async function shoot(duration) {
  const ids = [...data.users];
  const { latency, requests, non2xx, errors, timeouts } = await autocannon({
    url: service.url,
    connections: CONNECTIONS,
    overallRate: RATE,
    duration,
    requests: [
      {
        setupRequest: (request) => {
          const id = ids[Math.floor(Math.random() * ids.length)];
          return { ...request, path: `/users/${id}/recommendations?n=10` };
        },
      },
    ],
  });
  const { p50, p90, p99, p99_9, max } = latency;
  return {
    requestsPerSecond: requests.average,
    p50,
    p90,
    p99,
    p99_9,
    max,
    failed: non2xx + errors + timeouts,
    load: loadavg()[0],
  };
}
