// The stores of a distributed training, each by the contract of all and by what is its own. Redis is $OPMF_REDIS; S3 is a
// server of test/support, and $OPMF_S3 where there is one.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import fs, { link, open, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { Redis } from 'ioredis';
import { DataError, OptionError, UnsupportedError } from '../../../src';
import { type Backend, CheckedStore } from '../../../src/node/distributed/stores/checked-store';
import { FolderBackend } from '../../../src/node/distributed/stores/folder-backend';
import { openStore } from '../../../src/node/distributed/stores/open-store';
import { RedisBackend } from '../../../src/node/distributed/stores/redis-backend';
import { S3Backend } from '../../../src/node/distributed/stores/s3-backend';
import { closesWhileItWaits, type Place, storeContract } from '../../contract/stores';
import { bundle, programFolder } from '../../package/bundle';
import { bytesOf, isSame } from '../../support/bytes-of';
import { cuttingProxy } from '../../support/cutting-proxy';
import { BUCKET, type FakeS3, fakeS3 } from '../../support/fake-s3';
import { MemoryBackend } from '../../support/memory-backend';
import { hasRedisServer, redisServer } from '../../support/redis-server';

const MIB = 2 ** 20;
const root = mkdtempSync(join(tmpdir(), 'opmf-stores-'));
afterAll(() => rmSync(root, { recursive: true }));
let made = 0;
function fresh(): string {
  const path = join(root, `${made++}`);
  mkdirSync(path);
  return path;
}
const onPosix = process.platform === 'win32' ? test.skip : test;
const whereRedis = process.env.OPMF_REDIS ? describe : describe.skip;
const whereServer = hasRedisServer ? test : test.skip;
const messageOf = async (promise: Promise<unknown>) => ((await promise.catch((error) => error)) as Error).message;

describe('memory', () => {
  const values = new Map<string, Buffer>();
  storeContract('in the memory of a process', () => ({
    open: async () => new MemoryBackend(values),
    damage: async (key, change) => void values.set(key, change(Buffer.from(values.get(key)!))),
  }));

  test('bytes that were damaged on their way are read again', async () => {
    const backend = new MemoryBackend();
    const store = new CheckedStore(backend, 2);
    await store.put('a', bytesOf(1, 100));
    const read = jest
      .spyOn(backend, 'read')
      .mockResolvedValueOnce(Buffer.alloc(116))
      .mockResolvedValueOnce(Buffer.alloc(3));
    expect(isSame(await store.get('a'), bytesOf(1, 100))).toBe(true);
    expect(read).toHaveBeenCalledTimes(3);
  });

  test('closing ends the pauses between tries', async () => {
    expect(await closesWhileItWaits(new MemoryBackend())).toBeLessThan(500);
  });
});

describe('folder', () => {
  const shared = fresh();
  storeContract('a folder', () => ({
    open: () => FolderBackend.open(shared),
    async damage(key, change) {
      const path = join(shared, `${key}.opmf`);
      await writeFile(path, change(await readFile(path)));
    },
  }));

  test('is opened by its path or file: URL, and must be there', async () => {
    const folder = fresh();
    const store = await openStore(folder);
    await store.put('a/b', Uint8Array.of(1));
    expect(await (await openStore(pathToFileURL(folder))).get('a/b')).toEqual(Uint8Array.of(1));
    expect(await (await openStore(pathToFileURL(folder).href)).has('a/b')).toBe(true);
    const error = await openStore(join(folder, 'none')).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(
      /^the store ".*none" is not there; want a folder that is there and that all workers see: mount/,
    );
    await writeFile(join(folder, 'file'), '');
    await expect(openStore(join(folder, 'file'))).rejects.toThrow(/is no folder; want/);
  });

  test('what is not a value is not removed', async () => {
    const folder = fresh();
    const store = await openStore(folder);
    await store.put('a/b', Uint8Array.of(1));
    await store.put('c', Uint8Array.of(1));
    await writeFile(join(folder, 'a', 'notes.txt'), '');
    await writeFile(join(folder, 'notes.txt'), '');
    await store.remove('');
    expect((await readdir(folder)).sort()).toEqual(['.tmp', 'a', 'notes.txt']);
    expect(await readdir(join(folder, 'a'))).toEqual(['notes.txt']);
  });

  test('a folder that another removes is made again', async () => {
    const folder = fresh();
    const [one, other] = [await openStore(folder), await openStore(folder)];
    for (let i = 0; i < 20; i++) {
      await one.put(`a/b/${i}`, Uint8Array.of(i));
      await other.remove('a/');
      await one.put(`a/b/${i}`, Uint8Array.of(i));
      expect(await other.get(`a/b/${i}`)).toEqual(Uint8Array.of(i));
    }
    await rm(join(folder, '.tmp'), { recursive: true });
    await one.put('c', Uint8Array.of(1));
    expect(await readdir(join(folder, '.tmp'))).toEqual([]);
  });

  test('one that may not be written is told of at the opening', async () => {
    const making = jest
      .spyOn(fs, 'mkdir')
      .mockRejectedValue(Object.assign(new Error('EACCES: no'), { code: 'EACCES' }));
    try {
      await expect(openStore(fresh())).rejects.toThrow(
        /^cannot use the store .*: EACCES: no; give this user the right/,
      );
    } finally {
      making.mockRestore();
    }
  });

  onPosix('a file system without hard links is refused', async () => {
    const store = await openStore(fresh());
    const linking = jest.spyOn(fs, 'link').mockRejectedValue(Object.assign(new Error('no'), { code: 'EPERM' }));
    try {
      const error = await store.put('a', Uint8Array.of(1)).catch((thrown) => thrown);
      expect(error).toBeInstanceOf(UnsupportedError);
      expect(error.message).toMatch(/without hard links \(EPERM\); use a folder on a local disk, NFS/);
      expect(linking).toHaveBeenCalledTimes(1);
    } finally {
      linking.mockRestore();
    }
    expect(link).toBeDefined();
  });

  test('a full disk is an error at once, nothing is left, and it goes on when there is room', async () => {
    const folder = fresh();
    // Where no disk may be mounted, the system's answer is made up.
    const isMounted =
      process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'none', folder]).status === 0;
    try {
      const store = await openStore(folder);
      await store.put('first', bytesOf(1, MIB));
      let writing: jest.SpyInstance | undefined;
      if (!isMounted) {
        const file = await open(join(folder, '.tmp', 'probe'), 'w');
        await file.close();
        await rm(join(folder, '.tmp', 'probe'));
        writing = jest.spyOn(Object.getPrototypeOf(file), 'writeFile').mockImplementation(() => {
          throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
        });
      }
      const error = await store.put('a/second', bytesOf(2, 8 * MIB)).catch((thrown) => thrown);
      writing?.mockRestore();
      expect(error).toBeInstanceOf(DataError);
      expect(error.message).toBe(
        `cannot write "a/second" in the store ${folder}: the disk is full; make room there, then go on: what was written is kept`,
      );
      expect(await readdir(join(folder, '.tmp'))).toEqual([]);
      expect(await store.has('a/second')).toBe(false);
      expect(isSame(await store.get('first'), bytesOf(1, MIB))).toBe(true);
      await store.put('a/second', bytesOf(2, MIB));
      expect(isSame(await store.get('a/second'), bytesOf(2, MIB))).toBe(true);
    } finally {
      if (isMounted) spawnSync('umount', [folder]);
    }
  });

  test('temporary files of processes that ended are removed, no others', async () => {
    const folder = fresh();
    await openStore(folder);
    const dead = execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).trim();
    const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
    const other = host === '00000000' ? '11111111' : '00000000';
    const names = {
      dead: `${host}.${dead}.0123456789ab.tmp`,
      alive: `${host}.${process.ppid}.0123456789ab.tmp`,
      own: `${host}.${process.pid}.0123456789ab.tmp`,
      young: `${other}.${dead}.0123456789ab.tmp`,
      old: `${other}.${dead}.0123456789ac.tmp`,
      foreign: 'notes.tmp',
    };
    for (const name of Object.values(names)) await writeFile(join(folder, '.tmp', name), 'part');
    const before = Date.now() / 1000 - 25 * 3600;
    await utimes(join(folder, '.tmp', names.old), before, before);
    await utimes(join(folder, '.tmp', names.foreign), before, before);
    await openStore(folder);
    const left = [names.alive, names.own, names.young, names.foreign];
    expect((await readdir(join(folder, '.tmp'))).sort()).toEqual(left.sort());
  });

  describe('processes', () => {
    const programs = programFolder('stores');
    const program = join(programs, 'put-values.mjs');
    beforeAll(() => bundle(join(__dirname, 'put-values.ts'), program));
    afterAll(() => rmSync(programs, { recursive: true }));
    const start = (...words: string[]): ChildProcess =>
      spawn(process.execPath, [program, ...words], { stdio: ['pipe', 'pipe', 'inherit'] });

    test('of several that write one key at once, the first wins, and all end well', async () => {
      const folder = fresh();
      const children = [0, 1, 2, 3].map((i) => start(folder, 'one', `${i}`));
      await Promise.all(children.map(({ stdout }) => once(stdout!, 'data')));
      for (const { stdin } of children) stdin!.write('go\n');
      const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]));
      expect(codes).toEqual([0, 0, 0, 0]);
      const read = await (await openStore(folder)).get('the/one');
      expect([0, 1, 2, 3].filter((i) => isSame(read, bytesOf(i, 4_000_000)))).toHaveLength(1);
      expect(await readdir(join(folder, '.tmp'))).toEqual([]);
    });

    test('SIGKILL at any moment leaves whole values, those that were told among them', async () => {
      const folder = fresh();
      for (let round = 0; round < 6; round++) {
        const child = start(folder, 'many', `${round}`);
        const told: number[] = [];
        createInterface(child.stdout!).on('line', (line) => told.push(Number(line)));
        await once(child.stdout!, 'data');
        await new Promise((resolve) => setTimeout(resolve, 7 + 13 * round));
        child.kill('SIGKILL');
        await once(child, 'close');
        const store = await openStore(folder);
        expect(await readdir(join(folder, '.tmp'))).toEqual([]);
        const names = (await readdir(join(folder, 'many'))).filter((name) => name.startsWith(`${round}-`));
        expect(names.length).toBeGreaterThanOrEqual(told.length);
        expect(names.length).toBeLessThanOrEqual(told.length + 1);
        for (let i = 0; i < names.length; i++)
          expect(isSame(await store.get(`many/${round}-${i}`), bytesOf(i, 4_000_000))).toBe(true);
      }
    });
  });
});

describe('S3', () => {
  let server: FakeS3;
  const asked = { ...process.env };
  beforeAll(async () => {
    server = await fakeS3();
    process.env.AWS_ACCESS_KEY_ID ??= 'some';
    process.env.AWS_SECRET_ACCESS_KEY ??= 'thing';
  });
  afterEach(() => {
    server.fault = undefined;
  });
  afterAll(async () => {
    process.env = asked;
    await server.close();
  });

  storeContract('a server that answers as S3 does', () => ({
    open: () => S3Backend.open(new URL(server.address)),
    async damage(key, change) {
      const name = `some/where/${key}`;
      server.objects.set(name, change(Buffer.from(server.objects.get(name)!)));
    },
  }));

  test('an answer of 409 is tried again, and does not count as written', async () => {
    const store = await openStore(server.address, { retries: 1 });
    let conflicts = 1;
    server.fault = (method) =>
      method === 'PUT' && conflicts-- > 0 ? { status: 409, code: 'ConditionalRequestConflict' } : undefined;
    await store.put('conflict', Uint8Array.of(1));
    expect(await store.get('conflict')).toEqual(Uint8Array.of(1));
    conflicts = 9;
    expect(await messageOf(store.put('again', Uint8Array.of(1)))).toMatch(
      /ConditionalRequestConflict.*409.*\(2 times in/,
    );
    expect(await store.has('again')).toBe(false);
    await store.close();
  });

  test.each([
    [503, 'SlowDown', true, DataError, /SlowDown/],
    [500, 'InternalError', true, DataError, /InternalError/],
    [429, 'TooManyRequests', true, DataError, /TooManyRequests/],
    [400, 'BadDigest', true, DataError, /BadDigest/],
    [
      403,
      'AccessDenied',
      false,
      DataError,
      /AccessDenied: told \(403\); see that the keys are right and allow s3:GetObject/,
    ],
    [404, 'NoSuchBucket', false, DataError, /NoSuchBucket.*; make the bucket, or correct its name$/],
    [507, 'XMinioStorageFull', false, DataError, /XMinioStorageFull.*; make room there/],
    [
      501,
      'NotImplemented',
      false,
      UnsupportedError,
      /does not know If-None-Match: '\*' in PutObject \(501\); want S3, MinIO/,
    ],
  ])('%i %s: tried again is %p', async (status, code, isTransient, type, message) => {
    const store = await openStore(server.address, { retries: 1 });
    server.fault = (method) => (method === 'PUT' ? { status, code } : undefined);
    const before = server.requests.length;
    const error = await store.put('refused', Uint8Array.of(1)).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(type);
    expect(error.message).toMatch(message);
    expect(server.requests.slice(before)).toHaveLength(isTransient ? 2 : 1);
    await store.close();
  });

  test('one that ignores If-None-Match is refused at the opening', async () => {
    server.ignoresConditions = true;
    const error = await openStore(`${server.address.replace('/some/', '/other/')}`).catch((thrown) => thrown);
    server.ignoresConditions = false;
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.message).toMatch(/^the store s3:.* ignores If-None-Match: '\*' in PutObject; want S3, MinIO/);
  });

  test('one that is not there is told of at the opening', async () => {
    const address = `s3://${BUCKET}/x?endpoint=http://127.0.0.1:9`;
    expect(await messageOf(openStore(address, { retries: 1 }))).toMatch(
      /^cannot use the store s3:\/\/tables\/x\/ at http:\/\/127.0.0.1:9: .*ECONNREFUSED.* \(2 times in .*; see that it runs/,
    );
  });

  test('keys or a region that are missing are told of at once; keys that were there are waited for', async () => {
    const set = { ...process.env };
    for (const name of Object.keys(set)) if (name.startsWith('AWS_')) delete process.env[name];
    Object.assign(process.env, { AWS_EC2_METADATA_DISABLED: 'true', HOME: root });
    const withoutKeys = await messageOf(openStore(server.address));
    expect(withoutKeys).toMatch(/^cannot use the store s3:.*; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or/);
    expect(withoutKeys).not.toContain('times in');
    expect(await messageOf(openStore('s3://bucket'))).toMatch(
      /Region is missing; set AWS_REGION to the region of the bucket/,
    );
    process.env = set;
    const backend = await S3Backend.open(new URL(server.address));
    const fault = Object.assign(new Error('no keys'), { name: 'CredentialsProviderError' });
    expect(backend.explain(fault).isTransient).toBe(false);
    await backend.probe();
    expect(backend.explain(fault).isTransient).toBe(true);
    await backend.close();
  });

  test('connections that break are made anew', async () => {
    const proxy = await cuttingProxy({ host: '127.0.0.1', port: server.port }, 3 * MIB);
    const address = server.address.replace(`:${server.port}`, `:${proxy.port}`);
    const store = await openStore(address, { retries: 30 });
    for (let i = 0; i < 6; i++) {
      await store.put(`broken/${i}`, bytesOf(i, MIB));
      expect(isSame(await store.get(`broken/${i}`), bytesOf(i, MIB))).toBe(true);
    }
    expect(proxy.cuts).toBeGreaterThan(3);
    await store.close();
    await proxy.close();
  });

  test.each([
    ['s3:///prefix', /want s3:\/\/bucket\/prefix/],
    ['s3://key:secret@bucket/', /want the keys in AWS_ACCESS_KEY_ID/],
    ['s3://bucket/?endpont=http://x', /'endpont' is unknown; want endpoint or region/],
    ['s3://bucket/?endpoint=x:9', /want an endpoint of http/],
  ])('the address %s is refused', async (address, message) => {
    const error = await openStore(address).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(OptionError);
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('secret');
  });
});

if (process.env.OPMF_S3)
  storeContract('S3 of $OPMF_S3', () => ({
    open: () => S3Backend.open(new URL(process.env.OPMF_S3!)),
    async damage(key, change) {
      const backend: Backend = await S3Backend.open(new URL(process.env.OPMF_S3!));
      const bytes = await backend.read(key);
      await backend.removeAll(key);
      await backend.create(key, change(bytes!));
      await backend.close();
    },
  }));

whereRedis('Redis', () => {
  const address = new URL(process.env.OPMF_REDIS ?? 'redis://127.0.0.1');
  const prefix = `opmf-test-${process.pid}-${Date.now()}`;
  address.hash = prefix;
  let redis: Redis;
  beforeAll(() => {
    redis = new Redis(process.env.OPMF_REDIS!);
  });
  afterAll(() => redis.quit());

  const place: Place = {
    open: () => RedisBackend.open(address),
    async damage(key, change) {
      const names = (await redis.keys(`${prefix}:${key}#*`)).sort();
      if (names.length === 0) names.push(`${prefix}:${key}`);
      const parts = await Promise.all(names.map((name) => redis.getBuffer(name)));
      const changed = change(Buffer.concat(parts as Buffer[]));
      let at = 0;
      for (const [i, name] of names.entries()) {
        const end = i === names.length - 1 ? changed.length : at + parts[i]!.length;
        await redis.set(name, changed.subarray(at, end));
        at = end;
      }
    },
  };
  storeContract('a Redis', () => place);

  test('a value whose writer ended half-way is not there, and is gone in an hour', async () => {
    const store = await openStore(address);
    const writing = jest
      .spyOn(Redis.prototype, 'eval')
      .mockRejectedValue(Object.assign(new Error('ERR killed'), { name: 'ReplyError' }));
    await store.put('half', bytesOf(1, 20 * MIB)).catch(() => undefined);
    writing.mockRestore();
    expect([await store.has('half'), await store.get('half')]).toEqual([false, undefined]);
    const chunks = await redis.keys(`${prefix}:half#*`);
    expect(chunks).toHaveLength(3);
    for (const chunk of chunks) expect(await redis.pttl(chunk)).toBeGreaterThan(3_000_000);
    // The next writer's are kept for ever.
    await store.put('half', bytesOf(1, 20 * MIB));
    expect(isSame(await store.get('half'), bytesOf(1, 20 * MIB))).toBe(true);
    const kept = (await redis.keys(`${prefix}:half#*`)).filter((chunk) => !chunks.includes(chunk));
    expect(await Promise.all(kept.map((chunk) => redis.pttl(chunk)))).toEqual([-1, -1, -1]);
    await store.remove('half');
    expect(await redis.keys(`${prefix}:half*`)).toEqual([]);
    await store.close();
  });

  test('a chunk that is gone is damage, or another try where it was not yet written', async () => {
    const store = await openStore(address, { retries: 2 });
    await store.put('evicted', bytesOf(1, 9 * MIB));
    await redis.del((await redis.keys(`${prefix}:evicted#*`))[0]!);
    await expect(store.get('evicted')).rejects.toThrow(/a chunk of it is gone; was it evicted\? .*noeviction/);
    await store.remove('evicted');
    const evaluate = Redis.prototype.eval;
    const committing = jest.spyOn(Redis.prototype, 'eval').mockImplementationOnce(async function (
      this: Redis,
      ...words: unknown[]
    ) {
      await redis.del((await redis.keys(`${prefix}:evicted#*`))[0]!);
      return (evaluate as (...given: unknown[]) => Promise<unknown>).apply(this, words);
    } as never);
    await store.put('evicted', bytesOf(1, 9 * MIB));
    expect(committing).toHaveBeenCalledTimes(2);
    committing.mockRestore();
    expect(isSame(await store.get('evicted'), bytesOf(1, 9 * MIB))).toBe(true);
    await store.remove('');
    await store.close();
  });

  test('connections that break are made anew', async () => {
    const proxy = await cuttingProxy({ host: address.hostname, port: Number(address.port || 6379) }, 24 * MIB);
    const through = new URL(address);
    through.port = `${proxy.port}`;
    const store = await openStore(through, { retries: 30 });
    for (let i = 0; i < 5; i++) {
      await store.put(`broken/${i}`, bytesOf(i, 9 * MIB));
      expect(isSame(await store.get(`broken/${i}`), bytesOf(i, 9 * MIB))).toBe(true);
    }
    expect(proxy.cuts).toBeGreaterThan(3);
    await store.remove('');
    await store.close();
    await proxy.close();
  });
});

describe('a redis-server', () => {
  whereServer('that is killed and started again goes on with what it had', async () => {
    const server = await redisServer();
    const store = await openStore(server.address);
    await store.put('before', bytesOf(1, 9 * MIB));
    await server.kill();
    const during = [store.put('during', bytesOf(2, 9 * MIB)), store.get('before')] as const;
    await new Promise((resolve) => setTimeout(resolve, 300));
    await server.start();
    await during[0];
    expect(isSame(await during[1], bytesOf(1, 9 * MIB))).toBe(true);
    expect(isSame(await store.get('during'), bytesOf(2, 9 * MIB))).toBe(true);
    await store.close();
    await server.close();
  });

  whereServer('that is full says so at once, and nothing of the value is left', async () => {
    const server = await redisServer('--maxmemory', '32mb', '--maxmemory-policy', 'noeviction');
    const store = await openStore(server.address);
    const error = await store.put('large', bytesOf(1, 60 * MIB)).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(
      /^cannot write "large" in the store redis:.*#opmf: OOM .*; raise maxmemory of Redis, then go on: what was written is kept$/,
    );
    const redis = new Redis(server.address);
    expect(await redis.keys('*')).toEqual([]);
    await store.put('small', bytesOf(1, 9 * MIB));
    expect(isSame(await store.get('small'), bytesOf(1, 9 * MIB))).toBe(true);
    await redis.quit();
    await store.close();
    await server.close();
  });

  whereServer('that may drop values is refused at the opening', async () => {
    const server = await redisServer('--maxmemory', '32mb', '--maxmemory-policy', 'allkeys-lru');
    await expect(openStore(server.address)).rejects.toThrow(
      /^the store redis:.* may drop values, by its maxmemory-policy allkeys-lru; set maxmemory-policy noeviction/,
    );
    await server.close();
  });

  whereServer('that wants a password, which no message tells', async () => {
    const server = await redisServer('--requirepass', 'hidden');
    await expect(openStore(server.address)).rejects.toThrow(/NOAUTH.*; correct the user and password in the address/);
    const wrong = server.address.replace('//', '//:secret@');
    const message = await messageOf(openStore(wrong, { retries: 1 }));
    expect(message).toMatch(/the store redis:\/\/:\*\*\*@127.*(WRONGPASS|NOAUTH)/);
    expect(message).not.toContain('secret');
    const store = await openStore(server.address.replace('//', '//:hidden@'));
    await store.put('a', Uint8Array.of(1));
    await store.close();
    await server.close();
  });

  test('that is not there is told of at the opening', async () => {
    expect(await messageOf(openStore('redis://127.0.0.1:9', { retries: 1 }))).toMatch(
      /^cannot use the store redis:\/\/127.0.0.1:9#opmf: .*ECONNREFUSED.* \(2 times in .*; see that it runs/,
    );
  });
});

describe('openStore', () => {
  test.each([
    ['', /store is ""; want a folder, s3/],
    [5, /store is 5; want/],
    ['http://x', /store is "http:\/\/x"; want/],
    ['ftp://user:secret@x', /store is "ftp:\/\/\*\*\*@x"; want/],
    ['redis://localhost#a b', /want # and a prefix of letters/],
    ['redis://localhost#a*', /want # and a prefix of letters/],
  ])('refuses %p', async (address, message) => {
    const error = await openStore(address as string).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(OptionError);
    expect(error.message).toMatch(message);
  });

  test('refuses options that there are not', async () => {
    await expect(openStore(root, { retries: -1 })).rejects.toThrow(/retries is -1; want a whole number from 0 to 1000/);
    await expect(openStore(root, { retry: 1 } as never)).rejects.toThrow(
      /unknown option 'retry'; known options: retries/,
    );
  });

  test.each([
    [
      'ioredis',
      'redis://localhost:9',
      /a store redis:\/\/… needs the package ioredis, which is not installed: npm install ioredis/,
    ],
    [
      '@aws-sdk/client-s3',
      's3://bucket',
      /a store s3:\/\/… needs the package @aws-sdk\/client-s3, .*npm install @aws-sdk\/client-s3/,
    ],
  ])('says what to install where there is no %s', async (name, address, message) => {
    jest.resetModules();
    jest.doMock(name, () => {
      throw Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' });
    });
    try {
      const { openStore: openAnew } = require('../../../src/node/distributed/stores/open-store');
      const error = await openAnew(address).catch((thrown: unknown) => thrown);
      expect(error.name).toBe('UnsupportedError');
      expect(error.message).toMatch(message);
    } finally {
      jest.dontMock(name);
    }
  });
});
