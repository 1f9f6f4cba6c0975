// Reading an options object: every constructor and function of the library checks its options here, once.
// An option is described by a field: a check that returns the value or throws, and perhaps a default.

import { OptionError } from './errors';
import { isPlain } from './is-plain';
import { clipped, show } from './show';

export { show } from './show';

/** Returns the value where it is good, throws OptionError where it is not. `name` is the option's dotted name. */
export type Check<T> = (value: unknown, name: string) => T;

/** One option: how it is checked, and what it is when absent (`undefined`: stays absent). */
export interface Field<T> {
  readonly check: Check<NonNullable<T> | T>;
  readonly fallback: T;
}

/** An options object once read: every option is there. */
export type Filled<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

/** The fields of an options object. An option that may be absent (`x?: T`) may be described as `optional`. */
export type Fields<T> = {
  readonly [K in keyof T]-?: Field<T[K]> | (T extends Required<Pick<T, K>> ? never : Field<T[K] | undefined>);
};

/** Describes an option with a default. */
export function field<T>(check: Check<T>, fallback: T): Field<T> {
  return { check, fallback };
}

/** Describes an option that may be absent. */
export function optional<T>(check: Check<T>): Field<T | undefined> {
  return { check, fallback: undefined };
}

/**
 * Reads `given` by `fields`: unknown names and bad values throw OptionError, absent options take their default.
 * `owner` is named in the message; `prefix` is put before an option's name (`overparam.`).
 */
export function readOptions<T extends object>(
  owner: string,
  given: unknown,
  fields: Fields<T>,
  prefix = '',
  /** Names that options had before, and what they are called now. */
  renamed: Readonly<Record<string, string>> = {},
): Readonly<T> {
  const place = prefix === '' ? 'options' : prefix.slice(0, -1);
  const names = Object.keys(fields);
  const own = given === undefined ? {} : plain(given, place, `an object with any of ${names.join(', ')}`, owner);
  for (const name of Object.keys(own)) {
    if (Object.hasOwn(renamed, name))
      throw new OptionError(prefix + name, own[name], `${owner}: '${prefix}${name}' is now ${renamed[name]}`);
    if (!Object.hasOwn(fields, name)) {
      const close = nearest(name, names);
      const advice = close === undefined ? `known options: ${names.join(', ')}` : `did you mean '${prefix}${close}'?`;
      throw new OptionError(
        prefix + name,
        own[name],
        `${owner}: unknown option '${prefix}${clipped(name)}'; ${advice}`,
      );
    }
  }
  const read: Record<string, unknown> = {};
  for (const [name, { check, fallback }] of Object.entries<Field<unknown>>(fields)) {
    const value = Object.hasOwn(own, name) ? own[name] : undefined;
    const result = value === undefined ? fallback : check(value, prefix + name);
    if (result !== undefined) read[name] = result;
  }
  return Object.freeze(read) as Readonly<T>;
}

/**
 * The properties of a plain object: one written as a literal, parsed from JSON, or without a prototype. Class instances, a
 * Promise, a Map, a Date, an array, inherited properties, and keys that are symbols or not enumerable are refused: what they
 * hold would be passed over without a word. Each property is read once.
 * @throws OptionError naming `name` and what was got
 */
export function plain(value: unknown, name: string, wanted: string, owner?: string): Record<string, unknown> {
  const about = owner === undefined ? '' : `${owner}: `;
  const refuse = (got: string) => new OptionError(name, value, `${about}${name} is ${got}; want ${wanted}`);
  if (!isPlain(value)) throw refuse(show(value));
  const own: Record<string, unknown> = Object.create(null);
  for (const key of Reflect.ownKeys(value)) {
    const isEnumerable = Object.prototype.propertyIsEnumerable.call(value, key);
    if (typeof key === 'symbol' && isEnumerable) throw refuse(`an object with the key ${clipped(String(key))}`);
    if (typeof key === 'symbol') continue;
    if (!isEnumerable) throw refuse(`an object whose property '${clipped(key)}' is not enumerable`);
    own[key] = (value as Record<string, unknown>)[key];
  }
  return own;
}

/**
 * A frozen copy of plain JSON: null, booleans, finite numbers, strings, arrays and plain objects of them. Properties that
 * are undefined are left out, as JSON leaves them out.
 * @throws OptionError naming the first part that JSON cannot keep
 */
export function json(value: unknown, name: string, parents: readonly unknown[] = []): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  const wanted =
    'plain JSON (null, booleans, finite numbers, strings, arrays, plain objects), so that a model can be saved';
  if (parents.includes(value)) throw new OptionError(name, value, `${name} contains itself; want ${wanted}`);
  if (parents.length >= MOST_LEVELS)
    throw new OptionError(name, value, `${name} is ${MOST_LEVELS} levels deep; want fewer`);
  const within = [...parents, value];
  if (Array.isArray(value)) return Object.freeze(Array.from(value, (part, k) => json(part, `${name}[${k}]`, within)));
  const parts = Object.entries(plain(value, name, wanted)).filter(([, part]) => part !== undefined);
  return Object.freeze(Object.fromEntries(parts.map(([key, part]) => [key, json(part, `${name}.${key}`, within)])));
}

const MOST_LEVELS = 32;

/** The bounds of a number. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
  /** The value must be above `min`, not at it. */
  readonly above?: boolean;
  /** The value must be below `max`, not at it. */
  readonly below?: boolean;
}

/** A finite number within bounds. */
export function number(bounds: Bounds = {}): Check<number> {
  return (value, name) => {
    if (typeof value === 'number' && Number.isFinite(value) && within(value, bounds)) return value;
    throw wrong(name, value, `a finite number${range(bounds)}`);
  };
}

/** A whole number within bounds. */
export function integer(bounds: Bounds = {}): Check<number> {
  return (value, name) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && within(value, bounds)) return value;
    throw wrong(name, value, `a whole number${range(bounds)}`);
  };
}

/** `true` or `false`. */
export const boolean: Check<boolean> = (value, name) => {
  if (typeof value === 'boolean') return value;
  throw wrong(name, value, 'true or false');
};

/** A string. */
export const string: Check<string> = (value, name) => {
  if (typeof value === 'string') return value;
  throw wrong(name, value, 'a string');
};

/** One of the listed values. */
export function oneOf<const T extends string | number | boolean>(...choices: readonly T[]): Check<T> {
  return (value, name) => {
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    const close = typeof value === 'string' ? nearest(value, choices.map(String)) : undefined;
    throw wrong(name, value, `one of ${choices.join(', ')}${close === undefined ? '' : ` (did you mean '${close}'?)`}`);
  };
}

/** A function; its own arguments are not checked. */
export function callable<T>(): Check<T> {
  return (value, name) => {
    if (typeof value === 'function') return value as T;
    throw wrong(name, value, 'a function');
  };
}

/** A seed: any finite number or any string. */
export const seed: Check<number | string> = (value, name) => {
  if (typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))) return value;
  throw wrong(name, value, 'a finite number or a string');
};

/** The error of a value that fails its check: `rank is 0; want a whole number of at least 1`. */
export function wrong(name: string, value: unknown, wanted: string): OptionError {
  return new OptionError(name, value, `${name} is ${show(value)}; want ${wanted}`);
}

/** The candidate closest to `name` by edit distance, when close enough to be a slip of the hand. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    // The distance is at least the difference of their lengths, and takes as long as their product.
    if (Math.abs(name.length - candidate.length) >= least) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}

function within(value: number, { min = -Infinity, max = Infinity, above = false, below = false }: Bounds): boolean {
  return (above ? value > min : value >= min) && (below ? value < max : value <= max);
}

function range({ min, max, above = false, below = false }: Bounds): string {
  const low = min === undefined ? '' : ` ${above ? 'above' : 'of at least'} ${min}`;
  const high = max === undefined ? '' : ` ${below ? 'below' : 'of at most'} ${max}`;
  return low + (low !== '' && high !== '' ? ' and' : '') + high;
}
