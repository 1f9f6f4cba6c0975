// libFM text: what is written comes back, by hand and at random, and every fault has its line.

import * as fc from 'fast-check';
import { FormatError, type LibFMOptions, OptionError, parseLibFM } from '../../../src';
import { processorTime } from '../../support/processor-time';

/** The rows as `label feature:value ...`. */
function lines(table: ReturnType<typeof parseLibFM>): string[] {
  return Array.from({ length: table.size }, (_, row) => {
    const at = Array.from({ length: table.starts[row + 1]! - table.starts[row]! }, (_, k) => table.starts[row]! + k);
    return [table.labels![row], ...at.map((k) => `${table.indices[k]}:${table.values[k]}`)].join(' ');
  });
}

test('labels, pairs in any order, comments, blank lines, rows without pairs, line ends of any kind', () => {
  const text = '\ufeff1 0:1 3:0.5\r\n-1 7:2e-1 2:-1 # 9:9\n\n# 1 1:1\n 2.5\t4:1  \r0#x';
  const table = parseLibFM(text);
  expect(lines(table)).toEqual(['1 0:1 3:0.5', '-1 2:-1 7:0.20000000298023224', '2.5 4:1', '0']);
  expect(table.fields).toEqual([{ name: 'features', kind: 'multi', offset: 0, size: 8 }]);
  expect([table.features, table.weights, table.schema]).toEqual([8, null, null]);
  expect(parseLibFM(new TextEncoder().encode(text))).toEqual(table);
});

test('what is written comes back', () => {
  const value = fc.integer({ min: -999, max: 999 }).map((n) => n / 8);
  const pairs = fc.dictionary(fc.nat(5000).map(String), value, { maxKeys: 30 });
  fc.assert(
    fc.property(fc.array(fc.tuple(value, pairs), { minLength: 1, maxLength: 20 }), fc.nat(), (rows, turn) => {
      const written = rows.map(([label, row]) => {
        const entries = Object.entries(row);
        const from = turn % Math.max(entries.length, 1);
        const turned = [...entries.slice(from), ...entries.slice(0, from)];
        return [label, ...turned.map((entry) => entry.join(':'))].join(' ');
      });
      const sorted = rows.map(([label, row]) => {
        const entries = Object.entries(row).sort(([a], [b]) => Number(a) - Number(b));
        return [label, ...entries.map((entry) => entry.join(':'))].join(' ');
      });
      expect(lines(parseLibFM(written.join('\n'), { features: 5001 }))).toEqual(sorted);
    }),
  );
});

test('the number of features and the fields can be said', () => {
  expect(parseLibFM('1 2:1', { features: 10 }).fields[0]!.size).toBe(10);
  const fields = [
    { name: 'user', size: 3 },
    { name: 'age', size: 1, kind: 'numeric' as const },
  ];
  expect(parseLibFM('1 2:1 3:40', { fields }).fields).toEqual([
    { name: 'user', kind: 'categorical', offset: 0, size: 3 },
    { name: 'age', kind: 'numeric', offset: 3, size: 1 },
  ]);
});

test.each<[string, string, LibFMOptions, string]>([
  ['no rows', '# nothing\n\n', {}, 'a.libfm: there are no rows'],
  ['no number for a label', '1 0:1\nyes 0:1', {}, 'a.libfm, line 2: label is "yes"; want a finite number'],
  ['an infinite label', '1e999', {}, 'line 1: label is "1e999"'],
  ['a label beyond single precision', '1e39', {}, 'line 1: label is "1e39"'],
  ['no label', '0:1', {}, 'line 1: label is "0:1"'],
  ['no colon', '1 7', {}, 'line 1: pair is "7"; want feature:value'],
  ['no value', '1 7:', {}, 'line 1: pair is "7:"'],
  ['a value that is none', '1 7:x', {}, 'line 1: pair is "7:x"; want feature:value with a finite number'],
  ['two colons', '1 7:1:2', {}, 'line 1: pair is "7:1:2"'],
  ['a negative feature', '1 -1:1', {}, 'line 1: pair is "-1:1"; want feature:value with a whole number'],
  ['a broken feature', '1 0.5:1', {}, 'line 1: pair is "0.5:1"'],
  ['a feature of 2^31', '1 2147483648:1', {}, 'line 1: pair is "2147483648:1"'],
  ['a feature twice', '\r\n1 3:1 2:1 3:1', {}, 'line 2: pair is "3:1"; want each feature once a row'],
  ['a feature beyond', '1 3:1', { features: 3 }, 'want feature:value with a whole number from 0 to 2'],
  ['a feature beyond the fields', '1 3:1', { fields: [{ name: 'a', size: 3 }] }, 'from 0 to 2'],
])('a fault of the text: %s', (_, text, options, message) => {
  const read = () => parseLibFM(text, { ...options, file: 'a.libfm' });
  expect(read).toThrow(FormatError);
  expect(read).toThrow(message);
});

test('one number does not decide how large a table is', () => {
  expect(() => parseLibFM('1 2147483646:1')).toThrow(
    /whole number from 0 to 16777215; set features, fields or maxFeatures/,
  );
  expect(parseLibFM('1 2147483646:1', { features: 2 ** 31 - 1 }).features).toBe(2 ** 31 - 1);
  expect(parseLibFM('1 16777216:1', { maxFeatures: 2 ** 25 }).features).toBe(2 ** 24 + 1);
  expect(() => parseLibFM('1 9:1', { maxFeatures: 9 })).toThrow(FormatError);
});

test('limits on lines, rows and bytes', () => {
  expect(() => parseLibFM('1 0:1\n1 0:1 1:1\n', { maxLineLength: 8 })).toThrow(
    'line 2: the line has more than maxLineLength = 8',
  );
  expect(() => parseLibFM('1 0:1\n1 0:1\n', { maxRows: 1 })).toThrow('line 2: there are more than maxRows = 1');
  expect(() => parseLibFM('1 0:1\n1 0:1\n', { maxBytes: 11 })).toThrow('more than maxBytes = 11');
  expect(parseLibFM('1 0:1\n1 0:1\n', { maxBytes: 12, maxRows: 2, maxLineLength: 5 }).size).toBe(2);
});

test('a long row of features in descending order takes time in proportion', () => {
  const count = 300_000;
  const start = processorTime();
  const table = parseLibFM(`1 ${Array.from({ length: count }, (_, k) => `${count - k}:${k}`).join(' ')}`);
  expect([table.indices[0], table.values[0], table.indices[count - 1]]).toEqual([1, count - 1, count]);
  // It took minutes.
  expect(processorTime() - start).toBeLessThan(5000);
});

test.each<[string, unknown]>([
  ['features', { features: 0 }],
  ['features', { features: 3, fields: [{ name: 'a', size: 3 }] }],
  ['fields', { fields: [] }],
  ['fields[0].size', { fields: [{ name: 'a' }] }],
  [
    'fields[1].kind',
    {
      fields: [
        { name: 'a', size: 1 },
        { name: 'b', size: 1, kind: 'odd' },
      ],
    },
  ],
  [
    'fields[1].size',
    {
      fields: [
        { name: 'a', size: 2 ** 31 - 2 },
        { name: 'b', size: 2 },
      ],
    },
  ],
  ['feature', { feature: 3 }],
])('a bad option is named: %s', (name, options) => {
  const read = () => parseLibFM('1 0:1', options as LibFMOptions);
  expect(read).toThrow(OptionError);
  expect(read).toThrow(name);
});

test('no text at all', () => {
  expect(() => parseLibFM(7 as never)).toThrow(OptionError);
});
