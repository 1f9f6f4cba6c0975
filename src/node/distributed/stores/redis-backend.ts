// Redis (or Valkey, or what speaks like it) as a store, for tables of some gigabytes: they lie in its memory. A value of up
// to 8 MiB is one SET NX; a larger one lies in chunks under names of its writer's, and a manifest says last where. The package
// ioredis is loaded when it is needed.

import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { OptionError, UnsupportedError } from '../../../core/errors';
import { show } from '../../../core/options';
import { loadPeer } from '../../parquet';
import { type Backend, CHUNKS, Damage, type Fault, frameOf, isFrame, unframe, withoutPassword } from './checked-store';

/** Bytes of a chunk: far from the 512 MiB that a value of Redis may have, and short enough that others are answered between. */
const CHUNK = 2 ** 23;
/** Chunks that are on their way at a time. */
const AT_ONCE = 4;
/** A chunk that no manifest names is of a writer that ended, or is about to: it is kept for an hour. In milliseconds. */
const KEPT = 3600 * 1000;
/** In milliseconds. */
const [CONNECTING, SILENCE, LONGEST_PAUSE] = [5000, 60_000, 2000];
/** Names that Redis looks at in a step of SCAN. */
const SCANNED = 1000;

/**
 * Makes chunks (KEYS[2] and on) a value by its manifest (ARGV[1] under KEYS[1]), all at once: 1 where this was the first, 0 where
 * another was, and -1 where a chunk is gone.
 */
const COMMIT = `
if redis.call('EXISTS', KEYS[1]) == 1 then
  for i = 2, #KEYS do redis.call('UNLINK', KEYS[i]) end
  return 0
end
for i = 2, #KEYS do
  if redis.call('PERSIST', KEYS[i]) == 0 then return -1 end
end
redis.call('SET', KEYS[1], ARGV[1])
return 1`;

/** Answers of a server that is being started, or is handing over to another. */
const AGAIN = /^(LOADING|TRYAGAIN|BUSY|CLUSTERDOWN|MASTERDOWN|READONLY|NOREPLICAS)\b/;

interface Manifest {
  readonly token: string;
  /** Bytes of all chunks. */
  readonly length: number;
}

export class RedisBackend implements Backend {
  #lastError: string | undefined;

  private constructor(
    readonly name: string,
    private readonly redis: Redis,
    private readonly prefix: string,
  ) {
    redis.on('error', ({ message, code }: NodeJS.ErrnoException) => {
      this.#lastError = message || code;
    });
  }

  /** Of `redis://[user:password@]host:port/db#prefix`. @throws OptionError, or UnsupportedError without the package */
  static async open(url: URL): Promise<RedisBackend> {
    const prefix = url.hash.slice(1) || 'opmf';
    const [plain, named] = [new URL(url), new URL(url)];
    plain.hash = '';
    named.hash = prefix;
    const name = withoutPassword(named);
    if (!/^[A-Za-z0-9:._-]{1,100}$/.test(prefix)) {
      const wanted = 'want # and a prefix of letters, digits, : . _ and - in it, 100 at most';
      throw new OptionError('store', name, `store is ${show(name)}; ${wanted}`);
    }
    const { Redis } = await loadPeer('ioredis', `a store ${url.protocol}//…`, () => import('ioredis'));
    const redis = new Redis(plain.href, {
      lazyConnect: true,
      // It connects again by itself; a call that failed meanwhile is CheckedStore's to try again.
      maxRetriesPerRequest: 0,
      retryStrategy: (times: number) => Math.min(LONGEST_PAUSE, 50 * 2 ** times),
      connectTimeout: CONNECTING,
      commandTimeout: SILENCE,
      socketTimeout: SILENCE,
      disconnectTimeout: 500,
    });
    return new RedisBackend(name, redis, prefix);
  }

  async probe(): Promise<void> {
    // Where INFO is not allowed, a chunk that is gone is told of when it is read.
    const about = await this.redis.info('memory').catch((error: Error) => {
      if (/^(NOPERM|ERR)\b/.test(error.message)) return '';
      throw error;
    });
    const [, limit] = /^maxmemory:(\d+)/m.exec(about) ?? [];
    const [, policy] = /^maxmemory_policy:(allkeys\S+)/m.exec(about) ?? [];
    if (policy === undefined || Number(limit) === 0) return;
    const wanted = 'set maxmemory-policy noeviction in that Redis';
    throw new UnsupportedError(`the store ${this.name} may drop values, by its maxmemory-policy ${policy}; ${wanted}`);
  }

  async read(key: string): Promise<Buffer | undefined> {
    const name = this.#nameOf(key);
    const first = await this.redis.getBuffer(name);
    if (first === null) return undefined;
    if (!isFrame(first, CHUNKS)) return first;
    const { token, length } = JSON.parse(Buffer.from(await unframe(first, CHUNKS)).toString()) as Manifest;
    const bytes = Buffer.allocUnsafeSlow(length);
    const names = this.#chunksOf(key, token, length);
    const isWhole = await eachOf(names, async (chunk, i) => {
      const part = await this.redis.getBuffer(chunk);
      const wanted = Math.min(CHUNK, length - i * CHUNK);
      part?.copy(bytes, i * CHUNK);
      return part?.length === wanted;
    });
    if (isWhole) return bytes;
    // It may have been removed meanwhile.
    const again = await this.redis.getBuffer(name);
    if (again === null) return undefined;
    throw new Damage('a chunk of it is gone; was it evicted? (Redis needs maxmemory-policy noeviction)');
  }

  async exists(key: string): Promise<boolean> {
    return (await this.redis.exists(this.#nameOf(key))) === 1;
  }

  async create(key: string, bytes: Buffer): Promise<void> {
    const name = this.#nameOf(key);
    if (bytes.length <= CHUNK) {
      await this.redis.set(name, bytes, 'NX');
      return;
    }
    if (await this.exists(key)) return;
    const manifest: Manifest = { token: randomBytes(16).toString('hex'), length: bytes.length };
    const names = this.#chunksOf(key, manifest.token, bytes.length);
    try {
      await eachOf(names, async (chunk, i) => {
        await this.redis.set(chunk, bytes.subarray(i * CHUNK, (i + 1) * CHUNK), 'PX', KEPT);
        return true;
      });
    } catch (error) {
      // What cannot be removed now is gone in an hour.
      await this.redis.unlink(...names).catch(() => undefined);
      throw error;
    }
    // From here on nothing is removed by this side: where the answer is lost, it may have been the first.
    const frame = await frameOf(Buffer.from(JSON.stringify(manifest)), CHUNKS);
    const state = await this.redis.eval(COMMIT, 1 + names.length, name, ...names, frame);
    if (state === -1) throw new Error('TRYAGAIN a chunk was gone before the last was written');
  }

  async removeAll(prefix: string): Promise<void> {
    const [values, chunks]: [string[], string[]] = [[], []];
    let cursor = '0';
    do {
      // No character of a key or of the prefix has a meaning in a pattern.
      const [next, names] = await this.redis.scan(cursor, 'MATCH', `${this.#nameOf(prefix)}*`, 'COUNT', SCANNED);
      for (const name of names) (name.includes('#') ? chunks : values).push(name);
      cursor = next;
    } while (cursor !== '0');
    // Manifests first: no one begins to read what is about to go.
    for (const names of [values, chunks])
      for (let at = 0; at < names.length; at += SCANNED) await this.redis.unlink(...names.slice(at, at + SCANNED));
  }

  async close(): Promise<void> {
    this.redis.disconnect();
  }

  explain(error: unknown): Fault {
    const { name = '', message = String(error) } = error as Partial<Error>;
    const mend = (advice: string): Fault => ({ isTransient: false, reason: message, advice });
    if (/^OOM\b/.test(message)) return mend('raise maxmemory of Redis, then go on: what was written is kept');
    if (/^MISCONF\b/.test(message)) return mend('see to the disk of Redis, then go on: what was written is kept');
    if (/^(NOAUTH|WRONGPASS|NOPERM)\b/.test(message)) return mend('correct the user and password in the address');
    if (/^(MOVED|CROSSSLOT)\b/.test(message)) return mend('want one Redis, not a cluster');
    if (name === 'ReplyError')
      return AGAIN.test(message) ? { isTransient: true, reason: message } : mend('see its log');
    return { isTransient: true, reason: (name === 'MaxRetriesPerRequestError' && this.#lastError) || message };
  }

  #nameOf(key: string): string {
    return `${this.prefix}:${key}`;
  }

  /** No key has a '#'. */
  #chunksOf(key: string, token: string, length: number): string[] {
    return Array.from({ length: Math.ceil(length / CHUNK) }, (_, i) => `${this.#nameOf(key)}#${token}.${i}`);
  }
}

/** Some at a time; whether all were true. */
async function eachOf(names: readonly string[], call: (name: string, i: number) => Promise<boolean>): Promise<boolean> {
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const results = await Promise.all(names.slice(at, at + AT_ONCE).map((name, i) => call(name, at + i)));
    if (!results.every(Boolean)) return false;
  }
  return true;
}
