// Files of named arrays: safetensors with a checksum of themselves, and ids of users and items as tensors. What models and
// checkpoints are kept in; it knows neither.

import { FormatError, UnsupportedError } from '../../core/errors';
import { show } from '../../core/options';
import { isId, Vocabulary } from '../../data/vocabulary';

// UTF-8 encoding and decoding, by TextEncoder and TextDecoder, or by URI escapes where the host has neither (Jest's
// jsdom).

/** Encodes a text as UTF-8. The text must be well-formed (no lone surrogates). */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  if (typeof TextEncoder === 'function') {
    encoder ??= new TextEncoder();
    return encoder.encode(text);
  }
  // encodeURIComponent escapes the UTF-8 bytes.
  const bytes = encodeURIComponent(text).replace(/%(..)/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Uint8Array.from(bytes, (byte) => byte.charCodeAt(0));
}

/** Decodes UTF-8. @throws TypeError or URIError if the bytes are not valid UTF-8 */
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

// A named array of a file: its element type, shape and elements, row-major. Only the element types that this library
// writes are supported; safetensors defines more.

/** The element types, named as in safetensors. */
export type Dtype = 'F64' | 'F32' | 'I32' | 'U32' | 'U8';

/** The array that holds the elements of each type. */
export type TensorData = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;

/** An array as a file holds it. The product of `shape` is the length of `data`; an empty shape is one element. */
export interface Tensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** The typed array and element size of each element type. */
export const DTYPES: ReadonlyMap<
  string,
  { readonly array: new (buffer: ArrayBuffer) => TensorData; readonly bytes: number }
> = new Map([
  ['F64', { array: Float64Array, bytes: 8 }],
  ['F32', { array: Float32Array, bytes: 4 }],
  ['I32', { array: Int32Array, bytes: 4 }],
  ['U32', { array: Uint32Array, bytes: 4 }],
  ['U8', { array: Uint8Array, bytes: 1 }],
] as const);

/** The number of elements of a shape; undefined if it is not a valid shape or the product is not a safe integer. */
export function elementCount(shape: unknown): number | undefined {
  if (!Array.isArray(shape)) return undefined;
  let count = 1;
  for (const length of shape) {
    if (!Number.isSafeInteger(length) || length < 0) return undefined;
    count *= length;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

// The JSON header of a safetensors file. Nothing in it is trusted: length, encoding, keys and the form of every entry
// are checked here; whether offsets and shapes agree with the file is checked by `decodeSafetensors`.

/** A header entry of one tensor. Only its form is checked. */
export interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** A parsed header, and the offset at which the data start. */
export interface Header {
  readonly entries: ReadonlyMap<string, HeaderEntry>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly dataStart: number;
}

/** The longest header accepted for a file with `dataLength` bytes of data: a model grows mostly in tensors, ids and categories. */
export function longestHeader(dataLength: number): number {
  // At most the limit of the reference implementation. Four times the data leaves room for older files, which hold
  // their categories in the header, and for tables of very many fields.
  return Math.min(100_000_000, 2 ** 20 + 4 * dataLength);
}

/** Reads and checks the header of a file, of which `bytes` may be the beginning alone, with the whole header. */
export function readHeader(bytes: Uint8Array, fileLength = bytes.length): Header {
  if (bytes.length < 8)
    throw new FormatError(
      `${bytes.length} bytes are too few for a safetensors file, which starts with 8 bytes of header length`,
    );
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > fileLength - 8) {
    throw new FormatError(
      `the header length ${length} is beyond the file's ${fileLength} bytes; it is truncated, or no safetensors file`,
    );
  }
  const most = longestHeader(fileLength - 8 - length);
  if (length > most) {
    throw new FormatError(
      `the header is ${length} bytes long; want at most ${most}, which is more than a model with so much data needs`,
    );
  }
  const text = decodeText(bytes.subarray(8, 8 + length));
  const header = parseObject(text);
  let keys = 0;
  const entries = new Map<string, HeaderEntry>();
  const metadata: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(header)) {
    if (!isObject(value)) throw new FormatError(`header entry ${quote(name)} is not an object`);
    keys += 1 + Object.keys(value).length;
    if (name === '__metadata__') readMetadata(value, metadata);
    else entries.set(name, readEntry(name, value));
  }
  // JSON.parse silently keeps the last of duplicate keys; then the text has more keys than the parsed objects.
  if (countKeys(text) !== keys) throw new FormatError('the header names a tensor or a field twice');
  return { entries, metadata, dataStart: 8 + length };
}

function decodeText(bytes: Uint8Array): string {
  // The format requires '{' as the very first byte.
  if (bytes[0] !== 0x7b) throw new FormatError(`the header does not start with '{'; it is no safetensors file`);
  try {
    return decodeUtf8(bytes);
  } catch {
    throw new FormatError('the header is not UTF-8 text');
  }
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    throw new FormatError('the header is not JSON');
  }
}

function readEntry(name: string, value: Record<string, unknown>): HeaderEntry {
  const fields = new Map(Object.entries(value));
  const dtype = fields.get('dtype');
  const shape = fields.get('shape');
  const offsets = fields.get('data_offsets');
  if (
    fields.size !== 3 ||
    typeof dtype !== 'string' ||
    !isNumbers(shape) ||
    !isNumbers(offsets) ||
    offsets.length !== 2
  ) {
    throw new FormatError(
      `header entry ${quote(name)} is not { dtype, shape, data_offsets: [begin, end] } and nothing else`,
    );
  }
  return { dtype, shape, begin: offsets[0]!, end: offsets[1]! };
}

function readMetadata(value: Record<string, unknown>, metadata: Record<string, string>): void {
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw new FormatError(`metadata ${quote(key)} is not a string`);
    metadata[key] = text;
  }
}

/** The number of keys in a JSON text, nested objects included: the strings followed by a colon. */
function countKeys(text: string): number {
  let keys = 0;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at)) {
    at++;
    while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    at++;
    while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++;
    if (text[at] === ':') keys++;
  }
  return keys;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((element) => typeof element === 'number');
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, 60));
}

// The safetensors format, version 0.x: 8 bytes of header length (little-endian), a JSON header, then the tensors' bytes
// end to end. https://github.com/huggingface/safetensors, "Format". Knows nothing of models. Everything the header
// states is checked against the length of the file before an element is copied.

/** The contents of a file. `metadata` has no prototype, so any key is safe. */
export interface TensorFile {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Encodes tensors and metadata as the bytes of one file. Equal input gives equal bytes. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  requireLittleEndian();
  // Wide elements first: then every tensor starts at a multiple of its element size without padding.
  const order = [...tensors].sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  const fields = [`"__metadata__":${JSON.stringify(metadata)}`];
  let end = 0;
  for (const [name, tensor] of order) {
    const { dtype, shape, data } = tensor;
    if (name === '__metadata__')
      throw new FormatError(`a tensor may not be called '__metadata__'; choose another name`);
    if (elementCount(shape) !== data.length || DTYPES.get(dtype)?.bytes !== data.BYTES_PER_ELEMENT) {
      throw new FormatError(`tensor '${name}': ${dtype} of shape [${shape}] does not describe ${data.length} elements`);
    }
    const begin = end;
    end += data.byteLength;
    // The JSON is built by hand: as object keys, '1' would move to the front and '__proto__' would vanish.
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`);
  }
  const text = encodeUtf8(`{${fields.join(',')}}`);
  const headerLength = Math.ceil(text.length / 8) * 8;
  if (headerLength > longestHeader(end)) {
    throw new UnsupportedError(
      `the names and options to be saved are ${headerLength} bytes of text; want at most ${longestHeader(end)}, which is what a reader takes`,
    );
  }
  const bytes = new Uint8Array(8 + headerLength + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.set(text, 8);
  bytes.fill(0x20, 8 + text.length, 8 + headerLength);
  let at = 8 + headerLength;
  for (const [, { data }] of order) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/**
 * Decodes the tensors (copied) and the metadata of a file. Memory: at most the file's length and its header.
 *
 * @throws FormatError if the bytes are not a complete, consistent safetensors file with supported element types.
 */
export function decodeSafetensors(bytes: Uint8Array): TensorFile {
  requireLittleEndian();
  const { entries, metadata, dataStart } = readHeader(bytes);
  const sizes = checkEntries(entries, bytes.length - dataStart);
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype, shape, begin }] of entries) {
    // A copy: the source may be unaligned or in shared memory, and its owner may change it later.
    const copy = new Uint8Array(sizes.get(name)!);
    copy.set(bytes.subarray(dataStart + begin, dataStart + begin + copy.length));
    const { array: ArrayType } = DTYPES.get(dtype)!;
    tensors.set(name, { dtype: dtype as Tensor['dtype'], shape, data: new ArrayType(copy.buffer) });
  }
  return { tensors, metadata };
}

/** The size of every tensor in bytes. @throws FormatError unless they lie end to end, within so many bytes of data */
export function checkEntries(entries: Header['entries'], dataLength: number): Map<string, number> {
  const sizes = new Map([...entries].map(([name, entry]) => [name, checkedSize(name, entry, dataLength)]));
  checkTiling(entries, dataLength);
  return sizes;
}

/** The size of a tensor in bytes, after checking that type, shape and offsets agree and lie within the file. */
function checkedSize(name: string, { dtype, shape, begin, end }: HeaderEntry, dataLength: number): number {
  const label = `tensor ${JSON.stringify(name.slice(0, 60))}`;
  const type = DTYPES.get(dtype);
  if (type === undefined)
    throw new FormatError(
      `${label}: element type ${JSON.stringify(dtype)}; want one of ${[...DTYPES.keys()].join(', ')}`,
    );
  const count = elementCount(shape);
  if (count === undefined)
    throw new FormatError(`${label}: its shape is not a list of whole numbers with a safe product`);
  if (!(begin >= 0 && begin <= end && end <= dataLength)) {
    throw new FormatError(
      `${label}: bytes ${begin} to ${end} are not in the file's ${dataLength} bytes of data; is it truncated?`,
    );
  }
  if (count * type.bytes !== end - begin) {
    throw new FormatError(
      `${label}: shape [${shape.slice(0, 8)}] of ${dtype} needs ${count * type.bytes} bytes, the header gives it ${end - begin}`,
    );
  }
  return end - begin;
}

/** Checks that the tensors lie end to end, without overlaps or gaps. */
function checkTiling(entries: ReadonlyMap<string, HeaderEntry>, dataLength: number): void {
  let reached = 0;
  for (const { begin, end } of [...entries.values()].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== reached)
      throw new FormatError(
        `the tensors ${begin < reached ? 'overlap' : 'leave a hole'} at byte ${Math.min(begin, reached)} of the data`,
      );
    reached = end;
  }
  if (reached !== dataLength)
    throw new FormatError(`the tensors end at byte ${reached} of the data, the file at ${dataLength}`);
}

/** Elements are copied as they lie in memory. The format is little-endian, as is every engine in use. */
function requireLittleEndian(): void {
  if (new Uint8Array(new Uint16Array([1]).buffer)[0] !== 1)
    throw new UnsupportedError('model files need a little-endian machine');
}

// Encodes the ids of a vocabulary as tensors and decodes them exactly: numbers as float64, strings as UTF-8. A string
// that is not valid Unicode (it holds a lone surrogate, which UTF-8 cannot represent) is stored as UTF-16 code units,
// with a kind of its own.

/** Values of the `kinds` tensor: how each id is stored. */
const NUMBER = 0;
const UTF8 = 1;
const UTF16 = 2;

/**
 * Four tensors for the first `count` ids: `prefix.kinds` U8 [count], `prefix.numbers` F64 [count of number ids],
 * `prefix.text` U8 [bytes of the strings, end to end], `prefix.offsets` I32 [count + 1] (a number has no bytes).
 */
export function encodeIds(prefix: string, ids: Vocabulary, count: number = ids.size): Map<string, Tensor> {
  const kinds = new Uint8Array(count);
  const numbers: number[] = [];
  const pieces: Uint8Array[] = [];
  const offsets = new Int32Array(count + 1);
  let total = 0;
  for (let i = 0; i < count; i++) {
    const id = ids.idOf(i);
    if (typeof id === 'number') {
      numbers.push(id);
    } else {
      const lone = /\p{Surrogate}/u.test(id);
      kinds[i] = lone ? UTF16 : UTF8;
      const piece = lone ? codeUnits(id) : encodeUtf8(id);
      pieces.push(piece);
      total += piece.length;
      if (total > 0x7fffffff)
        throw new UnsupportedError('the ids are more than 2 GB of text; use shorter ones, or numbers');
    }
    offsets[i + 1] = total;
  }
  const text = new Uint8Array(total);
  let at = 0;
  for (const piece of pieces) {
    text.set(piece, at);
    at += piece.length;
  }
  return new Map<string, Tensor>([
    [`${prefix}.kinds`, { dtype: 'U8', shape: [kinds.length], data: kinds }],
    [`${prefix}.numbers`, { dtype: 'F64', shape: [numbers.length], data: Float64Array.from(numbers) }],
    [`${prefix}.text`, { dtype: 'U8', shape: [text.length], data: text }],
    [`${prefix}.offsets`, { dtype: 'I32', shape: [offsets.length], data: offsets }],
  ]);
}

/**
 * The vocabulary that `encodeIds` wrote under the same prefix.
 *
 * @throws FormatError if a tensor is missing, or if the tensors contradict each other.
 */
export function decodeIds(prefix: string, tensors: ReadonlyMap<string, Tensor>): Vocabulary {
  const kinds = column(tensors, `${prefix}.kinds`, 'U8') as Uint8Array;
  const numbers = column(tensors, `${prefix}.numbers`, 'F64') as Float64Array;
  const text = column(tensors, `${prefix}.text`, 'U8') as Uint8Array;
  const offsets = column(tensors, `${prefix}.offsets`, 'I32') as Int32Array;
  checkOffsets(prefix, offsets, kinds.length, text.length);
  const ids: (string | number)[] = [];
  let nextNumber = 0;
  for (let i = 0; i < kinds.length; i++) {
    const piece = text.subarray(offsets[i]!, offsets[i + 1]!);
    if (kinds[i] === NUMBER && piece.length === 0 && isId(numbers[nextNumber])) ids.push(numbers[nextNumber++]!);
    else if (kinds[i] === UTF8) ids.push(decodeString(prefix, i, piece));
    else if (kinds[i] === UTF16 && piece.length % 2 === 0) ids.push(fromCodeUnits(piece));
    else throw new FormatError(`'${prefix}': id ${i} is neither a finite number nor a string; the file is corrupt`);
  }
  if (nextNumber !== numbers.length)
    throw new FormatError(`'${prefix}': ${numbers.length} numbers for ${nextNumber} number ids`);
  const vocabulary = Vocabulary.from(ids);
  if (vocabulary.size !== ids.length) throw new FormatError(`'${prefix}': an id occurs twice; the file is corrupt`);
  return vocabulary;
}

function column(tensors: ReadonlyMap<string, Tensor>, name: string, dtype: Tensor['dtype']): Tensor['data'] {
  const tensor = tensors.get(name);
  if (tensor?.dtype !== dtype || tensor.shape.length !== 1) {
    throw new FormatError(
      `the file has no tensor '${name}' of type ${dtype} and one dimension; was it written by opmf?`,
    );
  }
  return tensor.data;
}

function checkOffsets(prefix: string, offsets: Int32Array, count: number, bytes: number): void {
  let good = offsets.length === count + 1 && offsets[0] === 0 && offsets[count] === bytes;
  for (let i = 0; good && i < count; i++) good = offsets[i]! <= offsets[i + 1]!;
  if (!good)
    throw new FormatError(`'${prefix}.offsets' does not rise from 0 to the ${bytes} bytes of text over ${count} ids`);
}

function decodeString(prefix: string, index: number, piece: Uint8Array): string {
  try {
    return decodeUtf8(piece);
  } catch {
    throw new FormatError(`'${prefix}': id ${index} is not UTF-8 text; the file is corrupt`);
  }
}

/** UTF-16, little-endian. */
function codeUnits(id: string): Uint8Array {
  const bytes = new Uint8Array(2 * id.length);
  for (let i = 0; i < id.length; i++) {
    bytes[2 * i] = id.charCodeAt(i) & 0xff;
    bytes[2 * i + 1] = id.charCodeAt(i) >> 8;
  }
  return bytes;
}

function fromCodeUnits(bytes: Uint8Array): string {
  let id = '';
  for (let i = 0; i < bytes.length; i += 2) id += String.fromCharCode(bytes[i]! | (bytes[i + 1]! << 8));
  return id;
}

// Safetensors files that carry their own checksum: the format of saved models and checkpoints. The first metadata entry
// is "checksum": "xxh32:" and 8 hexadecimal digits, at bytes 43 to 50 of the file: the xxHash32 (seed 0) of the whole
// file with these eight digits replaced by '0'. https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md

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
export function decodeSealed(kind: FileKind, bytes: Uint8Array): TensorFile {
  if (!(bytes instanceof Uint8Array)) throw new FormatError(`a ${kind.name} file is a Uint8Array; got ${show(bytes)}`);
  const file = decodeSafetensors(bytes);
  const isSealed = checkKind(kind, file.metadata);
  if (isSealed) checkSeal(kind, file.metadata, bytes, () => checksumOf(bytes));
  return file;
}

/** Whether a file has a checksum. @throws FormatError unless its metadata say that it is of the kind, in a layout that is known */
export function checkKind({ format, name }: FileKind, metadata: TensorFile['metadata']): boolean {
  const { version, checksum, format: found } = metadata;
  if (found !== format)
    throw new FormatError(`a safetensors file, but not a ${name} of opmf (metadata.format is ${show(found)})`);
  if (version !== VERSION && version !== '1') {
    throw new FormatError(
      `the ${name} has layout version ${show(version)}; this version of opmf reads ${VERSION} and 1`,
    );
  }
  return version !== '1' || checksum !== undefined;
}

/** @throws FormatError unless the checksum at the start of a file is in its place, and the one that it has */
export function checkSeal(
  { name }: FileKind,
  { checksum }: TensorFile['metadata'],
  start: Uint8Array,
  compute: () => string,
): void {
  const stated = String.fromCharCode(...start.subarray(START, START + DIGITS));
  if (checksum !== `xxh32:${stated}`)
    throw new FormatError(
      `the ${name} has no checksum at bytes ${START} to ${START + DIGITS - 1}; it was rewritten by another program, or it is damaged`,
    );
  const actual = compute();
  if (stated !== actual)
    throw new FormatError(
      `the ${name} is damaged: its checksum is ${actual} and was ${stated} when it was written; use another copy, or save the model again`,
    );
}

function checksumOf(bytes: Uint8Array): string {
  return digitsOf(xxHash32(bytes, unseal));
}

const unseal = (start: Uint8Array) => start.fill(0x30, START, START + DIGITS);
const digitsOf = (hash: number) => hash.toString(16).padStart(DIGITS, '0');

/** The checksum of a file that comes in chunks. */
export class FileChecksum {
  private readonly hash = new XxHash32();
  private isBegun = false;

  /** Adds a chunk, which starts at a multiple of 4 in its buffer; all but the last are of a multiple of 16 bytes. Changes the first. */
  add(chunk: Uint8Array<ArrayBuffer>): void {
    if (!this.isBegun) unseal(chunk);
    this.isBegun = true;
    this.hash.add(new Int32Array(chunk.buffer, chunk.byteOffset, chunk.length >>> 2), chunk, chunk.length);
  }

  digest(): string {
    return digitsOf(this.hash.digest() >>> 0);
  }
}

/** Bytes hashed at a time when they must be copied first, to align or to edit them. */
const CHUNK = 1 << 16;
/** Bytes hashed at a time where they lie: sizes are shifted as 32-bit numbers. */
const MOST_AT_ONCE = 1 << 30;

/** The xxHash32 of some bytes with seed 0; `edit` may first change a copy of the first 65,536 bytes. */
export function xxHash32(bytes: Uint8Array, edit?: (start: Uint8Array) => void): number {
  const { buffer, byteOffset, length } = bytes;
  const words = new Int32Array(CHUNK / 4);
  const chunk = new Uint8Array(words.buffer);
  const hash = new XxHash32();
  for (let at = 0; at < length; ) {
    if (at > 0 && byteOffset % 4 === 0) {
      const size = Math.min(MOST_AT_ONCE, length - at);
      hash.add(new Int32Array(buffer, byteOffset + at, size >>> 2), bytes.subarray(at, at + size), size);
      at += size;
      continue;
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
