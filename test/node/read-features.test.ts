// Files of features: plain and gzipped ones give the same, with turns for others, and the real sets have their counts.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { categorical, DataError, FormatError, numeric, parseFeatureTable, parseLibFM } from '../../src';
import { readFeatureTable, readInteractions, readLibFM } from '../../src/node/read-files';

const folder = mkdtempSync(join(tmpdir(), 'opmf-features-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const options = { fields: { city: categorical(), age: numeric() }, label: 'y' };

test('plain and gzipped tables give what their text gives, and others get turns', async () => {
  const rows = Array.from({ length: 60_000 }, (_, k) => `${k % 2}\tcity of ${k % 700}\t${k % 90}\n`);
  const text = `y\tcity\tage\n${rows.join('')}`;
  const want = parseFeatureTable(text, options);
  let scheduler = 0;
  const timer = setInterval(() => scheduler++, 1);
  for (const content of [text, gzipSync(text)]) {
    scheduler = 0;
    const table = await readFeatureTable(write('table', content), options);
    expect(scheduler).toBeGreaterThan(2);
    for (const column of ['starts', 'indices', 'values', 'labels'] as const) {
      expect(Buffer.from(table[column]!.buffer).equals(Buffer.from(want[column]!.buffer))).toBe(true);
    }
    expect(JSON.stringify(table.schema)).toBe(JSON.stringify(want.schema));
  }
  clearInterval(timer);
});

test('plain and gzipped libFM files give what their text gives', async () => {
  const text = '1 0:1 3:0.5\n-1 2:1\n';
  expect(await readLibFM(write('a', text))).toEqual(parseLibFM(text));
  expect(await readLibFM(write('b', gzipSync(text)), { features: 9 })).toEqual(parseLibFM(text, { features: 9 }));
});

test('a small file that unpacks to a large one is refused while it is unpacked', async () => {
  const piece = gzipSync(Buffer.alloc(1 << 24, 'a,b\n'));
  // Members of gzip may follow each other.
  const path = write('bomb.gz', Buffer.concat(Array.from({ length: 64 }, () => piece)));
  const wanted = expect.objectContaining({
    name: 'DataError',
    message: expect.stringContaining('maxBytes = 536870888'),
  });
  const columns = { fields: { a: categorical() }, columns: ['a', 'b'] };
  await expect(readLibFM(path)).rejects.toEqual(wanted);
  await expect(readFeatureTable(path, { ...columns, maxBytes: 1e6 })).rejects.toThrow('maxBytes = 1000000');
  await expect(readInteractions(path, { layout: 'wide', maxBytes: 1e6 })).rejects.toThrow('maxBytes = 1000000');
  await expect(readInteractions(path, { maxBytes: 1e6 })).rejects.toThrow('maxBytes = 1000000');
  await expect(readInteractions(path, { maxRows: 1e6, header: false })).rejects.toThrow('maxRows = 1000000');
}, 60_000);

test('faults name the file; damage and absence have their errors', async () => {
  const bad = write('bad.csv', 'city,age,y\nRome,x,1\n');
  await expect(readFeatureTable(bad, options)).rejects.toThrow(`${bad}, line 2, column 'age'`);
  await expect(readFeatureTable(bad, { ...options, file: 'mine' })).rejects.toThrow('mine, line 2');
  await expect(readLibFM(write('bad.libfm', '1 0:1\nx'))).rejects.toThrow('bad.libfm, line 2');
  await expect(readLibFM(join(folder, 'none'))).rejects.toThrow(DataError);
  const packed = gzipSync('1 0:1\n'.repeat(100));
  packed[packed.length - 6]! ^= 1;
  await expect(readLibFM(write('broken', packed))).rejects.toThrow(FormatError);
  await expect(readLibFM(write('empty', ''))).rejects.toThrow(FormatError);
  await expect(readFeatureTable(write('empty', ''), options)).rejects.toThrow(DataError);
});

const dataDir = process.env.OPMF_DATA || join('no', 'folder');
function whereItIs(path: string): jest.It {
  if (existsSync(join(dataDir, path))) return test;
  console.warn(`skipped: '${path}' is not in ${dataDir} (set OPMF_DATA)`);
  return test.skip;
}

whereItIs('frappe-libfm/frappe.test.libfm.gz')('Frappe as libFM: published counts', async () => {
  const table = await readLibFM(join(dataDir, 'frappe-libfm', 'frappe.test.libfm.gz'), { features: 5382 });
  expect([table.size, table.indices.length]).toEqual([28_860, 288_600]);
  expect(table.labels!.filter((label) => label === 1).length).toBe(9536);
});

whereItIs('ctr-criteo-tiny/train.tiny.csv.gz')('Criteo: numbers with empty cells, and categories', async () => {
  const names = (letter: string, count: number) => Array.from({ length: count }, (_, k) => `${letter}${k + 1}`);
  const fields = Object.fromEntries([
    ...names('I', 13).map((name) => [name, numeric()] as const),
    ...names('C', 26).map((name) => [name, categorical({ minCount: 3 })] as const),
  ]);
  const read = (part: string) => join(dataDir, 'ctr-criteo-tiny', `${part}.tiny.csv.gz`);
  const train = await readFeatureTable(read('train'), { fields, label: 'Label' });
  expect([train.size, train.fields.length]).toEqual([1999, 39]);
  expect([...new Set(train.labels)].sort()).toEqual([0, 1]);
  // Each field has one entry a row; a missing number has one more.
  expect(train.indices.length).toBeGreaterThan(1999 * 39);
});
