// What DATA may be: a file, a pipe, standard input, the name or the folder of a data set.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { parseArguments } from '../../../src/node/cli/command';
import { compareCommand } from '../../../src/node/cli/compare';
import { openSource } from '../../../src/node/cli/source';
import { opmf } from './opmf';

const folder = mkdtempSync(join(tmpdir(), 'opmf-source-'));
const home = process.cwd();
const { OPMF_DATA } = process.env;
beforeAll(() => {
  // A set in the working directory, another copy where sets are looked for, and a third for --data-dir.
  for (const [parent, value] of [
    ['.', 1],
    ['sets', 2],
    ['mine', 3],
  ] as const) {
    mkdirSync(join(folder, parent, 'filmtrust'), { recursive: true });
    writeFileSync(join(folder, parent, 'filmtrust', 'ratings.txt'), `1 1 ${value}\n1 2 ${value}\n`);
  }
  mkdirSync(join(folder, 'ml-1m'));
  writeFileSync(join(folder, 'ml-1m', 'notes.md'), 'no ratings');
  process.chdir(folder);
  process.env.OPMF_DATA = join(folder, 'sets');
});
afterAll(() => {
  process.chdir(home);
  if (OPMF_DATA === undefined) delete process.env.OPMF_DATA;
  else process.env.OPMF_DATA = OPMF_DATA;
  rmSync(folder, { recursive: true });
});

async function read(written: string, ...flags: string[]) {
  const silent = { write: () => true };
  const given = parseArguments(compareCommand.usage, [written, ...flags]);
  const { name, data } = await openSource(written, given, { stdout: silent, stderr: silent, isTTY: false });
  return { name, size: data.size, value: data.values[0] };
}

test('the folder of a data set in the working directory, by name and by path', async () => {
  const here = { name: 'filmtrust', size: 2, value: 1 };
  for (const written of ['filmtrust', './filmtrust', 'filmtrust/', join(folder, 'filmtrust')])
    expect(await read(written)).toEqual(here);
  expect(await read('sets/filmtrust')).toMatchObject({ value: 2 });
  expect(await read('filmtrust', '--data-dir', 'mine')).toMatchObject({ value: 3 });
  expect(await read('./filmtrust', '--data-dir', 'mine')).toMatchObject({ value: 1 });
  expect(await read('filmtrust', '--data-dir', 'nowhere')).toMatchObject({ value: 1 });
});

test('a folder that only has the name of a set is passed over', async () => {
  mkdirSync(join(folder, 'sets', 'ml-1m'));
  writeFileSync(join(folder, 'sets', 'ml-1m', 'ratings.dat'), '1::2::3::4\n');
  expect(await read('ml-1m')).toEqual({ name: 'ml-1m', size: 1, value: 3 });
  await expect(read('./ml-1m')).rejects.toThrow(
    /"\.\/ml-1m" is a directory and no known data set; name a file in it \(it has notes\.md\)/,
  );
  await expect(read('absent')).rejects.toThrow(/there is no file "absent" and no data set of that name/);
});

test('a pipe', async () => {
  execFileSync('mkfifo', ['pipe']);
  const [data] = await Promise.all([read('pipe', '--separator', ';'), writeFile('pipe', 'a,b;c;4\na;d;5\n')]);
  expect(data).toEqual({ name: 'pipe', size: 2, value: 4 });
});

test('addresses: of files they are read, of the web not fetched', async () => {
  writeFileSync('ratings.csv', 'user,item,rating\n1,2,3\n');
  expect(await read(pathToFileURL('ratings.csv').href)).toMatchObject({ size: 1, value: 3 });
  await expect(read('https://example.org/ratings.csv')).rejects.toThrow(
    /nothing is fetched here; .*curl -sL URL \| opmf/,
  );
});

test('standard input', async () => {
  const { stdin } = process;
  const give = (...pieces: string[]) =>
    Object.defineProperty(process, 'stdin', {
      value: Readable.from(pieces.map((piece) => Buffer.from(piece))),
      configurable: true,
    });
  try {
    give('user,item,rat', 'ing\n1,2,3\n');
    expect(await read('-')).toEqual({ name: 'standard input', size: 1, value: 3 });
    give('who,what,stars\n1,2,3\n');
    await expect(read('-')).rejects.toThrow(
      /^standard input, line 1: cannot tell which column holds the user.*\(here: --columns/,
    );
    give('1;2;3\n');
    expect(await read('-', '--columns', 'user=1,item=0,value=2')).toMatchObject({ size: 1 });
  } finally {
    Object.defineProperty(process, 'stdin', { value: stdin, configurable: true });
  }
  const { code, err } = await opmf('evaluate', 'model', '-', '--train', '-');
  expect([code, err]).toEqual([2, expect.stringContaining('standard input is read once')]);
});
