// Replaces a file completely or not at all: writes a temporary file beside it, flushes it to disk, renames it. A
// reader, or a machine that loses power, sees the old bytes or the new ones, never a mixture.

import { createHash, randomBytes } from 'node:crypto';
import {
  access,
  constants,
  type FileHandle,
  mkdir,
  open,
  opendir,
  readdir,
  readlink,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { DataError } from '../core/errors';
import { show } from '../core/options';

/** What the codes of a write that fails mean. */
export const WRITE_FAULTS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  ENAMETOOLONG: 'the name is too long',
  EBUSY: 'it is in use or mounted by itself, and cannot be replaced; mount its folder',
};

/**
 * Writes the file, at once or in parts, or throws DataError; on failure nothing is left behind and an existing file
 * is untouched. Symbolic links are followed, and an existing file keeps its mode (and owner, if permitted).
 * Temporary files that killed processes left for this file are removed.
 */
export async function writeFileAtomically(
  path: string,
  content: Uint8Array | string | Iterable<string>,
): Promise<void> {
  const { target, before } = await requireWritable(path);
  await removeStale(target);
  const temporary = temporaryOf(target);
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
    throw syscall === undefined ? error : unwritable(path, WRITE_FAULTS[code] ?? message);
  }
  await syncDirectory(dirname(target));
}

/**
 * Makes a folder with what `fill` writes into it (given its temporary path, and what writes a file and flushes it), or
 * throws DataError; on failure nothing is left behind. There must be no such folder yet, or an empty one.
 */
export async function writeFolderAtomically(
  path: string,
  fill: (folder: string, write: (path: string, content: Uint8Array | string) => Promise<void>) => Promise<void>,
): Promise<void> {
  const target = resolve(path);
  const found = await readdir(target).catch((error: NodeJS.ErrnoException) => error);
  if (Array.isArray(found) ? found.length > 0 : found.code !== 'ENOENT')
    throw unwritable(path, 'there is something already; remove it, or name a folder that is not there');
  await requireFolder(path, dirname(target));
  await removeStale(target);
  const temporary = temporaryOf(target);
  const write = async (file: string, content: Uint8Array | string) => {
    const handle = await open(file, 'wx');
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
  };
  try {
    await mkdir(temporary);
    await fill(temporary, write);
    for (const name of await readdir(temporary)) await syncDirectory(join(temporary, name));
    await syncDirectory(temporary);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true, recursive: true }).catch(() => undefined);
    const { code = '', syscall, message } = error as NodeJS.ErrnoException;
    throw syscall === undefined ? error : unwritable(path, WRITE_FAULTS[code] ?? message);
  }
  await syncDirectory(dirname(target));
}

/** Gives a new file the owner and mode of the file it will replace. */
async function keepAccess(file: FileHandle, { mode, uid, gid }: NonNullable<OutputFile['before']>): Promise<void> {
  const own = await file.stat();
  // Succeeds for root alone; another user who owns the folder replaces the file by one of their own, as `cp` does after
  // `rm`.
  if (own.uid !== uid || own.gid !== gid) await file.chown(uid, gid).catch(() => undefined);
  // `open` applied the umask to the mode. Bits that the owner may not set are dropped.
  await file.chmod(mode & 0o7777).catch(() => undefined);
}

/** The prefix of temporary files for a target; long names are cut to leave room for the rest. */
function prefixOf(target: string): string {
  const name = basename(target);
  const short = Buffer.byteLength(name) <= 160 ? name : digest(name);
  return `.${short}.${digest(hostname())}.`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** Removes temporary files for a target whose process, on this host, has ended. Errors here do not prevent writing. */
async function removeStale(target: string): Promise<void> {
  const [folder, prefix] = [dirname(target), prefixOf(target)];
  try {
    for await (const { name } of await opendir(folder)) {
      if (!name.startsWith(prefix)) continue;
      const pid = /^(\d+)\.[0-9a-f]{12}\.tmp$/.exec(name.slice(prefix.length))?.[1];
      if (pid === undefined) continue;
      const file = join(folder, name);
      if (await isStale(Number(pid), file)) await rm(file, { force: true, recursive: true });
    }
  } catch {
    // A folder that may be written but not read, or a file that has just disappeared.
  }
}

/** Whether the process that made a temporary file, on this host, has ended. */
export async function isStale(pid: number, file: string): Promise<boolean> {
  // Process ids are reused, especially in containers: even this one's, if the file is older than the process.
  if (pid === process.pid) return (await stat(file)).mtimeMs < Date.now() - 1000 * process.uptime() - 1000;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function temporaryOf(target: string): string {
  return join(dirname(target), `${prefixOf(target)}${process.pid}.${randomBytes(6).toString('hex')}.tmp`);
}

/** Flushes the directory, without which the rename may not reach the disk; systems that cannot do this skip it. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r').catch(() => undefined);
  await directory?.sync().catch(() => undefined);
  await directory?.close();
}

// The file for a result. Whether it can be written is checked before the work, not after minutes of it, and file-system
// errors name the requested path, not that of a temporary file.

/** A file to be written: its path with links resolved, and the state of the existing file. */
export interface OutputFile {
  readonly target: string;
  readonly before?: { readonly mode: number; readonly uid: number; readonly gid: number };
}

/** The limit that operating systems use. */
const MOST_LINKS = 40;

/** Throws DataError if no file can be written to `path`. */
export async function requireWritable(path: string): Promise<OutputFile> {
  if (path === '') throw unwritable(path, 'the path is empty');
  // A name that ends in a slash means a folder, existing or not.
  const there = /[/\\]$/.test(path) ? 'folder' : await stat(path).catch(() => undefined);
  if (there === 'folder' || there?.isDirectory()) throw unwritable(path, 'it is a folder; want the path of a file');
  // The file is replaced as a whole, which would remove a device.
  if (there?.isFile() === false) throw unwritable(path, 'it is not a regular file');
  const target = await linked(path);
  await requireFolder(path, dirname(target));
  return there === undefined ? { target } : { target, before: there };
}

/** Throws DataError for `path` if nothing can be written into the folder it is in. */
async function requireFolder(path: string, folder: string): Promise<void> {
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch {
    const wanted = 'want a path in a folder that exists and is writable';
    throw unwritable(path, `cannot write into ${show(folder)}; ${wanted}`);
  }
}

/** Resolves symbolic links, even to a missing file: the file is replaced, not the link. */
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
