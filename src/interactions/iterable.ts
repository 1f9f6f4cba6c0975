// Lists that callers hand over: what cannot be gone over is told as such, with what to do about it.

import { DataError } from '../core/errors';
import { show } from '../core/options';

/** Throws DataError unless `value`, which messages call `name`, can be iterated over. */
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
