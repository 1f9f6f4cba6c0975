// Every splitter under the contract, and what each promises beyond it.

import fc from 'fast-check';
import { DataError, OptionError } from '../../src/core/errors';
import { Interactions } from '../../src/data/interactions';
import { kFold, predefinedSplit, splitByTime, splitByUser, splitLeaveOneOut, splitRandom } from '../../src/data/splits';
import { splitterContract } from '../contract/splitters';

splitterContract({ name: 'splitRandom', divide: (data, seed) => [{ ...splitRandom(data, { seed }) }] });
splitterContract({
  name: 'kFold',
  divide: (data, seed) => kFold(data, { folds: 3, seed }).map((split) => ({ ...split })),
});
splitterContract({ name: 'splitByUser', divide: (data, seed) => [{ ...splitByUser(data, { seed }) }] });
splitterContract({
  name: 'predefinedSplit',
  isSeeded: false,
  divide: (data) => {
    const rows = [...data];
    return [{ ...predefinedSplit(rows.slice(0, 2), rows.slice(2)) }];
  },
});

splitterContract({
  name: 'splitByTime',
  isSeeded: false,
  divide: (data) => [{ ...splitByTime(data) }],
});
splitterContract({
  name: 'splitLeaveOneOut by time',
  isSeeded: false,
  divide: (data) => [{ ...splitLeaveOneOut(data) }],
});
splitterContract({
  name: 'splitLeaveOneOut at random',
  divide: (data, seed) => [{ ...splitLeaveOneOut(data, { by: 'random', seed }) }],
});

const grid = (users: number, items: number) =>
  Interactions.from(
    Array.from({ length: users * items }, (_, at) => [Math.floor(at / items), at % items, 1, at] as const),
  );
const usersOf = (data: Interactions) => new Set([...data].map(({ userId }) => userId));

describe('splitRandom', () => {
  test.each([
    [10, 0.2, 2],
    [10, 0.25, 3],
    [10, 0.01, 1],
    [10, 0.99, 9],
    [2, 0.5, 1],
  ])('of %d rows, fraction %d tests %d', (rows, testFraction, tested) => {
    expect(splitRandom(grid(1, rows), { testFraction }).test.size).toBe(tested);
  });

  test('each row is tested about as often as any other', () => {
    const data = grid(1, 10);
    const counts = new Array<number>(10).fill(0);
    for (let seed = 0; seed < 2000; seed++) for (const at of splitRandom(data, { seed }).test.itemIndex) counts[at]!++;
    // 2000 draws of chance .2: five standard deviations are 90.
    for (const count of counts) expect(Math.abs(count - 400)).toBeLessThan(90);
  });

  test('a seed is the same as a number and as text', () => {
    const data = grid(5, 10);
    expect([...splitRandom(data, { seed: '7' }).test]).toEqual([...splitRandom(data, { seed: 7 }).test]);
  });

  test.each([0, 1, -0.1, Number.NaN, '0.2'])('fraction %p is refused', (testFraction) => {
    expect(() => splitRandom(grid(2, 5), { testFraction: testFraction as number })).toThrow(OptionError);
  });

  test('one row cannot be split', () => {
    expect(() => splitRandom(grid(1, 1))).toThrow(DataError);
    expect(() => splitRandom(grid(1, 1))).toThrow('splitRandom: the set has 1 rows; want at least 2');
  });
});

describe('kFold', () => {
  test.each([
    [10, 5, [2, 2, 2, 2, 2]],
    [11, 3, [4, 4, 3]],
    [3, 3, [1, 1, 1]],
  ])('%d rows in %d folds', (rows, folds, sizes) => {
    expect(kFold(grid(1, rows), { folds }).map(({ test }) => test.size)).toEqual(sizes);
  });

  test('every row is tested exactly once', () => {
    const tested = kFold(grid(7, 9), { folds: 4 }).flatMap(({ test }) => [...test.timestamps!]);
    expect(tested.sort((a, b) => a - b)).toEqual(Array.from({ length: 63 }, (_, at) => at));
  });

  test('more folds than 255 are told apart', () => {
    expect(kFold(grid(1, 300), { folds: 300 }).every(({ test }) => test.size === 1)).toBe(true);
  });

  test('fewer than two folds, and more than rows, are refused', () => {
    expect(() => kFold(grid(2, 5), { folds: 1 })).toThrow(OptionError);
    expect(() => kFold(grid(2, 5), { folds: 11 })).toThrow('want at most 10, the number of rows');
  });
});

describe('splitByUser', () => {
  test('train has no row of a tested user; history and test have the same users', () => {
    const { train, history, test: tested } = splitByUser(grid(20, 10), { testFraction: 0.25, holdOutPerUser: 0.3 });
    expect(usersOf(tested).size).toBe(5);
    expect(usersOf(history)).toEqual(usersOf(tested));
    for (const user of usersOf(train)) expect(usersOf(tested).has(user)).toBe(false);
    expect(tested.size).toBe(5 * 3);
    expect(history.size).toBe(5 * 7);
  });

  test('a user with one row is always trained on', () => {
    const data = Interactions.from([
      ['once', 1],
      ['twice', 1],
      ['twice', 2],
    ]);
    for (let seed = 0; seed < 20; seed++) {
      const parts = splitByUser(data, { testFraction: 0.9, seed });
      expect([parts.train, parts.history, parts.test].map((part) => [...usersOf(part)])).toEqual([
        ['once'],
        ['twice'],
        ['twice'],
      ]);
    }
  });

  test('users of the vocabulary without a row do not count', () => {
    const data = grid(10, 3).select(Int32Array.of(0, 1, 2, 27, 28, 29));
    for (let seed = 0; seed < 20; seed++) {
      const parts = splitByUser(data, { testFraction: 0.9, seed });
      expect([...usersOf(parts.train), ...usersOf(parts.test)].sort()).toEqual([0, 9]);
    }
  });

  test('one user, or only users with one row, cannot be split', () => {
    expect(() => splitByUser(grid(1, 9))).toThrow(DataError);
    expect(() => splitByUser(grid(9, 1))).toThrow('9 users have rows, 0 of them at least 2');
  });

  test.each(['testFraction', 'holdOutPerUser'])('%s of 1 is refused by name', (option) => {
    expect(() => splitByUser(grid(4, 4), { [option]: 1 })).toThrow(option);
  });
});

const timed = (times: readonly number[]) => Interactions.from(times.map((time, at) => [at % 3, at, 1, time] as const));
const positions = (part: Interactions) => [...part].map(({ itemId }) => itemId);

describe('splitByTime', () => {
  test.each([
    ['the latest', [50, 10, 40, 20, 30], [0, 2]],
    ['negative times', [-50, -10, -40, -20, -30], [1, 3]],
    ['ties, of which the last', [7, 9, 9, 9, 1], [2, 3]],
    ['all at once', [5, 5, 5, 5, 5], [3, 4]],
  ])('%s are tested', (_, times, expected) => {
    const { train, test: tested } = splitByTime(timed(times), { testFraction: 0.4 });
    expect(positions(tested)).toEqual(expected);
    expect(train.size).toBe(3);
  });

  test('no row of train is later than one of test', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(8), { minLength: 2 }), fc.integer({ min: 1, max: 9 }), (times, tenths) => {
        const { train, test: tested } = splitByTime(timed(times), { testFraction: tenths / 10 });
        expect(tested.size).toBe(Math.min(Math.max(Math.round((tenths / 10) * times.length), 1), times.length - 1));
        expect(Math.max(...train.timestamps!)).toBeLessThanOrEqual(Math.min(...tested.timestamps!));
      }),
    );
  });

  test('needs timestamps, two rows, and a fraction', () => {
    const untimed = Interactions.from([
      ['ann', 'tea'],
      ['bob', 'tea'],
    ]);
    expect(() => splitByTime(untimed)).toThrow(DataError);
    expect(() => splitByTime(untimed)).toThrow('splitByTime: the set has no timestamps');
    expect(() => splitByTime(timed([1]))).toThrow(DataError);
    expect(() => splitByTime(timed([1, 2]), { testFraction: 1 })).toThrow(OptionError);
    expect(() => splitByTime(timed([1, 2]), { seed: 1 } as object)).toThrow("unknown option 'seed'");
  });
});

describe('splitLeaveOneOut', () => {
  test("each user's latest row is tested, of ties the last in the data; a single row is not", () => {
    // Users 0: rows 0, 3, 6; 1: rows 1, 4; 2: rows 2, 5.
    expect(positions(splitLeaveOneOut(timed([9, 1, 4, 2, 1, 3, 8])).test)).toEqual([0, 2, 4]);
    expect(positions(splitLeaveOneOut(timed([9, 1, 4, 2])).test)).toEqual([0]);
  });

  test('any row of a user may be drawn, and none more than another', () => {
    const data = timed([0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).select(Int32Array.of(0, 3, 6, 9, 1, 4));
    const counts = new Map<unknown, number>();
    for (let seed = 0; seed < 2000; seed++) {
      const { test: tested } = splitLeaveOneOut(data, { by: 'random', seed });
      expect(tested.size).toBe(2);
      for (const at of positions(tested)) counts.set(at, (counts.get(at) ?? 0) + 1);
    }
    // 2000 draws of chance 1/4, five standard deviations are 97; of chance 1/2, 112.
    for (const at of [0, 3, 6, 9]) expect(Math.abs(counts.get(at)! - 500)).toBeLessThan(97);
    for (const at of [1, 4]) expect(Math.abs(counts.get(at)! - 1000)).toBeLessThan(112);
  });

  test('needs timestamps unless at random, and a user with two rows', () => {
    const untimed = Interactions.from([
      ['ann', 'tea'],
      ['ann', 'milk'],
    ]);
    expect(() => splitLeaveOneOut(untimed)).toThrow('splitLeaveOneOut: the set has no timestamps');
    expect(splitLeaveOneOut(untimed, { by: 'random' }).test.size).toBe(1);
    expect(() => splitLeaveOneOut(timed([1, 2, 3]))).toThrow(DataError);
    expect(() => splitLeaveOneOut(timed([1, 2, 3]), { by: 'clock' as 'time' })).toThrow(OptionError);
  });
});

describe('predefinedSplit', () => {
  test('the parts are as given, over ids of both', () => {
    const { train, test: tested } = predefinedSplit([['ann', 'tea', 4]], [['ann', 'milk', 3]]);
    expect([...train]).toEqual([{ userId: 'ann', itemId: 'tea', value: 4 }]);
    expect([...tested]).toEqual([{ userId: 'ann', itemId: 'milk', value: 3 }]);
    expect([...train.items]).toEqual(['tea', 'milk']);
  });

  test('an error names the part and the row in it', () => {
    const bad = () => predefinedSplit([['ann', 'tea', 4]], [['ann', 'milk', Number.NaN]]);
    expect(bad).toThrow(DataError);
    expect(bad).toThrow('predefinedSplit, test: row 1 ');
  });

  test('the duplicate policy holds within a part, and its name is checked', () => {
    const repeated = [
      ['ann', 'tea', 4],
      ['ann', 'tea', 5],
    ] as const;
    expect(predefinedSplit(repeated, repeated, { duplicates: 'keep' }).train.size).toBe(2);
    expect(() => predefinedSplit(repeated, repeated, { duplicates: 'error' })).toThrow(
      'predefinedSplit, train: rows 1 and 2',
    );
    expect(() => predefinedSplit(repeated, repeated, { duplicats: 'keep' } as object)).toThrow(OptionError);
  });
});
