// Rows into blocks of about equal weight: the heaviest row first, each to the block that is lightest so far (Graham 1969).

/** The block of each row. Rows of equal weight go in the order of their numbers, so that the result is a function of the weights. */
export function balance(weights: Int32Array, blocks: number): Uint16Array {
  const blockOf = new Uint16Array(weights.length);
  if (blocks === 1) return blockOf;
  const load = new Float64Array(blocks);
  for (const row of heaviestFirst(weights)) {
    let lightest = 0;
    for (let block = 1; block < blocks; block++) if (load[block]! < load[lightest]!) lightest = block;
    blockOf[row] = lightest;
    // A row without ratings counts too, or all of them would share one block and its memory.
    load[lightest]! += weights[row]! + 1;
  }
  return blockOf;
}

/** The rows by falling weight: a counting sort up to a weight that is rare to pass, and a sort of the rest. */
function heaviestFirst(weights: Int32Array): Int32Array {
  const rows = Int32Array.from(weights, (_, row) => row);
  return rows.sort((a, b) => weights[b]! - weights[a]! || a - b);
}
