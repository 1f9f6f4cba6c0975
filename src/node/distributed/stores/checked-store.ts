// What every store of a distributed training does alike: keys are checked, values are framed by their length and CRC-32 and
// checked when they are read, failures that may pass are tried again, and what remains is told in words. What differs is a
// Backend: a folder, a bucket, a Redis.

import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { DataError, OpmfError, OptionError } from '../../../core/errors';
import { show } from '../../../core/options';
import type { StripeStore } from '../../../training/per-rating/stripe-store';

/** Where whole values lie under keys. What it throws is explained by `explain`; typed errors are passed on as they are. */
export interface Backend {
  /** For messages; without passwords. */
  readonly name: string;
  /** Throws where it cannot be used, or does not keep the first value of a key: told at the opening, not after hours. */
  probe(): Promise<void>;
  /** All bytes of a value, undefined where there is none. @throws Damage where they are not whole */
  read(key: string): Promise<Buffer | undefined>;
  exists(key: string): Promise<boolean>;
  /** Writes a value unless there is one: whole or not at all, and durable at the end, whoever was first. */
  create(key: string, bytes: Buffer): Promise<void>;
  removeAll(prefix: string): Promise<void>;
  close(): Promise<void>;
  explain(error: unknown): Fault;
}

/** What a failure means. */
export interface Fault {
  /** Whether the same call may succeed a little later. */
  readonly isTransient: boolean;
  readonly reason: string;
  /** The next step of the caller. */
  readonly advice?: string | undefined;
}

/** Bytes that are not what was written. */
export class Damage extends Error {}

/** Options of `openStore`. */
export interface StoreOptions {
  /**
   * How often a call that failed is tried again where that may help: 0 to 1000. Pauses are drawn between half of and all of 50 ms,
   * doubled each time up to 5 s: 15 take half a minute or more, which a server that is started again has.
   * @defaultValue 15
   */
  readonly retries?: number;
}

/** In milliseconds. */
const [FIRST_PAUSE, LONGEST_PAUSE] = [50, 5000];
/** Damaged bytes are read again, as they may have been damaged on their way. */
const READS_OF_DAMAGE = 3;

const LONGEST_KEY = 200;
/** Parts between slashes, none of which begins with a dot; folders keep values in files that end in .opmf. */
const KEY = /^(?:[a-z0-9-][a-z0-9.-]*(?<!\.opmf)(?:\/(?!$)|$))+$/;

export class CheckedStore implements StripeStore {
  readonly #closed = new AbortController();

  constructor(
    private readonly backend: Backend,
    private readonly retries: number,
  ) {}

  /** @throws DataError or UnsupportedError where the store cannot be used */
  probe(): Promise<void> {
    return this.#try('use', undefined, () => this.backend.probe());
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    requireKey(key);
    return this.#try('read', key, async () => {
      const frame = await this.backend.read(key);
      return frame && unframe(frame, VALUE);
    });
  }

  async has(key: string): Promise<boolean> {
    requireKey(key);
    return this.#try('look for', key, () => this.backend.exists(key));
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    requireKey(key);
    const frame = await frameOf(bytes, VALUE);
    return this.#try('write', key, () => this.backend.create(key, frame));
  }

  async remove(prefix: string): Promise<void> {
    if (!/^[a-z0-9/.-]*$/.test(prefix) || /^\/|\/[/.]|^\./.test(prefix) || prefix.length > LONGEST_KEY)
      throw new OptionError('prefix', prefix, `prefix is ${show(prefix)}; want the beginning of a key, or ''`);
    return this.#try('remove', prefix, () => this.backend.removeAll(prefix));
  }

  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    await this.backend.close();
  }

  async #try<T>(what: string, key: string | undefined, call: () => Promise<T>): Promise<T> {
    const { signal } = this.#closed;
    const started = performance.now();
    for (let tries = 1; ; tries++) {
      let fault: Fault;
      if (signal.aborted) fault = { isTransient: false, reason: 'the store is closed', advice: 'open it again' };
      else
        try {
          return await call();
        } catch (error) {
          if (error instanceof OpmfError) throw error;
          fault = error instanceof Damage ? explainDamage(error, tries) : this.backend.explain(error);
        }
      const isLast = !fault.isTransient || tries > this.retries;
      if (isLast) {
        const seconds = ((performance.now() - started) / 1000).toFixed(1);
        const often = tries > 1 ? ` (${tries} times in ${seconds} s)` : '';
        const {
          reason,
          advice = 'see that it runs and can be reached from here, then go on: what was written is kept',
        } = fault;
        const { name } = this.backend;
        const [value, file] = key === undefined ? ['', name] : [`${show(key)} in `, `${name} ${key}`];
        throw new DataError(`cannot ${what} ${value}the store ${name}: ${reason}${often}; ${advice}`, { file });
      }
      const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (tries - 1));
      await sleep((pause * (1 + Math.random())) / 2, undefined, { signal }).catch(() => undefined);
    }
  }
}

function explainDamage({ message }: Damage, tries: number): Fault {
  const advice = 'put back a copy of it, or remove the run from the store and train again';
  return { isTransient: tries < READS_OF_DAMAGE, reason: `it is damaged: ${message}`, advice };
}

function requireKey(key: string): void {
  if (typeof key === 'string' && key.length <= LONGEST_KEY && KEY.test(key)) return;
  const wanted = `parts of a-z, 0-9, . and - between slashes, none beginning with . or ending in .opmf, ${LONGEST_KEY} characters`;
  throw new OptionError('key', key, `key is ${show(key)}; want ${wanted} at most`);
}

/** An address for messages. */
export function withoutPassword(url: URL): string {
  const shown = new URL(url);
  if (url.password !== '') shown.password = '***';
  return shown.href;
}

// The frame of a value: its bytes, then 16 of a trailer, so that the bytes lie as they did: a word that says what it is, the
// CRC-32, and the length in 8 bytes, all little-endian.

const TRAILER = 16;
/** The words of a trailer: 'opmf', and 'opmc' for what says where the chunks of a value lie. */
export const [VALUE, CHUNKS] = [0x666d_706f, 0x636d_706f];
/** The CRC-32 is worked out so many bytes at a time, in some milliseconds. */
const PIECE = 2 ** 24;

/** Copies bytes into a frame; they are the caller's again at once. */
export async function frameOf(bytes: Uint8Array, word: number): Promise<Buffer> {
  const frame = Buffer.allocUnsafeSlow(bytes.length + TRAILER);
  frame.set(bytes);
  frame.writeUInt32LE(word, bytes.length);
  frame.writeBigUInt64LE(BigInt(bytes.length), bytes.length + 8);
  frame.writeUInt32LE(await checksumOf(frame.subarray(0, bytes.length)), bytes.length + 4);
  return frame;
}

/** Whether a frame says that it is of this kind. */
export function isFrame(frame: Buffer, word: number): boolean {
  return frame.length >= TRAILER && frame.readUInt32LE(frame.length - TRAILER) === word;
}

/** The bytes in a frame, aligned. @throws Damage if they are not those that were put in */
export async function unframe(frame: Buffer, word: number): Promise<Uint8Array> {
  const length = frame.length - TRAILER;
  if (!isFrame(frame, word)) throw new Damage(`its ${frame.length} bytes do not end as opmf ends them`);
  const told = frame.readBigUInt64LE(length + 8);
  if (told !== BigInt(length)) throw new Damage(`it has ${length} bytes, of ${told}`);
  const bytes = frame.subarray(0, length);
  const [checksum, wanted] = [await checksumOf(bytes), frame.readUInt32LE(length + 4)];
  if (checksum !== wanted) throw new Damage(`its CRC-32 is ${hex(checksum)}, of ${hex(wanted)}`);
  // What a client cut from a buffer of its own lies anywhere, and holds all of it.
  const isOwn = frame.byteOffset === 0 && frame.buffer.byteLength === frame.length;
  return isOwn ? new Uint8Array(frame.buffer, 0, length) : new Uint8Array(bytes);
}

async function checksumOf(bytes: Uint8Array): Promise<number> {
  let checksum = 0;
  for (let at = 0; at < bytes.length; at += PIECE) {
    if (at > 0) await new Promise(setImmediate);
    checksum = crc32(bytes.subarray(at, at + PIECE), checksum);
  }
  return checksum;
}

const hex = (word: number): string => word.toString(16).padStart(8, '0');
