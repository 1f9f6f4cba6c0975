// Rows into blocks of about equal weight: the heaviest row first, each to the block that is lightest so far (Graham 1969).

import { inTurns, type Turns } from '../../core/turns';
import { orderBy } from './order-by';

/** Weights above it are alike in the order, which takes a counter for each weight. */
const MOST_WEIGHT = 2 ** 21;

/** The block of each row. Rows of equal weight go in the order of their numbers, so that the result is a function of the weights. */
export async function balance(weights: Int32Array, blocks: number, turns: Turns): Promise<Uint16Array> {
  const blockOf = new Uint16Array(weights.length);
  if (blocks === 1) return blockOf;
  const order = await heaviestFirst(weights, turns);
  const load = new Float64Array(blocks);
  await inTurns(order.length, turns, (from, to) => {
    for (let at = from; at < to; at++) {
      const row = order[at]!;
      let lightest = 0;
      for (let block = 1; block < blocks; block++) if (load[block]! < load[lightest]!) lightest = block;
      blockOf[row] = lightest;
      // A row without ratings counts too, or all of them would share one block and its memory.
      load[lightest]! += weights[row]! + 1;
    }
  });
  return blockOf;
}

/** The rows by falling weight. */
async function heaviestFirst(weights: Int32Array, turns: Turns): Promise<Int32Array> {
  let most = 0;
  for (const weight of weights) most = Math.max(most, Math.min(weight, MOST_WEIGHT));
  const lacking = weights.map((weight) => most - Math.min(weight, most));
  return (await orderBy(lacking, most + 1, turns)).places;
}
