// What a plain object is: the only kind that options are read from.

/** Whether a value is an object without a class of its own, of this realm or of another. */
export function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf'))
  );
}

// Copies of options. Not structuredClone, which jsdom and older hosts do not have.

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

// Strings that are to outlive the text they were cut from.

/** V8 makes slices of 13 characters and more views of their parent: one kept id would keep the whole file's text. */
const VIEW_LENGTH = 13;
/** Arguments of one call. */
const PIECE = 1 << 12;

/** An equal string that keeps no other alive. */
export function ownString(text: string): string {
  if (text.length < VIEW_LENGTH) return text;
  let copy = '';
  for (let at = 0; at < text.length; at += PIECE) {
    const codes = Array.from({ length: Math.min(PIECE, text.length - at) }, (_, i) => text.charCodeAt(at + i));
    copy += String.fromCharCode(...codes);
  }
  return copy;
}
