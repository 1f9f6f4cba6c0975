// The rows of a table by block: the rows of a tile lie together in memory.

/** The place of each row when rows are put in the order of their blocks. */
export function placesByBlock(blockOf: Uint16Array, blocks: number): Int32Array {
  const next = new Int32Array(blocks + 1);
  for (const block of blockOf) next[block + 1]!++;
  for (let block = 0; block < blocks; block++) next[block + 1]! += next[block]!;
  return Int32Array.from(blockOf, (block) => next[block]!++);
}
