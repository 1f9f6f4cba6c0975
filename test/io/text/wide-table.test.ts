// The wide layout: one user a line, one column an item.

import { parseInteractions } from '../../../src/io/text/parse-interactions';
import type { ReadOptions } from '../../../src/io/text/read-options';

function rows(text: string, options: ReadOptions = {}): string[] {
  return [...parseInteractions(text, { layout: 'wide', ...options })].map(
    (row) => `${row.userId}/${row.itemId}/${row.value}`,
  );
}

test('a headless table of values and sentinels, as Jester: users and items by number', () => {
  expect(rows('-7.82,8.79,99\n99,99.00,10\n', { missing: 99 })).toEqual(
    ['0/0/-7.82', '0/1/8.79', '1/2/10'].map(rounded),
  );
  expect(rows('-7.5,8,99\n99,99.00,10\n', { missing: '99' })).toEqual(['0/0/-7.5', '0/1/8', '1/2/10']);
});

test('a column that is no item is left out; items keep their column numbers', () => {
  expect(rows('2,5,4\n1,99,3', { missing: 99, ignoreColumns: [0] })).toEqual(['0/1/5', '0/2/4', '1/2/3']);
});

test('ids and item names from a header; empty cells are missing', () => {
  const text = 'userId,tea,"milk, hot"\nann,5,\nbob,,4\ncyd,,\n';
  expect(rows(text)).toEqual(['ann/tea/5', 'bob/milk, hot/4']);
  expect(parseInteractions(text, { layout: 'wide' }).users.size).toBe(2);
});

test('an id column by number or by name, with and without a header', () => {
  expect(rows('ann,5,99\nbob,99,4', { idColumn: 0, missing: 99 })).toEqual(['ann/1/5', 'bob/2/4']);
  expect(rows('tea,who,milk\n5,ann,3', { idColumn: 'who' })).toEqual(['ann/tea/5', 'ann/milk/3']);
  // A pivot table writes numbers as names, and often leaves the corner empty.
  expect(rows(',10,20\nann,5,3', { idColumn: 0 })).toEqual(['ann/10/5', 'ann/20/3']);
  expect(rows('10,20\n5,3', { header: true })).toEqual(['0/10/5', '0/20/3']);
});

test('a sentinel that is text', () => {
  expect(rows('NA,4\n2,NA', { missing: 'NA' })).toEqual(['0/1/4', '1/0/2']);
});

test('numbers as ids', () => {
  const data = parseInteractions('userId,10,20\n7,5,3', { layout: 'wide', ids: 'number' });
  expect([...data.users, ...data.items]).toEqual([7, 10, 20]);
});

test('a wide table and its long form are the same ratings', () => {
  const values = [
    [1, 99, -10],
    [99, 10, 0],
    [2.5, -2.5, 99],
  ];
  const wide = values.map((row) => row.join('\t')).join('\n');
  const long = values.flatMap((row, u) => row.flatMap((v, i) => (v === 99 ? [] : [`${u}\t${i}\t${v}`]))).join('\n');
  expect([...parseInteractions(wide, { layout: 'wide', missing: 99 })]).toEqual([...parseInteractions(long)]);
});

/** Values are held as float32. */
function rounded(row: string): string {
  const at = row.lastIndexOf('/') + 1;
  return row.slice(0, at) + Math.fround(Number(row.slice(at)));
}
