// Bytes to text, strictly: bytes that are not of the stated encoding are an error, never a replacement character.

import type { DataError } from '../core/errors';
import type { Faults } from './fault';
import { FORMAT_BYTES, type Format, formatOfBytes, formatOfText, isLikeText } from './formats';
import { Survey } from './survey';

/** The encodings that rating files are met in. */
export type Encoding = 'utf-8' | 'latin1' | 'utf-16le' | 'utf-16be';
export const ENCODINGS = ['utf-8', 'latin1', 'utf-16le', 'utf-16be'] as const satisfies readonly Encoding[];

/** What one JavaScript string can hold in V8, in UTF-16 units. */
export const LONGEST_STRING = 2 ** 29 - 24;
/** For fewer bytes, setting a decoder up takes longer than decoding. */
const FEW = 40;
const MARKS: Readonly<Record<Encoding, readonly number[]>> = {
  'utf-8': [0xef, 0xbb, 0xbf],
  latin1: [],
  'utf-16le': [0xff, 0xfe],
  'utf-16be': [0xfe, 0xff],
};
const decoders: Partial<Record<Encoding, TextDecoder>> = {};

function decoderOf(encoding: Encoding): TextDecoder {
  decoders[encoding] ??= new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  return decoders[encoding];
}

/** The text of `source` without its byte order mark. A string is taken as it is. */
export function decode(source: string | Uint8Array, encoding: Encoding, faults: Faults): string {
  if (typeof source === 'string') {
    const start = Uint8Array.from(source.slice(0, FORMAT_BYTES), (one) => (one < '\u0100' ? one.charCodeAt(0) : 63));
    refuse(formatOfBytes(start), faults);
    return source.charCodeAt(0) === 0xfeff ? source.slice(1) : source;
  }
  refuseOtherFormats(source, encoding, faults);
  return textOf(source.subarray(markLength(source, encoding)), encoding, faults);
}

/** Throws where the first bytes are those of something else than text in an encoding that is known here. */
export function refuseOtherFormats(bytes: Uint8Array, encoding: Encoding, faults: Faults): void {
  refuse(formatOfBytes(bytes, encoding), faults);
  if (encoding !== 'utf-8' && markLength(bytes, 'utf-8') > 0)
    throw faults.whole(`there is a byte order mark of UTF-8, but encoding is '${encoding}'; set encoding: 'utf-8'`);
}

/** Throws where a text is of a format that is not delimited. */
export function refuseOtherText(text: string, faults: Faults): void {
  refuse(formatOfText(text), faults);
}

function refuse(format: Format | undefined, faults: Faults): void {
  if (format === undefined) return;
  const { name, advice } = format;
  const isAdjective = /^(UTF|no text)|compressed/.test(name);
  throw faults.whole(isAdjective ? `the bytes are ${name}; ${advice}` : `it is ${name}, no delimited text; ${advice}`);
}

/** How many bytes the byte order mark takes. */
export function markLength(bytes: Uint8Array, encoding: Encoding): number {
  const mark = MARKS[encoding];
  return mark.length > 0 && mark.every((byte, at) => bytes[at] === byte) ? mark.length : 0;
}

/** The text of bytes from anywhere in a file. */
export function textOf(bytes: Uint8Array, encoding: Encoding, faults: Faults): string {
  if (bytes.length > LONGEST_STRING) {
    throw faults.whole(`${bytes.length} bytes are more than one string can hold (${LONGEST_STRING}); split the file`);
  }
  try {
    return decoderOf(encoding).decode(bytes);
  } catch {
    throw encodingFault(bytes, encoding, faults);
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
export function encodingFault(bytes: Uint8Array, encoding: Encoding, faults: Faults): DataError {
  if (encoding === 'utf-16le' || encoding === 'utf-16be')
    return faults.whole(`the bytes are not ${encoding}; leave encoding out, or convert the file to UTF-8`);
  if (!isLikeText(bytes)) return faults.whole('the bytes are no text; check that it is the right file');
  return faults.whole(
    `the bytes are not ${encoding}; set encoding: '${encoding === 'utf-8' ? 'latin1' : 'utf-8'}', or convert a file of another encoding: iconv -f ENCODING -t UTF-8`,
  );
}
