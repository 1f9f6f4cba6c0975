// The contract of a splitter: the parts are the whole, nothing is in two parts, order is kept, one vocabulary is shared,
// the same seed gives the same parts, and the set that is split is left as it was.

import fc from 'fast-check';
import { Interactions } from '../../src/data/interactions';

/** The parts of one division of a set; k-fold cross-validation makes several. */
export type Parts = Readonly<Record<string, Interactions>>;

/** A splitter as the contract sees it. */
export interface SplitterUnderTest {
  readonly name: string;
  divide(data: Interactions, seed: number): readonly Parts[];
  /** Whether parts are drawn at random. */
  readonly isSeeded?: boolean;
}

/** Sets in which every row can be told by its timestamp; user 'u0' has at least two rows and 'u1' one. */
const sets = fc
  .uniqueArray(fc.tuple(fc.nat(7), fc.nat(9)), { minLength: 0, maxLength: 60, selector: ([u, i]) => u * 10 + i })
  .map((pairs) => {
    const rows = [[0, 10], [0, 11], [1, 10], ...pairs].map(([u, i], at) => [`u${u}`, i!, (at % 5) + 1, at] as const);
    return Interactions.from(rows);
  });
const seeds = fc.nat(1000);

/** Runs the contract over a splitter. */
export function splitterContract({ name, divide, isSeeded = true }: SplitterUnderTest): void {
  const timesOf = (part: Interactions) => [...part.timestamps!];

  describe(`${name} keeps the contract of a splitter`, () => {
    test('the union of the parts is the set, and their intersection is empty', () => {
      fc.assert(
        fc.property(sets, seeds, (data, seed) => {
          for (const parts of divide(data, seed)) {
            const times = Object.values(parts).flatMap(timesOf);
            expect(times.sort((a, b) => a - b)).toEqual(timesOf(data));
          }
        }),
      );
    });

    test('rows are whole, in the order of the set, and over its ids', () => {
      fc.assert(
        fc.property(sets, seeds, (data, seed) => {
          const rows = [...data];
          for (const part of divide(data, seed).flatMap((parts) => Object.values(parts))) {
            expect([...part]).toEqual(timesOf(part).map((time) => rows[time]));
            expect(timesOf(part)).toEqual(timesOf(part).sort((a, b) => a - b));
          }
        }),
      );
    });

    test('train and test are not empty, and all parts share one vocabulary', () => {
      fc.assert(
        fc.property(sets, seeds, (data, seed) => {
          for (const parts of divide(data, seed)) {
            expect(parts.train!.size).toBeGreaterThan(0);
            expect(parts.test!.size).toBeGreaterThan(0);
            expect(new Set(Object.values(parts).map((part) => part.users)).size).toBe(1);
            expect(new Set(Object.values(parts).map((part) => part.items)).size).toBe(1);
          }
        }),
      );
    });

    test('the set is left as it was', () => {
      fc.assert(
        fc.property(sets, seeds, (data, seed) => {
          const before = [...data];
          divide(data, seed);
          expect([...data]).toEqual(before);
        }),
      );
    });

    const cells = Array.from({ length: 400 }, (_, at) => [`u${at % 20}`, at, 1, at] as const);
    const large = Interactions.from(cells);
    const timesBySeed = (seed: number) => divide(large, seed).map((parts) => timesOf(parts.test!));

    test('the same seed gives the same parts', () => {
      expect(timesBySeed(3)).toEqual(timesBySeed(3));
    });

    if (isSeeded) {
      test('another seed gives others', () => {
        expect(timesBySeed(3)).not.toEqual(timesBySeed(4));
      });
    }
  });
}
