// The study of products on fair terms: how an arm is tuned, and what the finished arms promise.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { armOf, bytesOf, type Cell, readLines, search, windowOf } from '../../benchmarks/evidence/arms';

describe('the search of an arm', () => {
  const bowl = (best: Cell) => async (cell: Cell) => 1 + (cell.rate - best.rate) ** 2 + (cell.start - best.start) ** 2;

  test.each([
    [0, 0],
    [9, -4],
    [-12, 7],
  ])('ends with the best, %i steps of rate and %i of start away, in the middle of its window', async (rate, start) => {
    const { cell, costs, trials } = await search({ rate: 0, start: 0 }, bowl({ rate, start }));
    expect(cell).toEqual({ rate, start });
    expect(costs).toHaveLength(15);
    expect(costs[7]).toBe(Math.min(...costs));
    expect(windowOf(cell)[7]).toEqual(cell);
    expect(trials).toBeGreaterThanOrEqual(15);
  });

  test('begins in the better of two valleys where it is told where to look', async () => {
    const cost = async ({ rate, start }: Cell) => Math.min(3 + rate ** 2, 1 + (rate - 7) ** 2) + start ** 2;
    const zero = { rate: 0, start: 0 };
    expect((await search(zero, cost)).cell.rate).toBe(0);
    expect((await search(zero, cost, [4, 8])).cell.rate).toBe(7);
  });

  test('goes down where every rate diverges, and stays where all is flat', async () => {
    const steep = await search({ rate: 9, start: 0 }, async ({ rate }) =>
      rate > 0 ? Infinity : 2 - rate / 100 + rate ** 2,
    );
    expect(steep.cell.rate).toBe(0);
    const flat = await search({ rate: 0, start: 0 }, async ({ start }) => 1 + start * 1e-6);
    expect(flat).toMatchObject({ cell: { rate: 0, start: 0 }, trials: 15 });
  });
});

test('a row costs what its maps and the memory of its rule take', () => {
  expect(bytesOf('sgd', 'plain', 16)).toBe(0);
  expect(bytesOf('sgd', 'scalar-row-3', 16)).toBe(8);
  expect(bytesOf('adagrad-row', 'plain', 16)).toBe(4);
  expect(bytesOf('adam', 'plain', 16)).toBe(128);
  expect(bytesOf('adam', 'dense-2', 16)).toBe(128);
  expect(bytesOf('adagrad', 'diagonal-row-2', 16)).toBe(64 + 128);
});

test('an arm of an experiment has rates and starts of its own', () => {
  expect(armOf('plain')).toMatchObject({ overparam: false });
  expect(armOf('scalar-row-2').rates(0.5)).toBe(0.5);
  expect(armOf('plain-bias-3').rates(0.5)).toEqual({ embedding: 0.5, bias: 1.5, linear: 1.5 });
  expect(armOf('scalar-map-0.1').rates(0.5)).toEqual({ embedding: 0.5, map: 0.05 });
  expect(armOf('scalar-init-3').overparam).toEqual({ kind: 'scalar', scope: 'row', depth: 2, init: 3 });
});

test('no finished arm has its best at an end of its range', () => {
  const folder = join(__dirname, '../../benchmarks/results/evidence');
  const lines = readdirSync(folder).flatMap((name) => readLines(join(folder, name)));
  expect(lines.length).toBeGreaterThan(100);
  for (const { cells } of lines) {
    expect(cells).toHaveLength(15);
    expect(Math.min(...cells.map((cost) => cost ?? Infinity))).toBeGreaterThanOrEqual(cells[7]! * (1 - 1.1e-4));
  }
});
