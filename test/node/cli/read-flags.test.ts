// How a file is read, said on the command line: every flag reaches the reader, in every command that takes DATA.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArguments } from '../../../src/node/cli/command';
import { compareCommand } from '../../../src/node/cli/compare';
import { openSource, READ_FLAGS, readFlags } from '../../../src/node/cli/source';
import { opmf } from './opmf';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opmf-read-'));
});
afterAll(() => rm(folder, { recursive: true }));

const given = (...argv: string[]) => parseArguments(compareCommand.usage, argv);

async function read(content: string | Uint8Array, ...flags: string[]) {
  const path = join(folder, 'ratings.txt');
  await writeFile(path, content);
  const silent = { write: () => undefined };
  const { data } = await openSource(path, given(path, ...flags), { stdout: silent, stderr: silent, isTTY: false });
  return [...data].map(({ userId, itemId, value }) => `${show(userId)}/${show(itemId)}/${value}`);
}

const show = (id: string | number) => (typeof id === 'string' ? id : `#${id}`);

test.each([
  ['sku;stars;customer_id\na;4;u\n', ['--columns', 'user=customer_id, item=sku,value=stars'], ['u/a/4']],
  ['4,x,u,a,y\n', ['--columns=user=2,item=3,value=0'], ['u/a/4']],
  ['u,a,7\n', ['--columns', 'user=0,item=1,value=false'], ['u/a/1']],
  ['u b\ta\t4\n', ['--separator', 'tab'], ['u b/a/4']],
  ['u b\ta\t4\n', ['--separator', '\\t'], ['u b/a/4']],
  ['u b\ta\t4\n', ['--separator', '\t'], ['u b/a/4']],
  ['u;b,a,4\n', ['--separator', 'comma'], ['u;b/a/4']],
  ['u;a,b;4\n', ['--separator', 'semicolon'], ['u/a,b/4']],
  ['u|a,b|4\n', ['--separator', 'pipe'], ['u/a,b/4']],
  ['u,b a 4\n', ['--separator', 'space'], ['u,b/a/4']],
  ['u^^a^^4\n', ['--separator', '^^'], ['u/a/4']],
  ['user,item,3\n', ['--header', 'no'], ['user/item/3']],
  ['1,2,3\n4,5,6\n', ['--header', 'yes', '--columns', 'user=0,item=1,value=2'], ['4/5/6']],
  ['7,a,3\n', ['--ids', 'string'], ['7/a/3']],
  ['7,8,3\n', ['--ids', 'number'], ['#7/#8/3']],
  [Uint8Array.of(0xe9, 44, 97, 44, 51), ['--encoding', 'latin1'], ['é/a/3']],
  ['"u,a,3\n', ['--quotes', 'no'], ['"u/a/3']],
  ['u,a,3\nu,a,4\n', ['--duplicates', 'sum'], ['u/a/7']],
  ['9,4,99\n8,99,5\n', ['--layout', 'wide', '--missing', '99', '--columns', 'user=0'], ['9/1/4', '8/2/5']],
  [
    '9,4,99\n',
    ['--layout', 'wide', '--missing', '99', '--columns', 'user=0,ignore=1', '--header', 'no'],
    'every cell is missing',
  ],
  ['kunde,tee,milch\n7,5,3\n', ['--layout', 'wide', '--columns', 'user=false'], ['0/kunde/7', '0/tee/5', '0/milch/3']],
  [
    '2,4,99,5\n1,99,99,3\n',
    ['--layout', 'wide', '--missing', '99'],
    '(here: --columns ignore=NUMBER, or ignore=false)',
  ],
  [
    '2,4,99,5\n1,99,99,3\n',
    ['--layout', 'wide', '--missing', '99', '--columns', 'ignore=0'],
    ['0/1/4', '0/3/5', '1/3/3'],
  ],
  [
    '1,99,5,99\n1,99,99,3\n',
    ['--layout', 'wide', '--missing', '99', '--columns', 'ignore=false'],
    ['0/0/1', '0/2/5', '1/0/1', '1/3/3'],
  ],
  ['kunde,artikel,note\n7,8,2\n', [], '(here: --columns user=NAME,item=NAME,value=NAME --header yes|no)'],
  ['7 1 2\n8 2\n', ['--layout', 'adjacency'], ['7/1/1', '7/2/1', '8/2/1']],
  ['2 7 1 2\n1 8 2\n', ['--layout', 'adjacency', '--columns', 'user=1,ignore=0'], ['7/1/1', '7/2/1', '8/2/1']],
  ['1:\n7,3,2005-09-06\n', ['--layout', 'netflix'], ['7/1/3']],
  ['1:\n3,7\n', ['--layout', 'netflix', '--columns', 'user=1,value=0'], ['7/1/3']],
  ['1:\n7,3,2005-09-06\n', [], '(here: --layout long|wide|adjacency|netflix)'],
])('%j with %j', async (content, flags, rows) => {
  if (typeof rows === 'string') await expect(read(content, ...flags)).rejects.toThrow(rows);
  else expect(await read(content, ...flags)).toEqual(rows);
});

test('no flag, no options', () => {
  expect(readFlags(given('x', '--rank', '3'))).toBeUndefined();
});

test.each(['compare', 'train', 'evaluate'])('opmf %s --help has each flag in one line', async (command) => {
  const lines = (await opmf(command, '--help')).out.split('\n');
  for (const [name, { value }] of Object.entries(READ_FLAGS))
    expect(lines.filter((line) => line.startsWith(`  --${name} ${value} `))).toHaveLength(1);
  expect(lines.find((line) => line.startsWith('  --data-dir'))).toMatch(/\$OPMF_DATA and the cache/);
});

test('opmf train and evaluate read a file as they are told, --train too', async () => {
  const path = join(folder, 'odd.txt');
  const model = join(folder, 'model');
  const rows = Array.from({ length: 30 }, (_, i) => `${1 + (i % 5)}~i${i % 7}~u${i % 6}`);
  await writeFile(path, rows.join('\n'));
  const flags = ['--separator', '~', '--columns', 'user=2,item=1,value=0'];
  expect(await opmf('train', path, '--out', model, '--set', 'epochs=1', '--json', ...flags)).toMatchObject({ code: 0 });
  expect((await opmf('evaluate', model, path, '--json', ...flags)).err).toContain('nothing unseen');
  const more = join(folder, 'more.txt');
  await writeFile(more, [...rows, '3~i1~u0', '3~new~u1'].join('\n'));
  const { count, cold, seen } = JSON.parse((await opmf('evaluate', model, more, '--json', ...flags)).out);
  expect([count, cold, seen]).toEqual([2, 1, 30]);
  expect((await opmf('evaluate', model, path, '--train', path, ...flags)).err).toContain('nothing to measure');
});

describe('wrong usage', () => {
  test.each([
    [['--columns', 'user'], '--columns: "user" is no column; want ROLE=COLUMN, such as user=customer_id or item=1'],
    [['--columns', 'user='], '--columns: "user=" is no column'],
    [
      ['--columns', 'itme=1'],
      `--columns: a long table has no "itme"; want some of user, item, value, timestamp, weight; did you mean 'item'?`,
    ],
    [['--columns', 'item=1', '--layout', 'wide'], '--columns: a wide table has no "item"; want some of user, ignore'],
    [['--columns', 'user=0,user=1'], '--columns: user is given twice'],
    [['--header', 'maybe'], '--header is "maybe"; want yes or no'],
    [['--ids', 'text'], 'ids is "text"; want'],
    [['--invalid', 'maybe'], "invalid is \"maybe\"; want 'error', 'skip' or a function of the fault"],
    [['--limit', '-1'], '--limit is "-1"; want a whole number of at least 0'],
    [['--encoding', 'utf8'], "did you mean 'utf-8'?"],
    [['--separator', ''], 'separator is ""'],
  ])('%j', async (flags, message) => {
    const path = join(folder, 'good.csv');
    await writeFile(path, 'u,a,3\nv,b,4\n');
    const { code, err } = await opmf('compare', path, ...flags);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });

  test('the flags are for files only', async () => {
    const flags = ['--separator', 'tab', '--ids', 'number'];
    const named = await opmf('compare', 'ml-100k', ...flags);
    expect([named.code, named.err]).toEqual([
      2,
      expect.stringContaining('--separator, --ids: only for a file of ratings, and "ml-100k" is a data set\n'),
    ]);
    const nothing = await opmf('compare', ...flags);
    expect([nothing.code, nothing.err]).toEqual([2, expect.stringContaining('and no DATA was given\n')]);
  });
});

test('an error that advises an option names its flag', async () => {
  await expect(read('user,what,grade\nu,a,3\n')).rejects.toThrow(
    /set columns\.item to one of them \(here: --columns user=NAME,item=NAME,value=NAME\)$/,
  );
  await expect(read(Uint8Array.of(0xe9, 44, 97))).rejects.toThrow(
    /\(here: --encoding utf-8\|latin1\|utf-16le\|utf-16be\)$/,
  );
  await expect(read('u;a;3\n', '--separator', 'comma')).rejects.toThrow(/\(here: --separator TEXT\)$/);
});
