// Rows into blocks of about equal weight: the heaviest row first, each to the block that is lightest so far (Graham 1969).

import { inTurns, type Turns } from '../../core/turns';

/** Weights above it are alike in the order; exact beside a row number in a double. */
const MOST_WEIGHT = 2 ** 21;
const ROWS = 2 ** 31;

/** The block of each row. Rows of equal weight go in the order of their numbers, so that the result is a function of the weights. */
export async function balance(weights: Int32Array, blocks: number, turns: Turns): Promise<Uint16Array> {
  const blockOf = new Uint16Array(weights.length);
  if (blocks === 1) return blockOf;
  const order = heaviestFirst(weights);
  await turns.breathe();
  const load = new Float64Array(blocks);
  await inTurns(order.length, turns, (from, to) => {
    for (let at = from; at < to; at++) {
      const row = order[at]! % ROWS;
      let lightest = 0;
      for (let block = 1; block < blocks; block++) if (load[block]! < load[lightest]!) lightest = block;
      blockOf[row] = lightest;
      // A row without ratings counts too, or all of them would share one block and its memory.
      load[lightest]! += weights[row]! + 1;
    }
  });
  return blockOf;
}

/** The rows by falling weight, each as (what the weight lacks) * ROWS + row: numbers that sort without a comparison of ours. */
function heaviestFirst(weights: Int32Array): Float64Array {
  const lacking = (weight: number) => MOST_WEIGHT - Math.min(weight, MOST_WEIGHT);
  return Float64Array.from(weights, (weight, row) => lacking(weight) * ROWS + row).sort();
}
