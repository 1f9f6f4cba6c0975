// Any vocabulary comes back the same through a file, type by type and code unit by code unit; corrupt ones do not.

import fc from 'fast-check';
import { FormatError } from '../../../src/core/errors';
import { Vocabulary } from '../../../src/data/vocabulary';
import {
  decodeIds,
  decodeSafetensors,
  encodeIds,
  encodeSafetensors,
  type Tensor,
} from '../../../src/io/files/safetensors';

const idsOf = (vocabulary: Vocabulary) => Array.from({ length: vocabulary.size }, (_, i) => vocabulary.idOf(i));

const id = fc.oneof(
  // Any UTF-16 code units, so lone surrogates too.
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 5 }).map((units) => String.fromCharCode(...units)),
  fc.string({ unit: 'grapheme' }),
  fc.double({ noNaN: true, min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }),
  fc.maxSafeInteger(),
  fc.constantFrom(
    '',
    '__proto__',
    '1',
    1,
    '\ufeff',
    '\ufeffa',
    '\ud800',
    '\udc00\ud800',
    '\ufffd',
    '9007199254740993',
    5e-324,
  ),
);

describe('encodeIds and decodeIds', () => {
  test('every id comes back with its type and its number', () => {
    fc.assert(
      fc.property(fc.array(id, { maxLength: 12 }), (ids) => {
        const vocabulary = Vocabulary.from(ids);
        const { tensors } = decodeSafetensors(encodeSafetensors(encodeIds('users', vocabulary), {}));
        expect(idsOf(decodeIds('users', tensors))).toEqual(idsOf(vocabulary));
      }),
      { numRuns: 500 },
    );
  });

  test('ordinary strings are plain UTF-8 in the file', () => {
    const tensors = encodeIds('items', Vocabulary.from(['tea', 7, 'thé']));
    expect([...tensors.get('items.kinds')!.data]).toEqual([1, 0, 1]);
    expect(new TextDecoder().decode(tensors.get('items.text')!.data as Uint8Array)).toBe('teathé');
    expect([...tensors.get('items.offsets')!.data]).toEqual([0, 3, 3, 7]);
    expect([...tensors.get('items.numbers')!.data]).toEqual([7]);
  });

  const good = () => encodeIds('u', Vocabulary.from(['a', 'b', 3, '\ud800']));
  const u8 = (...bytes: number[]): Tensor => ({ dtype: 'U8', shape: [bytes.length], data: Uint8Array.from(bytes) });
  const i32 = (...values: number[]): Tensor => ({
    dtype: 'I32',
    shape: [values.length],
    data: Int32Array.from(values),
  });
  const f64 = (...values: number[]): Tensor => ({
    dtype: 'F64',
    shape: [values.length],
    data: Float64Array.from(values),
  });

  test.each<[string, string, Tensor | undefined, RegExp]>([
    ['a tensor missing', 'u.text', undefined, /no tensor 'u.text'/],
    ['a tensor of another type', 'u.kinds', i32(1, 1, 0, 2), /no tensor 'u.kinds' of type U8/],
    ['an unknown kind', 'u.kinds', u8(1, 1, 0, 3), /id 3 is neither/],
    ['fewer kinds than offsets', 'u.kinds', u8(1, 1, 0), /does not rise/],
    ['offsets that fall', 'u.offsets', i32(0, 3, 2, 2, 4), /does not rise/],
    ['offsets beyond the text', 'u.offsets', i32(0, 1, 2, 2, 9), /does not rise/],
    ['a number with text', 'u.kinds', u8(0, 1, 0, 2), /id 0 is neither/],
    ['too few numbers', 'u.numbers', f64(), /id 2 is neither/],
    ['too many numbers', 'u.numbers', f64(3, 4), /2 numbers for 1/],
    ['a number that is not finite', 'u.numbers', f64(Number.NaN), /id 2 is neither/],
    ['text that is not UTF-8', 'u.text', u8(0xff, 98, 0, 0xd8), /id 0 is not UTF-8/],
    ['an id twice', 'u.text', u8(98, 98, 0, 0xd8), /twice/],
    ['half a code unit', 'u.offsets', i32(0, 0, 1, 1, 4), /id 3 is neither/],
  ])('%s is a FormatError', (_, name, tensor, message) => {
    const tensors = good();
    if (tensor === undefined) tensors.delete(name);
    else tensors.set(name, tensor);
    expect(() => decodeIds('u', tensors)).toThrow(FormatError);
    expect(() => decodeIds('u', tensors)).toThrow(message);
  });

  test('a random change of one byte is read or is a FormatError, and nothing else', () => {
    const bytes = encodeSafetensors(good(), {});
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
        const changed = bytes.slice();
        changed[at] = byte;
        try {
          decodeIds('u', decodeSafetensors(changed).tensors);
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
        }
      }),
      { numRuns: 3000 },
    );
  });
});
