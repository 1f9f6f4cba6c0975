// NDJSON and Parquet: the ratings of a text of the same rows, by the same options, with faults that name the line or row.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { Vocabulary } from '../../src';
import { parseInteractions } from '../../src/io/text/parse-interactions';
import type { ReadOptions } from '../../src/io/text/read-options';
import { readInteractions } from '../../src/node/read-files';
import { opmf } from './cli/opmf';

const folder = mkdtempSync(join(tmpdir(), 'opmf-typed-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

type Row = Readonly<Record<string, unknown>>;
type Column = Omit<ColumnSource, 'data'>;

const ndjson = (rows: readonly Row[]) => `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`;

function parquet(rows: readonly Row[], columns: readonly Column[], options: object = {}): Uint8Array {
  const columnData = columns.map((column) => ({ ...column, data: rows.map((row) => row[column.name] ?? null) }));
  return new Uint8Array(parquetWriteBuffer({ columnData, ...options }));
}

const COLUMNS: readonly Column[] = [
  { name: 'user', type: 'STRING' },
  { name: 'item', type: 'STRING' },
  { name: 'rating', type: 'DOUBLE' },
  { name: 'timestamp', type: 'DOUBLE' },
];
const ROWS: readonly Row[] = [
  { user: 'ann', item: 'Léon', rating: 5, timestamp: 1.1e9 },
  { user: 'bob', item: 'a, "b"', rating: 3.5, timestamp: 1.2e9 },
  { user: 'ann', item: 'Léon', rating: 4, timestamp: 1.3e9 },
];

/** What a set holds, to compare. */
const content = (data: Awaited<ReturnType<typeof readInteractions>>) => ({
  rows: [...data],
  users: [...data.users],
  items: [...data.items],
  leftOut: { ...data.leftOut, faults: data.leftOut.faults.length },
});

describe('against the text of the same rows', () => {
  const cell = fc.constantFrom('ann', 'bob', 'Léon', 'a,b', '7', '007', '__proto__', 'constructor', '');
  const value = fc.oneof(
    fc.integer({ min: -3, max: 5 }),
    // Text of this test says 0 of -0.
    fc.float({ noNaN: true, noDefaultInfinity: true, min: -10, max: 10 }).map((number) => number + 0),
    fc.constant(null),
  );
  const rows = fc.array(
    fc.record({ user: cell, item: cell, rating: value, timestamp: fc.integer({ min: 0, max: 2e9 }) }),
    { minLength: 1, maxLength: 12 },
  );
  const options = fc.record<ReadOptions>({
    duplicates: fc.constantFrom('last', 'first', 'sum', 'keep', 'error'),
    invalid: fc.constantFrom('error', 'skip'),
    missing: fc.constantFrom([], [0], ['', 0], ['', -1]),
    ids: fc.constantFrom('string', 'string', 'number'),
    limit: fc.constantFrom(Infinity, 1),
  });
  const csv = (all: readonly Row[]) => {
    const quoted = (x: unknown) => `"${x}"`;
    const lines = all.map((row) => [quoted(row.user), quoted(row.item), row.rating ?? '', row.timestamp].join(','));
    return ['user,item,rating,timestamp', ...lines].join('\n');
  };
  /** The same, whatever the unit in which the place is counted, and with the header's line added. */
  const outcome = async (read: () => Promise<Awaited<ReturnType<typeof readInteractions>>>, shift = 0) => {
    try {
      return content(await read());
    } catch (error) {
      const { name, place } = error as { name: string; place?: { line?: number; row?: number; column?: unknown } };
      const line = place?.line ?? place?.row;
      return { name, line: line === undefined ? undefined : line - shift };
    }
  };

  test.each(['ndjson', 'parquet'] as const)('%s', async (format) => {
    await fc.assert(
      fc.asyncProperty(rows, options, async (all, given) => {
        // The sample of a text decides whether a column of times holds values, and so on: columns are given.
        const asked = { ...given, columns: { user: 'user', item: 'item', value: 'rating', timestamp: 'timestamp' } };
        const expected = await outcome(async () => parseInteractions(csv(all), { ...asked, header: true }), 1);
        const path =
          format === 'ndjson'
            ? write('same.ndjson', ndjson(all))
            : write('same.parquet', parquet(all, COLUMNS, { rowGroupSize: 5, pageSize: 16 }));
        expect(await outcome(() => readInteractions(path, asked))).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });
});

describe('NDJSON', () => {
  test('by content and by name, plain, gzipped, and as a stream cut anywhere', async () => {
    const text = `\ufeff\n${ndjson(ROWS).replaceAll('\n', '\r\n')}\n  \n`;
    const bytes = Buffer.from(text);
    const expected = content(
      parseInteractions(
        'user,item,rating,timestamp\nann,Léon,5,1100000000\nbob,"a, ""b""",3.5,1200000000\nann,Léon,4,1300000000',
      ),
    );
    for (const name of ['a', 'a.csv', 'a.jsonl', 'a.ndjson'])
      expect(content(await readInteractions(write(name, text)))).toEqual(expected);
    expect(content(await readInteractions(write('a.jsonl.gz', gzipSync(text))))).toEqual(expected);
    for (const size of [1, 2, 3, 7, 50, 1000]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, k) =>
        bytes.subarray(k * size, (k + 1) * size),
      );
      expect(content(await readInteractions(Readable.from(pieces)))).toEqual(expected);
    }
    expect(content(await readInteractions(Readable.from([text.slice(0, 20), text.slice(20)])))).toEqual(expected);
  });

  test('ids keep all their digits, or are refused; -0 is 0', async () => {
    const text =
      '{"user_id":9007199254740991,"item_id":-0,"rating":"4,5"}\n{"user_id":"9007199254740993","item_id":1e3,"rating":2}\n';
    const path = write('ids.ndjson', text);
    const data = await readInteractions(path, { decimal: ',' });
    expect([...data.users, ...data.items, ...data.values]).toEqual([
      '9007199254740991',
      '9007199254740993',
      '0',
      '1000',
      4.5,
      2,
    ]);
    await expect(readInteractions(path, { ids: 'number', decimal: ',' })).rejects.toThrow(
      /line 2, column 'user_id': user id is "9007199254740993"/,
    );
    const rounded = write('rounded.ndjson', '{"user":9007199254740993,"item":1}');
    await expect(readInteractions(rounded)).rejects.toThrow(
      /line 1, column 'user': user id is 9007199254740992; want .*or a string of all its digits/,
    );
  });

  test('columns by name, lines that are skipped, weights, shared vocabularies', async () => {
    const path = write(
      'log.ndjson',
      '# a log\n{"who":1,"what":2,"w":0.5,"at":"2020-01-01T00:00:00Z"}\n# more\n{"who":3,"what":2,"w":0,"at":"2020-01-02"}\n',
    );
    const [users, items] = [Vocabulary.from(['3']), new Vocabulary()];
    const columns = { user: 'who', item: 'what', value: false, weight: 'w', timestamp: 'at' } as const;
    const data = await readInteractions(path, { columns, comment: '#', users, items });
    expect([...data]).toEqual([{ userId: '1', itemId: '2', value: 1, weight: 0.5, timestamp: 1577836800 }]);
    expect([[...users], data.leftOut.absent]).toEqual([['3', '1'], 1]);
    expect((await readInteractions(path, { columns, skipLines: 3 })).leftOut.absent).toBe(1);
  });

  test.each<[string, string, ReadOptions, RegExp]>([
    [
      'no JSON',
      '{"user":1,"item":2}\n{"user":1,\n',
      {},
      /line 2: "\{\\"user\\":1," is no JSON object; want one object a line/,
    ],
    ['an array', '{"user":1,"item":2}\n\n[1,2]\n', {}, /line 3: "\[1,2\]" is no JSON object/],
    [
      'a value that is none',
      '{"user":1,"item":2,"rating":true}',
      {},
      /line 1, column 'rating': value is true; want a finite number/,
    ],
    [
      'a value that is none, where none is missing',
      '{"user":1,"item":2,"rating":{}}',
      { missing: '' },
      /rating': value is an object with no keys/,
    ],
    [
      'an absent value',
      '{"user":1,"item":2,"rating":3}\n{"user":1,"item":3}',
      {},
      /line 2, column 'rating': value is absent; want .* set missing: ''/,
    ],
    [
      'a nested id',
      '{"user":{"id":1},"item":2}',
      {},
      /column 'user': user id is an object with id; want a string or a number/,
    ],
    [
      'no known name',
      '{"a":1,"b":2,"c":3}',
      {},
      /no name is known; the columns are 'a', 'b', 'c'; set columns, such as \{ user: 'a', item: 'b', value: 'c' \}$/,
    ],
    ['one name', '{"user":1}', {}, /cannot tell which column holds the item; the columns are 'user'; set columns.item/],
    ['a column that is not there', '{"user":1,"item":2}', { columns: { user: 'uzer' } }, /no column is named "uzer"/],
    ['another encoding', '{"user":"L\xe9","item":2}', {}, /not utf-8, as JSON is/],
    ['nothing', '\n\n', {}, /the file is empty/],
    [
      'a long line',
      `{"user":1,"item":2}\n{"user":1,"item":"${'x'.repeat(100)}"}`,
      { maxLineLength: 50 },
      /line 2: the line has more than maxLineLength = 50/,
    ],
    ['too many bytes', ndjson(ROWS), { maxBytes: 20 }, /more than maxBytes = 20/],
    ['too many rows', ndjson(ROWS), { maxRows: 2 }, /more than maxRows = 2/],
    [
      'a duplicate',
      ndjson(ROWS),
      { duplicates: 'error' },
      /line 3: user "ann" and item "Léon" have a rating on line 1 already/,
    ],
    ['a separator', ndjson(ROWS), { separator: ',' }, /separator is ",", but .* is NDJSON, which has no use for it/],
    ['a number of a column', ndjson(ROWS), { columns: { user: 0 } }, /columns.user is 0, but .* want a name/],
    [
      'a time that is none',
      '{"user":1,"item":2,"time":"soon"}',
      { columns: { value: false } },
      /column 'time': timestamp is "soon"; want seconds since 1970 or an ISO date/,
    ],
    [
      'dates as numbers',
      '{"user":1,"item":2,"time":20200101}',
      { columns: { value: false } },
      /20200101 are dates or seconds; set dateFormat/,
    ],
  ])('%s is an error with its line', async (_, text, options, message) => {
    const path = write('bad.ndjson', Buffer.from(text, text.includes('L\xe9"') ? 'latin1' : 'utf8'));
    await expect(readInteractions(path, options)).rejects.toThrow(message);
  });

  test('invalid lines are left out and told, up to a limit, a line longer than memory should hold too', async () => {
    const long = `{"user":"${'x'.repeat(700_000)}","item":1}`;
    const text = `oops\n{"user":1,"item":2}\n${long}\n{"user":2}\n{"user":3,"item":2}\n`;
    const path = write('some.ndjson', text);
    const options: ReadOptions = { invalid: 'skip', maxLineLength: 1000 };
    const { size, leftOut } = await readInteractions(path, options);
    expect([size, leftOut.invalid, leftOut.faults.map(({ place }) => place.line)]).toEqual([2, 3, [1, 3, 4]]);
    await expect(readInteractions(path, { ...options, limit: 2 })).rejects.toThrow(/more than limit = 2 rows/);
    await expect(readInteractions(path)).rejects.toThrow(/line 1: "oops" is no JSON object/);
    const none = write('none.ndjson', 'x\ny\n');
    await expect(readInteractions(none, options)).rejects.toThrow(/line 1: "x" is no JSON object/);
  });
});

describe('Parquet', () => {
  test('by content and by name, plain, gzipped, and as a stream', async () => {
    const bytes = parquet(ROWS, COLUMNS, { rowGroupSize: 2 });
    const expected = content(await readInteractions(write('e.ndjson', ndjson(ROWS))));
    for (const name of ['p', 'p.csv', 'p.parquet'])
      expect(content(await readInteractions(write(name, bytes)))).toEqual(expected);
    expect(content(await readInteractions(write('p.parquet.gz', gzipSync(bytes))))).toEqual(expected);
    const stream = Readable.from([bytes.subarray(0, 3), bytes.subarray(3)]);
    expect(content(await readInteractions(stream))).toEqual(expected);
  });

  test('types: 64-bit ids, times in their own units, columns by number, codecs', async () => {
    const rows = [
      {
        session: [1],
        user_id: 9007199254740993n,
        item_id: 3,
        rating: 4.5,
        at: new Date('2020-01-01T00:00:00.5Z'),
        w: 2,
      },
      { session: [2], user_id: -1n, item_id: 7, rating: 1, at: new Date('1970-01-01T00:00:01Z'), w: 1 },
    ];
    const columns: readonly Column[] = [
      { name: 'user_id', type: 'INT64' },
      { name: 'item_id', type: 'INT32' },
      { name: 'rating', type: 'FLOAT' },
      { name: 'at', type: 'TIMESTAMP' },
      { name: 'w', type: 'FLOAT' },
    ];
    const expected = [
      { userId: '9007199254740993', itemId: '3', value: 4.5, weight: 2, timestamp: 1577836800.5 },
      { userId: '-1', itemId: '7', value: 1, weight: 1, timestamp: 1 },
    ];
    const asked: ReadOptions = { columns: { user: 0, timestamp: 'at', weight: 'w' } };
    const codecs = [
      ['UNCOMPRESSED', undefined],
      ['SNAPPY', undefined],
      ['GZIP', (bytes: Uint8Array) => gzipSync(bytes)],
      ['BROTLI', (bytes: Uint8Array) => brotliCompressSync(bytes)],
    ] as const;
    for (const [codec, pack] of codecs) {
      const path = write('t.parquet', parquet(rows, columns, { codec, compressors: pack && { [codec]: pack } }));
      expect([...(await readInteractions(path, asked))]).toEqual(expected);
    }
    const lz4 = write(
      't.parquet',
      parquet(rows, columns, { codec: 'LZ4', compressors: { LZ4: (bytes: Uint8Array) => bytes } }),
    );
    await expect(readInteractions(lz4, asked)).rejects.toThrow(/compressed by LZ4.*npm install hyparquet-compressors/);
  });

  test.each<[string, () => Uint8Array | string, ReadOptions, RegExp]>([
    ['no Parquet', () => ndjson(ROWS), {}, /is no Parquet file: it does not begin with PAR1/],
    ['a file that is cut', () => parquet(ROWS, COLUMNS).subarray(0, -20), {}, /damaged Parquet data/],
    ['an encrypted one', () => 'PARE00000000PARE', {}, /encrypted Parquet/],
    ['no rows', () => parquet([], COLUMNS), {}, /there are no rows/],
    [
      'a value that is absent',
      () => parquet([ROWS[0]!, { user: 'bob', item: 'tea', timestamp: 1 }], COLUMNS, { rowGroupSize: 1 }),
      {},
      /bad.parquet, row 2, column 'rating': value is absent/,
    ],
    [
      'a duplicate',
      () => parquet(ROWS, COLUMNS),
      { duplicates: 'error' },
      /row 3: user "ann" and item "Léon" have a rating on row 1 already/,
    ],
    [
      'no known name',
      () =>
        parquet(
          [{ a: 1, b: 2 }],
          [
            { name: 'a', type: 'INT32' },
            { name: 'b', type: 'INT32' },
          ],
        ),
      {},
      /bad.parquet: cannot tell which column holds the user.*'a', 'b'/,
    ],
    ['lines', () => parquet(ROWS, COLUMNS), { skipLines: 1 }, /skipLines is 1, but .* is Parquet/],
    ['too many bytes', () => parquet(ROWS, COLUMNS), { maxBytes: 20 }, /bytes of columns are more than maxBytes = 20/],
    ['too many rows', () => parquet(ROWS, COLUMNS), { maxRows: 2 }, /more than maxRows = 2/],
    [
      'dates as numbers',
      () =>
        parquet(
          [{ user: 1, item: 2, time: 20200101 }],
          [
            { name: 'user', type: 'INT32' },
            { name: 'item', type: 'INT32' },
            { name: 'time', type: 'INT32' },
          ],
        ),
      { columns: { value: false } },
      /20200101 are dates or seconds/,
    ],
  ])('%s is an error with its row', async (_, make, options, message) => {
    await expect(readInteractions(write('bad.parquet', make()), options)).rejects.toThrow(message);
  });

  test('the place of a fault is a row', async () => {
    const path = write('place.parquet', parquet([{ user: 'a', item: 'b', rating: null, timestamp: 1 }], COLUMNS));
    await expect(readInteractions(path)).rejects.toMatchObject({
      name: 'DataError',
      place: { file: path, row: 1, column: 'rating' },
    });
  });

  test('a folder of files is one set, in the order of their names', async () => {
    const parts = join(folder, 'parts');
    mkdirSync(parts);
    const put = (name: string, bytes: Uint8Array | string) => writeFileSync(join(parts, name), bytes);
    put('part-00001.snappy.parquet', parquet(ROWS.slice(2), COLUMNS));
    put('part-00000.snappy.parquet', parquet(ROWS.slice(0, 2), COLUMNS));
    put('part-00002.snappy.parquet', parquet([], COLUMNS));
    put('_SUCCESS', '');
    put('.part-00000.snappy.parquet.crc', 'crc');
    const expected = content(await readInteractions(write('whole.parquet', parquet(ROWS, COLUMNS))));
    expect(content(await readInteractions(parts))).toEqual(expected);
    await expect(readInteractions(parts, { duplicates: 'error' })).rejects.toThrow(
      /parts, row 3: user "ann" .* on row 1 already/,
    );
    await expect(readInteractions(parts, { skipLines: 1 })).rejects.toThrow(/is Parquet/);
    const { code, out } = await opmf('train', parts, '--out', join(folder, 'model'), '--set', 'epochs=1', '--json');
    expect([code, JSON.parse(out).dataset]).toEqual([0, parts]);
    put('part-00003.parquet', parquet([{ user: 'a' }], [{ name: 'user', type: 'STRING' }]));
    await expect(readInteractions(parts)).rejects.toThrow(/part-00003.parquet has no column 'item'/);
    mkdirSync(join(parts, '_temporary'));
    await expect(readInteractions(parts)).rejects.toThrow(/was not written to its end/);
  });

  test('without the package: an error that says how to install it', async () => {
    const path = write('peer.parquet', parquet(ROWS, COLUMNS));
    jest.resetModules();
    jest.doMock('hyparquet', () => {
      throw Object.assign(new Error("Cannot find package 'hyparquet'"), { code: 'ERR_MODULE_NOT_FOUND' });
    });
    const { readInteractions: read } =
      require('../../src/node/read-files') as typeof import('../../src/node/read-files');
    await expect(read(path)).rejects.toMatchObject({
      name: 'UnsupportedError',
      message: 'reading Parquet needs the package hyparquet, which is not installed: npm install hyparquet',
    });
    jest.dontMock('hyparquet');
  });

  test('many row groups: others get turns', async () => {
    const rows = Array.from({ length: 60_000 }, (_, k) => ({
      user: `${k % 500}`,
      item: `${k % 311}`,
      rating: k % 5,
      timestamp: k,
    }));
    const path = write('many.parquet', parquet(rows, COLUMNS, { rowGroupSize: 5000, pageSize: 1000 }));
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const data = await readInteractions(path, { duplicates: 'keep' });
    clearInterval(timer);
    expect(data.size).toBe(60_000);
    expect(turns).toBeGreaterThan(2);
    expect([...data.values.subarray(59_995)]).toEqual([0, 1, 2, 3, 4]);
  });
});

test('the command line takes both, by content and from standard input', async () => {
  const rows = Array.from({ length: 30 }, (_, k) => ({
    user: `${k % 5}`,
    item: `${k % 7}`,
    rating: (k % 5) + 1,
    timestamp: k,
  }));
  for (const path of [write('cli.ndjson', ndjson(rows)), write('cli', parquet(rows, COLUMNS))]) {
    const { code, out } = await opmf('train', path, '--out', join(folder, 'model'), '--set', 'epochs=1', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out).dataset).toBe(path);
  }
  const wrong = await opmf('train', join(folder, 'cli.ndjson'), '--out', join(folder, 'model'), '--separator', 'tab');
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('NDJSON')]);
});
