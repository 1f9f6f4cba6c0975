// Reading the options of recommend: of a trained user and of a folded one alike.

import { boolean, field, integer, optional, readOptions, wrong } from '../core/options';
import type { Id } from '../interactions/vocabulary';
import type { RecommendOptions } from './recommender';

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
  return readOptions<ReadRecommendOptions>(owner, given, {
    n: field(integer({ min: 0 }), 10),
    filterSeen: optional(boolean),
    exclude: optional(itemIds),
    candidates: optional(itemIds),
  });
}

/** Something to iterate over, but not a string: one id would be taken for the list of its letters. */
export function checkList<T>(value: Iterable<T>, name: string, wanted: string): Iterable<T> {
  if (typeof value === 'object' && value !== null && Symbol.iterator in value) return value;
  throw wrong(name, value, wanted);
}
