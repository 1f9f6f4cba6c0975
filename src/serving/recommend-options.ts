// Reading what lists are to be made of: the options of recommend, of a trained user and of a folded one alike, and those of
// similar items and users.

import { OptionError } from '../core/errors';
import { abortSignal, boolean, field, integer, oneOf, optional, readOptions, show, wrong } from '../core/options';
import type { Id, Vocabulary } from '../data/vocabulary';
import { ItemMask, type NumberedIds, numbersOf } from './item-mask';
import type { RecommendManyOptions, RecommendOptions, SimilarOptions } from './questions';
import type { SimilarRequest } from './top-k';
import type { ItemRequest } from './trained-state';

/** Who is asked, for messages and masks, and the ids that its rows have. */
export interface Asked {
  readonly owner: string;
  /** The recommender: masks are of one. */
  readonly recommender: object;
  readonly ids: Vocabulary;
}

/** The options of recommend, checked; what is absent follows from the history. */
export interface ReadRecommendOptions {
  readonly n: number;
  readonly filterSeen?: boolean;
  readonly exclude?: Iterable<Id> | ItemMask;
  readonly candidates?: Iterable<Id> | ItemMask;
}

const itemIds = (value: unknown, name: string) =>
  value instanceof ItemMask
    ? value
    : checkList(value as Iterable<Id>, name, 'a list or set of item ids, or an itemMask');

const recommendFields = () => ({
  n: field(integer({ min: 0 }), 10),
  filterSeen: optional(boolean),
  exclude: optional(itemIds),
  candidates: optional(itemIds),
});

/** Checks the options of recommend. */
export function readRecommendOptions(owner: string, given: RecommendOptions | undefined): ReadRecommendOptions {
  return readOptions<ReadRecommendOptions>(owner, given, recommendFields());
}

/** Checks those of recommendMany and recommendEach. */
export function readManyOptions(owner: string, given: RecommendManyOptions | undefined) {
  return readOptions<ReadRecommendOptions & { readonly signal?: AbortSignal }>(owner, given, {
    ...recommendFields(),
    signal: optional(abortSignal),
  });
}

/** Reads the options of similar items, or users. @throws OptionError as `numbered` */
export function readSimilarOptions(
  asked: Asked,
  given: SimilarOptions | undefined,
  side: 'items' | 'users',
): SimilarRequest {
  const ids = (value: unknown, name: string) => {
    if (side === 'items') return itemIds(value, name);
    return checkList(value as Iterable<Id>, name, 'a list or set of user ids');
  };
  type Read = Pick<ReadRecommendOptions, 'n' | 'exclude' | 'candidates'> & { readonly measure: 'cosine' | 'dot' };
  const read = readOptions<Read>(asked.owner, given, {
    n: field(integer({ min: 0 }), 10),
    measure: field(oneOf('cosine', 'dot'), 'cosine'),
    exclude: optional(ids),
    candidates: optional(ids),
  });
  const { request } = numbered(asked, read, false);
  const wanted = request.candidates && new Set(request.candidates);
  const excluded = new Set(request.exclude);
  return { n: read.n, measure: read.measure, isWanted: (row) => (wanted?.has(row) ?? true) && !excluded.has(row) };
}

/** What the trained state is asked for, and how many of the given ids it does not know. */
export interface NumberedRequest {
  readonly request: ItemRequest;
  /** Of `candidates` and `exclude`; absent where there are none. */
  readonly unknown?: number;
}

/**
 * The request by numbers.
 * @throws OptionError where no candidate is known, or nothing to exclude, and its ids are of a type that no row has; for a
 * mask of another recommender
 */
export function numbered(
  asked: Asked,
  { n, exclude, candidates }: Pick<ReadRecommendOptions, 'n' | 'exclude' | 'candidates'>,
  filterSeen: boolean,
): NumberedRequest {
  const out = find(asked, 'exclude', exclude);
  const wanted = find(asked, 'candidates', candidates);
  if (wanted !== undefined && wanted.ids.length > 0 && wanted.numbers.length === 0)
    throw noneKnown(asked, 'candidates', wanted.ids);
  if (out !== undefined && out.ids.length > 0 && out.numbers.length === 0) {
    // Items that are new to the model may be excluded; ids of a type that no item has are a slip.
    const types = new Set(Array.from(asked.ids, (id) => typeof id));
    if (!out.ids.some((id) => types.has(typeof id))) throw noneKnown(asked, 'exclude', out.ids);
  }
  const request = { n, filterSeen, exclude: out?.numbers ?? [], candidates: wanted?.numbers ?? null };
  const missing = (read: typeof out) => (read === undefined ? 0 : read.ids.length - read.numbers.length);
  const unknown = missing(wanted) + missing(out);
  return { request, ...(unknown > 0 && { unknown }) };
}

function find({ owner, recommender, ids }: Asked, option: string, given: Iterable<Id> | ItemMask | undefined) {
  if (given === undefined) return undefined;
  if (!(given instanceof ItemMask)) return numbersOf(ids, [...given]);
  if (given.of === recommender) return given.in(ids);
  throw new OptionError(
    option,
    given,
    `${owner}: ${option} is the itemMask of another recommender; make one by the itemMask of the one that is asked`,
  );
}

function noneKnown({ owner, ids: known }: Asked, option: string, ids: NumberedIds['ids']): OptionError {
  const [one] = ids;
  const [first] = known;
  return new OptionError(
    option,
    ids,
    `${owner}: ${option} has ${ids.length} ids and the model knows none of them, such as ${show(one)} (a ${typeof one}); ` +
      `want ids of training, such as ${show(first)} (a ${typeof first}): ids are compared with their type`,
  );
}

/** Something to iterate over, but not a string: one id would be taken for the list of its letters. */
export function checkList<T>(value: Iterable<T>, name: string, wanted: string): Iterable<T> {
  if (typeof value === 'object' && value !== null && typeof value[Symbol.iterator] === 'function') return value;
  throw wrong(name, value, wanted);
}
