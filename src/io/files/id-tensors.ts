// Encodes the ids of a vocabulary as tensors and decodes them exactly: numbers as float64, strings as UTF-8. A string
// that is not valid Unicode (it holds a lone surrogate, which UTF-8 cannot represent) is stored as UTF-16 code units,
// with a kind of its own.

import { FormatError, UnsupportedError } from '../../core/errors';
import { isId, Vocabulary } from '../../data/vocabulary';
import { decodeUtf8, encodeUtf8, type Tensor } from './safetensors';

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
