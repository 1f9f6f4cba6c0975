// Where the scan program finds things in its memory, in bytes: a head with the queries and what was found, then tables.

import { TILE } from './tiles';

/** Queries that one program scores at once, at most. */
export const MOST_QUERIES = 4;
/** Rows of a block: what is found in a block is taken out before the next one. A multiple of TILE. */
export const BLOCK = 1024;

/** For each query its threshold and its term (base or factor), each four times: what a vector register holds. */
export const THRESHOLD = 0;
export const TERM = 16;
export const STATE_BYTES = 32;
/** For each query how far its list goes, as an address. */
export const ENDS = MOST_QUERIES * STATE_BYTES;
/** Where sums are stored to be settled; nobody reads them. */
export const SETTLED = ENDS + 4 * MOST_QUERIES;
/** For each query its list of [row, score]. */
export const FOUND = SETTLED + 16;
export const FOUND_BYTES = 8 * BLOCK;
/** The elements of the queries, each four times: element p of query j at (p width + j) 16. */
export const QUERIES = FOUND + MOST_QUERIES * FOUND_BYTES;

/** The bytes before the first table, for queries of up to so many numbers. */
export function headBytes(dim: number): number {
  return aligned(QUERIES + MOST_QUERIES * dim * 16);
}

/** Where a table of some size has its parts, from its start, and its bytes. */
export function scanLayout(
  dim: number,
  count: number,
): Readonly<Record<'shifts' | 'lengths' | 'tiles' | 'bytes', number>> {
  const rows = Math.ceil(count / TILE) * TILE;
  const lengths = aligned(4 * rows);
  const tiles = aligned(lengths + 4 * rows);
  return { shifts: 0, lengths, tiles, bytes: tiles + 4 * rows * dim };
}

/** The next start of a cache line. */
function aligned(address: number): number {
  return Math.ceil(address / 64) * 64;
}
