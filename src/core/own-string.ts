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
