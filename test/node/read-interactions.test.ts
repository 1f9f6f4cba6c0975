// Files: plain and gzipped ones give the same, and every way a file can fail has its error.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DataError, FormatError, OptionError } from '../../src/core/errors';
import { parseInteractions } from '../../src/io/text/parse-interactions';
import { readInteractions } from '../../src/node/read-files';

const folder = mkdtempSync(join(tmpdir(), 'opmf-read-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const TEXT = 'userId,movieId,rating\r\nann,"Léon",5\r\nbob,Heat,3.5';

test('plain and gzipped files give the same; the name does not matter', async () => {
  const plain = await readInteractions(write('plain.csv.gz', TEXT));
  const packed = await readInteractions(write('packed.csv', gzipSync(TEXT)));
  expect([...plain]).toEqual([
    { userId: 'ann', itemId: 'Léon', value: 5 },
    { userId: 'bob', itemId: 'Heat', value: 3.5 },
  ]);
  expect([...packed]).toEqual([...plain]);
});

test('a file of many chunks, plain and gzipped, gives what its text gives, and others get turns', async () => {
  let text = 'userId,movieId,rating,timestamp\n';
  for (let k = 0; k < 50_000; k++)
    text += `${k % 6040},${k % 3 === 0 ? '"Léon"' : k % 3706},${(k % 10) / 2},${1.1e9 + k}\n`;
  const expected = parseInteractions(text);
  let scheduler = 0;
  const timer = setInterval(() => scheduler++, 1);
  for (const content of [text, gzipSync(text)]) {
    scheduler = 0;
    const data = await readInteractions(write('large', content));
    expect(scheduler).toBeGreaterThan(2);
    for (const column of ['userIndex', 'itemIndex', 'values', 'timestamps'] as const) {
      expect(Buffer.from(data[column]!.buffer).equals(Buffer.from(expected[column]!.buffer))).toBe(true);
    }
    expect([...data.items]).toEqual([...expected.items]);
  }
  clearInterval(timer);
  const packed = gzipSync(text);
  packed[packed.length - 6]! ^= 1;
  await expect(readInteractions(write('broken', packed))).rejects.toThrow(FormatError);
  // Nothing rests on the length that the last bytes tell: one that is not true is damage.
  for (const length of [0, 1, text.length + 1, 2 ** 32 - 1]) {
    const untrue = Buffer.from(gzipSync(text));
    untrue.writeUInt32LE(length, untrue.length - 4);
    await expect(readInteractions(write('untrue', untrue))).rejects.toThrow(FormatError);
  }
  // Damage comes before a fault in a line.
  const faulty = gzipSync(`1,2,x\n${text}`).subarray(0, -20);
  await expect(readInteractions(write('cut', faulty))).rejects.toThrow(/is damaged gzip data/);
});

test('a wide table and one in the rest of a gzip file with more members', async () => {
  const wide = await readInteractions(write('wide', gzipSync('7.5,99\n99,3')), { layout: 'wide', missing: 99 });
  expect([...wide.values]).toEqual([7.5, 3]);
  const members = Buffer.concat([gzipSync('1,2,3\n4,'), gzipSync('5,1')]);
  expect([...(await readInteractions(write('members', members))).values]).toEqual([3, 1]);
  // The last member's length says little of the whole.
  const lines = Array.from({ length: 30_000 }, (_, row) => `${row % 500},${row >> 3},${row % 5}\n`);
  const packed = [lines.slice(0, 29_000), lines.slice(29_000)].map((part) => gzipSync(part.join('')));
  const data = await readInteractions(write('long members', Buffer.concat(packed)), { duplicates: 'keep' });
  expect([...data.values]).toEqual(lines.map((_, row) => row % 5));
});

test('options are passed on', async () => {
  const path = write('latin1.txt', Uint8Array.from([0xe9, 0x3b, 0x61, 0x3b, 0x33]));
  const data = await readInteractions(path, {
    encoding: 'latin1',
    separator: ';',
    columns: { user: 1, item: 0, value: 2 },
  });
  expect([...data]).toEqual([{ userId: 'a', itemId: 'é', value: 3 }]);
});

test('errors in the content name the path', async () => {
  const path = write('bad.csv', 'user,item,rating\n1,2,x');
  await expect(readInteractions(path)).rejects.toThrow(`${path}, line 2, column 'rating': value is "x"`);
  await expect(readInteractions(path, { file: 'mine' })).rejects.toThrow('mine, line 2');
  await expect(readInteractions(write('empty.csv', ''))).rejects.toThrow('empty.csv: the file is empty');
  await expect(readInteractions(write('empty.csv.gz', gzipSync('')))).rejects.toThrow(
    'empty.csv.gz: the file is empty',
  );
});

test('files that cannot be read', async () => {
  const absent = join(folder, 'absent.csv');
  const missing = await readInteractions(absent).catch((error: unknown) => error);
  expect(missing).toBeInstanceOf(DataError);
  expect((missing as DataError).message).toContain(`cannot read '${absent}': there is no such file`);
  expect((missing as DataError).place.file).toBe(absent);
  await expect(readInteractions(folder)).rejects.toThrow(/it is a directory; name a file in it/);
  const cut = write('cut.gz', gzipSync(TEXT).subarray(0, 30));
  await expect(readInteractions(cut)).rejects.toThrow(FormatError);
  await expect(readInteractions(cut)).rejects.toThrow(/is damaged gzip data/);
  await expect(readInteractions(write('ok.csv', TEXT), { header: 1 as unknown as boolean })).rejects.toThrow(
    OptionError,
  );
});
