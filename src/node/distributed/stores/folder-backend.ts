// A folder that all machines see as a store: a disk, NFS, CephFS, Lustre. A value is a file, written beside, flushed, and given
// its name by link(2), which fails where there is one: the first writer wins, on NFS too. After that its folder is flushed.

import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, link, mkdir, open, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { DataError, UnsupportedError } from '../../../core/errors';
import { show } from '../../../core/options';
import { isStale, WRITE_FAULTS } from '../../output-file';
import { type Backend, Damage, type Fault } from './checked-store';

/** A value's file is its key and this; no key has a part that ends so. */
const SUFFIX = '.opmf';
/** No key has a part that begins with a dot. */
const TEMPORARY = '.tmp';
/** A temporary file of another machine that was not written to for so long is of a process that ended: a day, in milliseconds. */
const STALE = 24 * 3600 * 1000;
/** One call reads at most so many bytes. */
const PIECE = 2 ** 26;
const LARGEST = 2 ** 32;

/** What may pass by itself: limits of a moment, a server of files that is started again, a folder removed meanwhile. */
const TRANSIENT = new Set(
  'EAGAIN EBUSY EINTR EIO EMFILE ENFILE ENOENT ENOTEMPTY ENOTCONN ESTALE ETIMEDOUT EHOSTDOWN EHOSTUNREACH'.split(' '),
);
const NO_LINKS = new Set(['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EPERM', 'EMLINK']);
const NO_DIRECTORY_SYNC = new Set(['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EBADF']);

const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: 'make room there, then go on: what was written is kept',
  EDQUOT: 'make room there or raise the quota, then go on: what was written is kept',
  EROFS: 'mount it for writing, then go on',
  EACCES: 'give this user the right to read and write there, then go on',
};

export class FolderBackend implements Backend {
  /** Folders that are there and flushed, or about to be. */
  readonly #folders = new Map<string, Promise<void>>();

  private constructor(readonly name: string) {}

  /** @throws DataError if there is no such folder: made here, it would be one that the other machines do not see. */
  static async open(path: string): Promise<FolderBackend> {
    const root = resolve(path);
    let fault: string | undefined;
    try {
      if (!(await stat(root)).isDirectory()) fault = 'is no folder';
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      fault = code === 'ENOENT' ? 'is not there' : `cannot be used: ${message}`;
    }
    if (fault !== undefined) {
      const wanted = 'want a folder that is there and that all workers see: mount it, or make it (mkdir) and share it';
      throw new DataError(`the store ${show(path)} ${fault}; ${wanted}`, { file: path });
    }
    const backend = new FolderBackend(root);
    await backend.#removeStale();
    return backend;
  }

  async probe(): Promise<void> {
    const path = this.#temporary();
    await this.#write(path, Buffer.alloc(0)).finally(() => rm(path, { force: true }));
  }

  async read(key: string): Promise<Buffer | undefined> {
    let file: FileHandle;
    try {
      file = await open(this.#pathOf(key), 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      const { size } = await file.stat();
      if (size > LARGEST) throw new Damage(`its file has ${size} bytes, more than any value`);
      const bytes = Buffer.allocUnsafeSlow(size);
      for (let at = 0; at < size; ) {
        const { bytesRead } = await file.read(bytes, at, Math.min(PIECE, size - at), at);
        if (bytesRead === 0) throw new Damage(`its file ends after ${at} of ${size} bytes`);
        at += bytesRead;
      }
      return bytes;
    } finally {
      await file.close();
    }
  }

  async exists(key: string): Promise<boolean> {
    try {
      await stat(this.#pathOf(key));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }

  async create(key: string, bytes: Buffer): Promise<void> {
    const path = this.#pathOf(key);
    if (!(await this.exists(key))) await this.#write(path, bytes);
    // Another may have been first, and have ended before this.
    await syncDirectory(dirname(path));
  }

  async #write(path: string, bytes: Buffer): Promise<void> {
    const temporary = this.#temporary();
    try {
      await this.#folder(dirname(temporary));
      await this.#folder(dirname(path));
      const file = await open(temporary, 'wx');
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return;
        if (NO_LINKS.has(error.code ?? '')) throw withoutLinks(this.name, error.code!);
        throw error;
      });
    } catch (error) {
      // Should a folder have been removed meanwhile, the next try makes it.
      this.#folders.clear();
      throw error;
    } finally {
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  async removeAll(prefix: string): Promise<void> {
    const cut = prefix.lastIndexOf('/') + 1;
    await this.#removeIn(join(this.name, prefix.slice(0, cut)), prefix.slice(cut));
  }

  /** Removes the values in a folder whose names begin so, and folders that are empty then; nothing that is not ours. */
  async #removeIn(folder: string, start: string): Promise<void> {
    const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    for (const entry of entries) {
      const { name } = entry;
      if (!name.startsWith(start) || name.startsWith('.')) continue;
      const path = join(folder, name);
      if (entry.isDirectory()) await this.#removeIn(path, '');
      else if (name.endsWith(SUFFIX) && name.slice(0, -SUFFIX.length).startsWith(start))
        await rm(path, { force: true });
    }
    if (folder === this.name || start !== '') return;
    this.#folders.delete(folder);
    await rmdir(folder).catch(() => undefined);
  }

  async close(): Promise<void> {}

  explain(error: unknown): Fault {
    const { code = '', message = String(error) } = error as Partial<NodeJS.ErrnoException>;
    return { isTransient: TRANSIENT.has(code), reason: WRITE_FAULTS[code] ?? message, advice: ADVICE[code] };
  }

  #temporary(): string {
    return join(this.name, TEMPORARY, `${HOST}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`);
  }

  #pathOf(key: string): string {
    return join(this.name, ...`${key}${SUFFIX}`.split('/'));
  }

  /** Makes a folder of the store, and those that it is in. */
  #folder(path: string): Promise<void> {
    if (path === this.name) return Promise.resolve();
    let made = this.#folders.get(path);
    if (made === undefined) {
      made = this.#folder(dirname(path)).then(async () => {
        await mkdir(path).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'EEXIST') throw error;
        });
        await syncDirectory(dirname(path));
      });
      this.#folders.set(path, made);
    }
    return made;
  }

  /** Removes what killed processes of this machine left, and what others left long ago. Errors do not prevent the opening. */
  async #removeStale(): Promise<void> {
    const folder = join(this.name, TEMPORARY);
    for (const name of await readdir(folder).catch(() => [])) {
      const [, host, pid] = /^([0-9a-f]{8})\.(\d+)\.[0-9a-f]{12}\.tmp$/.exec(name) ?? [];
      if (host === undefined) continue;
      const path = join(folder, name);
      try {
        const isOld = (await stat(path)).mtimeMs < Date.now() - STALE;
        if (isOld || (host === HOST && (await isStale(Number(pid), path)))) await rm(path, { force: true });
      } catch {
        // It has just disappeared.
      }
    }
  }
}

const HOST = /* @__PURE__ */ createHash('sha256').update(/* @__PURE__ */ hostname()).digest('hex').slice(0, 8);

/** Flushes a directory, without which a name may not reach the disk; systems that have no such call skip it. */
async function syncDirectory(path: string): Promise<void> {
  const skip = (error: NodeJS.ErrnoException) => {
    if (!NO_DIRECTORY_SYNC.has(error.code ?? '')) throw error;
  };
  const directory = await open(path, 'r').catch(skip);
  try {
    await directory?.sync().catch(skip);
  } finally {
    await directory?.close();
  }
}

function withoutLinks(folder: string, code: string): UnsupportedError {
  const instead = 'use a folder on a local disk, NFS, CephFS or Lustre, or a store s3://… or redis://…';
  return new UnsupportedError(`the store ${folder} is on a file system without hard links (${code}); ${instead}`);
}
