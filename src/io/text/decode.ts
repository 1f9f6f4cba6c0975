// A survey of bytes before reading: the number of lines, to allocate the table, and whether all are ASCII and so valid
// in any encoding.

import type { DataError } from '../../core/errors';
import type { Faults } from './fault';
import { FORMAT_BYTES, type Format, formatOfBytes, formatOfText, isLikeText } from './formats';
import type { Encoding } from './read-options';

const LF = 10;
const FEEDS = 0x0a0a0a0a;
const LOW_BITS = 0x7f7f7f7f;
const ONES = 0x01010101;
const HIGH_BITS = 0x80808080 | 0;
/** Words per partial sum: each byte of a word counts to at most 255. */
const WORDS_A_SUM = 252;

/** The results for bytes that arrive in chunks. */
export class Survey {
  isAscii = true;
  private ends = 0;
  private isOpen = false;

  /** The number of lines so far, the unfinished one included. */
  get lines(): number {
    return this.ends + (this.isOpen ? 1 : 0);
  }

  /** Scans the next bytes, four at a time: about half a second per gigabyte. */
  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.isOpen = bytes[bytes.length - 1] !== LF;
    // Words must be aligned to four bytes.
    const start = Math.min(-bytes.byteOffset & 3, bytes.length);
    const count = ((bytes.length - start) >> 4) << 2;
    this.addBytes(bytes, 0, start);
    if (count > 0) this.addWords(new Int32Array(bytes.buffer, bytes.byteOffset + start, count));
    this.addBytes(bytes, start + 4 * count, bytes.length);
  }

  private addBytes(bytes: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; at++) {
      if (bytes[at] === LF) this.ends++;
      if (bytes[at]! >= 0x80) this.isAscii = false;
    }
  }

  private addWords(words: Int32Array): void {
    let all = 0;
    for (let from = 0; from < words.length; from += WORDS_A_SUM) {
      const to = Math.min(words.length, from + WORDS_A_SUM);
      let others = 0;
      // Four words per iteration: the loop overhead costs as much as a word.
      for (let i = from; i < to; i += 4) {
        const a = words[i]!;
        const b = words[i + 1]!;
        const c = words[i + 2]!;
        const d = words[i + 3]!;
        all |= a | b | c | d;
        others = (others + othersIn(a) + othersIn(b) + othersIn(c) + othersIn(d)) | 0;
      }
      this.ends +=
        4 * (to - from) - (others & 255) - ((others >>> 8) & 255) - ((others >>> 16) & 255) - (others >>> 24);
    }
    if ((all & HIGH_BITS) !== 0) this.isAscii = false;
  }
}

/** A 1 in each byte that is not a line feed. */
function othersIn(word: number): number {
  // Sets the upper bit of each non-zero byte, without a carry into the next byte.
  return (((((word ^ FEEDS) & LOW_BITS) + LOW_BITS) | word) >>> 7) & ONES;
}

// Decodes bytes strictly: bytes that do not match the stated encoding are an error, never a replacement character.

/** The longest JavaScript string in V8, in UTF-16 units. */
export const LONGEST_STRING = 2 ** 29 - 24;
/** For fewer bytes, setting up a decoder takes longer than decoding. */
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

/** The text of `source` without its byte order mark. A string is returned as it is. */
export function decode(source: string | Uint8Array, encoding: Encoding, faults: Faults): string {
  if (typeof source === 'string') {
    const start = Uint8Array.from(source.slice(0, FORMAT_BYTES), (one) => (one < '\u0100' ? one.charCodeAt(0) : 63));
    refuse(formatOfBytes(start), faults);
    return source.charCodeAt(0) === 0xfeff ? source.slice(1) : source;
  }
  refuseOtherFormats(source, encoding, faults);
  return textOf(source.subarray(markLength(source, encoding)), encoding, faults);
}

/** Throws if the first bytes are not text in a supported encoding. */
export function refuseOtherFormats(bytes: Uint8Array, encoding: Encoding, faults: Faults): void {
  refuse(formatOfBytes(bytes, encoding), faults);
  if (encoding !== 'utf-8' && markLength(bytes, 'utf-8') > 0)
    throw faults.whole(`there is a byte order mark of UTF-8, but encoding is '${encoding}'; set encoding: 'utf-8'`);
}

/** Throws if a text is in a format that is not delimited. */
export function refuseOtherText(text: string, faults: Faults): void {
  refuse(formatOfText(text), faults);
}

function refuse(format: Format | undefined, faults: Faults): void {
  if (format === undefined) return;
  const { name, advice } = format;
  const isAdjective = /^(UTF|no text)|compressed/.test(name);
  throw faults.whole(isAdjective ? `the bytes are ${name}; ${advice}` : `it is ${name}, no delimited text; ${advice}`);
}

/** The length of the byte order mark in bytes. */
export function markLength(bytes: Uint8Array, encoding: Encoding): number {
  const mark = MARKS[encoding];
  return mark.length > 0 && mark.every((byte, at) => bytes[at] === byte) ? mark.length : 0;
}

/** Decodes bytes from anywhere in a file. */
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

/** Decodes [start, end) of `bytes`; fast for short ranges. */
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

/** Whether [start, end) is valid in the encoding; neither end is within a character. */
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

/** The error for bytes that do not match the encoding. */
export function encodingFault(bytes: Uint8Array, encoding: Encoding, faults: Faults): DataError {
  if (encoding === 'utf-16le' || encoding === 'utf-16be')
    return faults.whole(`the bytes are not ${encoding}; leave encoding out, or convert the file to UTF-8`);
  if (!isLikeText(bytes)) return faults.whole('the bytes are no text; check that it is the right file');
  return faults.whole(
    `the bytes are not ${encoding}; set encoding: '${encoding === 'utf-8' ? 'latin1' : 'utf-8'}', or convert a file of another encoding: iconv -f ENCODING -t UTF-8`,
  );
}
