// The command line from ratings to tiles to a model.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { opmf } from './opmf';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opmf-cli-tiles-'));
  const lines = ['user,item,rating'];
  for (let k = 0; k < 3000; k++) lines.push(`u${(k * 7) % 61},i${(k * 13) % 83},${1 + (k % 5)}`);
  await writeFile(join(folder, 'ratings.csv'), lines.join('\n'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a partition is trained on as the file is', async () => {
  const [ratings, tiles, model, other] = ['ratings.csv', 'tiles', 'a', 'b'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
    string,
  ];
  const partition = await opmf('partition', ratings, '--out', tiles, '--duplicates', 'keep');
  expect(partition.out).toMatch(/^3000 ratings of 61 users and 83 items in 1 x 1 tiles in .*tiles, in \d+\.\d s\n$/);
  const flags = ['--model', 'mf', '--set', 'rank=4', '--set', 'epochs=2', '--json'];
  const trained = JSON.parse((await opmf('train', tiles, '--out', model, ...flags)).out);
  const wanted = JSON.parse((await opmf('train', ratings, '--out', other, '--duplicates', 'keep', ...flags)).out);
  expect(trained.epochs.map(({ trainRmse }: { trainRmse: number }) => trainRmse)).toEqual(
    wanted.epochs.map(({ trainRmse }: { trainRmse: number }) => trainRmse),
  );
  expect(await readFile(model)).toEqual(await readFile(other));
  const small = await opmf('train', tiles, '--out', model, '--no-history', '--memory', '1024', ...flags);
  expect(small.code).toBe(0);
  expect((await readFile(model)).length).toBeLessThan((await readFile(other)).length);
  expect((await opmf('train', tiles, '--out', model, '--test-fraction', '.1')).err).toContain(
    'is trained on as a whole',
  );
  expect((await opmf('train', tiles, '--out', model, '--ids', 'number')).err).toContain('has been read already');
  expect((await opmf('train', tiles, '--out', model, '--model', 'als')).err).toContain(
    'mf and overparam-mf are trained',
  );
  expect((await opmf('train', ratings, '--out', model, '--no-history')).err).toContain(
    'are for a folder of opmf partition',
  );
});

test('what cannot be partitioned is said in a line', async () => {
  const ratings = join(folder, 'ratings.csv');
  const dir = join(folder, 'others');
  expect((await opmf('partition', ratings)).err).toContain('--out is missing');
  expect((await opmf('partition', ratings, '--out', folder)).err).toMatch(
    /has other files .*; want an empty folder, or none\n$/,
  );
  const json = JSON.parse((await opmf('partition', ratings, '--out', dir, '--stripes', '4', '--json')).out);
  expect(json).toMatchObject({ blocks: { users: 4, items: 4 }, out: dir });
  expect((await opmf('partition', ratings, '--out', dir)).err).toContain('has a partition already');
  const bad = await opmf('partition', ratings, '--out', `${dir}2`, '--columns', 'user=rating,value=user');
  expect(bad.err).toMatch(/line 2, column 'user': value is "u0"/);
  expect((await opmf('partition', ratings, '--out', `${dir}2`)).code).toBe(0);
  expect((await opmf('partition', ratings, '--out', `${dir}3`, '--duplicates', 'sum')).err).toContain(
    "duplicates 'sum'",
  );
});
