// The search for repeated pairs against a Map, with shares of every size.

import fc from 'fast-check';
import { runToEnd } from '../../src/core/scheduler';
import { findRepeats } from '../../src/data/duplicates';

const pairs = fc.array(fc.tuple(fc.nat(6), fc.nat(4)), { maxLength: 60 });

function found(rows: readonly (readonly [number, number])[], items: number, small?: number): string[] {
  const columns = {
    userIndex: Int32Array.from(rows, ([user]) => user),
    itemIndex: Int32Array.from(rows, ([, item]) => item),
    values: new Float32Array(rows.length),
  };
  const list: string[] = [];
  runToEnd(findRepeats(columns, 7, items, (row, earlier) => list.push(`${row} after ${earlier}`), small));
  return list.sort();
}

function expected(rows: readonly (readonly [number, number])[]): string[] {
  const last = new Map<string, number>();
  const list: string[] = [];
  rows.forEach(([user, item], row) => {
    const earlier = last.get(`${user} ${item}`);
    if (earlier !== undefined) list.push(`${row} after ${earlier}`);
    last.set(`${user} ${item}`, row);
  });
  return list.sort();
}

test.each([
  ['few items', 5],
  ['more items than 16 bits number', 70_000],
])('%s: every repeat is found once, with the nearest earlier row', (_, items) => {
  fc.assert(
    fc.property(pairs, fc.constantFrom(1, 3, 1000), (rows, small) => {
      expect(found(rows, items, small)).toEqual(expected(rows));
    }),
  );
});

test('users whose rows stand together', () => {
  fc.assert(
    fc.property(pairs, (rows) => {
      const together = [...rows].sort(([a], [b]) => a - b);
      expect(found(together, 5)).toEqual(expected(together));
    }),
  );
});
