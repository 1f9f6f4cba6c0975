// What lists of recommendations are like as a whole, whoever likes them: how much of the catalogue they show, how well
// known it is, how unlike its neighbours, how evenly shared. Pure functions of lists of ids.

import { naturalLog } from '../core/elementary';
import { OptionError } from '../core/errors';
import { integer } from '../core/options';

/**
 * The part of the catalogue that is in any of the lists: |union of lists| / items.
 *
 * Shapes: one list of ids a user. Range: 0 to 1. Cost: linear in the entries.
 *
 * @param items the size of the catalogue, at least 1
 * @throws OptionError for a catalogue that is not a whole number of at least 1, or is smaller than what is listed.
 * @see Ge, Delgado-Battenfeld, Jannach, "Beyond accuracy" (RecSys 2010), section 3.1
 * @example
 * ```ts
 * import { coverage } from 'opmf';
 * console.log(coverage([['tea', 'milk'], ['tea']], 4)); // 0.5
 * ```
 */
export function coverage<T>(lists: Iterable<Iterable<T>>, items: number): number {
  return countListed(lists, items).size / items;
}

/**
 * How unevenly the places of the lists are shared among the items of the catalogue: the Gini coefficient
 * sum_j (2 j - n - 1) c_j / (n sum_j c_j), of the n items' counts c in ascending order.
 *
 * Items in no list count, with 0. Range: 0, all alike, to 1 - 1 / n, one item alone; 0 for lists without entries.
 * Cost: linear in the entries, and a sort of the counts.
 *
 * @param items the size of the catalogue, at least 1
 * @throws OptionError for a catalogue that is not a whole number of at least 1, or is smaller than what is listed.
 * @see Fleder, Hosanagar, "Blockbuster Culture's Next Rise or Fall" (Management Science 2009), section 4
 * @example
 * ```ts
 * import { gini } from 'opmf';
 * console.log(gini([['tea', 'milk'], ['milk', 'tea']], 2), gini([['tea'], ['tea']], 2)); // 0 0.5
 * ```
 */
export function gini<T>(lists: Iterable<Iterable<T>>, items: number): number {
  const counts = Float64Array.from(countListed(lists, items).values()).sort();
  // The items of no list come first, and add nothing.
  const first = items - counts.length;
  let sum = 0;
  let weighted = 0;
  for (let at = 0; at < counts.length; at++) {
    sum += counts[at]!;
    weighted += (2 * (first + at + 1) - items - 1) * counts[at]!;
  }
  return sum === 0 ? 0 : weighted / (items * sum);
}

/**
 * How little known the listed items are: the mean of -log2 p(item) over a list, and of that over the lists.
 *
 * Units: bits. p is the part of the users that have the item; one that nobody has is infinitely new. Empty lists do not
 * count; NaN where all are empty. Cost: linear in the entries.
 *
 * @param popularity p(item), above 0 and at most 1
 * @see Zhou et al., "Solving the apparent diversity-accuracy dilemma" (PNAS 2010), surprisal
 * @example
 * ```ts
 * import { novelty } from 'opmf';
 * const share = new Map([['tea', 0.5], ['milk', 0.125]]);
 * console.log(novelty([['tea', 'milk'], ['tea']], (item) => share.get(item)!)); // 1.5
 * ```
 */
export function novelty<T>(lists: Iterable<Iterable<T>>, popularity: (item: T) => number): number {
  return meanOver(lists, 1, (list) => {
    let bits = 0;
    for (const item of list) bits -= naturalLog(popularity(item)) / Math.LN2;
    return bits / list.length;
  });
}

/**
 * How unlike each other the items of a list are: the mean of 1 - similarity(a, b) over its pairs, and of that over the
 * lists.
 *
 * Lists of fewer than two entries do not count; NaN where all are. Cost: similarities of n (n - 1) / 2 pairs a list.
 *
 * @param similarity the cosine of two items' vectors, or another number of at most 1; symmetric
 * @see Ziegler et al., "Improving recommendation lists through topic diversification" (WWW 2005), section 3.3
 * @example
 * ```ts
 * import { diversity } from 'opmf';
 * const kind: Record<string, string> = { tea: 'drink', milk: 'drink', bread: 'food' };
 * console.log(diversity([['tea', 'bread'], ['tea', 'milk']], (a, b) => (kind[a] === kind[b] ? 1 : 0))); // 0.5
 * ```
 */
export function diversity<T>(lists: Iterable<Iterable<T>>, similarity: (a: T, b: T) => number): number {
  return meanOver(lists, 2, (list) => {
    let sum = 0;
    for (let a = 0; a < list.length; a++)
      for (let b = a + 1; b < list.length; b++) sum += 1 - similarity(list[a]!, list[b]!);
    return sum / ((list.length * (list.length - 1)) / 2);
  });
}

/** How often each item that is listed is. */
function countListed<T>(lists: Iterable<Iterable<T>>, items: number): Map<T, number> {
  integer({ min: 1 })(items, 'items');
  const counts = new Map<T, number>();
  for (const list of lists) for (const item of list) counts.set(item, (counts.get(item) ?? 0) + 1);
  if (counts.size <= items) return counts;
  throw new OptionError(
    'items',
    items,
    `items is ${items}, but the lists have ${counts.size} different ones; want the size of the catalogue`,
  );
}

/** The mean of `value` over the lists that have at least `least` entries. */
function meanOver<T>(lists: Iterable<Iterable<T>>, least: number, value: (list: readonly T[]) => number): number {
  let sum = 0;
  let count = 0;
  for (const entries of lists) {
    const list = [...entries];
    if (list.length < least) continue;
    sum += value(list);
    count++;
  }
  return sum / count;
}
