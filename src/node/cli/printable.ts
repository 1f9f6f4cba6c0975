// Text for a terminal: what comes from data (ids, headers, names of files) may hold characters that move the cursor, change
// colours or turn the direction of writing. They are shown as \u001b, which is what they are in JSON too.

/** Controls but tab and line feed, and marks of direction. */
const CONTROLS = /(?![\t\n])[\p{Cc}\p{Bidi_Control}\u2028\u2029\ufeff]/gu;

/** Text of several lines. */
export function printable(text: string): string {
  return text.replace(CONTROLS, escaped);
}

/** One value within a line: a tab or a line feed would look like the next column or line. */
export function printableValue(value: string | number): string {
  return printable(String(value).replace(/[\t\n]/g, escaped));
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
