// Plain objects: the only kind that options are read from.

/** Whether a value is an object literal or has no prototype, in this realm or another. */
export function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf'))
  );
}

// Copies of options. Not structuredClone, which jsdom and older hosts lack.

/** Deeper than any option. */
const DEEPEST = 8;

/** A deep copy of arrays and plain objects; anything else is returned as it is, for a check to judge. */
export function plainCopy<T>(value: T, depth = 0): T {
  if (depth === DEEPEST || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => plainCopy(one, depth + 1)) as T;
  // Symbol keys and non-enumerable keys would be lost: the check sees the original, and rejects it.
  if (!isPlain(value) || Reflect.ownKeys(value).length > Object.keys(value).length) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plainCopy(one, depth + 1)])) as T;
}

// Strings that may outlive the text they were cut from.

/** V8 represents slices of 13 characters and more as views of their parent: one kept id would keep the whole file's text alive. */
const VIEW_LENGTH = 13;
/** Characters per call. */
const PIECE = 1 << 12;

/** An equal string that keeps no other string alive. */
export function ownString(text: string): string {
  if (text.length < VIEW_LENGTH) return text;
  let copy = '';
  for (let at = 0; at < text.length; at += PIECE) {
    const codes = Array.from({ length: Math.min(PIECE, text.length - at) }, (_, i) => text.charCodeAt(at + i));
    copy += String.fromCharCode(...codes);
  }
  return copy;
}
