// A file is replaced whole or not at all: written beside its place under another name, flushed to the disk, renamed.
// A reader, or a machine that loses power, sees the old bytes or the new ones, never a part.

import { createHash, randomBytes } from 'node:crypto';
import { access, constants, type FileHandle, open, opendir, readlink, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { DataError } from '../core/errors';
import { show } from '../core/options';

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  ENAMETOOLONG: 'the name is too long',
  EBUSY: 'it is in use or mounted by itself, and cannot be replaced; mount its folder',
};

/**
 * Writes the file, whole or part by part, or throws DataError; where that fails, nothing is left behind and an earlier file
 * is untouched. Symbolic links are followed, and a file that was there keeps its mode (and owner, where that is allowed).
 * What a killed process left of its attempts at this file is removed.
 */
export async function writeFileAtomically(
  path: string,
  content: Uint8Array | string | Iterable<string>,
): Promise<void> {
  const { target, before } = await requireWritable(path);
  await removeStale(target);
  const temporary = join(dirname(target), `${prefixOf(target)}${process.pid}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx', before && before.mode & 0o777);
    try {
      if (before !== undefined) await keepAccess(file, before);
      if (typeof content === 'string' || content instanceof Uint8Array) await file.writeFile(content);
      else for (const part of content) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    const { code = '', syscall, message } = error as NodeJS.ErrnoException;
    throw syscall === undefined ? error : unwritable(path, REASONS[code] ?? message);
  }
  await syncDirectory(dirname(target));
}

/** Gives a new file the owner and the mode of the one that it will replace. */
async function keepAccess(file: FileHandle, { mode, uid, gid }: NonNullable<OutputFile['before']>): Promise<void> {
  const own = await file.stat();
  // For root alone; who else owns the folder replaces a file of others by one of its own, as `cp` does after `rm`.
  if (own.uid !== uid || own.gid !== gid) await file.chown(uid, gid).catch(() => undefined);
  // The mode that `open` was given is less the umask. Bits that the owner may not set are left out.
  await file.chmod(mode & 0o7777).catch(() => undefined);
}

/** How temporary files for a target begin: long names are cut, so that there is room for the rest. */
function prefixOf(target: string): string {
  const name = basename(target);
  const short = Buffer.byteLength(name) <= 160 ? name : digest(name);
  return `.${short}.${digest(hostname())}.`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** Removes temporary files for a target whose process, one of this host, is no more. Faults are no reason not to write. */
async function removeStale(target: string): Promise<void> {
  const [folder, prefix] = [dirname(target), prefixOf(target)];
  try {
    for await (const { name } of await opendir(folder)) {
      if (!name.startsWith(prefix)) continue;
      const pid = /^(\d+)\.[0-9a-f]{12}\.tmp$/.exec(name.slice(prefix.length))?.[1];
      if (pid === undefined) continue;
      const file = join(folder, name);
      if (await isStale(Number(pid), file)) await rm(file, { force: true });
    }
  } catch {
    // A folder that may be written and not read, or a file that is gone by now.
  }
}

async function isStale(pid: number, file: string): Promise<boolean> {
  // A number is used again, in containers at once: by this process, if the file is older than it.
  if (pid === process.pid) return (await stat(file)).mtimeMs < Date.now() - 1000 * process.uptime() - 1000;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** The rename itself reaches the disk only with its directory; systems that cannot flush a directory do without. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r').catch(() => undefined);
  await directory?.sync().catch(() => undefined);
  await directory?.close();
}

// The file that a result goes to: whether it can be written is asked before the work, not found out after minutes of it;
// and what the file system answers is said with the path that was asked for, not with that of a temporary file.

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
