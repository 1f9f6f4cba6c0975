// Rows that cannot be read, values that mean none, lines that are no rows, and limits: the same for text and bytes, and
// for bytes cut anywhere.

import * as fc from 'fast-check';
import { DataError } from '../../../src/core/errors';
import { runToEnd } from '../../../src/core/scheduler';
import type { Interactions } from '../../../src/data/interactions';
import { ByteTable } from '../../../src/io/text/byte-table';
import { parseInteractions } from '../../../src/io/text/parse-interactions';
import { type ReadOptions, readSettings } from '../../../src/io/text/read-options';
import { processorTime } from '../../support/processor-time';

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Reads bytes in chunks of a size. */
function inChunks(text: string, options: ReadOptions, size: number): Interactions {
  const table = new ByteTable(readSettings('parseInteractions', options));
  const bytes = bytesOf(text);
  for (let at = 0; at < bytes.length; at += size) table.push(bytes.subarray(at, at + size));
  return runToEnd(table.finish());
}

/** What a reading gives, in words. */
function told(read: () => Interactions): unknown {
  try {
    const data = read();
    const { invalid, missing, repeated, faults } = data.leftOut;
    const rows = [...data].map((row) => Object.values(row).join('/'));
    const ids = [...data.users, '|', ...data.items];
    return { rows, ids, invalid, missing, repeated, faults: faults.map(({ message }) => message) };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return error.message;
  }
}

/** The reading of a text, which is that of its bytes, cut in any way. */
function readAlike(text: string, options: ReadOptions = {}): unknown {
  const whole = told(() => parseInteractions(text, options));
  expect(told(() => parseInteractions(bytesOf(text), options))).toEqual(whole);
  for (const size of [1, 7, 64]) expect(told(() => inChunks(text, options, size))).toEqual(whole);
  return whole;
}

const BAD = [
  'user,item,rating,time',
  'ann,tea,4,1',
  'bob,tea,?,2',
  'cy,milk,3',
  ',milk,3,4',
  'dan,tea,5,never',
  'eve,mate,2,6',
  '',
].join('\n');

test('rows that cannot be read are left out, told and counted, and add no ids', () => {
  expect(readAlike(BAD, { invalid: 'skip' })).toEqual({
    rows: ['ann/tea/4/1', 'eve/mate/2/6'],
    ids: ['ann', 'eve', '|', 'tea', 'mate'],
    invalid: 4,
    missing: 0,
    repeated: 0,
    faults: [
      `text, line 3, column 'rating': value is "?"; want a finite number, with a point for decimals; where it means no rating, set missing: '?'`,
      `text, line 4: too few fields: 3 where line 1 has 4, cut at ","; fill in the missing fields, or set separator`,
      `text, line 5, column 'user': the user id is empty; fill it in, or write "" if the empty id is meant`,
      expect.stringContaining(`text, line 6, column 'time': timestamp is "never"`),
    ],
  });
});

test('a function is given every fault, in order', () => {
  const places: unknown[] = [];
  const data = parseInteractions(bytesOf(BAD), { invalid: ({ place }) => places.push([place.line, place.column]) });
  expect(data.size).toBe(2);
  expect(places).toEqual([
    [3, 'rating'],
    [4, undefined],
    [5, 'user'],
    [6, 'time'],
  ]);
});

test('what a function throws ends the reading', () => {
  const stop = () => {
    throw new RangeError('enough');
  };
  expect(() => parseInteractions(BAD, { invalid: stop })).toThrow(new RangeError('enough'));
  expect(() => parseInteractions(bytesOf(BAD), { invalid: stop })).toThrow(new RangeError('enough'));
});

test('a limit holds', () => {
  expect(readAlike(BAD, { invalid: 'skip', limit: 4 })).toMatchObject({ invalid: 4 });
  expect(readAlike(BAD, { invalid: 'skip', limit: 3 })).toMatch(/line 6, column 'time': .*limit = 3/);
  expect(readAlike(BAD, { invalid: 'skip', limit: 0 })).toMatch(/line 3, column 'rating': .*limit = 0/);
});

test('only the first few faults are kept', () => {
  const text = `u,i,r\n${'a,b,x\n'.repeat(1000)}a,b,1\n`;
  const { leftOut } = parseInteractions(text, {
    header: true,
    columns: { user: 'u', item: 'i', value: 'r' },
    invalid: 'skip',
  });
  expect([leftOut.invalid, leftOut.faults.length]).toEqual([1000, 5]);
});

test('a file of which nothing is left is an error that shows the first fault', () => {
  expect(readAlike('a,b,x,1\nc,d,y,1\n', { columns: { user: 0, item: 1, value: 2 }, invalid: 'skip' })).toMatch(
    /no row is left: 2 cannot be read.*line 1.*value is "x"/,
  );
  expect(readAlike('a,b,0\nc,d,0\n', { missing: 0 })).toMatch(/no row is left: 0 cannot be read and 2 have a value/);
});

test.each([
  ['never closes', 'u,i,r\na,"b,1\nc,d,2\n', ['c/d/2']],
  ['is closed on the next line', 'u,i,r\na,"b,1\nc,"d,2\ne,f,3\n', ['e/f/3']],
  ['is closed within a field', 'u,i,r\na,"b"x,1\nc,d,2\n', ['c/d/2']],
  ['is in the last line', 'u,i,r\nc,d,2\na,"b,1', ['c/d/2']],
])('after a quote that %s, reading goes on with the next line', (_, text, rows) => {
  const options = {
    separator: ',',
    header: true,
    columns: { user: 'u', item: 'i', value: 'r' },
    invalid: 'skip',
  } as const;
  expect(readAlike(text, options)).toMatchObject({ rows });
});

test('the first row may be a bad one', () => {
  const numbers = { separator: ',', header: false, invalid: 'skip' } as const;
  expect(readAlike('1,2\n1,2,3\n4,5,6\n', numbers)).toMatchObject({ rows: ['1/2/3', '4/5/6'], invalid: 1 });
  expect(readAlike('1,"2"x,3\n1,2,3\n4,5,6\n', numbers)).toMatchObject({ rows: ['1/2/3', '4/5/6'], invalid: 1 });
  expect(readAlike('user,item,rating\n1,2\n4,5,6\n', { invalid: 'skip' })).toMatchObject({
    rows: ['4/5/6'],
    invalid: 1,
  });
});

test('wide tables leave whole lines out', () => {
  const options = { layout: 'wide', missing: [99, 'NA'], invalid: 'skip' } as const;
  const data = parseInteractions('user,a,b\nann,1,x\nbob,2,99\ncy,NA,3\ndan,1\n', options);
  expect([...data].map(({ userId, itemId, value }) => [userId, itemId, value])).toEqual([
    ['bob', 'a', 2],
    ['cy', 'b', 3],
  ]);
  expect(data.leftOut).toMatchObject({ invalid: 2, faults: [{ place: { line: 2 } }, { place: { line: 5 } }] });
});

test('values that mean none: numbers as numbers, others as text', () => {
  const text = 'user,item,rating\na,x,0\nb,x,-1.0\nc,x,NA\nd,x,\ne,x,3\nf,x,"NA"\n';
  expect(readAlike(text, { missing: [0, -1, 'NA', ''] })).toMatchObject({ rows: ['e/x/3'], missing: 5, invalid: 0 });
  expect(readAlike(text, { missing: ['0', '-1', 'NA'] })).toMatch(/line 5, column 'rating': value is ""/);
  expect(readAlike('1,2,0\n1,3,4\n2,3,-1\n2,2,5\n', { missing: [0, -1] })).toMatchObject({
    rows: ['1/3/4', '2/2/5'],
    ids: ['1', '2', '|', '3', '2'],
    missing: 2,
  });
});

test('comments and first lines are left out, and lines keep their numbers', () => {
  const text = '% a title, with\n"a quote\n#c\nuser\titem\trating\n#1\t1\t1\n7\t8\t9\n\n# end, of it\n7\t9\tx\n';
  const options = { skipLines: 2, comment: '#' };
  expect(readAlike(text, options)).toMatch(/^text, line 9, column 'rating': value is "x"/);
  expect(readAlike(text, { ...options, invalid: 'skip' })).toMatchObject({ rows: ['7/8/9'], invalid: 1 });
  expect(readAlike(text.replaceAll('\n', '\r\n'), { ...options, invalid: 'skip' })).toMatchObject({ rows: ['7/8/9'] });
  expect(readAlike(text.replaceAll('\n', '\r'), { ...options, invalid: 'skip' })).toMatchObject({ rows: ['7/8/9'] });
  expect(
    readAlike('x,1,2,3\n//,1,2,3\ny,4,5,6\n', {
      columns: { user: 1, item: 2, value: 3 },
      header: false,
      comment: '//',
    }),
  ).toMatchObject({
    rows: ['1/2/3', '4/5/6'],
  });
  expect(readAlike('#a\n#b\n', { comment: '#' })).toMatch(/the file is empty/);
  expect(readAlike('1,2,3\n', { skipLines: 5 })).toMatch(/the file is empty/);
});

test('an escape makes a quote or itself an ordinary character', () => {
  const text =
    String.raw`"a \"b\"","c\\",1` +
    '\n' +
    String.raw`"d ""e""","f,\,",2` +
    '\n' +
    String.raw`g\,"h\
i",3` +
    '\n';
  expect(readAlike(text, { escape: '\\', separator: ',', header: false })).toMatchObject({
    ids: ['a "b"', 'd "e"', 'g\\', '|', 'c\\', 'f,,', 'h\ni'],
  });
  expect(readAlike(text, { separator: ',', header: false })).toMatch(/line 1, column 1: text follows a closing quote/);
});

test('faults of the first lines are told where they are, whatever stands in the names', () => {
  const good = (k: number) => `${k},Toy Story,${k % 5}\n`;
  const first = [1, 2].map(good).join('');
  const rest = Array.from({ length: 30 }, (_, k) => good(k + 4)).join('');
  expect(readAlike(`${first}3,"Toy" Story,4\n${rest}`)).toMatch(
    /^text, line 3, column 2: text follows a closing quote/,
  );
  expect(readAlike(`${first}3,"Toy Story,4\n${rest}`)).toMatch(/^text, line 3, column 2: a quote opens/);
  expect(readAlike(`${first}3,Toy, Story,4\n${rest}`)).toMatch(/^text, line 3: too many fields: 4 where line 1 has 3/);
  expect(readAlike(`${first}3,Toy Story\n${rest}`)).toMatch(/^text, line 3: too few fields: 2/);
  expect(readAlike(`${first}3,Toy Story,x\n${rest}`)).toMatch(/^text, line 3, column 3: value is "x"/);
});

test('limits on lines, rows and bytes are errors that name the option', () => {
  const text = `user,item,rating\n1,2,3\n1,${'x'.repeat(50)},3\n4,5,6\n`;
  expect(readAlike(text, { maxLineLength: 40 })).toMatch(/^text, line 3: the line has more than maxLineLength = 40 /);
  expect(readAlike(text, { maxLineLength: 40, invalid: 'skip' })).toMatchObject({
    rows: ['1/2/3', '4/5/6'],
    invalid: 1,
  });
  expect(readAlike(text, { maxLineLength: 56 })).toMatchObject({ invalid: 0 });
  expect(readAlike(text, { maxRows: 2 })).toMatch(/more than maxRows = 2 rows/);
  expect(readAlike(text, { maxRows: 3 })).toMatchObject({ invalid: 0 });
  expect(readAlike(text, { maxBytes: text.length - 1 })).toMatch(/more than maxBytes = /);
  expect(readAlike(text, { maxBytes: text.length })).toMatchObject({ invalid: 0 });
  const tail = `9,9,9,${'y'.repeat(200)}\n`;
  expect(
    readAlike(`1,2,3,z\n${tail}4,5,6,z`, {
      columns: { user: 0, item: 1, value: 2 },
      header: false,
      maxLineLength: 100,
      invalid: 'skip',
    }),
  ).toMatchObject({
    rows: ['1/2/3', '4/5/6'],
  });
});

test('a long line takes time in proportion, and is refused early', () => {
  const table = new ByteTable(readSettings('parseInteractions', {}));
  const chunk = new Uint8Array(1 << 18).fill(97);
  let pushed = 0;
  const start = processorTime();
  for (; pushed < 512 && !table.isDone; pushed++) table.push(chunk);
  expect(pushed).toBeLessThan(70);
  expect(() => runToEnd(table.finish())).toThrow('line 1: the line has more than maxLineLength = 16777216');
  // 128 MB took 18 s.
  const free = new ByteTable(readSettings('parseInteractions', { maxLineLength: Infinity }));
  for (let k = 0; k < 512; k++) free.push(chunk);
  expect(processorTime() - start).toBeLessThan(6000);
});

test('any text of rows, some of them bad, reads alike as text, bytes and chunks', () => {
  const cell = fc.constantFrom(
    '1',
    '2',
    'a',
    '"b"',
    '"c',
    'd"',
    '""',
    '',
    '0',
    '-1',
    '7.5',
    'NA',
    '#',
    '"e\n',
    '\\',
    '"\\""',
  );
  const line = fc.array(cell, { minLength: 1, maxLength: 5 }).map((cells) => cells.join(','));
  const options = fc.record<ReadOptions>(
    {
      invalid: fc.constantFrom('skip' as const, 'error' as const),
      missing: fc.constantFrom([0], ['NA'], [-1, '']),
      comment: fc.constantFrom('#', '"', 'a').filter((text) => text !== '"'),
      escape: fc.constant('\\'),
      skipLines: fc.nat(2),
      limit: fc.nat(3),
      maxLineLength: fc.integer({ min: 3, max: 12 }),
      ids: fc.constantFrom('string' as const, 'number' as const),
      duplicates: fc.constantFrom('keep' as const, 'error' as const),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), options, fc.constantFrom('\n', '\r\n'), (lines, given, end) => {
      const text = lines.join(end);
      const all = { separator: ',', header: false, ...given };
      // An open quote in too long a line may be told as either, by how much of it has come.
      const plainly = (read: () => Interactions) => {
        const result = told(read);
        if (given.maxLineLength === undefined) return result;
        return typeof result === 'string' ? 'a fault' : { ...(result as object), faults: [] };
      };
      const whole = plainly(() => parseInteractions(text, all));
      expect(plainly(() => parseInteractions(bytesOf(text), all))).toEqual(whole);
      for (const size of [1, 5]) expect(plainly(() => inChunks(text, all, size))).toEqual(whole);
    }),
    { numRuns: 2000 },
  );
});
