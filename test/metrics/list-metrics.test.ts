// Coverage, Gini, novelty and diversity: by hand, and Gini against its definition as a mean difference.

import fc from 'fast-check';
import { DataError, OpmfError, OptionError } from '../../src/core/errors';
import { coverage, diversity, gini, novelty } from '../../src/metrics/list-metrics';

test('coverage', () => {
  expect(coverage([[1, 2], [2, 3], []], 6)).toBe(0.5);
  expect(coverage([], 6)).toBe(0);
});

test('gini by hand', () => {
  expect(
    gini(
      [
        [1, 2],
        [3, 4],
      ],
      4,
    ),
  ).toBe(0);
  expect(gini([[1], [1]], 4)).toBe(0.75);
  expect(gini([[], []], 4)).toBe(0);
});

test('gini is half the relative mean difference of the counts', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.nat(5), { minLength: 1 }), { minLength: 1 }),
      fc.integer({ min: 6, max: 9 }),
      (lists, items) => {
        const counts = Array.from({ length: items }, (_, item) => lists.flat().filter((one) => one === item).length);
        const differences = counts.flatMap((a) => counts.map((b) => Math.abs(a - b))).reduce((sum, x) => sum + x, 0);
        const total = lists.flat().length;
        expect(gini(lists, items)).toBeCloseTo(differences / (2 * items * total), 12);
      },
    ),
  );
});

test('a catalogue has a size, and not less than what is listed', () => {
  for (const items of [0, 1.5, Number.NaN, 1]) {
    expect(() => coverage([[1, 2]], items)).toThrow(OptionError);
    expect(() => gini([[1, 2]], items)).toThrow(OptionError);
  }
});

test('novelty is in bits, a mean over lists and not over entries', () => {
  const share = (item: number) => 1 / item;
  expect(
    novelty(
      [
        [2, 8],
        [4, 4, 4],
      ],
      share,
    ),
  ).toBe(2);
  expect(novelty([[2], [8, 8, 8], []], share)).toBe(2);
  expect(novelty([[2]], () => 0)).toBe(Infinity);
  expect(novelty([[]], share)).toBeNaN();
});

test('diversity is over pairs of a list', () => {
  const near = (a: number, b: number) => (a % 2 === b % 2 ? 1 : -1);
  // Pairs 1-3 (0), 1-2 (2), 3-2 (2); and 4-6 (0); a list of one has no pair.
  expect(diversity([[1, 3, 2], [4, 6], [5]], near)).toBe((4 / 3 + 0) / 2);
  expect(diversity([[1]], near)).toBeNaN();
});

describe('what are no lists of ids, or no numbers, is refused by name', () => {
  const share = () => 0.5;
  const metrics = (lists: unknown): [string, () => number][] => [
    ['coverage', () => coverage(lists as never, 9)],
    ['gini', () => gini(lists as never, 9)],
    ['novelty', () => novelty(lists as never, share)],
    ['diversity', () => diversity(lists as never, share)],
  ];

  test.each([
    [undefined],
    [null],
    [5],
    ['ab'],
    [{}],
    [() => [[1, 2]]],
    [new Map([['ann', [1, 2]]])],
    [[null, [1, 2]]],
    [['ab']],
    [[{}]],
    [[[1, undefined]]],
    [
      [
        [
          { itemId: 1, score: 2 },
          { itemId: 2, score: 1 },
        ],
      ],
    ],
    [['x'.repeat(5000)]],
  ])('%p', (lists) => {
    for (const [name, act] of metrics(lists)) {
      expect(act).toThrow(OpmfError);
      expect(act).toThrow(new RegExp(`^${name}: .{1,200}$`));
    }
  });

  test('a Map by user, as recommendMany gives, is told to be read by its values', () => {
    for (const [, act] of metrics(new Map([['ann', [1, 2]]]))) expect(act).toThrow('of a Map by user its values()');
    for (const [, act] of metrics({})) expect(act).not.toThrow('its values()');
  });

  test.each([Number.NaN, -0.1, 1.1, undefined, '0.5', Infinity, 1n])('a popularity of %p', (p) => {
    expect(() => novelty([['tea']], () => p as never)).toThrow(DataError);
    expect(() => novelty([['tea']], () => p as never)).toThrow('the popularity of "tea" is');
  });

  test.each([Number.NaN, 1.1, undefined, '0.5', -Infinity])('a similarity of %p', (alike) => {
    expect(() => diversity([['tea', 'milk']], () => alike as never)).toThrow(DataError);
    expect(() => diversity([['tea', 'milk']], () => alike as never)).toThrow('of "tea" and "milk" is');
  });

  test('functions that are none', () => {
    expect(() => novelty([['tea']], undefined as never)).toThrow(OptionError);
    expect(() => diversity([['tea', 'milk']], { tea: 1 } as never)).toThrow(OptionError);
    expect(diversity([['a', 'b']], () => 1 + 2e-7)).toBeCloseTo(0, 6);
  });
});
