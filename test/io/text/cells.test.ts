// The parsers of single cells, and the cutting of text into them, against plain definitions.

import fc from 'fast-check';
import { parseDecimal, parseTimestamp } from '../../../src/io/text/cells';
import { Faults } from '../../../src/io/text/fault';
import { RecordReader } from '../../../src/io/text/record-reader';

const decimal = (text: string) => parseDecimal(`<${text}>`, 1, 1 + text.length);

describe('parseDecimal', () => {
  test('reads what Number reads, to the bit, for any finite double', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) =>
        expect(decimal(String(x))).toBe(Number(String(x))),
      ),
      { numRuns: 500 },
    );
  });

  test('reads what Number reads for short decimals, the fast path', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[+-]?(\d{1,8}\.?\d{0,8}|\.\d{1,8})$/), (text) =>
        expect(decimal(text)).toBe(Number(text)),
      ),
      { numRuns: 500 },
    );
  });

  test.each([
    '',
    '.',
    '-',
    '+',
    '--1',
    '1-',
    '1.2.3',
    '0x10',
    'NaN',
    'Infinity',
    '1e999',
    '1e',
    '1,5',
    ' 1',
    '1 ',
    '1_000',
    '½',
  ])('%j is no number', (text) => expect(decimal(text)).toBeNaN());
});

describe('parseTimestamp', () => {
  const iso = (text: string) => parseTimestamp(text, 0, text.length, 'iso');

  test('a day, and a time of it in UTC, agree with Date', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date('2099-12-31T23:59:59.999Z'), noInvalidDate: true }),
        (date) => {
          const text = date.toISOString();
          expect(iso(text)).toBeCloseTo(date.getTime() / 1000, 3);
          expect(iso(text.slice(0, 10))).toBe(Date.parse(text.slice(0, 10)) / 1000);
          // Without a zone it is UTC too, whatever the machine's zone.
          expect(iso(text.slice(0, 19).replace('T', ' '))).toBe(Math.floor(date.getTime() / 1000));
        },
      ),
    );
  });

  test('offsets', () => {
    expect(iso('1970-01-01T02:00+02:00')).toBe(0);
    expect(iso('1969-12-31 22:30:00-0130')).toBe(0);
  });

  test.each(['2013-02-29', '2013-13-01', '2013-1-1', '0099-01-01', '2013-01-01T24:00', '28.11.2013', ''])(
    '%j is none',
    (text) => {
      expect(iso(text)).toBeNaN();
    },
  );
});

/** Quotes, and nothing else. */
const FORM = { quotes: true, maxLineLength: Infinity };

describe('RecordReader', () => {
  const cell = fc.string({
    unit: fc.constantFrom('a', '"', ',', ' ', '\n', '\r', ';', ':', '|', '\t', 'é', '7'),
    maxLength: 6,
  });
  const table = fc.array(fc.array(cell, { minLength: 1, maxLength: 20 }), { maxLength: 8 });

  test.each([',', ';', '::', '\t', ' ', '|'])('quoted cells come back as they were, cut at %j', (separator) => {
    fc.assert(
      fc.property(table, fc.constantFrom('\n', '\r\n'), fc.boolean(), (rows, lineEnd, ends) => {
        const lines = rows.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(separator));
        const text = lines.join(lineEnd) + (ends ? lineEnd : '');
        const records = new RecordReader(text, separator, FORM, new Faults('f'));
        const read: string[][] = [];
        while (records.next()) read.push(records.fields());
        expect(read).toEqual(rows);
      }),
    );
  });

  test('bare cells come back trimmed of spaces', () => {
    const bare = fc.stringMatching(/^[a-z0-9. ]{0,6}$/);
    fc.assert(
      fc.property(fc.array(fc.array(bare, { minLength: 2, maxLength: 20 }), { minLength: 1 }), (rows) => {
        const records = new RecordReader(rows.map((row) => row.join(',')).join('\n'), ',', FORM, new Faults('f'));
        rows.forEach((row, i) => {
          expect(records.next()).toBe(true);
          expect(records.line).toBe(i + 1);
          expect(records.fields()).toEqual(row.map((text) => text.replace(/^ +| +$/g, '')));
        });
        expect(records.next()).toBe(false);
      }),
    );
  });
});
