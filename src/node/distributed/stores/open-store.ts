// The stores of a distributed training, by their address.

import { fileURLToPath } from 'node:url';
import { OptionError } from '../../../core/errors';
import { field, integer, readOptions, show } from '../../../core/options';
import type { StripeStore } from '../../../training/per-rating/stripe-store';
import { type Backend, CheckedStore, type StoreOptions } from './checked-store';
import { FolderBackend } from './folder-backend';
import { RedisBackend } from './redis-backend';
import { S3Backend } from './s3-backend';

const OPENERS: Readonly<Record<string, (url: URL) => Promise<Backend>>> = {
  'file:': (url) => FolderBackend.open(fileURLToPath(url)),
  's3:': (url) => S3Backend.open(url),
  'redis:': (url) => RedisBackend.open(url),
  'rediss:': (url) => RedisBackend.open(url),
};

/**
 * Opens a store of a distributed training, where tables and ratings lie between its workers, by its address:
 *
 * - a folder (path or `file:`) that is there and that all machines see, with hard links: NFS (mounted with
 *   `lookupcache=positive`, or a new value is seen up to a minute late), CephFS, Lustre, or a disk of one machine;
 * - `s3://bucket/prefix?endpoint=URL&region=NAME`, of S3 or a server that knows `If-None-Match: '*'` (the package
 *   `@aws-sdk/client-s3`; keys and region as the AWS tools find them);
 * - `redis://user:password@host:port/db#prefix`, and `rediss://` by TLS (the package `ioredis`): what is in the store lies in the memory
 *   of that Redis, with `maxmemory-policy noeviction`, and is as durable as its `appendfsync`.
 *
 * Values are checked by length and CRC-32 when they are read. Errors name the store, the key and the next step.
 *
 * @throws OptionError for an address or option that is not understood
 * @throws DataError if the store cannot be reached, by every call of the store too: if it is full, a value is damaged, or a
 *   failure lasts longer than `retries`
 * @throws UnsupportedError if a package is missing, or the store cannot write only what is not there
 *
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { openStore } from 'opmf/distributed';
 * const store = await openStore(await mkdtemp(join(tmpdir(), 'opmf-')));
 * await store.put('some/value', Uint8Array.of(1, 2));
 * console.log(await store.get('some/value'), await store.has('another')); // Uint8Array(2) [ 1, 2 ] false
 * await store.close();
 * ```
 */
export async function openStore(address: string | URL, options?: StoreOptions): Promise<StripeStore> {
  const { retries } = readOptions<Required<StoreOptions>>('openStore', options, {
    retries: field(integer({ min: 0, max: 1000 }), 15),
  });
  const backend = await open(address);
  const store = new CheckedStore(backend, retries);
  try {
    await store.probe();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

function open(address: string | URL): Promise<Backend> {
  const text = address instanceof URL ? address.href : address;
  const wanted = 'want a folder, s3://bucket/prefix or redis://host:port/db#prefix';
  if (typeof text !== 'string' || text === '')
    throw new OptionError('store', address, `store is ${show(address)}; ${wanted}`);
  // One letter and a colon is a drive.
  const scheme =
    /^([a-z][a-z0-9+.-]+:)\/\//i.exec(text)?.[1]?.toLowerCase() ?? (/^file:/i.test(text) ? 'file:' : undefined);
  if (scheme === undefined) return FolderBackend.open(text);
  const opener = Object.hasOwn(OPENERS, scheme) ? OPENERS[scheme] : undefined;
  if (opener === undefined || !URL.canParse(text))
    throw new OptionError('store', address, `store is ${show(text.replace(/\/\/[^/@]*@/, '//***@'))}; ${wanted}`);
  return opener(new URL(text));
}
