// What the command line says of a file's bad rows, and of characters that a terminal would obey.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Interactions } from '../../../src/data/interactions';
import { printable, printableValue } from '../../../src/node/cli/printing';
import { saveModel } from '../../../src/node/model-file';
import { Popularity } from '../../../src/recommenders/item-based/popularity';
import { opmf } from './opmf';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opmf-left-out-'));
});
afterAll(() => rm(folder, { recursive: true }));

const good = Array.from({ length: 40 }, (_, k) => `u${k % 8},i${(k * 3) % 10},${1 + (k % 5)}\n`).join('');

test('rows that are left out are told on standard error, with the first few', async () => {
  const path = join(folder, 'bad.csv');
  const bad = Array.from({ length: 7 }, (_, k) => `u${k},i${k},x${k}\n`).join('');
  await writeFile(path, `# made by hand\nuser,item,rating\n${good}${bad}u1,i9,0\nu1,i9,NA\n`);
  const out = join(folder, 'm.safetensors');
  const flags = ['--comment', '#', '--missing', '0', '--missing', 'NA', '--out', out, '--set', 'epochs=1', '--json'];
  const strict = await opmf('train', path, ...flags);
  expect([strict.code, strict.out]).toEqual([1, '']);
  expect(strict.err).toContain(`bad.csv, line 43, column 'rating': value is "x0"`);
  const read = await opmf('train', path, '--invalid', 'skip', ...flags);
  expect(read.code).toBe(0);
  expect(JSON.parse(read.out)).toMatchObject({ model: 'overparam-mf' });
  expect(read.err).toContain('bad.csv: left out 7 rows that cannot be read, 2 rows with a value that means none');
  expect(read.err).toContain(`line 47, column 'rating': value is "x4"`);
  expect(read.err).not.toContain('"x5"');
  expect(read.err).toContain('  and 2 more\n');
  const limited = await opmf('train', path, '--invalid', 'skip', '--limit', '6', ...flags);
  expect(limited.code).toBe(1);
  expect(limited.err).toMatch(/line 49.*limit = 6.*\(here: --limit N/);
});

test('flags of how a file is written', async () => {
  const path = join(folder, 'written.txt');
  await writeFile(path, `title\n\n${good.replaceAll(/u(\d),i(\d)/g, String.raw`"u\"$1","i$2"`)}`);
  const model = join(folder, 'w.safetensors');
  const read = await opmf(
    'train',
    path,
    '--skip-lines',
    '1',
    '--escape',
    '\\',
    '--out',
    model,
    '--model',
    'popularity',
  );
  expect([read.code, read.err]).toEqual([0, '']);
  expect((await opmf('recommend', model, 'u"1')).out).toMatch(/^user u"1\n/);
  expect((await opmf('train', path, '--max-bytes', '100', '--out', model)).err).toContain('maxBytes = 100');
});

test('ids are shown, never obeyed', async () => {
  const evil = '\u001b[2J\u009b1m\u202e\r\n\tx\u007f';
  const model = join(folder, 'evil.safetensors');
  const recommender = new Popularity();
  await recommender.fit(
    Interactions.from([
      [evil, 'a', 1],
      ['b', evil, 2],
      ['b', 'a', 1],
    ]),
  );
  await saveModel(model, recommender);
  const shown = String.raw`\u001b[2J\u009b1m\u202e\u000d\u000a\u0009x\u007f`;
  expect((await opmf('recommend', model, evil)).out).toBe(`user ${shown}\n   1. ${shown}  1 rating\n`);
  const { out } = await opmf('recommend', model, evil, '--json');
  expect(out.trimEnd()).toMatch(/^[\x20-\x7e]*$/);
  expect(JSON.parse(out).users[0].userId).toBe(evil);
});

test('names of files and headers in errors are shown, never obeyed', async () => {
  const path = join(folder, 'a\u001b[31m.csv');
  await writeFile(path, 'user,item,ra\u001b]0;ting\u0007\n1,2,x\n');
  for (const args of [
    ['train', path, '--out', join(folder, 'n')],
    ['train', '\u001b[2J', '--out', join(folder, 'n')],
  ]) {
    const { code, err } = await opmf(...args);
    expect(code).toBe(1);
    expect(err.trimEnd()).toMatch(/^[\x20-\x7e]*$/);
  }
});

test('a value is one word of one line', () => {
  expect(printable('a\tb\nc\u001b\u2028')).toBe('a\tb\nc\\u001b\\u2028');
  expect(printableValue('a\tb\nc')).toBe('a\\u0009b\\u000ac');
  expect(printableValue(7)).toBe('7');
  expect(printableValue('naïve 東京 🎬')).toBe('naïve 東京 🎬');
});
