// The file that --out names: whether it can be written is asked before the work, not found out after minutes of it.

import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DataError } from '../../core/errors';
import { show } from '../../core/options';

/** Throws DataError where no file can be written to `path`. */
export async function requireWritable(path: string): Promise<void> {
  const folder = dirname(path);
  try {
    await access(folder, constants.W_OK);
  } catch {
    throw new DataError(
      `cannot write into ${show(folder)}; --out wants a path in a folder that exists and is writable`,
    );
  }
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory()) throw new DataError(`${show(path)} is a folder; --out wants the path of a file`);
}
