// Bytes to text, strictly: bytes that are not of the stated encoding are an error, never a replacement character.

import type { DataError } from '../core/errors';
import type { Faults } from './fault';
import { Survey } from './survey';

/** The encodings that rating files are met in. */
export type Encoding = 'utf-8' | 'latin1';

/** What one JavaScript string can hold in V8, in UTF-16 units. */
export const LONGEST_STRING = 2 ** 29 - 24;
/** For fewer bytes, setting a decoder up takes longer than decoding. */
const FEW = 40;
const decoders: Partial<Record<Encoding, TextDecoder>> = {};

function decoderOf(encoding: Encoding): TextDecoder {
  decoders[encoding] ??= new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  return decoders[encoding];
}

/** The text of `source` without its byte order mark. A string is taken as it is. */
export function decode(source: string | Uint8Array, encoding: Encoding, faults: Faults): string {
  if (typeof source === 'string') return source.charCodeAt(0) === 0xfeff ? source.slice(1) : source;
  refuseOtherFormats(source, faults);
  return textOf(source.subarray(markLength(source, encoding)), encoding, faults);
}

/** Throws where the first bytes are those of something else than text in an encoding that is known here. */
export function refuseOtherFormats(bytes: Uint8Array, faults: Faults): void {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    throw faults.whole("the bytes are gzip-compressed; decompress them first, or read the file with 'opmf/node'");
  }
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw faults.whole('the bytes are UTF-16; save the file as UTF-8, or convert it: iconv -f UTF-16 -t UTF-8');
  }
}

/** How many bytes the byte order mark takes. */
export function markLength(bytes: Uint8Array, encoding: Encoding): number {
  return encoding === 'utf-8' && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

/** The text of bytes from anywhere in a file. */
export function textOf(bytes: Uint8Array, encoding: Encoding, faults: Faults): string {
  if (bytes.length > LONGEST_STRING) {
    throw faults.whole(`${bytes.length} bytes are more than one string can hold (${LONGEST_STRING}); split the file`);
  }
  try {
    return decoderOf(encoding).decode(bytes);
  } catch {
    throw encodingFault(encoding, faults);
  }
}

/** The text at [start, end) of `bytes`; quick for a few. */
export function cellText(bytes: Uint8Array, start: number, end: number, encoding: Encoding, faults: Faults): string {
  if (end - start > FEW) return textOf(bytes.subarray(start, end), encoding, faults);
  let all = 0;
  for (let at = start; at < end; at++) all |= bytes[at]!;
  const part = bytes.subarray(start, end);
  return all < 0x80 ? String.fromCharCode.apply(null, part as unknown as number[]) : textOf(part, encoding, faults);
}

/** The bytes of a text. */
export function bytesOf(text: string, encoding: Encoding): Uint8Array {
  return encoding === 'utf-8'
    ? new TextEncoder().encode(text)
    : Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** How many bytes a text takes. */
export function byteLength(text: string, encoding: Encoding): number {
  return encoding === 'utf-8' ? new TextEncoder().encode(text).length : text.length;
}

/** Whether the bytes from `start` to `end` are of the encoding; neither is within a character. */
export function areOfEncoding(bytes: Uint8Array, start: number, end: number, encoding: Encoding): boolean {
  if (encoding !== 'utf-8') return true;
  const survey = new Survey();
  survey.add(bytes.subarray(start, end));
  if (survey.isAscii) return true;
  try {
    decoderOf('utf-8').decode(bytes.subarray(start, end));
    return true;
  } catch {
    return false;
  }
}

/** What is to be thrown where they are not. */
export function encodingFault(encoding: Encoding, faults: Faults): DataError {
  const other = encoding === 'utf-8' ? 'latin1' : 'utf-8';
  return faults.whole(`the bytes are not ${encoding}; set encoding: '${other}'`);
}
