// One process may hold the library more than once: by import and by require, or in two bundles. Its classes are then several,
// and `instanceof` would not know an object of one by the other. What they say of themselves tells.

import { VERSION } from './version';

/** A class that objects of its other copies are known by. */
export interface NamedClass {
  /** Its name, which survives a minifier. */
  readonly opmf: string;
  readonly version: string;
}

/** What `instanceof` answers for a class of the library; for subclasses of others' making as ever. */
export function isInstance(type: object, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  try {
    if (Function.prototype[Symbol.hasInstance].call(type, value)) return true;
    const wanted = ownName(type);
    if (wanted === undefined) return false;
    for (let made = classOf(value); typeof made === 'function'; made = Object.getPrototypeOf(made)) {
      const name = ownName(made);
      if (name?.opmf === wanted.opmf && name.version === VERSION) return true;
    }
  } catch {
    // A proxy that refuses to be looked at.
  }
  return false;
}

/** How a message names an object of the library, whichever copy it is of; undefined for others. */
export function libraryName(value: object): string | undefined {
  const made = classOf(value);
  const name = typeof made === 'function' ? ownName(made) : undefined;
  if (name === undefined) return undefined;
  return `${/^[AEIOU]/.test(name.opmf) ? 'an' : 'a'} ${name.opmf} of opmf ${name.version}`;
}

function classOf(value: object): unknown {
  return (Object.getPrototypeOf(value) as { constructor?: unknown } | null)?.constructor;
}

function ownName(type: object): NamedClass | undefined {
  if (!Object.hasOwn(type, 'opmf')) return undefined;
  const { opmf, version } = type as Partial<NamedClass>;
  return typeof opmf === 'string' && typeof version === 'string' ? { opmf, version } : undefined;
}
