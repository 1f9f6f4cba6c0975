// A file is replaced whole or not at all: written beside its place under another name, flushed to the disk, renamed.
// A reader, or a machine that loses power, sees the old bytes or the new ones, never a part.

import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { requireWritable, unwritable } from './output-file';

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
  ENAMETOOLONG: 'the name is too long',
};

/** Writes the file, whole or part by part, or throws DataError; where that fails, nothing is left behind and an earlier file is untouched. */
export async function writeFileAtomically(
  path: string,
  content: Uint8Array | string | Iterable<string>,
): Promise<void> {
  await requireWritable(path);
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx');
    try {
      if (typeof content === 'string' || content instanceof Uint8Array) await file.writeFile(content);
      else for (const part of content) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    const { code = '', syscall, message } = error as NodeJS.ErrnoException;
    throw syscall === undefined ? error : unwritable(path, REASONS[code] ?? message);
  }
  await syncDirectory(dirname(path));
}

/** The rename itself reaches the disk only with its directory; systems that cannot flush a directory do without. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r').catch(() => undefined);
  await directory?.sync().catch(() => undefined);
  await directory?.close();
}
