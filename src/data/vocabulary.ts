// Checks of lists that callers pass in: a value that cannot be iterated gives an error with advice.

import { DataError, isInstance } from '../core/errors';
import { check, show } from '../core/options';
import { now } from '../core/scheduler';
import { VERSION } from '../core/version';

/** Throws DataError unless `value`, called `name` in messages, is iterable. */
export function requireIterable(value: unknown, name: string, wanted: string): void {
  if (has(value, Symbol.iterator)) return;
  const got = has(value, Symbol.asyncIterator)
    ? 'an async iterable; collect it first: for await (const one of it) list.push(one)'
    : `${show(value)}; want ${wanted}`;
  throw new DataError(`${name} is ${got}`);
}

function has(value: unknown, symbol: symbol): boolean {
  if (value === null || value === undefined) return false;
  return typeof (value as Record<symbol, unknown>)[symbol] === 'function';
}

// The two-way map between a caller's ids and the 0-based numbers that index every table of a model. 1 and '1' are
// different ids, '__proto__' and '' are ordinary ids, and -0 and 0 are the same.

/**
 * A caller's name of a user or an item. Ids are compared with their type: `1` and `'1'` are two ids.
 *
 * @example
 * ```ts
 * import { Interactions, type Id } from 'opmf';
 * const ids: Id[] = [1, '1'];
 * console.log(Interactions.from(ids.map((id) => [id, 'tea'])).users.size); // 2
 * ```
 */
export type Id = string | number;

/**
 * Ids in the order of their numbers: the first id seen is 0, the next new one 1, and so on. Numbers never change.
 *
 * Cost: one hash look-up per query; about 100 bytes per id.
 *
 * @example
 * ```ts
 * import { Vocabulary } from 'opmf';
 * const items = Vocabulary.from(['tea', 'milk', 'tea', '__proto__']);
 * console.log(items.size); // 3
 * console.log(items.indexOf('milk')); // 1
 * console.log(items.indexOf('coffee')); // -1
 * console.log(items.idOf(2)); // __proto__
 * ```
 */
export class Vocabulary implements Iterable<Id> {
  /** @internal */
  static readonly opmf = 'Vocabulary';
  /** @internal */
  static readonly version = VERSION;
  /** @internal Objects of the same class of the other module format are instances too. */
  static [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: subclasses ask for themselves
    return isInstance(this, value);
  }

  private readonly ids: Id[] = [];
  private readonly indices = new IdMap();

  /**
   * A vocabulary of the given ids, each once, in the order in which they first appear.
   *
   * @throws DataError if an id is neither a string nor a number of at most 2^53 - 1 in size; ids are counted from 1.
   */
  static from(ids: Iterable<Id>): Vocabulary {
    const vocabulary = new Vocabulary();
    requireIterable(ids, 'ids', 'an iterable of ids');
    let count = 0;
    for (const id of ids) {
      count++;
      if (vocabulary.add(id) < 0)
        throw new DataError(`id ${count} (counting from 1) is ${show(id)}; want ${WANTED_ID}`);
    }
    return vocabulary;
  }

  /** How many ids there are; their numbers are 0 to size - 1. */
  get size(): number {
    return this.ids.length;
  }

  /**
   * The id that has this number.
   *
   * @throws DataError if no id has it.
   */
  idOf(index: number): Id {
    const id = typeof index === 'number' ? this.ids[index] : undefined;
    if (id === undefined)
      throw new DataError(`no id has number ${show(index)}; want a whole number from 0 to ${this.size - 1}`);
    return id;
  }

  /**
   * The number of an id, or -1 if it is unknown.
   *
   * @throws DataError for what cannot be an id: a number beyond 2^53, which is rounded, NaN, a bigint, null, ...
   */
  indexOf(id: Id): number {
    return this.indices.get(id) ?? unknown(id);
  }

  /** Whether the id is known. */
  has(id: Id): boolean {
    return this.indices.get(id) !== undefined;
  }

  /** The ids in the order of their numbers. */
  [Symbol.iterator](): IterableIterator<Id> {
    return this.ids.values();
  }

  /** @internal The number of an id, added if it is new; -1 if it is not a valid id: the caller knows the row to name. */
  add(id: Id): number {
    const known = this.indices.get(id);
    if (known !== undefined) return known;
    if (!isId(id)) return -1;
    const index = this.ids.length;
    // Adding 0 turns -0 into 0 in the list too; the Map treats them as equal.
    this.ids.push(typeof id === 'number' ? id + 0 : id);
    this.indices.set(id, index);
    return index;
  }

  /** @internal Removes the ids from number `size` on, so that invalid rows leave a shared vocabulary as it was. */
  truncate(size: number): void {
    for (const id of this.ids.splice(size)) this.indices.delete(id);
  }
}

/**
 * Numbers by id. Engines hash strings with a random key per process, but numbers with an invertible public function: a
 * text of colliding numbers would take quadratic time. So numbers are keyed here.
 */
class IdMap {
  private readonly texts = new Map<unknown, number>();
  /** Maps for 32-bit whole numbers, for larger ones, and for fractions as text. */
  private readonly small = new Map<number, number>();
  private readonly large = new Map<number, number>();
  private readonly fractions = new Map<string, number>();
  private readonly key = secret()[0]! >>> 3;
  private readonly highKey = secret()[1]! >>> 12;
  private readonly lowKey = secret()[2]!;

  get(id: Id): number | undefined {
    if (typeof id !== 'number') return this.texts.get(id);
    if ((id | 0) === id) return this.small.get(id ^ this.key);
    return Number.isInteger(id) ? this.large.get(this.keyed(id)) : this.fractions.get(String(id));
  }

  set(id: Id, index: number): void {
    if (typeof id !== 'number') this.texts.set(id, index);
    else if ((id | 0) === id) this.small.set(id ^ this.key, index);
    else if (Number.isInteger(id)) this.large.set(this.keyed(id), index);
    else this.fractions.set(String(id), index);
  }

  delete(id: Id): void {
    if (typeof id !== 'number') this.texts.delete(id);
    else if ((id | 0) === id) this.small.delete(id ^ this.key);
    else if (Number.isInteger(id)) this.large.delete(this.keyed(id));
    else this.fractions.delete(String(id));
  }

  /** XORs both 32-bit halves with the key: a bijection. */
  private keyed(id: number): number {
    const high = Math.floor(id / 2 ** 32);
    return (high ^ this.highKey) * 2 ** 32 + ((id ^ this.lowKey) >>> 0);
  }
}

/** Whether a value is a valid id. Numbers beyond 2^53 are rounded: two ids would become one. */
export function isId(value: unknown): value is Id {
  return typeof value === 'string' || (typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER);
}

/** The valid ids, in words for error messages. */
export const WANTED_ID = 'a string or a finite number of at most 2^53 - 1 in size (turn a bigint into a string)';

function unknown(id: unknown): -1 {
  if (isId(id)) return -1;
  throw new DataError(`the id is ${show(id)}; want ${WANTED_ID}`);
}

/** Checks that an option is a vocabulary. */
export const aVocabulary = check<Vocabulary>(
  'a Vocabulary, such as the users or items of other Interactions',
  (value) => value instanceof Vocabulary,
);

// Random words of this process, for hash tables with untrusted keys: without knowing them, nobody can choose keys that
// collide. No result depends on them.

let words: Int32Array | undefined;

/** Four words, drawn on first use. */
export function secret(): Int32Array {
  if (words !== undefined) return words;
  words = new Int32Array(4);
  try {
    // Hosts without it, or that forbid it before the first request, fall back to the clock.
    globalThis.crypto.getRandomValues(words);
  } catch {
    words = words.map((_, k) => Math.imul((Date.now() % 0x7fffffff) + k, 0x9e3779b1) ^ (now() * 1e6));
  }
  return words;
}
