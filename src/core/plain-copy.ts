// Copies of options. Not structuredClone, which jsdom and older hosts do not have.

import { isPlain } from './is-plain';

/** Deeper than any option. */
const DEEPEST = 8;

/** A copy of arrays and plain objects, what they hold copied too; anything else as it is, for a check to judge. */
export function plainCopy<T>(value: T, depth = 0): T {
  if (depth === DEEPEST || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => plainCopy(one, depth + 1)) as T;
  // Keys that are symbols or not enumerable would be lost: the check sees them, and refuses them.
  if (!isPlain(value) || Reflect.ownKeys(value).length > Object.keys(value).length) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plainCopy(one, depth + 1)])) as T;
}
