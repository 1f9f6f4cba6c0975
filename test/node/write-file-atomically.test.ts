// A file is replaced whole or not at all, and nothing is left beside it.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

test('a folder that is not there is the error of the file system', async () => {
  await expect(writeFileAtomically(join(folder, 'none', 'model'), 'x')).rejects.toThrow(/ENOENT/);
});
