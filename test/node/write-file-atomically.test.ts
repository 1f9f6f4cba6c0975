// A file is replaced whole or not at all, and nothing is left beside it.

import { execFileSync } from 'node:child_process';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataError } from '../../src/core/errors';
import { writeFileAtomically } from '../../src/node/output-file';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opmf-write-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('writes a new file and replaces an old one', async () => {
  const path = join(folder, 'model');
  await writeFileAtomically(path, Uint8Array.of(1, 2));
  expect([...(await readFile(path))]).toEqual([1, 2]);
  await writeFileAtomically(path, 'text');
  expect(await readFile(path, 'utf8')).toBe('text');
  expect(await readdir(folder)).toEqual(['model']);
});

test('a write that fails leaves nothing, and the old file as it was', async () => {
  const path = join(folder, 'model');
  await writeFile(path, 'old');
  // A content that cannot be written fails after the temporary file was made.
  await expect(writeFileAtomically(path, 5 as unknown as string)).rejects.toThrow();
  expect(await readFile(path, 'utf8')).toBe('old');
  expect(await readdir(folder)).toEqual(['model']);
});

test.each([
  ['none/model', /cannot write ".*none\/model": cannot write into ".*none"; want a path in a folder that exists/],
  ['.', /it is a folder; want the path of a file/],
  ['new/', /it is a folder; want the path of a file/],
  ['x'.repeat(300), /cannot write "x+\.\.\.": the name is too long/],
])('%s is an error that names the path', async (name, message) => {
  const path = name.startsWith('x') ? name : `${folder}/${name}`;
  const error = await writeFileAtomically(path, 'x').catch((thrown) => thrown);
  expect(error).toBeInstanceOf(DataError);
  expect(error.message).toMatch(message);
  expect(error.place.file).toBe(path);
  expect(await readdir(folder)).toEqual([]);
});

test('a device is not replaced by a file', async () => {
  if (process.platform === 'win32') return;
  await expect(writeFileAtomically('/dev/null', 'x')).rejects.toThrow('it is not a regular file');
  await expect(writeFileAtomically('', 'x')).rejects.toThrow('the path is empty');
});

const onPosix = process.platform === 'win32' ? test.skip : test;

onPosix.each([0o600, 0o640, 0o444, 0o755, 0o666])('a file keeps its mode (%i)', async (mode) => {
  const path = join(folder, 'model');
  await writeFile(path, 'old');
  await chmod(path, mode);
  await writeFileAtomically(path, 'new');
  expect((await stat(path)).mode & 0o7777).toBe(mode);
  expect(await readFile(path, 'utf8')).toBe('new');
});

onPosix('a new file has the mode that the process gives files', async () => {
  await writeFile(join(folder, 'plain'), '');
  await writeFileAtomically(join(folder, 'model'), 'new');
  expect((await stat(join(folder, 'model'))).mode).toBe((await stat(join(folder, 'plain'))).mode);
});

onPosix('a symbolic link is followed, and stays one', async () => {
  await mkdir(join(folder, 'store'));
  await mkdir(join(folder, 'links'));
  await writeFile(join(folder, 'store', 'v1'), 'old');
  await symlink('../store/v1', join(folder, 'links', 'model'));
  await symlink('model', join(folder, 'links', 'second'));
  await writeFileAtomically(join(folder, 'links', 'second'), 'new');
  expect(await readFile(join(folder, 'store', 'v1'), 'utf8')).toBe('new');
  expect(await readlink(join(folder, 'links', 'model'))).toBe('../store/v1');
  expect((await lstat(join(folder, 'links', 'second'))).isSymbolicLink()).toBe(true);
  expect((await readdir(join(folder, 'store'))).concat(await readdir(join(folder, 'links')))).toEqual([
    'v1',
    'model',
    'second',
  ]);
});

onPosix('a link to what is not there yet makes it; one to itself is an error', async () => {
  await symlink('later', join(folder, 'model'));
  await writeFileAtomically(join(folder, 'model'), 'new');
  expect(await readFile(join(folder, 'later'), 'utf8')).toBe('new');
  await symlink('circle', join(folder, 'circle'));
  await expect(writeFileAtomically(join(folder, 'circle'), 'x')).rejects.toThrow('lead in a circle');
});

test('what a killed process left is removed; what is not its own, or of one that lives, stays', async () => {
  const path = join(folder, 'model');
  // A process that is gone, in the middle of a write.
  const dead = execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).trim();
  const other = process.ppid;
  const temporary = await nameOfTemporary(path);
  const names = [
    temporary.replace(/\.\d+\./, `.${dead}.`),
    temporary.replace(/\.\d+\./, `.${other}.`),
    '.model.tmp',
    temporary.replace('.model.', '.model2.').replace(/\.\d+\./, `.${dead}.`),
  ];
  for (const name of names) await writeFile(join(folder, name), 'part');
  await writeFileAtomically(path, 'new');
  expect((await readdir(folder)).sort()).toEqual(['model', ...names.slice(1)].sort());
});

test('the longest name that a folder takes is taken', async () => {
  const path = join(folder, 'x'.repeat(255));
  await writeFileAtomically(path, 'new');
  expect(await readFile(path, 'utf8')).toBe('new');
});

/** The name under which a file is written, seen while it is. */
async function nameOfTemporary(path: string): Promise<string> {
  let name = '';
  function* parts() {
    yield 'a';
    name = execFileSync(process.execPath, ['-p', `fs.readdirSync(${JSON.stringify(folder)}).join()`], {
      encoding: 'utf8',
    }).trim();
  }
  await writeFileAtomically(path, parts());
  await rm(path);
  expect(name).toMatch(/^\.model\.[0-9a-f]{8}\.\d+\.[0-9a-f]{12}\.tmp$/);
  return name;
}
