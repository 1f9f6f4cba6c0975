// The grid of tiles: balanced blocks, strata that share no row, and epochs that visit everything once.

import fc from 'fast-check';
import { Stream } from '../../../src/core/random';
import {
  assignBlocks,
  BlockGrid,
  chooseBlocks,
  MOST_SHUFFLED,
  oneVisit,
  scheduleVisits,
  shuffleTiles,
  type Tile,
} from '../../../src/training/per-rating/block-schedule';
import { emitShuffle, scratchBytes } from '../../../src/training/per-rating/program';
import { ModuleBuilder } from '../../../src/wasm/assembler';
import { compile, createMemory, instantiate } from '../../../src/wasm/host';
import { NEVER_YIELD, randomRatings } from '../../support/training';

test('blocks differ by at most the heaviest row', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(50), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 8 }),
      async (list, blocks) => {
        const weights = Int32Array.from(list);
        const blockOf = await assignBlocks(weights, blocks, NEVER_YIELD);
        const load = new Array<number>(blocks).fill(0);
        for (const [row, block] of blockOf.entries()) load[block]! += weights[row]! + 1;
        expect(Math.max(...load) - Math.min(...load)).toBeLessThanOrEqual(Math.max(...list) + 1);
      },
    ),
  );
});

test('every rating has its place in the tile of its blocks', async () => {
  const data = randomRatings({ users: 30, items: 20 }, 400, 'float32');
  const grid = await BlockGrid.over(data, 30, 20, { users: 4, items: 3 }, NEVER_YIELD);
  await grid.count(data, NEVER_YIELD);
  const counts = new Array<number>(12).fill(0);
  for (let k = 0; k < data.size; k++) {
    const { userBlock, itemBlock, blocks } = grid;
    const tile = grid.tileOf(data.users[k]!, data.items[k]!);
    expect(tile).toBe(userBlock[data.users[k]!]! * blocks.items + itemBlock[data.items[k]!]!);
    counts[tile]!++;
  }
  for (const [tile, count] of counts.entries()) expect(grid.starts[tile + 1]! - grid.starts[tile]!).toBe(count);
  expect(grid.most).toBeGreaterThanOrEqual(Math.max(...counts));
});

test.each([
  [3, 3],
  [7, 3],
  [2, 5],
  [1, 1],
  [40, 17],
  [19, 33],
])('%d x %d blocks: an epoch goes through every step once, and squares of a stratum share no block', (users, items) => {
  const sizes = Stream.of('sizes');
  const starts = new Int32Array(users * items + 1);
  for (let tile = 0; tile < users * items; tile++) starts[tile + 1] = starts[tile]! + sizes.below(12);
  const total = starts[users * items]!;
  for (const epoch of [1, 2]) {
    const strata = scheduleVisits(starts, { users, items }, Stream.of(1).fork(epoch));
    const steps = new Set<number>();
    let before = 0;
    for (const squares of strata) {
      const blocks = squares.flatMap((visits) => [
        ...new Set(visits.flatMap(({ tile }) => [`user ${Math.floor(tile / items)}`, `item ${tile % items}`])),
      ]);
      expect(new Set(blocks).size).toBe(blocks.length);
      // No more threads could be busy.
      expect(squares.length).toBeLessThanOrEqual(16);
      for (const visit of squares.flat()) {
        expect(visit.before).toBe(before);
        before += visit.count;
        for (let k = 0, at = visit.start; k < visit.count; k++, at = (at + visit.stride) % visit.count)
          steps.add(starts[visit.tile]! + at);
      }
    }
    expect(steps.size).toBe(total);
  }
});

test('without a shuffle there is one visit, in the order of the data', () => {
  expect(oneVisit(7)).toEqual([[[{ tile: 0, count: 7, start: 0, stride: 1, before: 0 }]]]);
});

test('small data have one tile; large data have enough for threads; memory decides above that, and batches below', () => {
  const side = (rows: number) => ({ rows, bytes: rows * 132 });
  expect(chooseBlocks(100_000, 1, side(943), side(1682))).toEqual({ users: 1, items: 1 });
  expect(chooseBlocks(1_000_000, 1, side(6040), side(3706))).toEqual({ users: 12, items: 12 });
  expect(chooseBlocks(20_000_000, 1, side(138_000), side(27_000))).toEqual({ users: 70, items: 14 });
  expect(chooseBlocks(1_000_000, 1, side(900_000), side(3))).toEqual({ users: 114, items: 3 });
  const few = chooseBlocks(1_000_000, 4096, side(6040), side(3706));
  expect(few.users * few.items * 16 * 4096).toBeLessThanOrEqual(1_000_000);
});

test('every order of a tile is as likely as any other', async () => {
  const counts = new Map<string, number>();
  const rounds = 4800;
  for (let round = 0; round < rounds; round++) {
    const order = Int32Array.of(0, 1, 2, 3);
    const records = { words: order, first: 0, wordStep: 1 };
    await shuffleTiles(Int32Array.of(0, 4), Stream.of(round), records, NEVER_YIELD);
    counts.set(order.join(''), (counts.get(order.join('')) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  const expected = rounds / 24;
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // The 99.999 % point of chi-square with 23 degrees of freedom.
  expect(chiSquare).toBeLessThan(63.5);
});

/** Records of 3 or 4 words, shuffled in JavaScript and by the program. */
async function bothShuffles(counts: readonly number[], wordStep: 3 | 4, seed: number) {
  const starts = Int32Array.of(0, ...counts.map((_, at) => counts.slice(0, at + 1).reduce((sum, n) => sum + n, 0)));
  const words = Int32Array.from({ length: starts.at(-1)! * wordStep + 4 }, (_, at) => at);
  const module = new ModuleBuilder();
  emitShuffle(module, 4 * wordStep);
  const scratch = Math.ceil((words.length * 4) / 16) * 16;
  const memory = createMemory(scratch + scratchBytes(Math.max(...counts), 4 * wordStep));
  const inMemory = new Int32Array(memory.buffer, 0, words.length);
  inMemory.set(words);
  const program = instantiate<{ shuffle(...operands: number[]): void }>(
    compile(module.encode({ pages: 1, isShared: false })),
    memory,
  );
  const shuffled: Tile[] = [];
  const shuffle = async (tiles: readonly Tile[]) => {
    shuffled.push(...tiles);
    for (const { first, count, key } of tiles) program.shuffle(first * wordStep * 4, count, key, scratch);
  };
  await shuffleTiles(starts, Stream.of(seed), { words, first: 0, wordStep }, NEVER_YIELD);
  await shuffleTiles(starts, Stream.of(seed), { words: inMemory, first: 0, wordStep, shuffle }, NEVER_YIELD);
  return { words, inMemory, shuffled };
}

test('the program shuffles as JavaScript does, each tile on its own', async () => {
  const counts = fc.array(fc.nat(70), { minLength: 1, maxLength: 9 });
  await fc.assert(
    fc.asyncProperty(counts, fc.constantFrom(3 as const, 4 as const), fc.integer(), async (counts, wordStep, seed) => {
      const { words, inMemory, shuffled } = await bothShuffles(counts, wordStep, seed);
      expect([...inMemory]).toEqual([...words]);
      expect(shuffled.map(({ count }) => count)).toEqual(counts);
    }),
    { numRuns: 200 },
  );
  const { words, inMemory } = await bothShuffles([MOST_SHUFFLED, 5], 3, 1);
  expect(Buffer.from(inMemory).equals(Buffer.from(words))).toBe(true);
});

test('a tile that would hold the event loop for long is left to JavaScript', async () => {
  const { words, inMemory, shuffled } = await bothShuffles([MOST_SHUFFLED + 1], 3, 2);
  expect(shuffled).toEqual([]);
  expect(Buffer.from(inMemory).equals(Buffer.from(words))).toBe(true);
});
