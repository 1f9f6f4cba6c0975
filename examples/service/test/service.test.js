// The service as a client sees it, over PGlite, or over the server at $DATABASE_URL (an empty database).

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startService, until } from './service.js';

const folder = await mkdtemp(join(tmpdir(), 'opmf-service-'));
const env = { DATA_DIR: folder, TRAIN_AFTER_EVENTS: '100', DATABASE_URL: process.env.DATABASE_URL ?? '' };
let service;
const call = (path, body) => service.call(path, body);
const itemsOf = ({ body }) => body.items.map(({ itemId }) => itemId);
const trained = async () => (await call('/health')).body;

before(async () => {
  service = await startService(env);
});
after(async () => {
  service.child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

test('an empty database is seeded, and known users are answered', async () => {
  const { status, body } = await call('/users/7/recommendations?n=5');
  assert.equal(status, 200);
  assert.equal(body.basis, 'model');
  assert.equal(body.items.length, 5);
});

test('filters: by category, in stock, both, none that matches', async () => {
  const put = (id, item) =>
    fetch(`${service.url}/items/${id}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(item),
    });
  const all = itemsOf(await call('/users/7/recommendations?n=400'));
  await put(all[3], { category: 'maps', inStock: true });
  await put(all[1], { category: 'maps', inStock: false });
  assert.deepEqual(itemsOf(await call('/users/7/recommendations?category=maps')), [all[1], all[3]]);
  assert.deepEqual(itemsOf(await call('/users/7/recommendations?category=maps&inStock=true')), [all[3]]);
  assert.ok(!itemsOf(await call('/users/7/recommendations?n=400&inStock=true')).includes(all[1]));
  assert.deepEqual(itemsOf(await call('/users/7/recommendations?category=none')), []);
});

test('events are written once; a new user is answered by the last ones', async () => {
  const events = ['1', '2', '3'].map((itemId) => ({ id: `new-${itemId}`, userId: 'new', itemId, value: 5 }));
  assert.equal((await call('/users/new/recommendations')).body.basis, 'popularity');
  assert.deepEqual((await call('/events', events)).body, { added: 3, known: 0 });
  assert.deepEqual((await call('/events', [...events, events[0]])).body, { added: 0, known: 4 });
  const { body } = await call('/users/new/recommendations?n=400');
  assert.equal(body.basis, 'last events');
  assert.ok(!itemsOf({ body }).includes('1'));
});

test('what is wrong is refused whole, with a reason', async () => {
  const good = { id: 'good', userId: 'a', itemId: '1' };
  for (const [bad, reason] of [
    [{ ...good, id: undefined }, /required property 'id'/],
    [{ ...good, value: '5' }, /value must be number/],
    [{ ...good, value: null }, /value must be number/],
    [{ ...good, itemId: 'a\u0000' }, /itemId must match/],
    [{ ...good, userID: 'a' }, /additional properties/],
    [{ ...good, timestamp: -1 }, /timestamp must be >= 0/],
  ]) {
    const { status, body } = await call('/events', [good, bad]);
    assert.equal(status, 400);
    assert.match(body.message, reason);
  }
  assert.deepEqual((await call('/events', [good])).body, { added: 1, known: 0 });
  assert.equal((await call('/users/7/recommendations?n=0')).status, 400);
  assert.equal((await call('/nowhere')).status, 404);
});

test('similar items and explanations; 404 for ids that the model does not know', async () => {
  assert.equal((await call('/items/3/similar?n=4')).body.items.length, 4);
  const { body } = await call('/users/7/explanations/3?n=2');
  assert.equal(body.because.length, 2);
  assert.equal(typeof body.because[0].contribution, 'number');
  assert.equal((await call('/items/nothing/similar')).status, 404);
  assert.equal((await call('/users/nobody/explanations/3')).status, 404);
});

test('a training by demand, and one by the number of events; metrics tell of them', async () => {
  const { swaps, events } = (await trained()).model;
  assert.equal((await call('/train', {})).status, 202);
  await until(async () => (await trained()).model.swaps === swaps + 1);
  assert.equal((await trained()).model.events, events + 4);
  await until(async () => !(await trained()).training);
  const many = Array.from({ length: 100 }, (_, at) => ({ id: `many-${at}`, userId: 'new', itemId: `${at}`, value: 4 }));
  await call('/events', many);
  await until(async () => (await trained()).model.swaps === swaps + 2);
  assert.equal((await call('/users/new/recommendations')).body.basis, 'model');
  const text = await (await fetch(`${service.url}/metrics`)).text();
  assert.match(text, /trainings_total 3/);
  assert.match(text, /events_total\{result="added"\} 104/);
  assert.match(text, /http_request_duration_seconds_count\{route="\/users\/:id\/recommendations",status="200"\} \d+/);
  await until(async () => !(await trained()).training);
});

test('SIGTERM ends it with code 0; the next start has the events and the model', async () => {
  const before = (await call('/users/new/recommendations')).body;
  assert.deepEqual(await service.stop(), [0, null]);
  service = await startService(env);
  assert.deepEqual((await call('/users/new/recommendations')).body, before);
  assert.deepEqual((await call('/events', [{ id: 'good', userId: 'a', itemId: '1' }])).body, { added: 0, known: 1 });
});

test('SIGTERM while it trains ends it too', async () => {
  await call('/train', {});
  assert.deepEqual(await service.stop(), [0, null]);
  service = await startService(env);
  assert.equal((await trained()).status, 'ok');
});
