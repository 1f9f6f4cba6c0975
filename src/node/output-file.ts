// The file that a result goes to: whether it can be written is asked before the work, not found out after minutes of it;
// and what the file system answers is said with the path that was asked for, not with that of a temporary file.

import { access, constants, readlink, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { DataError } from '../core/errors';
import { show } from '../core/options';

/** A file to be written: where it is when links have been followed, and what is known of the one that is there. */
export interface OutputFile {
  readonly target: string;
  readonly before?: { readonly mode: number; readonly uid: number; readonly gid: number };
}

/** As many links as systems follow themselves. */
const MOST_LINKS = 40;

/** Throws DataError where no file can be written to `path`. */
export async function requireWritable(path: string): Promise<OutputFile> {
  if (path === '') throw unwritable(path, 'the path is empty');
  // A name that ends in a slash is a folder's, there or not.
  const there = /[/\\]$/.test(path) ? 'folder' : await stat(path).catch(() => undefined);
  if (there === 'folder' || there?.isDirectory()) throw unwritable(path, 'it is a folder; want the path of a file');
  // The file is replaced as a whole: a device would be gone.
  if (there?.isFile() === false) throw unwritable(path, 'it is not a regular file');
  const target = await linked(path);
  const folder = dirname(target);
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch {
    const wanted = 'want a path in a folder that exists and is writable';
    throw unwritable(path, `cannot write into ${show(folder)}; ${wanted}`);
  }
  return there === undefined ? { target } : { target, before: there };
}

/** Where symbolic links lead, also one whose end is not there yet: the file is replaced, not the link. */
async function linked(path: string): Promise<string> {
  let target = path;
  for (let links = 0; links < MOST_LINKS; links++) {
    const next = await readlink(target).catch(() => undefined);
    if (next === undefined) return target;
    target = resolve(dirname(target), next);
  }
  throw unwritable(path, 'its symbolic links lead in a circle');
}

/** The error of a file that cannot be written, with the reason. */
export function unwritable(path: string, reason: string): DataError {
  return new DataError(`cannot write ${show(path)}: ${reason}`, { file: path });
}
