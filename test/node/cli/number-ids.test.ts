// A model that was trained in code with numbers as ids answers to their texts, from files and from the command line.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Interactions } from '../../../src/data/interactions';
import { saveModel } from '../../../src/node/model-file';
import { MF } from '../../../src/recommenders/mf';
import { opmf } from './opmf';

let folder: string;
let model: string;
let ratings: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opmf-numbers-'));
  model = join(folder, 'model.safetensors');
  ratings = join(folder, 'ratings.csv');
  const rows = Array.from({ length: 60 }, (_, i) => [i % 10, 'abcdefg'[i % 7]!, 1 + (i % 5)] as const);
  const trained = new MF({ rank: 2, epochs: 1 });
  await trained.fit(Interactions.from(rows));
  await saveModel(model, trained);
  await writeFile(
    ratings,
    `user,item,rating,weight\n${rows.map((row) => `${row.join(',')},1`).join('\n')}\n07,a,3,2\nx,b,3,1\n`,
  );
});
afterAll(() => rm(folder, { recursive: true }));

test('evaluate knows the users of a file by their numbers; other texts are cold', async () => {
  const document = JSON.parse((await opmf('evaluate', model, ratings, '--json')).out);
  // The other 60 are what it was trained on.
  expect([document.count, document.cold, document.seen]).toEqual([2, 2, 60]);
});

test('--ids is taken at its word', async () => {
  const texts = JSON.parse((await opmf('evaluate', model, ratings, '--json', '--ids', 'string')).out);
  expect([texts.count, texts.cold]).toEqual([62, 62]);
});

test('one rating is one rating', async () => {
  const one = join(folder, 'one.csv');
  await writeFile(one, 'user,item,rating\n3,a,4\n');
  expect((await opmf('evaluate', model, one)).out).toContain(': 1 rating, 0 of them cold\n');
});

test('recommend and similar do the same', async () => {
  const { users } = JSON.parse((await opmf('recommend', model, '3', '--json')).out);
  expect(users[0]).toMatchObject({ userId: 3, basis: 'model' });
  const { items } = JSON.parse((await opmf('similar', model, 'a', '--json')).out);
  expect(items[0].itemId).toBe('a');
});
