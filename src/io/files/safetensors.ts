// UTF-8 encoding and decoding, by TextEncoder and TextDecoder, or by URI escapes where the host has neither (Jest's
// jsdom).

import { FormatError, UnsupportedError } from '../../core/errors';

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

/** Reads and checks the header of a file. */
export function readHeader(bytes: Uint8Array): Header {
  if (bytes.length < 8)
    throw new FormatError(
      `${bytes.length} bytes are too few for a safetensors file, which starts with 8 bytes of header length`,
    );
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > bytes.length - 8) {
    throw new FormatError(
      `the header length ${length} is beyond the file's ${bytes.length} bytes; it is truncated, or no safetensors file`,
    );
  }
  const most = longestHeader(bytes.length - 8 - length);
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
  const dataLength = bytes.length - dataStart;
  const sizes = new Map([...entries].map(([name, entry]) => [name, checkedSize(name, entry, dataLength)]));
  checkTiling(entries, dataLength);
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
