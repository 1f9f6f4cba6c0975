// Which column holds what: headers as real files have them, lines that are none, and the errors where nothing can be told.

import { parseInteractions } from '../../../src/io/text/parse-interactions';
import type { ReadOptions } from '../../../src/io/text/read-options';
import { processorTime } from '../../support/processor-time';

/** The rows as short text; the same from text and from bytes. */
function rows(text: string, options?: ReadOptions): string[] {
  const read = (source: string | Uint8Array) =>
    [...parseInteractions(source, options)].map(({ userId, itemId, value, timestamp }) => {
      return `${userId}/${itemId}/${value}${timestamp === undefined ? '' : `@${timestamp}`}`;
    });
  const found = read(text);
  expect(read(new TextEncoder().encode(text))).toEqual(found);
  return found;
}

describe('names in their common forms', () => {
  test.each([
    ['userId,movieId,rating,timestamp'],
    ['user_id,item_id,rating,timestamp'],
    ['User-ID;ISBN;Book-Rating;ts'],
    ['USER ID,ITEM ID,RATING,DATE'],
    [' user , item , score , time '],
    ['"user","item","stars","datetime"'],
    ['\ufeffUserID,ProductID,Overall,unixReviewTime'],
    ['\ufeff"user id","item id","rating","rated_at"'],
    ['customer_id,sku,quantity,order_date'],
    ['memberId,trackId,plays,created_at'],
    ['uid,iid,count,ts'],
    ['visitorid,businessID,weight,event_time'],
    ['id_user,id_item,rating,timestamp'],
    ['users,movies,ratings,times'],
    ['user.id,book.title,Book.Rating,rating.timestamp'],
    ['user id (hash),item id [int],rating (1-5),timestamp'],
    ['Customer Number,Stock Code,Quantity,InvoiceDate'],
    ['CLIENT_KEY,ARTICLE_NO,FREQUENCY,TRANSACTION_DATE'],
    ['account_id,video_id,watch_ratio,timestamp'],
  ])('%s', (header) => {
    const separator = header.includes(';') ? ';' : ',';
    expect(rows(`${header}\n${['7', '8', '2.5', '100'].join(separator)}\n`)).toEqual(['7/8/2.5@100']);
  });

  test('types behind names, as RecBole and Neo4j write them', () => {
    expect(rows('user_id:token\titem_id:token\ttimestamp:float\n7\t8\t881250949\n')).toEqual(['7/8/1@881250949']);
    expect(rows('user_id:token\titem_id:token\trating:float\n7\t8\t4\n')).toEqual(['7/8/4']);
    expect(rows('rating:float\titem_id:token_seq\tuser_id:token\n4\t8\t7\n')).toEqual(['7/8/4']);
    expect(rows('userId:int,movieId:string,rating:double\n7,8,4\n')).toEqual(['7/8/4']);
    expect(rows('a:token\tb:token\n7\t8\n', { columns: { user: 'b', item: 'a:token' } })).toEqual(['8/7/1']);
    expect(() => rows('user_id:token\titem_id:token_seq\n7\t8 9\n')).toThrow(
      /"item_id:token_seq" holds lists, such as/,
    );
  });

  test('tables before names, as joins and dumps write them', () => {
    expect(rows('ratings.user_id,ratings.movie_id,ratings.rating\n7,8,4')).toEqual(['7/8/4']);
    expect(rows('r.userId,r.movieId,r.rating,r.timestamp,u.age\n7,8,4,60,33')).toEqual(['7/8/4@60']);
    expect(
      rows('"public"."ratings"."user_id","public"."ratings"."item_id","public"."ratings"."rating"\n7,8,4'),
    ).toEqual(['7/8/4']);
    expect(rows('[dbo].[ratings].[user_id],[dbo].[ratings].[item_id],[dbo].[ratings].[rating]\n7,8,4')).toEqual([
      '7/8/4',
    ]);
    expect(rows('`db`.`t`.`user_id`,`db`.`t`.`item_id`\n7,8')).toEqual(['7/8/1']);
    expect(rows('review/userId,product/productId,review/score\n7,8,4')).toEqual(['7/8/4']);
    expect(rows('users.id,movies.id,ratings.value\n7,8,4')).toEqual(['7/8/4']);
  });

  test('any order, and the best of several', () => {
    expect(rows('rating,user,item\n5,ann,tea')).toEqual(['ann/tea/5']);
    expect(
      rows('reviewerID,asin,reviewerName,overall,unixReviewTime,reviewTime\nA,B,x,5,1252800000,"09 13, 2009"'),
    ).toEqual(['A/B/5@1252800000']);
    expect(rows('title,userId,username,movieId,rating\nHeat,7,ann,8,4')).toEqual(['7/8/4']);
    expect(rows('artist_id,track_id,user_id,plays\n1,2,3,4')).toEqual(['3/2/4']);
  });

  test('the column of row numbers that pandas writes', () => {
    expect(rows(',userId,movieId,rating\n0,7,8,4\n1,7,9,3')).toEqual(['7/8/4', '7/9/3']);
    expect(rows(',userId,movieId\n0,7,8\n1,7,9')).toEqual(['7/8/1', '7/9/1']);
    expect(rows('Unnamed: 0,user,item,timestamp\n0,7,8,60')).toEqual(['7/8/1@60']);
    expect(() => rows(',kunde,artikel,note\n0,7,8,4\n1,7,9,3')).toThrow(
      /such as { user: 'kunde', item: 'artikel', value: 'note' }/,
    );
  });
});

describe('no names and no doubt', () => {
  test('a header without a known name is an error that shows it and the option to give', () => {
    const message =
      /line 1: cannot tell which column holds the user: no name is known; the columns are 'kunde', 'artikel'.*; set columns, such as { user: 'kunde', item: 'artikel'.*header: false/;
    for (const text of [
      'kunde,artikel,note,zeit\n7,8,2.5,100',
      'kunde,artikel,note\n7,8,2.5\n7,9,x',
      'kunde,artikel,note\nann,tea,2.5',
      'kunde,artikel\n7,8\n7,9',
      'kunde,artikel,wann\nann,tea,2020-01-02',
    ]) {
      expect(() => rows(text)).toThrow(message);
      expect(() => rows(text, { header: true })).toThrow(message);
    }
    expect(rows('kunde,artikel,note\n7,8,2.5', { columns: { user: 0, item: 1, value: 2 } })).toEqual(['7/8/2.5']);
    expect(rows('kunde,artikel\n7,8', { columns: { user: 'kunde', item: 'artikel' } })).toEqual(['7/8/1']);
  });

  test('two columns never make a rating', () => {
    expect(rows('user,item\n7,8\n7,9')).toEqual(['7/8/1', '7/9/1']);
    expect(rows('7,8\n7,9')).toEqual(['7/8/1', '7/9/1']);
    expect(() => rows('user,rating\n7,8')).toThrow(/which column holds the item/);
  });

  test('names of people and things are no header', () => {
    expect(rows('alice,matrix\nbob,heat')).toEqual(['alice/matrix/1', 'bob/heat/1']);
    expect(rows('alice,book\nbob,game')).toEqual(['alice/book/1', 'bob/game/1']);
    expect(rows('ann,2\nbob,3')).toEqual(['ann/2/1', 'bob/3/1']);
    expect(rows('u,i,5\nv,j,4')).toEqual(['u/i/5', 'v/j/4']);
    expect(rows('ann,tea,2020-01-02', { columns: { value: false, timestamp: 2 } })).toEqual(['ann/tea/1@1577923200']);
  });

  test('value: false swallows no first row', () => {
    const text = 'alice,matrix,great\nbob,heat,bad';
    for (const columns of [{ value: false as const }, { user: 0, item: 1, value: false as const }])
      expect(rows(text, { columns })).toEqual(['alice/matrix/1', 'bob/heat/1']);
    expect(rows('1,2,5\n3,4,4', { columns: { value: false } })).toEqual(['1/2/1', '3/4/1']);
    expect(rows('user,item,grade\n1,2,5', { columns: { value: false } })).toEqual(['1/2/1']);
  });

  test('a first row with a value that means none is data', () => {
    for (const none of ['NA', 'unknown', '?'])
      expect(rows(`ann,tea,${none}\nbob,tea,4\nann,milk,3`, { missing: none })).toEqual(['bob/tea/4', 'ann/milk/3']);
  });

  test('two columns of one name are an error', () => {
    const both =
      /columns 2 \("rating"\) and 3 \("Rating"\) could both hold the value; set columns.value to the number of one/;
    expect(() => rows('user,item,rating,Rating\n7,8,4,3')).toThrow(both);
    expect(rows('user,item,rating,Rating\n7,8,4,3', { columns: { value: 'Rating' } })).toEqual(['7/8/3']);
    expect(() => rows('a.user_id,b.user_id,item\n7,8,9')).toThrow(/could both hold the user/);
    expect(() => rows('x,x,item\n7,8,9', { columns: { user: 'x' } })).toThrow(/columns 0 and 1 are named "x"/);
    expect(rows('x,x,item\n7,8,9', { columns: { user: 1, value: false } })).toEqual(['8/9/1']);
  });

  test('times are not taken for values', () => {
    const wrong =
      /column 3: a time \(.*\) stands where the value should; set columns.value to false .* columns.timestamp to 2/;
    expect(() => rows('1 2 881250949\n1 3 881250950')).toThrow(wrong);
    expect(() => rows('1,2,1588687728923\n')).toThrow(wrong);
    expect(() => rows('ann,tea,2013-01-01')).toThrow(wrong);
    expect(rows('1 2 881250949', { columns: { value: false, timestamp: 2 } })).toEqual(['1/2/1@881250949']);
    expect(rows('1 2 881250944', { columns: { value: 2 } })).toEqual(['1/2/881250944']);
  });

  test('the header again among rows of ids alone', () => {
    expect(() => rows('user,item\n1,2\nuser,item\n3,4')).toThrow(/row 2 is the header again/);
    expect(() => rows('user,item,rating\n1,2,3\nuser,item,rating')).toThrow(
      /line 3, column 'rating': value is "rating"/,
    );
  });
});

test('long names and many columns cost what their bytes cost', () => {
  const started = processorTime();
  for (const piece of ['[x', '(', ':int(', '.', '<', 'id'])
    expect(() => parseInteractions(`${piece.repeat(200_000)},b,c\n1,2,3\n`)).toThrow(/no name is known/);
  const many = Array.from({ length: 50_000 }, (_, i) => `a.b(c)${i}`).join(',');
  expect(() => parseInteractions(`${many}\n${many.replace(/[^,]+/g, '1')}`)).toThrow(/no name is known/);
  // Seconds where they are looked at again and again, minutes where that is quadratic.
  expect(processorTime() - started).toBeLessThan(15_000);
});

describe('wide tables', () => {
  const wide = (text: string, options: ReadOptions = {}) => rows(text, { layout: 'wide', ...options });

  test('a pivot table of pandas: an empty corner, or the name of the index, above a column of ids', () => {
    for (const corner of ['', 'userId', 'kunde', 'Unnamed: 0'])
      expect(wide(`${corner},1,2,3\n7,5,,3\n8,,2,1`)).toEqual(['7/1/5', '7/3/3', '8/2/2', '8/3/1']);
    expect(wide(',10,20\n7,5,3')).toEqual(['7/10/5', '7/20/3']);
  });

  test('an empty first cell of data is no corner', () => {
    expect(wide(',1,2\n3,,4\n,5,')).toEqual(['0/1/1', '0/2/2', '1/0/3', '1/2/4', '2/1/5']);
    expect(wide(',4,4\n3,,4')).toEqual(['0/1/4', '0/2/4', '1/0/3', '1/2/4']);
  });

  test('names without a known one of the users are an error; idColumn settles it', () => {
    expect(() => wide('kunde,tee,milch\n7,5,3')).toThrow(
      /cannot tell which column holds the user ids; the columns are "kunde", "tee", "milch"; set idColumn to one of them, or to false/,
    );
    expect(wide('kunde,tee,milch\n7,5,3', { idColumn: 'kunde' })).toEqual(['7/tee/5', '7/milch/3']);
    expect(wide('tee,milch\n5,3\n2,1', { idColumn: false })).toEqual(['0/tee/5', '0/milch/3', '1/tee/2', '1/milch/1']);
  });

  test("a count in front, as in Jester's files, is refused as a rating and can be ignored", () => {
    const text = '2,99,5,4\n3,1,2,3\n1,7,99,99';
    expect(() => wide(text, { missing: 99 })).toThrow(
      /column 1: each line has as many ratings.*set ignoreColumns to \[0\], or to \[\]/,
    );
    expect(wide(text, { missing: 99, ignoreColumns: [0] })).toEqual([
      '0/2/5',
      '0/3/4',
      '1/1/1',
      '1/2/2',
      '1/3/3',
      '2/1/7',
    ]);
    expect(wide(text, { missing: 99, ignoreColumns: [] })).toHaveLength(9);
    expect(wide('2,5,4\n2,3,1')).toHaveLength(6);
  });
});
