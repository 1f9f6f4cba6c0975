// Checks options objects: every constructor and function of the library reads its options here. An option is declared
// once, by a field: a check, and a default that may be a function of other options and of the data. Types and
// documentation are in the interfaces that callers name; docs/options.md is made from both.

import { clipped, OptionError, show } from './errors';
import { isPlain } from './plain';

export { show } from './errors';

/** Returns a valid value; throws OptionError otherwise. `name` is the option's dotted name. */
export interface Check<T> {
  (value: unknown, name: string): T;
  /** The valid values in words: for errors, the help of the command line and docs/options.md. */
  readonly wanted?: string | undefined;
}

/** What the default of an option may depend on. */
export interface Context<Options = unknown, Data = unknown> {
  readonly owner: string;
  /** The other options, in any order; each is read on first access. */
  readonly options: Options;
  /** Properties of the data; undefined until a fit knows them. */
  readonly data: Data | undefined;
}

/** The declaration of an option: how to read it, given or absent (undefined). Without `wanted` it is not listed in the help. */
export interface Field<T, Options = unknown, Data = unknown> {
  read(value: unknown, name: string, context: Context<Options, Data>): T;
  readonly wanted?: string | undefined;
}

/** The declaration of an option that may stay absent. */
export interface Optional<T> extends Field<T | undefined> {
  readonly isOptional: true;
}

/** The type of a checked options object: every option is present, those of `Own` with the type their field returns. */
export type Filled<T, Own = unknown> = {
  readonly [K in keyof T]-?: K extends keyof Own ? Own[K] : Exclude<T[K], undefined>;
};

/** The declarations of an options object. An option that may be absent (`x?: T`) may be `optional`. */
export type Fields<T, Data = unknown> = {
  readonly [K in keyof T]-?:
    | Field<T[K], T, Data>
    | (T extends Required<Pick<T, K>> ? never : Field<T[K] | undefined, T, Data>);
};

/** The type that an object of declarations reads. */
export type ReadOf<F> = {
  readonly [K in keyof F as F[K] extends Optional<unknown> ? never : K]: F[K] extends Field<infer T> ? T : never;
} & {
  readonly [K in keyof F as F[K] extends Optional<unknown> ? K : never]?: F[K] extends Optional<infer T> ? T : never;
};

/** Declares an option with a default. */
export function field<T>(check: Check<T>, fallback: T): Field<T> {
  return { read: (value, name) => (value === undefined ? fallback : check(value, name)), wanted: check.wanted };
}

/** Declares an option whose default is a function of the other options and of the data. */
export function derived<T, Options, Data>(
  check: Check<T>,
  fallback: (context: Context<Options, Data>) => T,
): Field<T, Options, Data> {
  return {
    read: (value, name, context) => (value === undefined ? fallback(context) : check(value, name)),
    wanted: check.wanted,
  };
}

/** Declares an option that may be absent. */
export function optional<T>(check: Check<T>): Optional<T> {
  return { ...field<T | undefined>(check, undefined), isOptional: true };
}

/**
 * Reads `given` by the declarations in `fields`: unknown names and bad values throw OptionError, absent options take
 * their default. The result has the order of the declarations. `owner` is named in the message; `prefix` is put
 * before an option's name (`overparam.`); `data` is what defaults may depend on.
 */
export function readOptions<G extends object, F extends { readonly [K in keyof G]-?: Field<unknown, never, never> }>(
  owner: string,
  given: G | undefined,
  fields: F,
  prefix?: string,
): ReadOf<F>;
export function readOptions<T extends object, Data = unknown>(
  owner: string,
  given: unknown,
  fields: Fields<T, Data>,
  prefix?: string,
  data?: Data,
  /** Former names of options, with their present names. */
  renamed?: Readonly<Record<string, string>>,
): Readonly<T>;
export function readOptions(
  owner: string,
  given: unknown,
  fields: Readonly<Record<string, Field<unknown>>>,
  prefix = '',
  data?: unknown,
  renamed: Readonly<Record<string, string>> = {},
): object {
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
  const known = new Map<string, unknown>();
  const take = (name: string) => {
    if (!known.has(name)) known.set(name, fields[name]!.read(own[name], prefix + name, context));
    return known.get(name);
  };
  const context = {
    owner,
    data,
    get options() {
      const entries = names.map((name) => [name, { get: () => take(name) }]);
      return Object.defineProperties({}, Object.fromEntries(entries));
    },
  };
  const read: Record<string, unknown> = {};
  for (const name of names) {
    const value = take(name);
    if (value !== undefined) read[name] = value;
  }
  return Object.freeze(read);
}

/**
 * The properties of a plain object: one written as a literal, parsed from JSON, or without a prototype. Class instances, a
 * Promise, a Map, a Date, an array, inherited properties, and keys that are symbols or not enumerable are rejected:
 * their contents would be silently ignored. Each property is read once.
 * @throws OptionError with `name` and the value
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
 * are undefined are dropped, as in JSON.
 * @throws OptionError with the first part that JSON cannot represent
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

/** A check of values for which `isGood` holds; `wanted` describes them. */
export function check<T>(wanted: string, isGood: (value: unknown) => boolean): Check<T> {
  const checked = (value: unknown, name: string) => {
    if (isGood(value)) return value as T;
    throw wrong(name, value, wanted);
  };
  return Object.assign(checked, { wanted });
}

/** A finite number within bounds. */
export function number(bounds: Bounds = {}): Check<number> {
  return check(`a finite number${range(bounds)}`, (value) => Number.isFinite(value) && within(value as number, bounds));
}

/** A whole number within bounds. */
export function integer(bounds: Bounds = {}): Check<number> {
  return check(
    `a whole number${range(bounds)}`,
    (value) => Number.isSafeInteger(value) && within(value as number, bounds),
  );
}

/** `true` or `false`. */
export const boolean: Check<boolean> = /* @__PURE__ */ check('true or false', (value) => typeof value === 'boolean');

/** A string. */
export const string: Check<string> = /* @__PURE__ */ check('a string', (value) => typeof value === 'string');

/** One of the listed values. */
export function oneOf<const T extends string | number | boolean>(...choices: readonly T[]): Check<T> {
  const wanted = `one of ${choices.join(', ')}`;
  const checked = (value: unknown, name: string) => {
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    const close = typeof value === 'string' ? nearest(value, choices.map(String)) : undefined;
    throw wrong(name, value, close === undefined ? wanted : `${wanted} (did you mean '${close}'?)`);
  };
  return Object.assign(checked, { wanted });
}

/** What another check takes, or 'auto': what a fit chooses by its data. */
export function orAuto<T>(given: Check<T>): Check<T | 'auto'> {
  const wanted = `${given.wanted}, or 'auto'`;
  const checked = (value: unknown, name: string) => {
    if (value === 'auto') return 'auto';
    try {
      return given(value, name);
    } catch {
      throw wrong(name, value, wanted);
    }
  };
  return Object.assign(checked, { wanted });
}

/** An array of values that pass `one`; returns a frozen copy. */
export function listOf<T>(one: Check<T>, wanted: string): Check<readonly T[]> {
  const checked = (value: unknown, name: string) => {
    if (!Array.isArray(value)) throw wrong(name, value, wanted);
    return Object.freeze(Array.from(value, (part: unknown, k) => one(part, `${name}[${k}]`)));
  };
  return Object.assign(checked, { wanted });
}

/** A function; its own arguments are not checked. */
export function callable<T>(): Check<T> {
  return check('a function', (value) => typeof value === 'function');
}

/** A seed: any finite number or any string. */
export const seed: Check<number | string> = /* @__PURE__ */ check(
  'a finite number or a string',
  (value) => typeof value === 'string' || Number.isFinite(value),
);

/** On how many threads. */
export const threadCount: Check<number | 'auto'> = /* @__PURE__ */ check(
  "a whole number from 1 to 256, or 'auto'",
  (value) => value === 'auto' || (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 256),
);

/** The signal that aborts a call. */
export const abortSignal: Check<AbortSignal> = /* @__PURE__ */ check(
  'an AbortSignal',
  (value) => value instanceof AbortSignal,
);

/** The error of a value that fails its check: `rank is 0; want a whole number of at least 1`. */
export function wrong(name: string, value: unknown, wanted: string): OptionError {
  return new OptionError(name, value, `${name} is ${show(value)}; want ${wanted}`);
}

/** The candidate closest to `name` by edit distance, if close enough to be a typo. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    // The distance is at least the difference in length, and costs the product of the lengths.
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
  if (min !== undefined && max !== undefined && !above && !below) return ` from ${min} to ${max}`;
  const low = min === undefined ? '' : ` ${above ? 'above' : 'of at least'} ${min}`;
  const high = max === undefined ? '' : ` ${below ? 'below' : 'of at most'} ${max}`;
  return low + (low !== '' && high !== '' ? ' and' : '') + high;
}
