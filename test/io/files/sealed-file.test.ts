// Files with a checksum of themselves: any bit that changes is noticed; files of before there was one still open.

import { FormatError } from '../../../src/core/errors';
import {
  decodeSealed,
  encodeSafetensors,
  encodeSealed,
  type Tensor,
  xxHash32,
} from '../../../src/io/files/safetensors';

const KIND = { format: 'opmf-test', name: 'test' };
const tensors = new Map<string, Tensor>([
  ['a', { dtype: 'F32', shape: [3], data: Float32Array.of(1, -2, 0.5) }],
  ['b', { dtype: 'U8', shape: [2], data: Uint8Array.of(0, 255) }],
]);

test.each([
  // The values of the specification's own implementation, seed 0.
  ['', 0x02cc5d05],
  ['a', 0x550d7456],
  ['abc', 0x32d153ff],
  ['Nobody inspects the spammish repetition', 0xe2293b2f],
])('xxHash32 of %j', (text, hash) => {
  expect(xxHash32(new TextEncoder().encode(text))).toBe(hash);
});

test('xxHash32 of more than a chunk does not depend on where the bytes lie', () => {
  const bytes = Uint8Array.from({ length: 200_001 }, (_, k) => (k * k) >> 3);
  const moved = new Uint8Array(bytes.length + 3);
  moved.set(bytes, 3);
  expect(xxHash32(moved.subarray(3))).toBe(xxHash32(bytes));
  bytes[150_000]! ^= 1;
  expect(xxHash32(moved.subarray(3))).not.toBe(xxHash32(bytes));
});

test('the checksum is where the documentation says, of the bytes that it says', () => {
  const bytes = encodeSealed(KIND, tensors, { more: 'text' });
  const stated = Buffer.from(bytes.slice(43, 51)).toString('latin1');
  expect(decodeSealed(KIND, bytes).metadata.checksum).toBe(`xxh32:${stated}`);
  expect(xxHash32(bytes.slice().fill(0x30, 43, 51))).toBe(Number.parseInt(stated, 16));
  expect(encodeSealed(KIND, tensors, { more: 'text' })).toEqual(bytes);
});

test('every single bit counts', () => {
  const bytes = encodeSealed(KIND, tensors, { more: 'text' });
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    expect(() => decodeSealed(KIND, bytes)).toThrow(FormatError);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  expect(decodeSealed(KIND, bytes).tensors.get('a')!.data).toEqual(Float32Array.of(1, -2, 0.5));
});

test('a file without a checksum is of version 1, or refused', () => {
  const first = encodeSafetensors(tensors, { format: KIND.format, version: '1' });
  expect(decodeSealed(KIND, first).tensors.get('b')!.data).toEqual(Uint8Array.of(0, 255));
  const second = encodeSafetensors(tensors, { format: KIND.format, version: '2' });
  expect(() => decodeSealed(KIND, second)).toThrow('the test has no checksum at bytes 43 to 50');
  const third = encodeSafetensors(tensors, { format: KIND.format, version: '3' });
  expect(() => decodeSealed(KIND, third)).toThrow('layout version "3"; this version of opmf reads 2 and 1');
});

test('another kind of file is named', () => {
  const other = encodeSealed({ format: 'x'.repeat(500), name: 'other' }, tensors, {});
  expect(() => decodeSealed(KIND, other)).toThrow(/^a safetensors file, but not a test of opmf/);
  expect(() => decodeSealed(KIND, 'text' as never)).toThrow('a test file is a Uint8Array; got "text"');
});
