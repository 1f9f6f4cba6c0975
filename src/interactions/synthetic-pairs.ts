// Who rated what in the synthetic set: a few users rate much and a few items are rated much, as Zipf and Mandelbrot have
// it (weight of the k-th: (k + shift)^-exponent), and a user tends to choose what suits his taste.

import { exponential, naturalLog } from '../core/elementary';
import type { Stream } from '../core/random';
import { range } from './split';

/** A list of user and item numbers. */
export interface Pairs {
  readonly userIndex: Int32Array;
  readonly itemIndex: Int32Array;
}

/** The k-th of `count` weights is (k + shift)^-exponent, with shift = relativeShift * count. */
export function powerLaw(count: number, relativeShift: number, exponent: number): Float64Array {
  const weights = new Float64Array(count);
  for (let k = 0; k < count; k++) weights[k] = exponential(-exponent * naturalLog(k + 1 + relativeShift * count));
  return weights;
}

/** `weights` in random order: who is busy or popular does not show in the id. */
export function deal(weights: Float64Array, stream: Stream): Float64Array {
  const order = range(weights.length);
  stream.shuffle(order);
  return Float64Array.from(order, (k) => weights[k]!);
}

/**
 * Whole counts that sum to `total`, none above `cap`: each gets `floor`, and the rest follows the weights, which must be
 * in descending order. What a capped one cannot take goes to those after it.
 */
export function apportion(total: number, weights: Float64Array, floor: number, cap: number): Int32Array {
  const after = new Float64Array(weights.length + 1);
  for (let k = weights.length - 1; k >= 0; k--) after[k] = after[k + 1]! + weights[k]!;
  let rest = total - floor * weights.length;
  return Int32Array.from(weights, (weight, k) => {
    // Rounding up keeps the average of those still to come from rising, so that the last one never exceeds the cap.
    const extra = Math.min(cap - floor, rest, Math.ceil((rest * weight) / after[k]!));
    rest -= extra;
    return floor + extra;
  });
}

/**
 * `counts[u]` distinct items for each user u, drawn one after the other with chances in proportion to
 * popularity[i] * appeal(u, i), where appeal is at most 1.
 *
 * Draws by popularity are rejected until one is new and appeals. After as many draws as there are items, the items still
 * missing are the first to arrive in a race of exponential clocks of the same rates, which is the same distribution
 * (Efraimidis and Spirakis 2006); so a dense set costs users * items, not more.
 */
export function drawPairs(
  counts: Int32Array,
  popularity: Float64Array,
  appeal: (user: number, item: number) => number,
  stream: Stream,
): Pairs {
  const items = popularity.length;
  const size = counts.reduce((sum, count) => sum + count, 0);
  const userIndex = new Int32Array(size);
  const itemIndex = new Int32Array(size);
  const cumulative = new Float64Array(items);
  let total = 0;
  for (let item = 0; item < items; item++) cumulative[item] = total += popularity[item]!;
  const takenBy = new Int32Array(items).fill(-1);
  const arrival = new Float64Array(items);

  let next = 0;
  for (let user = 0; user < counts.length; user++) {
    const end = next + counts[user]!;
    const take = (item: number) => {
      takenBy[item] = user;
      userIndex[next] = user;
      itemIndex[next++] = item;
    };
    for (let draws = 0; next < end && draws < items; draws++) {
      const item = search(cumulative, stream.uniform() * total);
      if (takenBy[item] !== user && stream.uniform() < appeal(user, item)) take(item);
    }
    if (next === end) continue;
    for (let item = 0; item < items; item++) {
      const rate = popularity[item]! * appeal(user, item);
      arrival[item] = takenBy[item] === user ? Infinity : -naturalLog((stream.uint32() + 1) * 2 ** -32) / rate;
    }
    const last = arrival.slice().sort()[end - next - 1]!;
    for (let item = 0; item < items && next < end; item++) if (arrival[item]! <= last) take(item);
  }
  return { userIndex, itemIndex };
}

/** Gives each item that nobody chose a row of an item that keeps at least one; for this there must be a row per item. */
export function coverItems({ itemIndex }: Pairs, items: number, stream: Stream): void {
  const counts = new Int32Array(items);
  for (const item of itemIndex) counts[item]!++;
  for (let item = 0; item < items; item++) {
    while (counts[item] === 0) {
      const row = stream.below(itemIndex.length);
      if (counts[itemIndex[row]!]! < 2) continue;
      counts[itemIndex[row]!]!--;
      counts[item] = 1;
      itemIndex[row] = item;
    }
  }
}

/** The first position whose cumulative weight is above `target`. */
function search(cumulative: Float64Array, target: number): number {
  let low = 0;
  let high = cumulative.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cumulative[middle]! > target) high = middle;
    else low = middle + 1;
  }
  return low;
}
