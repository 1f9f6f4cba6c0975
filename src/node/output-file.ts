// The file that a result goes to: whether it can be written is asked before the work, not found out after minutes of it;
// and what the file system answers is said with the path that was asked for, not with that of a temporary file.

import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DataError } from '../core/errors';
import { show } from '../core/options';

/** Throws DataError where no file can be written to `path`. */
export async function requireWritable(path: string): Promise<void> {
  if (path === '') throw unwritable(path, 'the path is empty');
  // A name that ends in a slash is a folder's, there or not.
  const there = /[/\\]$/.test(path) ? 'folder' : await stat(path).catch(() => undefined);
  if (there === 'folder' || there?.isDirectory()) throw unwritable(path, 'it is a folder; want the path of a file');
  // The file is replaced as a whole: a device would be gone.
  if (there?.isFile() === false) throw unwritable(path, 'it is not a regular file');
  const folder = dirname(path);
  try {
    await access(folder, constants.W_OK);
  } catch {
    const wanted = 'want a path in a folder that exists and is writable';
    throw unwritable(path, `cannot write into ${show(folder)}; ${wanted}`);
  }
}

/** The error of a file that cannot be written, with the reason. */
export function unwritable(path: string, reason: string): DataError {
  return new DataError(`cannot write ${show(path)}: ${reason}`, { file: path });
}
