// Reading the options of recommend: of a trained user and of a folded one alike.

import { OptionError } from '../core/errors';
import { boolean, field, integer, optional, readOptions, show, wrong } from '../core/options';
import type { Id, Vocabulary } from '../data/vocabulary';
import type { RecommendOptions } from './questions';
import type { ItemRequest } from './trained-state';

/** The options of recommend, checked; what is absent follows from the history. */
export interface ReadRecommendOptions {
  readonly n: number;
  readonly filterSeen?: boolean;
  readonly exclude?: Iterable<Id>;
  readonly candidates?: Iterable<Id>;
}

/** Checks the options of recommend. */
export function readRecommendOptions(owner: string, given: RecommendOptions | undefined): ReadRecommendOptions {
  const itemIds = (value: unknown, name: string) => checkList(value as Iterable<Id>, name, 'a list or set of item ids');
  return readOptions(owner, given, {
    n: field(integer({ min: 0 }), 10),
    filterSeen: optional(boolean),
    exclude: optional(itemIds),
    candidates: optional(itemIds),
  });
}

/** What the trained state is asked for, and how many of the given ids it does not know. */
export interface NumberedRequest {
  readonly request: ItemRequest;
  /** Of `candidates` and `exclude`; absent where there are none. */
  readonly unknown?: number;
}

/**
 * The request by item numbers.
 * @throws OptionError where no candidate is known, or nothing to exclude, and its ids are of a type that no item has
 */
export function numbered(
  owner: string,
  items: Vocabulary,
  { n, exclude, candidates }: ReadRecommendOptions,
  filterSeen: boolean,
): NumberedRequest {
  const out = exclude && numbersOf(items, exclude);
  const wanted = candidates && numbersOf(items, candidates);
  if (wanted !== undefined && wanted.ids.length > 0 && wanted.numbers.length === 0)
    throw noneKnown(owner, 'candidates', wanted.ids, items);
  if (out !== undefined && out.ids.length > 0 && out.numbers.length === 0) {
    // Items that are new to the model may be excluded; ids of a type that no item has are a slip.
    const types = new Set(Array.from(items, (id) => typeof id));
    if (!out.ids.some((id) => types.has(typeof id))) throw noneKnown(owner, 'exclude', out.ids, items);
  }
  const request = { n, filterSeen, exclude: out?.numbers ?? [], candidates: wanted?.numbers ?? null };
  const missing = (read: typeof out) => (read === undefined ? 0 : read.ids.length - read.numbers.length);
  const unknown = missing(wanted) + missing(out);
  return { request, ...(unknown > 0 && { unknown }) };
}

function numbersOf(items: Vocabulary, given: Iterable<Id>): { readonly ids: Id[]; readonly numbers: number[] } {
  const ids = [...given];
  return { ids, numbers: ids.map((id) => items.indexOf(id)).filter((item) => item >= 0) };
}

function noneKnown(owner: string, option: string, ids: readonly Id[], items: Vocabulary): OptionError {
  const [one] = ids;
  const [known] = items;
  return new OptionError(
    option,
    ids,
    `${owner}: ${option} has ${ids.length} ids and the model knows none of them, such as ${show(one)} (a ${typeof one}); ` +
      `want ids of trained items, such as ${show(known)} (a ${typeof known}): ids are compared with their type`,
  );
}

/** Something to iterate over, but not a string: one id would be taken for the list of its letters. */
export function checkList<T>(value: Iterable<T>, name: string, wanted: string): Iterable<T> {
  if (typeof value === 'object' && value !== null && typeof value[Symbol.iterator] === 'function') return value;
  throw wrong(name, value, wanted);
}
