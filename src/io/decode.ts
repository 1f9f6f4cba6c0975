// Bytes to text, strictly: bytes that are not of the stated encoding are an error, never a replacement character.

import type { Faults } from './fault';

/** The encodings that rating files are met in. */
export type Encoding = 'utf-8' | 'latin1';

/** What one JavaScript string can hold in V8, in UTF-16 units. */
const LONGEST_STRING = 2 ** 29 - 24;

/** The text of `source` without its byte order mark. A string is taken as it is. */
export function decode(source: string | Uint8Array, encoding: Encoding, faults: Faults): string {
  if (typeof source === 'string') return source.charCodeAt(0) === 0xfeff ? source.slice(1) : source;
  if (source[0] === 0x1f && source[1] === 0x8b) {
    throw faults.whole("the bytes are gzip-compressed; decompress them first, or use readInteractions of 'opmf/node'");
  }
  if ((source[0] === 0xff && source[1] === 0xfe) || (source[0] === 0xfe && source[1] === 0xff)) {
    throw faults.whole('the bytes are UTF-16; save the file as UTF-8, or convert it: iconv -f UTF-16 -t UTF-8');
  }
  if (source.length > LONGEST_STRING) {
    throw faults.whole(`${source.length} bytes are more than one string can hold (${LONGEST_STRING}); split the file`);
  }
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(source);
  } catch {
    throw faults.whole(`the bytes are not ${encoding}; set encoding: '${encoding === 'utf-8' ? 'latin1' : 'utf-8'}'`);
  }
}
