// The rows of a table by block: the rows of a tile lie together in memory.

/** Rows in the order of their blocks. */
export interface RowOrder {
  /** The place of each row. */
  readonly places: Int32Array;
  /** The place where each block starts; one more at the end: the number of rows. */
  readonly starts: Int32Array;
}

/** The order of rows by the block of each. */
export function orderByBlock(blockOf: Uint16Array, blocks: number): RowOrder {
  const starts = new Int32Array(blocks + 1);
  for (const block of blockOf) starts[block + 1]!++;
  for (let block = 0; block < blocks; block++) starts[block + 1]! += starts[block]!;
  const next = starts.slice();
  const places = new Int32Array(blockOf.length);
  for (let row = 0; row < places.length; row++) places[row] = next[blockOf[row]!]!++;
  return { places, starts };
}
