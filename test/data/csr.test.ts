// Grouping into rows against its definition: members of a row in their order, every place once.

import fc from 'fast-check';
import { runToEnd, TaskScheduler } from '../../src/core/scheduler';
import { compareIds, groupRows, groupRowsNow, idOrder, transpose, transposing } from '../../src/data/csr';
import { Interactions } from '../../src/data/interactions';

const COUNT = 7;
const keys = fc.array(fc.nat({ max: COUNT - 1 }), { maxLength: 60 });
const scheduler = () => new TaskScheduler(undefined);

test('rows hold the places with their key, in order', async () => {
  await fc.assert(
    fc.asyncProperty(keys, async (list) => {
      const { starts, order } = groupRowsNow(list, COUNT);
      for (let row = 0; row < COUNT; row++) {
        const members = [...list.keys()].filter((k) => list[k] === row);
        expect([...order.subarray(starts[row], starts[row + 1])]).toEqual(members);
      }
      expect(starts[COUNT]).toBe(list.length);
      expect(await groupRows(list, COUNT, scheduler())).toEqual({ starts, order });
    }),
  );
});

test('a transposed matrix has every entry once, by column and then by row; turned twice it is itself', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(keys, { maxLength: 9 }), async (rows) => {
      const starts = Int32Array.from([0, ...rows.map((_, r) => rows.slice(0, r + 1).flat().length)]);
      const columns = Int32Array.from(rows.flat());
      const turned = runToEnd(transposing(starts, columns, COUNT));
      for (let column = 0; column < COUNT; column++) {
        const entries = rows.flatMap((row, r) => row.filter((c) => c === column).map(() => r));
        expect([...turned.rows.subarray(turned.starts[column], turned.starts[column + 1])]).toEqual(entries);
      }
      for (const [at, place] of turned.places.entries()) {
        expect(turned.rows[at]).toBe(rows.flatMap((row, r) => row.map(() => r))[place]);
      }
      expect(await transpose(starts, columns, COUNT, scheduler())).toEqual(turned);
      const again = runToEnd(transposing(turned.starts, turned.rows, rows.length));
      expect(again.starts).toEqual(starts);
      expect([...again.rows].sort()).toEqual([...columns].sort());
    }),
  );
});

test('more than one chunk', async () => {
  const long = Int32Array.from({ length: 10_000 }, (_, k) => (k * 7919) % 113);
  const { starts, order } = await groupRows(long, 113, scheduler());
  expect(order.every((place, at) => at === starts[long[place]!] || order[at - 1]! < place)).toBe(true);
  expect(new Set(order).size).toBe(10_000);
});

test('ids in order: numbers by value, then strings by their code units, whatever the order of the data', () => {
  const ids = ['b', 10, 'a', 9, '10', -1, 'B'];
  const { users } = Interactions.from(ids.map((id) => [id, 'item'] as const));
  expect(Array.from(idOrder(users), (index) => users.idOf(index))).toEqual([-1, 9, 10, '10', 'B', 'a', 'b']);
  expect([compareIds('b', 'a'), compareIds('a', 'b'), compareIds('a', 'a')]).toEqual([1, -1, 0]);
});
