// Text as UTF-8 and back, by the host's coders, or by hand where it has none (Jest's jsdom).

/** The bytes of a text of whole characters. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  if (typeof TextEncoder === 'function') {
    encoder ??= new TextEncoder();
    return encoder.encode(text);
  }
  // Escapes are those of UTF-8.
  const bytes = encodeURIComponent(text).replace(/%(..)/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Uint8Array.from(bytes, (byte) => byte.charCodeAt(0));
}

/** The text of some bytes. @throws TypeError or URIError where they are no UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string {
  if (typeof TextDecoder === 'function') {
    decoder ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return decoder.decode(bytes);
  }
  let escaped = '';
  for (const byte of bytes) escaped += byte < 0x80 && byte !== 0x25 ? String.fromCharCode(byte) : escapeOf(byte);
  return decodeURIComponent(escaped);
}

let encoder: TextEncoder | undefined;
let decoder: TextDecoder | undefined;

const escapeOf = (byte: number) => `%${byte.toString(16).padStart(2, '0')}`;
