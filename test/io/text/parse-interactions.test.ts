// The long layout: what the reader finds out by itself, what it is told, and what both give.

import { Interactions, type InteractionsOptions } from '../../../src/data/interactions';
import { parseInteractions } from '../../../src/io/text/parse-interactions';
import type { ReadOptions } from '../../../src/io/text/read-options';
import { processorTime } from '../../support/processor-time';

/** The rows as short text: `ann/tea/4@12*2` is a rating of 4 at second 12 with weight 2. */
function rows(text: string | Uint8Array, options?: ReadOptions): string[] {
  return [...parseInteractions(text, options)].map(({ userId, itemId, value, timestamp, weight }) => {
    const time = timestamp === undefined ? '' : `@${timestamp}`;
    return `${userId}/${itemId}/${value}${time}${weight === undefined ? '' : `*${weight}`}`;
  });
}

describe('separators', () => {
  test.each([
    ['tab', '1\t2\t3\n4\t5\t1'],
    ['::', '1::2::3\n4::5::1'],
    ['comma', '1,2,3\n4,5,1'],
    ['comma and space', '1, 2, 3\n4, 5, 1'],
    ['semicolon', '1;2;3\n4;5;1'],
    ['bar', '1|2|3\n4|5|1'],
    ['bar between spaces', '1 | 2 | 3\n4 | 5 | 1'],
    ['space', '1 2 3\n4 5 1'],
    ['runs of spaces and tabs', '  1  2 \t 3 \n4 5    1'],
  ])('%s is found', (_, text) => {
    expect(rows(text)).toEqual(['1/2/3', '4/5/1']);
  });

  test('spaces and commas inside fields do not mislead it', () => {
    expect(rows('ann lee,green tea,5\nbob,tea,4')).toEqual(['ann lee/green tea/5', 'bob/tea/4']);
    expect(rows('ann,lee;tea;5\nbob;tea;4')).toEqual(['ann,lee/tea/5', 'bob/tea/4']);
  });

  test('an option overrides it; spaces around it do not count', () => {
    expect(rows('a,b;c,d;3', { separator: ';' })).toEqual(['a,b/c,d/3']);
    expect(rows('a,b;c,d;3', { separator: ' ; ' })).toEqual(['a,b/c,d/3']);
    expect(rows('a--b--3', { separator: '--' })).toEqual(['a/b/3']);
  });
});

describe('headers and columns', () => {
  test.each([
    ['userId,movieId,rating,timestamp'],
    ['user_id,movie_id,rating,timestamp'],
    ['User_ID,Game_ID,Hours,Time'],
    ['userID,artistID,weight,date'],
    ['"User-ID","ISBN","Book-Rating","ts"'],
    ['user,item,cnt,timestamp'],
  ])('%s is a header', (header) => {
    expect(rows(`${header}\n7,8,2.5,100\n9,8,1,200`)).toEqual(['7/8/2.5@100', '9/8/1@200']);
  });

  test('names place columns that stand in another order; other columns are left alone', () => {
    expect(rows('rating,title,movieId,time,userId\n4,"A, B",10,5,ann')).toEqual(['ann/10/4@5']);
  });

  test('a value column goes before a weight of the same name', () => {
    expect(rows('user,item,rating,weight\na,b,4,2')).toEqual(['a/b/4*2']);
    expect(rows('user,item,weight\na,b,2')).toEqual(['a/b/2']);
  });

  test('columns by number and by name', () => {
    expect(rows('9,x,4,ann,tea\n9,x,2,bob,tea', { columns: { user: 3, item: 4, value: 2 } })).toEqual([
      'ann/tea/4',
      'bob/tea/2',
    ]);
    expect(rows('a,b,c\n1,2,3', { columns: { user: 'c', item: 'a', value: 'b' } })).toEqual(['3/1/2']);
    expect(rows('1,2,3,4', { columns: { weight: 3 } })).toEqual(['1/2/3*4']);
  });

  test('header: true and false override what the first line looks like', () => {
    expect(rows('1,2,3\n4,5,1', { header: true })).toEqual(['4/5/1']);
    expect(rows('user,item,3\nann,tea,4', { header: false })).toEqual(['user/item/3', 'ann/tea/4']);
  });

  test('without values every row counts 1; a column can be switched off', () => {
    expect(rows('ann\ttea\nbob\ttea')).toEqual(['ann/tea/1', 'bob/tea/1']);
    expect(rows('user,item,timestamp\nann,tea,7')).toEqual(['ann/tea/1@7']);
    expect(rows('user,item,rating,time\nann,tea,4,x', { columns: { value: false, timestamp: false } })).toEqual([
      'ann/tea/1',
    ]);
  });

  test('a first line with a number in it is data, even when its rating is not one', () => {
    expect(() => rows('1,2,NaN\n1,3,4')).toThrow(/line 1, column 3: value is "NaN"/);
    expect(() => rows('ann,tea,\nbob,tea,4')).toThrow(/line 1, column 3: value is ""/);
  });

  test('a fourth column is a time only where it looks like one', () => {
    expect(rows('1,2,3,60\n1,3,4,2000-01-02')).toEqual(['1/2/3@60', '1/3/4@946771200']);
    expect(rows('1,2,3,abc\n1,3,4,def')).toEqual(['1/2/3', '1/3/4']);
  });
});

describe('lines and cells', () => {
  const wanted = ['1/2/3', '4/5/1'];

  test.each([
    ['LF at the end', '1,2,3\n4,5,1\n'],
    ['no line end at the end', '1,2,3\n4,5,1'],
    ['CR LF', '1,2,3\r\n4,5,1\r\n'],
    ['lone CR', '1,2,3\r4,5,1'],
    ['blank lines', '\n\n1,2,3\n  \n\r\n4,5,1\n\n'],
    ['a byte order mark', '\ufeff1,2,3\n4,5,1'],
    ['empty fields at the end of a line', '1,2,3\n4,5,1,,'],
    ['quoted fields', '"1","2","3"\n4 , "5" , 1'],
  ])('%s', (_, text) => {
    expect(rows(text)).toEqual(wanted);
    expect(rows(new TextEncoder().encode(text))).toEqual(wanted);
  });

  test('quotes keep separators, spaces, quotes and line ends', () => {
    expect(rows('user,item,rating\n" ann ","a ""b"", c\nd",4')).toEqual([' ann /a "b", c\nd/4']);
    expect(rows('"5,"6,1', { quotes: false })).toEqual(['"5/"6/1']);
  });

  test('ids are text unless asked for as numbers', () => {
    expect(rows('007,__proto__,1\n7,9007199254740993,2\n7,"",3')).toEqual([
      '007/__proto__/1',
      '7/9007199254740993/2',
      '7//3',
    ]);
    const data = parseInteractions('007,-2,1\n7,3.5,2', { ids: 'number' });
    expect([...data.users]).toEqual([7]);
    expect([...data.items]).toEqual([-2, 3.5]);
  });

  test('long ids come out whole', () => {
    const id = `${'é'.repeat(40)}-6f1c2d3e-0000-4000-8000-1234567890ab`;
    expect(rows(`${id},x,1\n${id},y,2`)).toEqual([`${id}/x/1`, `${id}/y/2`]);
  });

  test('latin-1 bytes by option', () => {
    const bytes = Uint8Array.from([0xe9, 0x2c, 0x61, 0x2c, 0x33]);
    expect(rows(bytes, { encoding: 'latin1' })).toEqual(['é/a/3']);
  });

  test('times by option', () => {
    const at = (time: string, options: ReadOptions) =>
      parseInteractions(`user,item,rating,time\na,b,1,${time}`, options).timestamps?.[0];
    expect(at('1500', { dateFormat: 'milliseconds' })).toBe(1.5);
    expect(at('2013-11-28', { dateFormat: 'iso' })).toBe(1385596800);
    expect(at('1385596800', { dateFormat: 'seconds' })).toBe(1385596800);
  });
});

describe('hand-over to Interactions', () => {
  test('the duplicate policy is passed on', () => {
    const text = 'a,x,1\na,x,2\nb,x,5';
    const policies: Record<string, number[]> = { last: [2, 5], first: [1, 5], sum: [3, 5], keep: [1, 2, 5] };
    for (const [duplicates, values] of Object.entries(policies)) {
      const data = parseInteractions(text, {
        duplicates: duplicates as NonNullable<InteractionsOptions['duplicates']>,
      });
      expect([...data.values]).toEqual(values);
    }
  });

  test('vocabularies can be shared', () => {
    const first = Interactions.from([['bob', 'x', 1]]);
    const second = parseInteractions('ann,x,1\nbob,y,2', { users: first.users, items: first.items });
    expect(second.users).toBe(first.users);
    expect([...second.userIndex]).toEqual([1, 0]);
  });
});

test('time grows with the lines, about half a second for a million', () => {
  let text = '';
  for (let i = 0; i < 200_000; i++) text += `${(i * 7) % 6040}::${(i * 13) % 3706}::${(i % 5) + 1}\n`;
  const started = processorTime();
  expect(parseInteractions(text, { duplicates: 'keep' }).size).toBe(200_000);
  // A fifth of the lines, and slack for a busy machine: quadratic work would take minutes.
  expect(processorTime() - started).toBeLessThan(1500);
});
