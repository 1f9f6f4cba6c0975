// What the service stands: swaps of the model under load, SIGKILL at any moment, a database that goes away and comes back.
// Run: npm run faults [-- swaps|kills|kills-server|away]

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import { startPostgres } from './postgres.js';
import { writeResult } from './results.js';
import { startService, until } from './service.js';

const SWAPS = 20;
const KILLS = 100;
const faults = {
  swaps,
  kills: () => kills(),
  'kills-server': () => withPostgres(({ url }) => kills(url)),
  away: () => withPostgres(away),
};
for (const name of process.argv.slice(2).length > 0 ? process.argv.slice(2) : Object.keys(faults)) await faults[name]();

/** Runs with a folder of its own. */
async function inFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), 'opmf-faults-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Every request is answered with 200 while models are swapped. */
async function swaps() {
  await inFolder(async (folder) => {
    const service = await startService({ DATA_DIR: folder, TRAIN_AFTER_EVENTS: '1e9' });
    const paths = [
      '/users/7/recommendations',
      '/users/8/recommendations?inStock=true',
      '/users/nobody/recommendations',
    ];
    const requests = [...paths, '/items/3/similar', '/users/7/explanations/3'].map((path) => ({ path }));
    const load = autocannon({ url: service.url, connections: 10, duration: 600, requests });
    const done = new Promise((resolve) => load.on('done', resolve));
    const health = async () => (await service.call('/health')).body;
    const before = (await health()).model.swaps;
    for (let k = 1; k <= SWAPS; k++) {
      await service.call('/train', {});
      await until(async () => (await health()).model.swaps === before + k && !(await health()).training);
    }
    load.stop();
    const { requests: made, non2xx, errors, timeouts, latency } = await done;
    await service.stop();
    writeResult('swaps under load', {
      swaps: SWAPS,
      requests: made.total,
      failed: non2xx + errors + timeouts,
      p99: latency.p99,
    });
  });
}

/** No event that was acknowledged is lost by a SIGKILL at a random moment, while events come in and models are trained. */
async function kills(url = '') {
  await inFolder(async (folder) => {
    const env = { DATA_DIR: folder, TRAIN_AFTER_EVENTS: '200', DATABASE_URL: url };
    const acknowledged = [];
    let [next, lost, known, whileTraining] = [0, 0, 0, 0];
    for (let k = 0; k < KILLS; k++) {
      const service = await startService(env);
      lost += await missing(service, acknowledged.slice(known));
      known = acknowledged.length;
      let isKilled = false;
      const clients = Array.from({ length: 4 }, async () => {
        while (!isKilled) {
          const events = Array.from({ length: 1 + Math.floor(Math.random() * 20) }, () => eventOf(next++));
          const answer = await service.call('/events', events).catch(() => undefined);
          if (answer?.status === 200) acknowledged.push(...events);
        }
      });
      await sleep(Math.random() * 1500);
      if ((await service.call('/health')).body.training) whileTraining++;
      await sleep(Math.random() * 30);
      await service.stop('SIGKILL');
      isKilled = true;
      await Promise.all(clients);
    }
    // Once more all of them, of the first kills too.
    const service = await startService(env);
    lost += await missing(service, acknowledged);
    await service.stop();
    const where = url ? 'server' : 'pglite';
    writeResult(`kills: ${where}`, { kills: KILLS, whileTraining, acknowledged: acknowledged.length, lost });
  });
}

/** Works with a server of its own, if one is installed. */
async function withPostgres(work) {
  const postgres = await startPostgres();
  if (!postgres) {
    console.log('no PostgreSQL server is installed (Debian: apt-get install postgresql): not run');
    return;
  }
  try {
    await work(postgres);
  } finally {
    postgres.remove();
  }
}

function eventOf(at) {
  return { id: `e${at}`, userId: `u${at % 50}`, itemId: `${at % 37}`, value: 1 + (at % 5) };
}

/** How many of events are not there: those that are added when they are sent again. */
async function missing(service, events) {
  let added = 0;
  for (let from = 0; from < events.length; from += 1000) {
    const { status, body } = await service.call('/events', events.slice(from, from + 1000));
    if (status !== 200) throw new Error(`events cannot be checked: ${status}`);
    added += body.added;
  }
  return added;
}

/** While the database is away known users are answered and events refused; once it is back, all goes on without a restart. */
async function away(postgres) {
  await inFolder(async (folder) => {
    const service = await startService({ DATA_DIR: folder, DATABASE_URL: postgres.url, LOG_LEVEL: 'fatal' });
    const health = async () => (await service.call('/health')).body;
    const acknowledged = [];
    const statuses = {};
    let [next, failedAnswers, answers, isOver] = [0, 0, 0, false];
    const writer = (async () => {
      while (!isOver) {
        const event = eventOf(next++);
        const { status } = await service.call('/events', [event]);
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status === 200) acknowledged.push(event);
        await sleep(5);
      }
    })();
    const reader = (async () => {
      while (!isOver) {
        for (const id of ['7', 'nobody']) {
          const { status } = await service.call(`/users/${id}/recommendations`);
          answers++;
          if (status !== 200) failedAnswers++;
        }
        await sleep(5);
      }
    })();
    const ROUNDS = 5;
    for (let k = 0; k < ROUNDS; k++) {
      await sleep(500);
      postgres.stop('immediate');
      await until(async () => (await health()).status === 'database away');
      await sleep(1000);
      postgres.start();
      await until(async () => (await health()).status === 'ok');
      const before = acknowledged.length;
      await until(() => acknowledged.length > before + 10);
    }
    isOver = true;
    await Promise.all([writer, reader]);
    const lost = await missing(service, acknowledged);
    await service.stop();
    writeResult('database away and back', {
      rounds: ROUNDS,
      recommendations: answers,
      failedRecommendations: failedAnswers,
      eventStatuses: statuses,
      acknowledged: acknowledged.length,
      lost,
    });
  });
}
