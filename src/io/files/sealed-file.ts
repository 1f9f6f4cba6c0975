// Safetensors files that carry their own checksum: the format of saved models and checkpoints. The first metadata entry
// is "checksum": "xxh32:" and 8 hexadecimal digits, at bytes 43 to 50 of the file: the xxHash32 (seed 0) of the whole
// file with these eight digits replaced by '0'. https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md

import { FormatError } from '../../core/errors';
import { show } from '../../core/options';
import { decodeSafetensors, encodeSafetensors, type Tensor, type TensorFile } from './safetensors';

/** The layout version that is written. Version 1, which had no checksum, can still be read. */
const VERSION = '2';
const UNSEALED = 'xxh32:00000000';
const DIGITS = 8;
/** Offset of the digits; it is fixed because this library chooses the order of the header. */
const START = 8 + '{"__metadata__":{"checksum":"xxh32:'.length;

/** A kind of file: its name in the metadata and in messages. */
export interface FileKind {
  readonly format: string;
  readonly name: string;
}

/** Encodes a file of the given kind. Equal input gives equal bytes. */
export function encodeSealed(
  { format }: FileKind,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const bytes = encodeSafetensors(tensors, { checksum: UNSEALED, format, version: VERSION, ...metadata });
  seal(bytes);
  return bytes;
}

/** Computes the checksum of a file and writes it into its place. */
export function seal(bytes: Uint8Array): void {
  const digits = checksumOf(bytes);
  for (let k = 0; k < DIGITS; k++) bytes[START + k] = digits.charCodeAt(k);
}

/**
 * Decodes a file of the given kind and verifies its checksum.
 *
 * @throws FormatError if the bytes are not a complete file of that kind, or if a single bit has changed since they were
 * written: every version but the first requires a correct checksum.
 */
export function decodeSealed({ format, name }: FileKind, bytes: Uint8Array): TensorFile {
  if (!(bytes instanceof Uint8Array)) throw new FormatError(`a ${name} file is a Uint8Array; got ${show(bytes)}`);
  const file = decodeSafetensors(bytes);
  const { version, checksum, format: found } = file.metadata;
  if (found !== format)
    throw new FormatError(`a safetensors file, but not a ${name} of opmf (metadata.format is ${show(found)})`);
  if (version !== VERSION && version !== '1') {
    throw new FormatError(
      `the ${name} has layout version ${show(version)}; this version of opmf reads ${VERSION} and 1`,
    );
  }
  if (version === '1' && checksum === undefined) return file;
  const stated = String.fromCharCode(...bytes.subarray(START, START + DIGITS));
  if (checksum !== `xxh32:${stated}`)
    throw new FormatError(
      `the ${name} has no checksum at bytes ${START} to ${START + DIGITS - 1}; it was rewritten by another program, or it is damaged`,
    );
  const actual = checksumOf(bytes);
  if (stated !== actual)
    throw new FormatError(
      `the ${name} is damaged: its checksum is ${actual} and was ${stated} when it was written; use another copy, or save the model again`,
    );
  return file;
}

function checksumOf(bytes: Uint8Array): string {
  return xxHash32(bytes, (start) => start.fill(0x30, START, START + DIGITS))
    .toString(16)
    .padStart(DIGITS, '0');
}

/** Bytes hashed at a time when they must be copied first, to align or to edit them. */
const CHUNK = 1 << 16;

/** The xxHash32 of some bytes with seed 0; `edit` may first change a copy of the first 65,536 bytes. */
export function xxHash32(bytes: Uint8Array, edit?: (start: Uint8Array) => void): number {
  const { buffer, byteOffset, length } = bytes;
  const words = new Int32Array(CHUNK / 4);
  const chunk = new Uint8Array(words.buffer);
  const hash = new XxHash32();
  for (let at = 0; at < length; ) {
    if (at > 0 && byteOffset % 4 === 0) {
      hash.add(new Int32Array(buffer, byteOffset + at, (length - at) >>> 2), bytes.subarray(at), length - at);
      break;
    }
    const size = Math.min(CHUNK, length - at);
    chunk.set(bytes.subarray(at, at + size));
    if (at === 0) edit?.(chunk);
    hash.add(words, chunk, size);
    at += size;
  }
  return hash.digest() >>> 0;
}

const P1 = 0x9e3779b1 | 0;
const P2 = 0x85ebca77 | 0;
const P3 = 0xc2b2ae3d | 0;
const P4 = 0x27d4eb2f | 0;
const P5 = 0x165667b1 | 0;

/** Incremental xxHash32 with seed 0. Every chunk but the last must be a multiple of 16 bytes. About 5 GB/s. */
class XxHash32 {
  private a = (P1 + P2) | 0;
  private b = P2;
  private c = 0;
  private d = -P1 | 0;
  private length = 0;
  private tail = new Uint8Array(0);

  /** Adds the first `size` bytes of a chunk, given both as words and as bytes. */
  add(words: Int32Array, bytes: Uint8Array, size: number): void {
    let { a, b, c, d } = this;
    const stripes = size >>> 4;
    for (let at = 0; at < 4 * stripes; at += 4) {
      a = (a + Math.imul(words[at]!, P2)) | 0;
      a = Math.imul((a << 13) | (a >>> 19), P1);
      b = (b + Math.imul(words[at + 1]!, P2)) | 0;
      b = Math.imul((b << 13) | (b >>> 19), P1);
      c = (c + Math.imul(words[at + 2]!, P2)) | 0;
      c = Math.imul((c << 13) | (c >>> 19), P1);
      d = (d + Math.imul(words[at + 3]!, P2)) | 0;
      d = Math.imul((d << 13) | (d >>> 19), P1);
    }
    [this.a, this.b, this.c, this.d] = [a, b, c, d];
    this.length += size;
    this.tail = bytes.slice(16 * stripes, size);
  }

  digest(): number {
    const { a, b, c, d, tail, length } = this;
    let hash = length < 16 ? P5 : (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0;
    hash = (hash + length) | 0;
    let at = 0;
    for (; at + 4 <= tail.length; at += 4) {
      const word = tail[at]! | (tail[at + 1]! << 8) | (tail[at + 2]! << 16) | (tail[at + 3]! << 24);
      hash = Math.imul(rotate((hash + Math.imul(word, P3)) | 0, 17), P4);
    }
    for (; at < tail.length; at++) hash = Math.imul(rotate((hash + Math.imul(tail[at]!, P5)) | 0, 11), P1);
    hash = Math.imul(hash ^ (hash >>> 15), P2);
    hash = Math.imul(hash ^ (hash >>> 13), P3);
    return hash ^ (hash >>> 16);
  }
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
