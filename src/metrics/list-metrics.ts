// Properties of recommendation lists that do not depend on relevance: how much of the catalogue they cover, how novel
// and how diverse they are, how evenly they use the items. Pure functions of lists of ids.

import { naturalLog } from '../core/elementary';
import { DataError, OptionError } from '../core/errors';
import { integer, show } from '../core/options';

/**
 * The fraction of the catalogue that occurs in any of the lists: |union of lists| / items.
 *
 * Shapes: one list of ids a user. Range: 0 to 1. Cost: linear in the entries.
 *
 * @param items the size of the catalogue, at least 1
 * @throws OptionError for a catalogue that is not a whole number of at least 1, or smaller than the number of listed
 * items; OptionError or DataError for invalid lists of ids.
 * @see Ge, Delgado-Battenfeld, Jannach, "Beyond accuracy" (RecSys 2010), section 3.1
 * @example
 * ```ts
 * import { coverage } from 'opmf';
 * console.log(coverage([['tea', 'milk'], ['tea']], 4)); // 0.5
 * ```
 */
export function coverage<T>(lists: Iterable<Iterable<T>>, items: number): number {
  return countListed('coverage', lists, items).size / items;
}

/**
 * How unevenly the places of the lists are shared among the items of the catalogue: the Gini coefficient
 * sum_j (2 j - n - 1) c_j / (n sum_j c_j), of the n items' counts c in ascending order.
 *
 * Items in no list have count 0. Range: 0 (all items equally often) to 1 - 1 / n (one item alone); 0 for lists without
 * entries. Cost: linear in the entries, and a sort of the counts.
 *
 * @param items the size of the catalogue, at least 1
 * @throws OptionError for a catalogue that is not a whole number of at least 1, or smaller than the number of listed
 * items.
 * @see Fleder, Hosanagar, "Blockbuster Culture's Next Rise or Fall" (Management Science 2009), section 4
 * @example
 * ```ts
 * import { gini } from 'opmf';
 * console.log(gini([['tea', 'milk'], ['milk', 'tea']], 2), gini([['tea'], ['tea']], 2)); // 0 0.5
 * ```
 */
export function gini<T>(lists: Iterable<Iterable<T>>, items: number): number {
  const counts = Float64Array.from(countListed('gini', lists, items).values()).sort();
  // The items in no list come first, and add nothing.
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
 * Units: bits. p is the fraction of users who have the item; an item that nobody has is infinitely novel. Empty lists
 * do not count; NaN if all are empty. Cost: linear in the entries.
 *
 * @param popularity p(item), from 0 to 1
 * @throws OptionError or DataError for invalid lists of ids, or a popularity that is not a function or does not return
 * such a number.
 * @see Zhou et al., "Solving the apparent diversity-accuracy dilemma" (PNAS 2010), surprisal
 * @example
 * ```ts
 * import { novelty } from 'opmf';
 * const share = new Map([['tea', 0.5], ['milk', 0.125]]);
 * console.log(novelty([['tea', 'milk'], ['tea']], (item) => share.get(item)!)); // 1.5
 * ```
 */
export function novelty<T>(lists: Iterable<Iterable<T>>, popularity: (item: T) => number): number {
  checkFunction('novelty', 'popularity', popularity);
  return meanOver('novelty', lists, 1, (list) => {
    let bits = 0;
    for (const item of list) {
      const p = popularity(item);
      if (!(typeof p === 'number' && p >= 0 && p <= 1))
        throw new DataError(
          `novelty: the popularity of ${show(item)} is ${show(p)}; want its part of the users, from 0 to 1`,
        );
      bits -= naturalLog(p) / Math.LN2;
    }
    return bits / list.length;
  });
}

/**
 * How unlike each other the items of a list are: the mean of 1 - similarity(a, b) over its pairs, and of that over the
 * lists.
 *
 * Lists of fewer than two entries do not count; NaN if all are. Cost: similarities of n (n - 1) / 2 pairs a list.
 *
 * @param similarity the cosine of two items' vectors, or another number of at most 1; symmetric
 * @throws OptionError or DataError for invalid lists of ids, or a similarity that is not a function or does not return
 * such a number.
 * @see Ziegler et al., "Improving recommendation lists through topic diversification" (WWW 2005), section 3.3
 * @example
 * ```ts
 * import { diversity } from 'opmf';
 * const kind: Record<string, string> = { tea: 'drink', milk: 'drink', bread: 'food' };
 * console.log(diversity([['tea', 'bread'], ['tea', 'milk']], (a, b) => (kind[a] === kind[b] ? 1 : 0))); // 0.5
 * ```
 */
export function diversity<T>(lists: Iterable<Iterable<T>>, similarity: (a: T, b: T) => number): number {
  checkFunction('diversity', 'similarity', similarity);
  return meanOver('diversity', lists, 2, (list) => {
    let sum = 0;
    for (let a = 0; a < list.length; a++) {
      for (let b = a + 1; b < list.length; b++) {
        const alike = similarity(list[a]!, list[b]!);
        if (!(typeof alike === 'number' && alike > -Infinity && alike <= MOST_ALIKE)) {
          throw new DataError(
            `diversity: the similarity of ${show(list[a])} and ${show(list[b])} is ${show(alike)}; want a finite number of at most 1`,
          );
        }
        sum += 1 - alike;
      }
    }
    return sum / ((list.length * (list.length - 1)) / 2);
  });
}

/** Cosines of rounded vectors may be a little above 1. */
const MOST_ALIKE = 1 + 1e-6;

/** How often each listed item occurs. */
function countListed<T>(owner: string, lists: Iterable<Iterable<T>>, items: number): Map<T, number> {
  integer({ min: 1 })(items, 'items');
  const counts = new Map<T, number>();
  for (const list of eachList(owner, lists)) for (const item of list) counts.set(item, (counts.get(item) ?? 0) + 1);
  if (counts.size <= items) return counts;
  throw new OptionError(
    'items',
    items,
    `items is ${items}, but the lists have ${counts.size} different ones; want the size of the catalogue`,
  );
}

/** The mean of `value` over the lists that have at least `least` entries. */
function meanOver<T>(
  owner: string,
  lists: Iterable<Iterable<T>>,
  least: number,
  value: (list: readonly T[]) => number,
): number {
  let sum = 0;
  let count = 0;
  for (const list of eachList(owner, lists)) {
    if (list.length < least) continue;
    sum += value(list);
    count++;
  }
  return sum / count;
}

/** Every list as an array. @throws OptionError for invalid lists; DataError for an invalid list or entry */
function* eachList<T>(owner: string, lists: Iterable<Iterable<T>>): Generator<readonly T[]> {
  // A string would be a list of letters, and a Map, as recommendMany returns, a list of pairs: neither is intended.
  if (!isList(lists)) {
    const advice = (lists as unknown) instanceof Map ? '; of a Map by user its values()' : '';
    throw new OptionError('lists', lists, `${owner}: lists is ${show(lists)}; want a list of lists of ids${advice}`);
  }
  let at = 0;
  for (const entries of lists) {
    if (!isList(entries)) throw new DataError(`${owner}: list ${at} is ${show(entries)}; want a list of ids`);
    const list = [...entries];
    for (const [place, entry] of list.entries()) {
      if (entry === undefined || entry === null || (typeof entry === 'object' && 'itemId' in entry)) {
        throw new DataError(
          `${owner}: entry ${place} of list ${at} is ${show(entry)}; want an id: of recommendations list.map(({ itemId }) => itemId)`,
        );
      }
    }
    at++;
    yield list;
  }
}

function isList(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Symbol.iterator in value && !(value instanceof Map);
}

function checkFunction(owner: string, name: string, value: unknown): void {
  if (typeof value === 'function') return;
  throw new OptionError(name, value, `${owner}: ${name} is ${show(value)}; want a function`);
}
