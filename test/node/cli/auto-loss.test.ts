// Events without ratings on the command line: which loss 'auto' stands for is said on standard error and in the document,
// and so is who was passed over; an explicit loss of ratings is refused.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { opmf } from './opmf';

let folder: string;
let events: string;
let ratings: string;
let model: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opmf-auto-loss-'));
  events = join(folder, 'events.csv');
  ratings = join(folder, 'ratings.csv');
  model = join(folder, 'model');
  const pairs: [number, number][] = [];
  for (let user = 1; user <= 20; user++)
    for (let item = 1; item <= 12; item++) if (user === 1 || (user * 7 + item * 5) % 4 !== 0) pairs.push([user, item]);
  await writeFile(events, ['user,item', ...pairs.map((pair) => pair.join())].join('\n'));
  await writeFile(ratings, ['user,item,rating', ...pairs.map(([u, i]) => `${u},${i},${1 + ((u + i) % 5)}`)].join('\n'));
});
afterAll(() => rm(folder, { recursive: true }));

const train = (data: string, ...flags: string[]) => opmf('train', data, '--out', model, '--set', 'epochs=2', ...flags);

test.each([[], ['--model', 'mf'], ['--set', 'rank=4']])('train says it: %p', async (...flags) => {
  const { code, out, err } = await train(events, '--json', ...flags.flat());
  expect(code).toBe(0);
  expect(err).toContain("opmf train: every value is the same, so that loss 'auto' is 'softmax': scores order items");
  expect(err).toContain('opmf train: 1 user passed over, with every item');
  expect(JSON.parse(out)).toMatchObject({ loss: 'softmax', usersPassedOver: 1 });
  expect(out).not.toContain('rmse');
});

test('nothing is said where values differ, or the loss was chosen', async () => {
  const rated = await train(ratings, '--json');
  expect(rated.err).not.toContain('auto');
  expect(JSON.parse(rated.out).loss).toBe('squared');
  expect((await train(events, '--set', 'loss=warp')).err).not.toContain('auto');
  expect((await train(ratings, '--set', 'loss=bpr')).err).not.toContain('auto');
});

test.each([
  ['--set', 'loss=squared'],
  ['--model', 'mf', '--set', 'loss=huber'],
  ['--model', 'svdpp'],
  ['--model', 'nmf'],
])('a loss of ratings is refused, with what to do instead: %s %s %s %s', async (...flags) => {
  const { code, out, err } = await train(events, ...flags);
  expect([code, out]).toEqual([1, '']);
  expect(err).toMatch(/every value is 1, as of events without ratings/);
  expect(err).toMatch(/loss 'bpr'|loss: 'bpr'|als|ALS/);
});

test('tune says it, with ranked lists as the metric', async () => {
  const { code, out, err } = await opmf(
    'tune',
    events,
    '--model',
    'mf',
    '--space',
    'rank=2,4',
    '--trials',
    '2',
    '--json',
  );
  expect(code).toBe(0);
  expect(err).toContain("loss 'auto' is 'softmax'");
  expect(JSON.parse(out).metric).toBe('ndcg@10');
});
