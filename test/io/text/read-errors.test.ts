// Every error of the reader: its class, where it says the fault is, what it got and what it wants.

import { DataError, OptionError } from '../../../src/core/errors';
import { parseInteractions } from '../../../src/io/text/parse-interactions';
import type { ReadOptions } from '../../../src/io/text/read-options';

type Case = readonly [what: string, text: string | Uint8Array, options: ReadOptions, message: string];

const dataErrors: Case[] = [
  ['empty text', '', {}, 'r.csv: the file is empty; want ratings'],
  ['blank lines only', ' \n\r\n\t\n', {}, 'r.csv: the file is empty; want ratings'],
  ['a byte order mark only', Uint8Array.of(0xef, 0xbb, 0xbf), {}, 'r.csv: the file is empty'],
  ['only a header', 'userId,movieId,rating\n', {}, 'r.csv: there is a header but no rating under it'],
  [
    'no separator',
    'hello\nworld',
    {},
    `r.csv, line 1: cannot tell what separates the columns of "hello"; want two or more columns separated by a tab, '::', comma, semicolon, '|' or spaces, or set separator`,
  ],
  [
    'no item column',
    'userId,thing,rating\n1,2,3',
    {},
    `r.csv, line 1: cannot tell which column holds the item; the columns are 'userId', 'thing', 'rating'; set columns.item to one of them`,
  ],
  [
    'no value column',
    'user,item,grade\n1,2,3',
    {},
    `r.csv, line 1: cannot tell which column holds the value; the columns are 'user', 'item', 'grade'; set columns.value to one of them, or to false when every row counts 1`,
  ],
  [
    'a wide headless table read by position',
    '1,2,9,8,5\n2,2,9,8,5',
    {},
    'r.csv, line 1: cannot tell which column holds the value; the columns are 0 to 4 (here "1", "2", "9", "8", "5"); set columns.value',
  ],
  [
    'the place of the value is taken',
    '1,2,3\n4,5,6',
    { columns: { user: 0, item: 2 } },
    'r.csv, line 1: cannot tell which column holds the value; the columns are 0 to 2',
  ],
  [
    'another separator than the one that is set',
    'user;item;rating\n1;2;3',
    { separator: ',' },
    'r.csv, line 1: cannot tell which column holds the item; the separator "," leaves the line "user;item;rating" one column; set separator to what stands between its columns',
  ],
  [
    'another separator, and columns by name',
    'user;item;rating\n1;2;3',
    { separator: '\t', columns: { user: 'user' } },
    'no column is named "user" (columns.user); the separator "\\t" leaves the line "user;item;rating" one column',
  ],
  [
    'another separator, and columns by number',
    '1;2;3',
    { separator: ',', columns: { item: 1 } },
    'columns.item is 1, but the separator "," leaves the line "1;2;3" one column',
  ],
  [
    'UTF-16, low byte first',
    Uint8Array.of(0xff, 0xfe, 0x31, 0),
    {},
    'r.csv: the bytes are UTF-16; save the file as UTF-8',
  ],
  [
    'UTF-16, high byte first',
    Uint8Array.of(0xfe, 0xff, 0, 0x31),
    { encoding: 'latin1' },
    'r.csv: the bytes are UTF-16; save the file as UTF-8, or convert it: iconv -f UTF-16 -t UTF-8',
  ],
  [
    'one column',
    '1\n2',
    { separator: ',' },
    'cannot tell which column holds the item; the separator "," leaves the line "1" one column',
  ],
  [
    'an unknown name',
    'userId,movieId,rating\n1,2,3',
    { columns: { value: 'ratings' } },
    `r.csv, line 1: no column is named "ratings" (columns.value); the columns are 'userId', 'movieId', 'rating'; did you mean 'rating'?`,
  ],
  [
    'a number out of range',
    '1,2,3',
    { columns: { timestamp: 3 } },
    'r.csv, line 1: columns.timestamp is 3, but there are 3 columns; want a number from 0 to 2',
  ],
  [
    'too few fields',
    'user,item,rating\n1,2,3\n\n1,3\n',
    {},
    'r.csv, line 4: too few fields: 2 where line 1 has 3, cut at ","; fill in the missing fields, or set separator',
  ],
  [
    'too many fields',
    '1,2,3\n1,3,4,5',
    { separator: ',' },
    'r.csv, line 2: too many fields: 4 where line 1 has 3, cut at ","; quote fields that contain the separator',
  ],
  [
    'a value that is text',
    'user,item,rating\n1,2,good',
    {},
    `r.csv, line 2, column 'rating': value is "good"; want a finite number`,
  ],
  ['a NaN value', '1,2,3\n1,3,NaN', {}, 'r.csv, line 2, column 3: value is "NaN"; want a finite number'],
  [
    'an infinite value',
    '1,2,3\n1,3,Infinity',
    {},
    'r.csv, line 2, column 3: value is "Infinity"; want a finite number',
  ],
  ['a value beyond float32', '1,2,3\n1,3,1e39', {}, 'r.csv, line 2, column 3: value is "1e39"; want a finite number'],
  ['an empty value', '1,2,3\n1,3,\n', {}, 'r.csv, line 2, column 3: value is ""; want a finite number'],
  [
    'a decimal comma',
    '1;2;3\n1;3;3,5',
    {},
    'r.csv, line 2, column 3: value is "3,5"; want a finite number, with a point for decimals',
  ],
  ['a hexadecimal value', '1,2,3\n1,3,0x1', {}, 'line 2, column 3: value is "0x1"'],
  ['a bad value on the last line', '1,2,3\r\n\r\n1,3,x', {}, 'r.csv, line 3, column 3: value is "x"'],
  ['a bad value after a quoted line end', '1,"2\n2",3\n1,3,x', {}, 'r.csv, line 3, column 3: value is "x"'],
  [
    'a bad value after quoted line ends of all kinds',
    '1,"2\r2\r\n2",3\r1,3,x',
    {},
    'r.csv, line 4, column 3: value is "x"',
  ],
  [
    'a bad time',
    'user,item,rating,date\n1,2,3,2013-02-30',
    {},
    `r.csv, line 2, column 'date': timestamp is "2013-02-30"; want seconds since 1970 or an ISO date such as 2013-11-28`,
  ],
  [
    'a date where seconds are wanted',
    'user,item,rating,date\n1,2,3,2013-02-03',
    { dateFormat: 'seconds' },
    `timestamp is "2013-02-03"; want seconds since 1970, a number`,
  ],
  ['an empty time', '1,2,3,4\n1,3,3,\n', {}, 'r.csv, line 2, column 4: timestamp is ""'],
  [
    'a negative weight',
    '1,2,3,-1',
    { columns: { weight: 3 } },
    'r.csv, line 1, column 4: weight is "-1"; want a finite number of at least 0',
  ],
  [
    'a weight that float32 has as 0',
    '1,2,3,1e-60',
    { columns: { weight: 3 } },
    'r.csv, line 1, column 4: weight is "1e-60"; want 0, or a number from 1.5e-45 to 3.4e38',
  ],
  [
    'an id that is no number',
    'user,item,rating\n1,2,3\nann,2,3',
    { ids: 'number' },
    `r.csv, line 3, column 'user': user id is "ann"; want a number of at most 9007199254740991 in size, because ids is 'number'; or set ids: 'string'`,
  ],
  [
    'an id too large for a number',
    '1,9007199254740993,3',
    { ids: 'number' },
    'column 2: item id is "9007199254740993"; want a number',
  ],
  [
    'an empty id',
    '1,2,3\n,2,3',
    {},
    'r.csv, line 2, column 1: the user id is empty; fill it in, or write "" if the empty id is meant',
  ],
  [
    'a repeated pair',
    'user,item,rating\na,x,1\nb,x,1\n\na,x,2',
    { duplicates: 'error' },
    `r.csv, line 5: user "a" and item "x" have a rating on line 2 already; remove one, or set duplicates to 'last', 'first', 'sum' or 'keep'`,
  ],
  [
    'an open quote',
    '1,2,3\n"4,5,6',
    { separator: ',' },
    'r.csv, line 2, column 1: a quote opens and never closes; close it, or set quotes: false',
  ],
  [
    'an open quote, separator to be found',
    '1,2,3\n"4,5,6',
    {},
    'r.csv, line 2, column 1: a quote opens and never closes',
  ],
  [
    'text after a quote',
    '1,"a"b,3',
    { separator: ',' },
    'r.csv, line 1, column 2: text follows a closing quote: "\\"a\\"b"; write a quote inside quotes as ""',
  ],
  [
    'bytes that are not UTF-8',
    Uint8Array.of(0xe9, 0x2c, 0x31),
    {},
    `r.csv: the bytes are not utf-8; set encoding: 'latin1'`,
  ],
  ['gzip bytes', Uint8Array.of(0x1f, 0x8b, 8, 0), {}, 'r.csv: the bytes are gzip-compressed; decompress them first'],
  [
    'wide: a cell that is text',
    'userId,tea,milk\nann,5,x',
    { layout: 'wide' },
    `r.csv, line 2, column 'milk': value is "x"; want a finite number or an empty cell, or set missing to what means no rating`,
  ],
  [
    'wide: nothing but missing cells',
    '99,99\n99,',
    { layout: 'wide', missing: 99 },
    'r.csv: every cell is missing; want at least one rating',
  ],
  ['wide: only a header', 'userId,tea,milk', { layout: 'wide' }, 'r.csv: there is a header but no user under it'],
  [
    'wide: ragged',
    '1,2,3\n4,5',
    { layout: 'wide', separator: ',' },
    'r.csv, line 2: too few fields: 2 where line 1 has 3',
  ],
  [
    'wide: an unknown id column',
    'who,tea\nann,5',
    { layout: 'wide', idColumn: 'user' },
    `r.csv, line 1: no column is named "user" (idColumn); the columns are 'who', 'tea'`,
  ],
  [
    'wide: an item without a name',
    'userId,tea,\nann,5,4',
    { layout: 'wide' },
    'r.csv, line 1, column 3: the item id is empty',
  ],
  [
    'wide: a user twice',
    'userId,tea\nann,5\nann,4',
    { layout: 'wide', duplicates: 'error' },
    'r.csv, line 3: user "ann" and item "tea" have a rating on line 2 already',
  ],
];

test.each(dataErrors)('%s', (_, text, options, message) => {
  expect(() => parseInteractions(text, { file: 'r.csv', ...options })).toThrow(
    expect.objectContaining({ name: 'DataError', message: expect.stringContaining(message) }),
  );
});

test('an error carries its place, and says "text" where there is no file', () => {
  try {
    parseInteractions('user,item,rating\n1,2,x');
    throw new Error('not reached');
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).place).toEqual({ file: undefined, line: 2, column: 'rating' });
    expect((error as DataError).message).toMatch(/^text, line 2/);
  }
});

const optionErrors: [what: string, options: unknown, option: string, message: string][] = [
  ['an unknown option', { seperator: ',' }, 'seperator', "unknown option 'seperator'; did you mean 'separator'?"],
  ['an unknown column', { columns: { users: 1 } }, 'columns.users', "did you mean 'columns.user'?"],
  ['an empty separator', { separator: '' }, 'separator', 'separator is ""; want a string of one or more characters'],
  ['a line end as separator', { separator: '\n' }, 'separator', 'none of them a quote or a line end'],
  [
    'a negative column',
    { columns: { item: -1 } },
    'columns.item',
    'columns.item is -1; want a header name or a column number from 0',
  ],
  [
    'a name without a header',
    { header: false, columns: { item: 'b' } },
    'columns.item',
    'columns.item is "b", a name, but header is false',
  ],
  [
    'a name to ignore without a header',
    { layout: 'wide', header: false, ignoreColumns: ['n'] },
    'ignoreColumns',
    'header is false',
  ],
  ['an unknown layout', { layout: 'tall' }, 'layout', 'want one of long, wide'],
  ['an unknown encoding', { encoding: 'utf8' }, 'encoding', "did you mean 'utf-8'?"],
  ['an unknown policy', { duplicates: 'mean' }, 'duplicates', 'want one of last, first, sum, keep, error'],
  ['ids of another kind', { ids: 'bigint' }, 'ids', 'want one of string, number'],
  [
    'idColumn in a long table',
    { idColumn: 0 },
    'idColumn',
    "idColumn is only for wide tables; set layout: 'wide' or leave it out",
  ],
  ['columns in a wide table', { layout: 'wide', columns: {} }, 'columns', 'columns is only for long tables'],
  [
    'a NaN sentinel',
    { layout: 'wide', missing: Number.NaN },
    'missing',
    'missing is NaN; want a finite number or a string',
  ],
  [
    'a list that is none',
    { layout: 'wide', ignoreColumns: 0 },
    'ignoreColumns',
    'want an array of header names or column numbers',
  ],
  ['a vocabulary that is none', { users: ['a'] }, 'users', 'users is an array of 1; want a Vocabulary'],
];

test.each(optionErrors)('option: %s', (_, options, option, message) => {
  expect(() => parseInteractions('1,2,3', options as ReadOptions)).toThrow(
    expect.objectContaining({ name: 'OptionError', option, message: expect.stringContaining(message) }),
  );
});

test('text that is neither a string nor bytes', () => {
  expect(() => parseInteractions(42 as unknown as string)).toThrow(OptionError);
});
