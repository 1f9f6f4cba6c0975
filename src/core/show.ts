// Values as error messages show them: their type visible, and never more than some 200 characters, whatever they hold.

import { isPlain } from './is-plain';
import { libraryName } from './same-class';

/** The most characters of a text, before and after it is quoted. */
const LONGEST = 60;
const LONGEST_QUOTED = 160;
/** How many keys of an object are named. */
const KEYS = 6;

/** A value as an error message shows it: short, and with its type visible. */
export function show(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'bigint') return clipped(String(value));
  if (typeof value === 'symbol') return clipped(String(value));
  if (typeof value === 'function') return 'a function';
  if (value === null || typeof value !== 'object') return String(value);
  try {
    if (Array.isArray(value)) return `an array of ${value.length}`;
    const own = libraryName(value);
    if (own !== undefined) return clipped(own);
    if (!isPlain(value)) return ofClass(value);
    const keys = Object.keys(value).slice(0, KEYS);
    return `an object with ${keys.map((key) => clipped(key, LONGEST / 3)).join(', ') || 'no keys'}`;
  } catch {
    // A proxy that refuses to be looked at.
    return 'an object';
  }
}

/** An object that is not plain, by its class: 'a Map', or as an heir of another object. */
function ofClass(value: object): string {
  const type: unknown = value.constructor;
  const name: unknown = typeof type === 'function' ? type.name : undefined;
  if (typeof name !== 'string' || name === '' || name === 'Object') return 'an object that inherits from another';
  return `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${clipped(name)}`;
}

/** The start of a text that is longer than a message has room for, else all of it. */
export function clipped(text: string, longest: number = LONGEST): string {
  return text.length > longest ? `${text.slice(0, longest - 3)}...` : text;
}

/** Characters that are written out take six places each. */
function quoted(text: string): string {
  const all = JSON.stringify(clipped(text));
  return all.length > LONGEST_QUOTED ? `${all.slice(0, LONGEST_QUOTED - 4).replace(/\\[^"]{0,5}$/, '')}..."` : all;
}
