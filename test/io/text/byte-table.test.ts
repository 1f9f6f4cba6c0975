// The reader of bytes against the reader of text, which is the definition: the same ratings or the same error, for texts
// of all kinds, in chunks of all sizes.

import fc from 'fast-check';
import { DataError } from '../../../src/core/errors';
import { runToEnd } from '../../../src/core/scheduler';
import type { Interactions } from '../../../src/data/interactions';
import { Vocabulary } from '../../../src/data/vocabulary';
import { ByteIds } from '../../../src/io/text/byte-ids';
import { decimalAt, timestampAt } from '../../../src/io/text/byte-rows';
import { ByteTable } from '../../../src/io/text/byte-table';
import { parseTimestamp, SeenTimes } from '../../../src/io/text/cells';
import { Survey } from '../../../src/io/text/decode';
import { parseInteractions } from '../../../src/io/text/parse-interactions';
import { type ReadOptions, readSettings } from '../../../src/io/text/read-options';

const encode = (text: string) => new TextEncoder().encode(text);

/** All that a caller can see of a result or an error. */
function outcome(read: () => Interactions) {
  try {
    const data = read();
    const { userIndex, itemIndex, values, timestamps, weights } = data;
    const columns = [userIndex, itemIndex, values, timestamps, weights].map((column) => column && [...column]);
    const owned = columns.map(
      (column, k) => column && [userIndex, itemIndex, values, timestamps, weights][k]?.buffer.byteLength,
    );
    return { columns, owned, users: [...data.users], items: [...data.items] };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return { name: error.name, message: error.message, place: error.place };
  }
}

function inChunks(bytes: Uint8Array, sizes: readonly number[], options: ReadOptions, lines = 0): Interactions {
  const table = new ByteTable(readSettings('test', options), { lines, isAscii: false });
  for (let at = 0, k = 0; at < bytes.length; k++) {
    const size = sizes[k % sizes.length]!;
    table.push(bytes.slice(at, at + size));
    at += size;
  }
  return runToEnd(table.finish());
}

const id = fc.oneof(
  { weight: 12, arbitrary: fc.nat(12).map(String) },
  {
    weight: 3,
    arbitrary: fc.constantFrom('ann', 'bob', 'A3SGXH7AUHU8GW', '123456789', '2147483648', '1048575', '1048576'),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '007',
      ' 7',
      '7 ',
      '"7"',
      '"a""b"',
      '"a\nb"',
      '"a\r\nb\rc"',
      '"a,b"',
      'é',
      '\ufeff',
      '-0',
      '1.0',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', '""', '"', '"a"b', 'a"b', '9007199254740993', 'x'.repeat(60), '1:2', '\0'),
  },
);
const number = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 0, max: 20 }).map((half) => String(half / 2)) },
  { weight: 4, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }).map(String) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '5.',
      '.5',
      '+3',
      '-0',
      '"4"',
      ' 4 ',
      '1e3',
      '0004',
      '123456789012',
      '0.12345678901234567890',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      '.',
      '-',
      '1.2.3',
      'x',
      'NaN',
      '1e39',
      '3,5',
      '12345678901234567890',
      '4 4',
      '1e-400',
    ),
  },
);
const time = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 0, max: 2 ** 31 }).map(String) },
  { weight: 3, arbitrary: fc.constantFrom('1112486027123', '2013-11-28', '2013-11-28 10:00:00', '-5', '12.5') },
  { weight: 1, arbitrary: fc.constantFrom('2013-02-30', '', 'soon', '2013-11-28 10:00:00\u00a0Z') },
);
const row = fc.oneof(
  { weight: 30, arbitrary: fc.tuple(id, id, number, time) },
  { weight: 1, arbitrary: fc.array(id, { maxLength: 6 }) },
);
const lineEnd = fc.oneof(
  { weight: 12, arbitrary: fc.constant('\n') },
  { weight: 2, arbitrary: fc.constant('\r\n') },
  { weight: 1, arbitrary: fc.constantFrom('\r', '\n\n', '\n \t\n', ',\n') },
);
const options: fc.Arbitrary<ReadOptions> = fc.record(
  {
    ids: fc.constantFrom('string' as const, 'string' as const, 'number' as const),
    duplicates: fc.constantFrom('last' as const, 'sum' as const, 'keep' as const, 'error' as const),
    dateFormat: fc.constantFrom('auto' as const, 'seconds' as const, 'milliseconds' as const, 'iso' as const),
    quotes: fc.boolean(),
    header: fc.boolean(),
    columns: fc.constantFrom(
      {},
      { weight: 3 },
      { user: 1, item: 0, value: 2 },
      { value: false as const },
      { user: 0, item: 0, value: 2 },
    ),
    file: fc.constant('f.csv'),
  },
  { requiredKeys: [] },
);

const table = fc
  .record({
    separator: fc.constantFrom(',', '\t', '::', ';', '|', ' ', ', ', '--', '.', '5'),
    width: fc.constantFrom(2, 3, 4),
    rows: fc.array(fc.tuple(row, lineEnd), { minLength: 1, maxLength: 25 }),
    header: fc.constantFrom('', '', 'user,item,rating,timestamp', '"user","item","rating","timestamp"', 'a,b,c,d'),
    mark: fc.constantFrom('', '', '', '\ufeff'),
    isEnded: fc.boolean(),
  })
  .map(({ separator, width, rows, header, mark, isEnded }) => {
    const cut = (cells: readonly string[]) =>
      cells.slice(0, Math.max(width, cells.length === 4 ? 0 : 9)).join(separator);
    const head = header === '' ? '' : `${cut(header.split(','))}\n`;
    const body = rows.map(([cells, end]) => cut(cells) + end).join('');
    return { separator, text: mark + head + (isEnded ? body : body.replace(/[\r\n]+$/, '')) };
  });

test('bytes and text give the same, in any chunks', () => {
  let read = 0;
  const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(table, options, fc.boolean(), sizes, ({ separator, text }, given, isTold, chunks) => {
      const all = isTold ? { ...given, separator } : given;
      const { columns, ...rest } = all;
      const settings = rest.header === false || columns === undefined ? all : { ...rest, columns };
      const expected = outcome(() => parseInteractions(text, settings));
      if ('columns' in expected) read++;
      const bytes = encode(text);
      expect(outcome(() => parseInteractions(bytes, settings))).toEqual(expected);
      expect(outcome(() => inChunks(bytes, chunks, settings))).toEqual(expected);
      expect(outcome(() => inChunks(bytes, chunks, settings, 3))).toEqual(expected);
    }),
    { numRuns: 800 },
  );
  // A test that only compared errors would show little.
  expect(read).toBeGreaterThan(80);
});

test('of two faults in a line the first is told', () => {
  for (const text of [',ann\n0,0\n', '1,2,3\n,ann,x\n', '1,2,3\nx,,y\n', '1,2,3\n1,2,x,\n']) {
    const expected = outcome(() => parseInteractions(text, { ids: 'number' }));
    expect(expected).toHaveProperty('message');
    expect(outcome(() => parseInteractions(encode(text), { ids: 'number' }))).toEqual(expected);
  }
});

test('bytes of another encoding are an error wherever they are, before any fault in a line', () => {
  const lines = '1,2,3\n1,x,4\n'.repeat(5);
  for (const [text, at] of [
    [lines, 3],
    [lines, 50],
    ['1,2,3\n1,2,bad\n1,2,3\n', 18],
  ] as const) {
    const bytes = encode(text);
    bytes[at] = 0xe9;
    const read = () => inChunks(bytes, [7], { file: 'f' });
    expect(read).toThrow("f: the bytes are not utf-8; set encoding: 'latin1'");
  }
  // A character may be cut by the chunks.
  const data = inChunks(encode('é,ü,3\n漢字,ü,4'), [1], {});
  expect([...data.users, ...data.items]).toEqual(['é', '漢字', 'ü']);
});

test('latin-1: cells beyond ASCII, quotes and line ends in them', () => {
  const text = 'é,"ü\nü",3\n"x""é",y,4\n';
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  expect(outcome(() => inChunks(bytes, [5], { encoding: 'latin1' }))).toEqual(outcome(() => parseInteractions(text)));
});

test('users and items of one vocabulary are numbered in turn, after the ids that it has', () => {
  const ids = () => Vocabulary.from(['c']);
  const text = 'a,b,1\nb,c,1\nd,a,1\n';
  const [one, two] = [ids(), ids()];
  const read = inChunks(encode(text), [4], { users: one, items: one });
  expect(read.users).toBe(one);
  expect([...one]).toEqual(['c', 'a', 'b', 'd']);
  expect(outcome(() => read)).toEqual(outcome(() => parseInteractions(text, { users: two, items: two })));
});

test('a fault leaves vocabularies as they were', () => {
  const users = Vocabulary.from(['ann']);
  expect(() => inChunks(encode('bob,tea,1\nbob,tea,x\n'), [4], { users })).toThrow(DataError);
  expect([...users]).toEqual(['ann']);
});

test('a record longer than many chunks', () => {
  const text = `a,"${'line\n'.repeat(3000)}",1\nb,tea,2\n`;
  expect(outcome(() => inChunks(encode(text), [100], { separator: ',' }))).toEqual(
    outcome(() => parseInteractions(text)),
  );
  const open = `a,b,1\nb,"${'line\n'.repeat(3000)}`;
  expect(() => inChunks(encode(open), [100], { separator: ',' })).toThrow(
    'line 2, column 2: a quote opens and never closes',
  );
});

test('ids by bytes', () => {
  const known = new ByteIds();
  const numbers = new Map<string, number>();
  const check = (text: string) => {
    const bytes = encode(`<${text}>`);
    const end = bytes.length - 1;
    const number = known.find(bytes, 1, end);
    expect(number).toBe(numbers.get(text) ?? -1);
    if (number >= 0) return;
    numbers.set(text, numbers.size);
    known.add(bytes, 1, end, numbers.size - 1);
  };
  fc.assert(
    fc.property(
      fc.oneof(
        fc.nat(3000).map(String),
        fc.string({ maxLength: 20 }),
        fc.string({ unit: fc.constantFrom('a', '\0'), maxLength: 12 }),
      ),
      check,
    ),
    { numRuns: 4000 },
  );
  for (let k = 0; k < 3000; k++) check(String(k * 997));
});

test('numbers and times by bytes are those by text, to the bit', () => {
  fc.assert(
    fc.property(fc.oneof(number, time, fc.stringMatching(/^[+-]?\d{0,17}\.?\d{0,17}$/)), (text) => {
      const bytes = encode(`<${text}>`);
      expect(decimalAt(bytes, 1, bytes.length - 1)).toBe(
        /^[+-]?(\d+\.?\d*|\.\d+)(e-?\d+)?$/.test(text) ? Number(text) : Number.NaN,
      );
      if (text.includes('\u00a0')) return;
      for (const format of ['auto', 'seconds', 'milliseconds', 'nanoseconds', 'iso'] as const) {
        const [ofBytes, ofText] = [new SeenTimes(), new SeenTimes()];
        const wanted = parseTimestamp(text, 0, text.length, format, ofText);
        expect(timestampAt(bytes, 1, bytes.length - 1, format, ofBytes)).toBe(wanted);
        expect(ofBytes).toEqual(ofText);
      }
    }),
    { numRuns: 2000 },
  );
});

test('a survey counts lines and knows ASCII, from any address and in any chunks', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '\n', '\u010a', '\x8a', '\x0b'), maxLength: 40 });
  fc.assert(
    fc.property(text, fc.nat(5), fc.integer({ min: 1, max: 20 }), (text, start, size) => {
      const bytes = encode(text).subarray(Math.min(start, text.length));
      const survey = new Survey();
      for (let at = 0; at < bytes.length; at += size) survey.add(bytes.subarray(at, at + size));
      const feeds = bytes.filter((byte) => byte === 10).length;
      expect(survey.lines).toBe(feeds + (bytes.length > 0 && bytes.at(-1) !== 10 ? 1 : 0));
      expect(survey.isAscii).toBe(bytes.every((byte) => byte < 0x80));
    }),
  );
  const survey = new Survey();
  survey.add(new Uint8Array(5000).fill(10));
  expect(survey.lines).toBe(5000);
  expect(survey.isAscii).toBe(true);
  survey.add(new Uint8Array(5000).fill(0x8a));
  expect(survey.lines).toBe(5001);
  expect(survey.isAscii).toBe(false);
});

test('a table of many pages, of any length: columns are whole, and nothing else is held', () => {
  // Pages are of 1024 rows, then of twice as many, up to 65536.
  for (const rows of [1023, 1024, 1025, 2048, 3072, 130_048, 200_000]) {
    const text = Array.from({ length: rows }, (_, row) => `${row % 1009},${row >> 2},${row % 7},${row}`).join('\n');
    const data = inChunks(encode(text), [40_000], { duplicates: 'error' });
    expect(data.size).toBe(rows);
    const { userIndex, itemIndex, values, timestamps } = data;
    for (let row = 0; row < rows; row++) {
      const isRight =
        data.users.idOf(userIndex[row]!) === String(row % 1009) &&
        data.items.idOf(itemIndex[row]!) === String(row >> 2) &&
        values[row] === row % 7 &&
        timestamps![row] === row;
      if (!isRight) throw new Error(`row ${row} of ${rows}`);
    }
    expect(userIndex.buffer.byteLength).toBe(4 * rows);
    expect(timestamps!.buffer.byteLength).toBe(8 * rows);
  }
});

test('of two faults on pages that are kept, the repeat is told with its lines', () => {
  const text = `${Array.from({ length: 5000 }, (_, row) => `${row},1,2`).join('\n')}\n7,1,3\n8,1,x\n`;
  expect(() => inChunks(encode(text), [999], { duplicates: 'error' })).toThrow(
    'line 5001: user "7" and item "1" have a rating on line 8 already',
  );
});
