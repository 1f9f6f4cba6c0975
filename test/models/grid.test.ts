// The grid of tiles: balanced blocks, strata that share no row, and epochs that visit everything once.

import fc from 'fast-check';
import { Stream } from '../../src/core/random';
import { balance } from '../../src/models/grid/balance';
import { chooseBlocks, Grid } from '../../src/models/grid/grid';
import { inOrder, visitsOf } from '../../src/models/grid/visits';
import { NO_TURNS, randomRatings } from '../support/training';

test('blocks differ by at most the heaviest row', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(50), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 8 }),
      async (list, blocks) => {
        const weights = Int32Array.from(list);
        const blockOf = await balance(weights, blocks, NO_TURNS);
        const load = new Array<number>(blocks).fill(0);
        for (const [row, block] of blockOf.entries()) load[block]! += weights[row]! + 1;
        expect(Math.max(...load) - Math.min(...load)).toBeLessThanOrEqual(Math.max(...list) + 1);
      },
    ),
  );
});

test('every rating has its place in the tile of its blocks', async () => {
  const data = randomRatings({ users: 30, items: 20 }, 400, 'float32');
  const grid = await Grid.over(data, 30, 20, 4, NO_TURNS);
  const counts = new Array<number>(16).fill(0);
  for (let k = 0; k < data.size; k++) counts[grid.tileOf(data.users[k]!, data.items[k]!)]!++;
  for (const [tile, count] of counts.entries()) expect(grid.starts[tile + 1]! - grid.starts[tile]!).toBe(count);
});

test('an epoch goes through every step once, and no stratum has a block twice', () => {
  const starts = Int32Array.of(0, 5, 5, 17, 18, 30, 42, 43, 50, 64);
  for (const epoch of [1, 2]) {
    const strata = visitsOf(starts, 3, Stream.of(1).fork(epoch));
    const steps = new Set<number>();
    let before = 0;
    for (const visits of strata) {
      const blocks = visits.flatMap(({ tile }) => [`user ${Math.floor(tile / 3)}`, `item ${tile % 3}`]);
      expect(new Set(blocks).size).toBe(blocks.length);
      for (const visit of visits) {
        expect(visit.before).toBe(before);
        before += visit.count;
        for (let k = 0, at = visit.start; k < visit.count; k++, at = (at + visit.stride) % visit.count)
          steps.add(starts[visit.tile]! + at);
      }
    }
    expect(steps.size).toBe(64);
  }
  expect(inOrder(7)).toEqual([[{ tile: 0, count: 7, start: 0, stride: 1, before: 0 }]]);
});

test('small data have one tile; large data have enough for threads; memory decides above that', () => {
  expect(chooseBlocks(100_000, 300_000, 900)).toBe(1);
  expect(chooseBlocks(1_000_000, 300_000, 900)).toBe(8);
  expect(chooseBlocks(20_000_000, 42_000_000, 27_000)).toBeGreaterThan(32);
  expect(chooseBlocks(1_000_000, 300_000, 3)).toBe(3);
});
