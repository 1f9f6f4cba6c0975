// The safetensors format, version 0.x: 8 bytes of header length (little-endian), a JSON header, then the tensors'
// bytes end to end. https://github.com/huggingface/safetensors, "Format". Bytes only: it knows no model.
// Everything the header says is checked against the length of the file before an element is copied.

import { FormatError, UnsupportedError } from '../core/errors';
import { encodeUtf8 } from '../core/utf8';
import { type HeaderEntry, longestHeader, readHeader } from './safetensors-header';
import { DTYPES, elementCount, type Tensor } from './tensor';

/** What a file holds. `metadata` has no prototype, so that any key is an ordinary one. */
export interface TensorFile {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The tensors and the metadata as the bytes of one file. Equal input gives equal bytes. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  requireLittleEndian();
  // Wide elements first: every tensor then starts at a multiple of its element's size, and no gap is needed.
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
    // The text is put together by hand: as keys of an object, '1' would move to the front and '__proto__' vanish.
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
 * The tensors of a file, copied out of it, and its metadata. Memory: at most the file's length and its header.
 *
 * @throws FormatError where the bytes are not a whole, consistent safetensors file of the element types known here.
 */
export function decodeSafetensors(bytes: Uint8Array): TensorFile {
  requireLittleEndian();
  const { entries, metadata, dataStart } = readHeader(bytes);
  const dataLength = bytes.length - dataStart;
  const sizes = new Map([...entries].map(([name, entry]) => [name, checkedSize(name, entry, dataLength)]));
  checkTiling(entries, dataLength);
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype, shape, begin }] of entries) {
    // A copy: the file may lie at any address, in shared memory too, and its owner may change it later.
    const copy = new Uint8Array(sizes.get(name)!);
    copy.set(bytes.subarray(dataStart + begin, dataStart + begin + copy.length));
    const { array: ArrayType } = DTYPES.get(dtype)!;
    tensors.set(name, { dtype: dtype as Tensor['dtype'], shape, data: new ArrayType(copy.buffer) });
  }
  return { tensors, metadata };
}

/** The bytes of a tensor, where type, shape and offsets agree and lie in the file. */
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

/** Tensors lie end to end: no byte belongs to two of them, and none to nobody. */
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

/** Elements are copied as they lie in memory, and the format is little-endian, as every engine in use is. */
function requireLittleEndian(): void {
  if (new Uint8Array(new Uint16Array([1]).buffer)[0] !== 1)
    throw new UnsupportedError('model files need a little-endian machine');
}
