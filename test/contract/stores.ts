// What every store of a distributed training must keep: the first writer wins, a value is there whole or not at all, what is
// damaged is found, what fails for a moment is tried again, and an error names the store, the key and the next step.

import { DataError, OptionError } from '../../src';
import { type Backend, CheckedStore } from '../../src/node/distributed/stores/checked-store';
import { bytesOf, isSame } from '../support/bytes-of';
import { FailingBackend } from '../support/failing-backend';

/** A place for values that several workers open, each by itself. */
export interface Place {
  open(): Promise<Backend>;
  /** All bytes that lie under a key, changed by `change`. */
  damage(key: string, change: (bytes: Buffer) => Buffer): Promise<void>;
}

const MIB = 2 ** 20;

export function storeContract(title: string, place: () => Place): void {
  describe(title, () => {
    let stores: CheckedStore[] = [];
    const open = async (retries = 2): Promise<CheckedStore> => {
      const store = new CheckedStore(await place().open(), retries);
      stores.push(store);
      return store;
    };
    afterEach(async () => {
      const some = new CheckedStore(await place().open(), 2);
      await some.remove('');
      await Promise.all([some, ...stores].map((store) => store.close()));
      stores = [];
    });

    test('a value comes back as it was, from 0 bytes to 20 MiB, to whoever asks', async () => {
      const [writer, reader] = [await open(), await open()];
      for (const length of [0, 1, 12, 70_001, 8 * MIB - 16, 8 * MIB, 20 * MIB]) {
        const [key, bytes] = [`of/${length}.f32`, bytesOf(length, length)];
        expect([await reader.has(key), await reader.get(key)]).toEqual([false, undefined]);
        await writer.put(key, bytes);
        expect(await reader.has(key)).toBe(true);
        const read = await reader.get(key);
        expect(read!.constructor).toBe(Uint8Array);
        expect(isSame(read, bytes)).toBe(true);
        // Aligned, for a table is made of it; and the caller's own.
        expect(read!.byteOffset).toBe(0);
        read!.fill(0);
        expect(isSame(await writer.get(key), bytes)).toBe(true);
      }
    });

    test('bytes of a shared memory are written as they are at the call', async () => {
      const store = await open();
      const shared = new Uint8Array(new SharedArrayBuffer(100_000));
      const before = bytesOf(1, shared.length);
      shared.set(before);
      const written = store.put('shared', shared);
      shared.fill(0);
      await written;
      expect(isSame(await store.get('shared'), before)).toBe(true);
    });

    test.each([3, 300_000, 9 * MIB])('the first of many writers wins, and all resolve (%i bytes)', async (length) => {
      const writers = await Promise.all(Array.from({ length: 6 }, () => open(20)));
      const values = writers.map((_, i) => bytesOf(i, length));
      const reader = await open();
      let isDone = false;
      const seen = new Set<number>();
      const look = async () => {
        const read = await reader.get('a/b');
        if (read !== undefined) seen.add(values.findIndex((value) => isSame(read, value)));
      };
      const reading = (async () => {
        while (!isDone) await look();
      })();
      await Promise.all(writers.flatMap((store, i) => [store.put('a/b', values[i]!), store.put('a/b', values[i]!)]));
      isDone = true;
      await reading;
      await Promise.all([...Array(3)].map(look));
      await writers[1]!.put('a/b', bytesOf(99, length));
      await look();
      expect(seen.size).toBe(1);
      expect([...seen][0]).toBeGreaterThanOrEqual(0);
    });

    test('a key may begin with another, and what begins with a prefix is removed', async () => {
      const store = await open();
      const keys = [
        'x',
        'x/1',
        'x/10',
        'x/1/a',
        'x/1/b.c',
        'x/2',
        'x-y',
        'y/1',
        'y/2',
        'y/3',
        'y/4',
        'y/5',
        'y/6',
        'y/7',
      ];
      for (const key of keys) await store.put(key, Buffer.from(key));
      await store.put('y/large', bytesOf(1, 9 * MIB));
      for (const key of keys) expect(Buffer.from((await store.get(key))!).toString()).toBe(key);
      const left = async () => {
        const found = await Promise.all(keys.map((key) => store.has(key)));
        return keys.filter((_, i) => found[i]);
      };
      await store.remove('x/1');
      expect(await left()).toEqual(keys.filter((key) => !key.startsWith('x/1')));
      await store.remove('none/such');
      await store.remove('y/');
      expect(await left()).toEqual(['x', 'x/2', 'x-y']);
      expect(await store.get('y/large')).toBeUndefined();
      // What was removed can be written anew.
      await store.put('x/1/a', Uint8Array.of(7));
      expect(await store.get('x/1/a')).toEqual(Uint8Array.of(7));
      await store.remove('');
      expect(await left()).toEqual([]);
    });

    test.each([
      ...['', '/a', 'a/', 'a//b', '..', '../a', 'a/../b', './a', 'a/.b', '.tmp/a', 'A', 'a b', 'a_b', 'a#b', 'a*', 'é'],
      ...['a\n', 'a\\b', 'c:a', 'a.opmf', 'a.opmf/b', 'x'.repeat(201), undefined, 5],
    ])('the key %p is refused', async (key) => {
      const store = await open();
      for (const call of [() => store.get(key as string), () => store.has(key as string)])
        await expect(call()).rejects.toThrow(/^key is .*; want parts of a-z, 0-9/);
      await expect(store.put(key as string, Uint8Array.of(1))).rejects.toBeInstanceOf(OptionError);
    });

    test.each(['/', '../', 'a/../', 'a//', 'A', '*', '.tmp'])('the prefix %p is refused', async (prefix) => {
      const store = await open();
      await expect(store.remove(prefix)).rejects.toThrow(/^prefix is .*; want the beginning of a key/);
    });

    test('where half of the calls fail, before or after they took effect, all comes right', async () => {
      const failing = new FailingBackend(await place().open());
      const store = new CheckedStore(failing, 20);
      stores.push(store);
      const values = Array.from({ length: 12 }, (_, i) => bytesOf(i, i === 5 ? 9 * MIB : 1000 * i));
      await Promise.all(values.flatMap((bytes, i) => [store.put(`some/${i}`, bytes), store.put(`some/${i}`, bytes)]));
      const read = await Promise.all(values.map((_, i) => store.get(`some/${i}`)));
      expect(values.every((bytes, i) => isSame(read[i], bytes))).toBe(true);
      await store.remove('some/');
      expect(await Promise.all(values.map((_, i) => store.has(`some/${i}`)))).toEqual(values.map(() => false));
      expect(failing.failures).toBeGreaterThan(20);
    });

    test('one that always fails is given up after `retries`, and named', async () => {
      const failing = new FailingBackend(await place().open(), 1);
      const store = new CheckedStore(failing, 2);
      stores.push(store);
      const error = await store.get('a/b').catch((thrown) => thrown);
      expect(error).toBeInstanceOf(DataError);
      const { message } = error as DataError;
      expect(message).toMatch(
        /^cannot read "a\/b" in the store .*: a failure was drawn \(3 times in \d+\.\d s\); see that it runs/,
      );
      expect(message).toContain(failing.name);
      expect((error as DataError).place.file).toBe(`${failing.name} a/b`);
      expect(failing.failures).toBe(3);
    });

    test.each([1000, 9 * MIB])('damage is found, whatever it is (%i bytes)', async (length) => {
      const store = await open(0);
      const bytes = bytesOf(1, length);
      const flip = (at: number) => (all: Buffer) => {
        all[at < 0 ? all.length + at : at]! ^= 4;
        return all;
      };
      const changes = [
        flip(0),
        flip(Math.floor(length / 2)),
        // The bytes of the frame are few, and the same behind any value.
        ...(length < MIB ? [-1, -8, -9, -12, -13, -16, -17] : [-1, -17]).map(flip),
        (all: Buffer) => all.subarray(0, -1),
        (all: Buffer) => all.subarray(0, all.length - 16),
        (all: Buffer) => all.subarray(0, 7),
        (all: Buffer) => all.subarray(0, 0),
        (all: Buffer) => Buffer.concat([all, all.subarray(-1)]),
      ];
      for (const [i, change] of changes.entries()) {
        await store.put('a/b', bytes);
        await place().damage('a/b', change);
        const error = await store.get('a/b').then(
          () => `damage ${i} was not found`,
          (thrown) => thrown,
        );
        expect(error).toBeInstanceOf(DataError);
        expect((error as DataError).message).toMatch(
          /^cannot read "a\/b" in the store .*: it is damaged: .*; put back a copy/,
        );
        await store.remove('a/b');
      }
    });

    test('a closed store says so', async () => {
      const store = await open();
      await store.close();
      await store.close();
      await expect(store.get('a')).rejects.toThrow(/the store is closed; open it again$/);
      await expect(store.put('a', Uint8Array.of(1))).rejects.toBeInstanceOf(DataError);
    });
  });
}

/** That closing ends the pauses between tries; of any store, as CheckedStore makes them. */
export async function closesWhileItWaits(backend: Backend): Promise<number> {
  const store = new CheckedStore(new FailingBackend(backend, 1), 1000);
  const waiting = store.get('a').catch((error: Error) => error.message);
  await new Promise((resolve) => setTimeout(resolve, 700));
  const started = performance.now();
  await store.close();
  expect(await waiting).toMatch(/the store is closed/);
  return performance.now() - started;
}
