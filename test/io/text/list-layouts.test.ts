// Layouts of more than one rating a line, or of ratings below their item: adjacency lists and the blocks of the Netflix Prize.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseInteractions } from '../../../src/io/text/parse-interactions';
import type { ReadOptions } from '../../../src/io/text/read-options';
import { readInteractions } from '../../../src/node/read-files';

function rows(text: string, options: ReadOptions): string[] {
  const read = (source: string | Uint8Array) =>
    [...parseInteractions(source, options)].map(({ userId, itemId, value, timestamp }) => {
      return `${userId}/${itemId}/${value}${timestamp === undefined ? '' : `@${timestamp}`}`;
    });
  const found = read(text);
  expect(read(new TextEncoder().encode(text))).toEqual(found);
  return found;
}

describe('adjacency lists', () => {
  const lists = (text: string, options: ReadOptions = {}) => rows(text, { layout: 'adjacency', ...options });
  const wanted = ['7/1/1', '7/2/1', '7/3/1', '8/2/1'];

  test.each([
    ['spaces', '7 1 2 3\n8 2\n'],
    ['spaces at the end, blank lines, users without items', '7 1 2 3 \n9\n\n8 2  \n10 \n'],
    ['CR LF', '7 1 2 3\r\n8 2\r\n'],
    ['tabs', '7\t1\t2\t3\n8\t2\n'],
    ['commas', '7,1,2,3\n8,2,,\n'],
    ['a tab, then spaces', '7\t1 2 3\n8\t2\n'],
    ['a comma, then spaces', '7,1 2 3\n8,2\n'],
    ['a header', 'user_id:token\titem_id_list:token_seq\n7\t1 2 3\n8\t2\n'],
  ])('%s', (_, text) => {
    expect(lists(text)).toEqual(wanted);
  });

  test('options hold as elsewhere', () => {
    expect(lists('x y\n7 1 2 3\n8 2', { header: true })).toEqual(wanted);
    expect(lists('7 1 2 3 0\n8 2 0 0', { missing: 0 })).toEqual(wanted);
    expect(lists('# list\n7;1;2;3\n8;2', { comment: '#', separator: ';' })).toEqual(wanted);
    expect(lists('ann "green tea" milk\nbob tea')).toEqual(['ann/green tea/1', 'ann/milk/1', 'bob/tea/1']);
    expect(lists('ann\tgreen tea\tmilk\nbob\ttea\twarm beer')).toEqual([
      'ann/green tea/1',
      'ann/milk/1',
      'bob/tea/1',
      'bob/warm beer/1',
    ]);
    expect(lists('1 5\n1 5 6', { duplicates: 'sum' })).toEqual(['1/5/2', '1/6/1']);
    expect([...parseInteractions('07 1 2', { layout: 'adjacency', ids: 'number' }).users]).toEqual([7]);
    expect(lists('5 1 x 2\n6 2 y', { idColumn: 2 })).toEqual(['x/5/1', 'x/1/1', 'x/2/1', 'y/6/1', 'y/2/1']);
    const data = parseInteractions('7 1\nann x\n8 2', { layout: 'adjacency', ids: 'number', invalid: 'skip' });
    expect([data.size, data.leftOut.invalid]).toEqual([2, 1]);
  });

  test("a count in front, as in CiteULike's users.dat, is refused as a user", () => {
    const text = '2 10 11\n1 12\n2 10 12\n3 1 2 3\n';
    expect(() => lists(text)).toThrow(
      /as many items as this column says: it is a count; set idColumn to false.* set ignoreColumns to \[0\]/,
    );
    expect(lists(text, { idColumn: false, ignoreColumns: [0] })).toEqual([
      '0/10/1',
      '0/11/1',
      '1/12/1',
      '2/10/1',
      '2/12/1',
      '3/1/1',
      '3/2/1',
      '3/3/1',
    ]);
    expect(lists(text, { ignoreColumns: [] })).toHaveLength(7);
    expect(lists('1 10\n2 10 11\n3 10 11 12')).toHaveLength(6);
  });

  test('what is no list is an error', () => {
    expect(() => lists('7 1:5 2:3\n8 2:4')).toThrow(/line 1, column 2: items have values behind them, such as "1:5"/);
    expect(() => lists('7\n8\n')).toThrow();
    expect(() => lists('7 1\n,2', { separator: ' ', idColumn: 1 })).toThrow(
      /line 2: idColumn is 1, but there are 1 columns/,
    );
    expect(() => lists('7 1', { idColumn: 'user' })).toThrow(/columns have no names here; want a number from 0/);
    expect(() => lists('7 1', { columns: {} })).toThrow(/columns is only for long tables/);
  });
});

describe('blocks of the Netflix Prize', () => {
  const blocks = (text: string, options: ReadOptions = {}) => rows(text, { layout: 'netflix', ...options });

  test('a line of the item, then user, value and date', () => {
    const text = '1:\n1488844,3,2005-09-06\n822109,5,2005-05-13\n\n2:\n1488844,4,2005-09-05\n';
    const wanted = ['1488844/1/3@1125964800', '822109/1/5@1115942400', '1488844/2/4@1125878400'];
    expect(blocks(text)).toEqual(wanted);
    expect(blocks(text.replaceAll('\n', '\r\n'))).toEqual(wanted);
    expect(blocks(text.replaceAll(',', '\t'))).toEqual(wanted);
    expect(blocks(text.replaceAll(',', ' '))).toEqual(wanted);
    const times = (row: string) => row.split('@')[0];
    expect(blocks(text, { columns: { timestamp: false } })).toEqual(wanted.map(times));
  });

  test('the files without values or dates', () => {
    expect(blocks('1:\n30878\n2647871\n10:\n1952305\n')).toEqual(['30878/1/1', '2647871/1/1', '1952305/10/1']);
    expect(blocks('1:\n1046323,2005-12-19\n')).toEqual(['1046323/1/1@1134950400']);
    expect(blocks('1:\n7,3\n8,4\n2:\n7,5')).toEqual(['7/1/3', '8/1/4', '7/2/5']);
    expect(blocks('a b:\n2005-12-19|7|3\n', { columns: { user: 1, value: 2, timestamp: 0 } })).toEqual([
      '7/a b/3@1134950400',
    ]);
  });

  test('an empty block, and a rating before any', () => {
    expect(blocks('1:\n2:\n7,3\n3:\n')).toEqual(['7/2/3']);
    expect(blocks(`${'1:\n'.repeat(3000)}7,3\n`)).toEqual(['7/1/3']);
    expect(() => blocks('7,3\n1:\n8,4\n')).toThrow(/line 1: a rating stands before any line "item:"/);
    expect(() => blocks('7,3\n8,4\n')).toThrow(/no line opens a block of ratings, as "1:" does; set layout: 'long'/);
    expect(() => blocks('1:\n2:\n')).toThrow(/there is no rating in any block/);
  });

  test('faults name their lines; a block without an item takes its ratings with it', () => {
    expect(() => blocks('1:\n7,3,2005-09-06\n8,x,2005-09-06\n')).toThrow(/line 3, column 2: value is "x"/);
    expect(() => blocks('1:\n7,3,2005-09-06\n8,4\n')).toThrow(/line 3: too few fields: 2 where line 2 has 3/);
    expect(blocks('1:\n7,3\n:\n8,4\n2:\n9,5', { invalid: 'skip' })).toEqual(['7/1/3', '9/2/5']);
    const data = parseInteractions('1:\n7,3\n8,0\n', { layout: 'netflix', missing: 0 });
    expect([data.size, data.leftOut.missing]).toEqual([1, 1]);
  });

  test('options that do not fit', () => {
    expect(() => blocks('1:\n7,3', { columns: { item: 0 } })).toThrow(
      /columns.item is 0, but the item stands above its block/,
    );
    expect(() => blocks('1:\n7,3', { columns: { user: 'who' } })).toThrow(/columns have no names here/);
    expect(() => blocks('1:\n7,3', { columns: { value: 5 } })).toThrow(/columns.value is 5, but there are 2 columns/);
    expect(() => blocks('1:\n7,3', { header: true })).toThrow(/header is only for long tables/);
    expect(() => blocks('1:\n7,3', { idColumn: 0 })).toThrow(/idColumn is only for wide tables/);
  });
});

test('read as a long table, both are told', () => {
  expect(() => parseInteractions('0 1 2 3 4 5 6\n1 7 8\n')).toThrow(/set layout: 'adjacency'/);
  expect(() => parseInteractions('1:\n7,3,2005-09-06\n8,4,2005-09-06\n')).toThrow(
    /line 1: the line is "1:"; .*set layout: 'netflix'/,
  );
});

const gowalla = join(process.env.OPMF_DATA || join('..', 'shared', 'data'), 'gowalla-lightgcn');
(existsSync(gowalla) ? test : test.skip)('Gowalla of LightGCN: published counts', async () => {
  const train = await readInteractions(join(gowalla, 'train.txt.gz'), { layout: 'adjacency', duplicates: 'keep' });
  expect([train.size, train.users.size]).toEqual([810_128, 29_858]);
  const test = await readInteractions(join(gowalla, 'test.txt.gz'), { layout: 'adjacency', duplicates: 'keep' });
  expect(test.size).toBe(217_242);
  expect(new Set([...train.items, ...test.items]).size).toBe(40_981);
});
