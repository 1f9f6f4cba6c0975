// Files as they are found: read right, or refused with an option that then reads them.

import { parseInteractions, type ReadOptions } from '../../../src';

const rowsOf = (text: string, options?: ReadOptions) =>
  [...parseInteractions(text, options)].map(({ userId, itemId, value, timestamp }) =>
    [userId, itemId, value, ...(timestamp === undefined ? [] : [timestamp])].join('/'),
  );

/** A file, what its error says, the option that it names, and what that reads. */
const REFUSED: readonly (readonly [what: string, text: string, says: RegExp, options: ReadOptions, rows: string[]])[] =
  [
    [
      'a decimal comma',
      'user;item;rating\n1;10;3,5\n2;11;4\n',
      /line 2.*"3,5".*set decimal: ','/,
      { decimal: ',' },
      ['1/10/3.5', '2/11/4'],
    ],
    [
      'a decimal comma between spaces',
      '1 10 3,5\n2 11 4,0\n',
      /value is "3,5".*set decimal: ','/,
      { decimal: ',' },
      ['1/10/3.5', '2/11/4'],
    ],
    [
      'dates and times of digits',
      'user,item,rating,date\n1,10,3,20200301100000\n',
      /set dateFormat: 'iso'/,
      { dateFormat: 'iso' },
      ['1/10/3/1583056800'],
    ],
    ['NA for no rating', 'user,item,rating\n1,10,NA\n2,11,4\n', /set missing: 'NA'/, { missing: 'NA' }, ['2/11/4']],
    ['nothing for no rating', 'user,item,rating\n1,10,\n2,11,4\n', /set missing: ''/, { missing: '' }, ['2/11/4']],
    [
      "NULL of MySQL's dumps",
      'user,item,rating\n1,10,\\N\n2,11,4\n',
      /set missing: '\\\\N'/,
      { missing: '\\N' },
      ['2/11/4'],
    ],
    [
      'dates of another form',
      'user,item,rating,date\n1,10,3,12/31/2019\n',
      /set columns\.timestamp to false/,
      { columns: { timestamp: false } },
      ['1/10/3'],
    ],
    [
      'dates of digits',
      'user,item,rating,date\n1,10,3,20200301\n2,11,4,20200302\n',
      /column 'date': times such as 20200301 are dates or seconds; set dateFormat: 'iso'/,
      { dateFormat: 'iso' },
      ['1/10/3/1583020800', '2/11/4/1583107200'],
    ],
    [
      'dates of digits that are seconds',
      '1,10,3,20200301\n2,11,4,20200302\n',
      /'seconds' for seconds/,
      { dateFormat: 'seconds' },
      ['1/10/3/20200301', '2/11/4/20200302'],
    ],
    [
      'row numbers and no names, as pandas writes them',
      ',0,1,2\n0,1,10,3.5\n1,2,11,4\n',
      /line 1.*'', '0', '1', '2'; set columns, such as \{ user: 1, item: 2, value: 3 \}/,
      { columns: { user: 1, item: 2, value: 3 } },
      ['1/10/3.5', '2/11/4'],
    ],
    [
      'a pivot table of pandas',
      ',1,2,3\n10,5,,3\n11,,4,\n',
      /set layout: 'wide'/,
      { layout: 'wide' },
      ['10/1/5', '10/3/3', '11/2/4'],
    ],
    [
      'a wide table with user ids',
      'userId,Matrix,Up\n10,5,\n11,,4\n',
      /which column holds the item.*set layout: 'wide'/,
      { layout: 'wide' },
      ['10/Matrix/5', '11/Up/4'],
    ],
    ['a line for Excel', 'sep=;\nuser;item;rating\n1;10;3\n', /line 1.*set skipLines: 1/, { skipLines: 1 }, ['1/10/3']],
    ['a comment', '# exported\n1 10 3\n2 11 4\n', /line 1.*set comment: '#'/, { comment: '#' }, ['1/10/3', '2/11/4']],
    [
      'a comment as wide as the rows',
      '# my data\n1 10 3\n2 11 4\n',
      /line 1.*set comment: '#'/,
      { comment: '#' },
      ['1/10/3', '2/11/4'],
    ],
    [
      "KONECT's comments",
      '% bip weighted\n% 2 9 9\n1 10 3 1000000000\n2 11 4 1000000001\n',
      /line 1.*set comment: '%'/,
      { comment: '%' },
      ['1/10/3/1000000000', '2/11/4/1000000001'],
    ],
    [
      'a name for the value, as in Last.fm 360K',
      'u1\ta1\tbetty blowtorch\t2137\nu1\ta2\tdie Ärzte\t1099\n',
      /text \("betty blowtorch"\) stands where the value.*set columns, such as \{ user: 0, item: 1, value: 3 \}/,
      { columns: { user: 0, item: 1, value: 3 } },
      ['u1/a1/2137', 'u1/a2/1099'],
    ],
    [
      'a date for the item, as in check-ins',
      '0,2010-10-19T23:55:27Z,22847\n0,2010-10-18T22:17:43Z,420315\n',
      /a date \("2010.*stands where the item.*set columns, such as \{ user: 0, item: 2, value: false, timestamp: 1 \}/,
      { columns: { user: 0, item: 2, value: false, timestamp: 1 } },
      ['0/22847/1/1287532527', '0/420315/1/1287440263'],
    ],
    [
      'backslashes before quotes',
      'user,item,rating\n"a\\"b",i1,5\n',
      /line 2.*set escape: '\\\\'/,
      { escape: '\\' },
      ['a"b/i1/5'],
    ],
  ];

test.each(REFUSED)('%s is refused, and the option that the error names reads it', (_, text, says, options, rows) => {
  expect(() => parseInteractions(text)).toThrow(says);
  expect(() => parseInteractions(new TextEncoder().encode(text))).toThrow(says);
  expect(rowsOf(text, options)).toEqual(rows);
  expect([...parseInteractions(new TextEncoder().encode(text), options)]).toEqual([
    ...parseInteractions(text, options),
  ]);
});

test.each([
  [
    'row numbers of R without a name',
    '"user" "item" "rating"\n"1" "u1" "i1" 5\n"2" "u2" "i2" 3\n',
    ['u1/i1/5', 'u2/i2/3'],
  ],
  ['names 0 to 3 of pandas', '0,1,2,3\n196,242,3,881250949\n', ['196/242/3/881250949']],
  ['decimals without a header are no header', 'ann;tea;3,5\nbob;tea;4,0\n', 'decimal'],
  ['a row 0 to 3 above rows like it is data', '0 1 2 3\n7 4 5 6\n', ['0/1/2/3', '7/4/5/6']],
])('%s', (_, text, rows) => {
  if (rows === 'decimal') expect(rowsOf(text, { decimal: ',' })).toEqual(['ann/tea/3.5', 'bob/tea/4']);
  else expect(rowsOf(text)).toEqual(rows);
});

test('lists behind a comma are not numbers with decimals', () => {
  expect(rowsOf('7,8 9\n8,1 2\n', { layout: 'adjacency' })).toEqual(['7/8/1', '7/9/1', '8/1/1', '8/2/1']);
  expect(rowsOf('the tea pot,5 6 7\na milk jug,1 2 3\n')).toEqual(['the tea pot/5 6 7/1', 'a milk jug/1 2 3/1']);
});

test('a header that lacks a name is not that of R', () => {
  for (const rows of ['1,10,3,881250949\n2,11,4,881250950\n', '"1","10","3","881250949"\n"2","11","4","881250950"\n'])
    expect(() => parseInteractions(`user,item,rating\n${rows}`)).toThrow(/too many fields: 4 where line 1 has 3/);
});

test('a decimal comma in wide tables, weights and long numbers; a point is none of them', () => {
  expect(rowsOf('u;a;b\n1;3,5;\n2;;-4,25\n', { layout: 'wide', decimal: ',' })).toEqual(['1/a/3.5', '2/b/-4.25']);
  expect(rowsOf('1;2,5;\n2;;-4,25\n', { layout: 'wide', decimal: ',', idColumn: 0 })).toEqual(['1/1/2.5', '2/2/-4.25']);
  expect(() => parseInteractions('u;a\n1;3,5\n', { layout: 'wide' })).toThrow(/set decimal: ','/);
  const text = 'user;item;rating;weight\n1;a;1,25e1;0,5\n2;a;,12345678901234500;2\n';
  for (const source of [text, new TextEncoder().encode(text)]) {
    const data = parseInteractions(source, { decimal: ',' });
    expect([...data].map(({ value, weight }) => [value, weight])).toEqual([
      [12.5, 0.5],
      [Math.fround(0.123456789012345), 2],
    ]);
    expect(() => parseInteractions('1;2;3.5\n', { decimal: ',' })).toThrow(/with a comma for decimals/);
  }
});
