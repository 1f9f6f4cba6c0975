// Times: what dates mean, how the unit of numbers is told, and that text, bytes and memory agree.

import { DataError } from '../../../src/core/errors';
import { Interactions } from '../../../src/data/interactions';
import { parseInteractions } from '../../../src/io/text/parse-interactions';
import type { ReadOptions } from '../../../src/io/text/read-options';

/** The times of a column of cells, from text and from bytes. */
function timesOf(cells: readonly string[], options: ReadOptions = {}): number[] {
  const text = `user,item,rating,timestamp\n${cells.map((cell, k) => `${k % 3},${k},1,${cell}`).join('\n')}\n`;
  const [whole] = [text, new TextEncoder().encode(text), new TextEncoder().encode(text.replaceAll(/^(\d)/gm, 'u$1'))]
    .map((source) => [...parseInteractions(source, options).timestamps!])
    .map((times, _, all) => {
      expect(times).toEqual(all[0]);
      return times;
    });
  return whole!;
}

test.each([
  ['2020-01-01', 1577836800],
  ['2020/01/01', 1577836800],
  ['2020-01-01 10:00:00', 1577872800],
  ['2020-01-01T10:00', 1577872800],
  ['2020-01-01t10:00:00z', 1577872800],
  ['2020-01-01 10:00:00 UTC', 1577872800],
  ['2020-01-01T10:00:00+02:00', 1577865600],
  ['2020-01-01 10:00:00+02', 1577865600],
  ['2020-01-01 10:00:00 -0330', 1577885400],
  ['2020-01-01T10:00:00.25Z', 1577872800.25],
  ['"2020-01-01T10:00:00,123456+02:00"', 1577865600.123456],
  ['1969-12-31T23:59:59Z', -1],
])('the date %s', (cell, seconds) => {
  expect(timesOf([cell, cell])).toEqual([seconds, seconds]);
});

test.each([
  '2020-02-30',
  '2020-01-01 24:00:00',
  '2020-01-01T10:00:00+99:00',
  '01/02/2020',
  '2020-01/01',
  '2020-1-1',
  '',
])('%j is no date', (cell) => {
  expect(() => timesOf(['2020-01-01', cell])).toThrow(/line 3, column 'timestamp'/);
});

const SECONDS = [1577836800, 0, -1, 1577836900, 1.5];

test.each([
  ['seconds', 1],
  ['milliseconds', 1e3],
  ['microseconds', 1e6],
  ['nanoseconds', 1e9],
] as const)('%s are told by their size, for all rows alike', (dateFormat, unit) => {
  const seconds = SECONDS.filter((time) => time * unit < 1e8 || time > 2);
  const numbers = seconds.map((time) => (Math.abs(time) < 2 ? time : time * unit));
  const wanted = numbers.map((time) => time / unit);
  const cells = numbers.map(String);
  expect(timesOf(cells)).toEqual(wanted);
  expect(timesOf(cells, { dateFormat })).toEqual(wanted);
  const rows = numbers.map((time, k) => ['u', k, 1, time] as const);
  expect([...Interactions.from(rows).timestamps!]).toEqual(wanted);
  const userIds = numbers.map(String);
  const columns = { userIds, itemIds: userIds, timestamps: Float64Array.from(numbers) };
  expect([...Interactions.fromColumns(columns).timestamps!]).toEqual(wanted);
  expect([...columns.timestamps]).toEqual(numbers);
});

test('the rule ends seconds with the year 9999', () => {
  expect(timesOf(['253402300799', '5'])).toEqual([253402300799, 5]);
  expect(timesOf(['253402300800', '5'])).toEqual([253402300.8, 0.005]);
  expect(timesOf(['253402300800', '1577836800'], { dateFormat: 'seconds' })).toEqual([253402300800, 1577836800]);
});

test.each<[string, string[]]>([
  ['seconds and milliseconds', ['1577836800', '1577836800000']],
  ['milliseconds and seconds', ['1577836800000', '1577836800']],
  ['microseconds and milliseconds', ['1577836800000000', '1577836800000']],
  ['dates and milliseconds', ['2020-01-01', '1577836800000']],
  ['what no unit explains', ['1', '1e21']],
])('%s in one column are an error', (_, cells) => {
  expect(() => timesOf(cells)).toThrow(DataError);
  expect(() => timesOf(cells)).toThrow(/row [12] has the time/);
  if (cells[0]!.includes('-')) return;
  expect(() => Interactions.from(cells.map((cell, k) => ['u', k, 1, Number(cell)]))).toThrow(DataError);
});

test('dates and seconds may stand in one column', () => {
  expect(timesOf(['2020-01-01', '1577836801'])).toEqual([1577836800, 1577836801]);
});

test('Date objects are times in rows and columns', () => {
  const date = new Date('2020-01-01T10:00:00.5+02:00');
  const seconds = 1577865600.5;
  const rows = [['a', 'x', 1, date], { userId: 'a', itemId: 'y', timestamp: date }, ['a', 'z', 1, 7]] as const;
  expect([...Interactions.from(rows).timestamps!]).toEqual([seconds, seconds, 7]);
  const columns = { userIds: ['a', 'b'], itemIds: ['x', 'y'], timestamps: [date, date] };
  expect([...Interactions.fromColumns(columns).timestamps!]).toEqual([seconds, seconds]);
  const invalid = new Date(Number.NaN);
  expect(() => Interactions.from([['a', 'x', 1, invalid]])).toThrow('row 1 (counting from 1) has an invalid Date');
  expect(() => Interactions.from([['a', 'x', 1, '2020' as never]])).toThrow(
    'has timestamp "2020"; want a finite number',
  );
  expect(() =>
    Interactions.from([
      ['a', 'x', 1, date],
      ['a', 'y', 1, 1577836800000],
    ]),
  ).toThrow(DataError);
});

test('what was read is read again as it is', () => {
  const data = Interactions.from([
    ['a', 'x', 1, 1577836800000],
    ['a', 'y', 1, 1577836801000],
  ]);
  expect([...Interactions.from(data).timestamps!]).toEqual([...data.timestamps!]);
});
