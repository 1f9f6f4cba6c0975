// Text made safe inside HTML and SVG, in content and in quoted attributes alike.

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** The text with the five characters that markup could read replaced, and the control characters that XML forbids dropped. */
export function escapeMarkup(text: string): string {
  return text.replace(/[^\P{Cc}\t\n\r]|[\ufffe\uffff]/gu, '').replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
