// The JSON header of a safetensors file, read with suspicion: its length, its text, its keys and the form of every
// entry. Whether offsets and shapes agree with the file is decided in safetensors.ts.

import { FormatError } from '../core/errors';
import { decodeUtf8 } from '../core/utf8';

/** What the header says of a tensor, its form checked and nothing else. */
export interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** A header, and where the data start in the file. */
export interface Header {
  readonly entries: ReadonlyMap<string, HeaderEntry>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly dataStart: number;
}

/** The longest header of a file with so many bytes of data: what grows with a model is tensors, ids and categories too. */
export function longestHeader(dataLength: number): number {
  // Not above the limit of the reference implementation. Four times the data is for files of before, which had categories
  // in the header, and for tables of very many fields.
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
  // JSON.parse keeps the last of equal keys without a word; then the text has more keys than the objects.
  if (countKeys(text) !== keys) throw new FormatError('the header names a tensor or a field twice');
  return { entries, metadata, dataStart: 8 + length };
}

function decodeText(bytes: Uint8Array): string {
  // The format asks for '{' as the very first byte.
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

/** How many keys a JSON text has, objects within objects included: the strings that a colon follows. */
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
