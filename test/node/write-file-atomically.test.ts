// A file is replaced whole or not at all, and nothing is left beside it.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataError } from '../../src/core/errors';
import { writeFileAtomically } from '../../src/node/write-file-atomically';

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
