// Rows as the scan program reads them: tiles of four rows, element k of all four side by side, so that four sums of
// products need no sum across a vector. The elements come in the order in which the sixteen lanes are summed up.

import type { RowTable } from './scorer';

/** Rows of a tile. */
export const TILE = 4;

/** The lanes as leaves of the tree of sums, left to right: ((0 + 4) + (8 + 12)) + ((2 + ...) ...), see kernels.ts. */
const LEAVES = [0, 2, 1, 3].flatMap((q) => [q, q + 4, q + 8, q + 12]);

/** The elements of each leaf that a vector of `dim` has, ascending: lane k mod 16 sums them one by one. */
export function leavesOf(dim: number): number[][] {
  return LEAVES.map((lane) =>
    Array.from({ length: Math.max(0, Math.ceil((dim - lane) / 16)) }, (_, t) => lane + 16 * t),
  );
}

/** Writes the rows into tiles. The last tile is filled up with NaN, which passes no threshold. */
export function fillTiles({ values, dim, count, isUsed }: RowTable, tiles: Float32Array): void {
  const order = Int32Array.from(leavesOf(dim).flat());
  for (let row = 0; row < count; row++) {
    if (!isUsed(row)) continue;
    const from = row * dim;
    let at = (row - (row % TILE)) * dim + (row % TILE);
    for (let p = 0; p < dim; p++, at += TILE) tiles[at] = values[from + order[p]!]!;
  }
  for (let row = count; row % TILE !== 0; row++) {
    for (let p = 0; p < dim; p++) tiles[(count - (count % TILE)) * dim + p * TILE + (row % TILE)] = Number.NaN;
  }
}
