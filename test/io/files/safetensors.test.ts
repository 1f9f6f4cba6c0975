// Bytes in, tensors out: a round trip of anything, the layout that the format asks for, and hostile files.

import fc from 'fast-check';
import { FormatError } from '../../../src/core/errors';
import type { Tensor } from '../../../src/io/files/safetensors';
import { decodeSafetensors, encodeSafetensors } from '../../../src/io/files/safetensors';

const MAKERS = {
  F64: (values: number[]) => Float64Array.from(values),
  F32: (values: number[]) => Float32Array.from(values),
  I32: (values: number[]) => Int32Array.from(values),
  U32: (values: number[]) => Uint32Array.from(values),
  U8: (values: number[]) => Uint8Array.from(values),
} as const;

const names = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('__proto__', 'constructor', '', '1', 'users.text', 'a"b\\'),
);

const tensor: fc.Arbitrary<Tensor> = fc
  .record({
    dtype: fc.constantFrom<Tensor['dtype']>('F64', 'F32', 'I32', 'U32', 'U8'),
    shape: fc.array(fc.nat(4), { maxLength: 3 }),
    seed: fc.array(fc.double(), { minLength: 1, maxLength: 5 }),
  })
  .map(({ dtype, shape, seed }) => {
    const count = shape.reduce((a, b) => a * b, 1);
    return {
      dtype,
      shape,
      data: MAKERS[dtype](Array.from({ length: count }, (_, i) => seed[i % seed.length]! * (i + 1))),
    };
  });

const tensorMaps = fc
  .uniqueArray(fc.tuple(names, tensor), { selector: ([name]) => name, maxLength: 6 })
  .map((entries) => new Map(entries.filter(([name]) => name !== '__metadata__')));

/** A file with this header text, as given, and so many bytes of data. */
function file(header: string, dataBytes: number): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const entry = (dtype: string, shape: unknown, begin: unknown, end: unknown) =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

describe('encodeSafetensors and decodeSafetensors', () => {
  test('what is written is read, bit for bit', () => {
    fc.assert(
      fc.property(tensorMaps, fc.dictionary(names, fc.string({ unit: 'binary' })), (tensors, metadata) => {
        const read = decodeSafetensors(encodeSafetensors(tensors, metadata));
        expect([...read.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
        for (const [name, { dtype, shape, data }] of tensors) {
          const back = read.tensors.get(name)!;
          expect(back.dtype).toBe(dtype);
          expect(back.shape).toEqual(shape);
          expect(new Uint8Array(back.data.buffer)).toEqual(new Uint8Array(data.buffer));
        }
        expect(Object.entries(read.metadata)).toEqual(Object.entries(metadata));
      }),
      { numRuns: 200 },
    );
  });

  test('the layout is the one of the format: length, JSON padded with spaces, data at a multiple of 8', () => {
    const bytes = encodeSafetensors(
      new Map<string, Tensor>([
        ['b', { dtype: 'U8', shape: [3], data: Uint8Array.of(7, 8, 9) }],
        ['a', { dtype: 'F64', shape: [1, 1], data: Float64Array.of(1) }],
      ]),
      { format: 'opmf' },
    );
    const headerLength = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(headerLength % 8).toBe(0);
    const header = new TextDecoder().decode(bytes.subarray(8, 8 + headerLength));
    expect(header.trimEnd()).toBe(
      '{"__metadata__":{"format":"opmf"},"a":{"dtype":"F64","shape":[1,1],"data_offsets":[0,8]},' +
        '"b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}}',
    );
    expect([...bytes.subarray(8 + headerLength)]).toEqual([0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 7, 8, 9]);
  });

  test('a view into other memory is written alone, and a file at an odd address is read', () => {
    const whole = Float32Array.of(1, 2, 3, 4);
    const bytes = encodeSafetensors(
      new Map<string, Tensor>([['v', { dtype: 'F32', shape: [2], data: whole.subarray(1, 3) }]]),
    );
    const shifted = new Uint8Array(bytes.length + 3).subarray(3);
    shifted.set(bytes);
    const { data } = decodeSafetensors(shifted).tensors.get('v')!;
    expect([...data]).toEqual([2, 3]);
    shifted.fill(0);
    expect([...data]).toEqual([2, 3]);
  });

  test('a Node Buffer is read like any bytes, and copied', () => {
    const buffer = Buffer.from(
      encodeSafetensors(new Map<string, Tensor>([['v', { dtype: 'U8', shape: [1], data: Uint8Array.of(5) }]])),
    );
    const { data } = decodeSafetensors(buffer).tensors.get('v')!;
    buffer.fill(0);
    expect([...data]).toEqual([5]);
  });

  test.each([
    ['a shape that is not the length', { dtype: 'F32', shape: [3], data: new Float32Array(2) }],
    ['a type that is not the array', { dtype: 'F64', shape: [2], data: new Float32Array(2) }],
  ] as [string, Tensor][])('encode refuses %s', (_, bad) => {
    expect(() => encodeSafetensors(new Map([['t', bad]]))).toThrow(FormatError);
  });

  test('encode refuses the reserved name', () => {
    const good: Tensor = { dtype: 'U8', shape: [0], data: new Uint8Array(0) };
    expect(() => encodeSafetensors(new Map([['__metadata__', good]]))).toThrow(/__metadata__/);
  });

  test.each([
    ['no bytes', new Uint8Array(0), /too few/],
    [
      'a header length beyond the file',
      Uint8Array.of(200, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d),
      /header length 200 is beyond/,
    ],
    ['a header length of 2^64 - 1', new Uint8Array(16).fill(255), /header length 18446744073709552000 is beyond/],
    ['a header of length 0', new Uint8Array(8), /does not start with/],
    ['a space before the header', file(' {}', 0), /does not start with/],
    ['bad JSON', file('{"a":', 0), /not JSON/],
    ['a header that is deeper than any stack', file(`{"a":${'['.repeat(300_000)}`, 0), /not JSON/],
    ['an entry that is no object', file('{"a":[1]}', 0), /not an object/],
    ['an entry without offsets', file('{"a":{"dtype":"U8","shape":[0]}}', 0), /and nothing else/],
    [
      'an entry with a field too many',
      file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}}', 0),
      /and nothing else/,
    ],
    [
      'fields behind a prototype',
      file('{"a":{"__proto__":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}}', 0),
      /and nothing else/,
    ],
    ['metadata that is no string', file('{"__metadata__":{"a":1}}', 0), /not a string/],
    ['an unknown type', file(`{"a":${entry('BF16', [1], 0, 2)}}`, 2), /element type "BF16"/],
    ['a type from the prototype', file(`{"a":${entry('constructor', [1], 0, 2)}}`, 2), /element type/],
    ['a negative dimension', file(`{"a":${entry('U8', [-1, -2], 0, 2)}}`, 2), /its shape is not/],
    ['a fraction as dimension', file(`{"a":${entry('U8', [0.5, 4], 0, 2)}}`, 2), /its shape is not/],
    ['a giant shape', file(`{"a":${entry('F32', [1e9, 1e9], 0, 4)}}`, 4), /its shape is not/],
    ['a giant shape that ends in 0', file(`{"a":${entry('F32', [1e15, 1e15, 0], 0, 0)}}`, 0), /its shape is not/],
    [
      'a large shape in a small file',
      file(`{"a":${entry('F32', [1_000_000_000], 0, 4)}}`, 4),
      /needs 4000000000 bytes/,
    ],
    ['offsets beyond the file', file(`{"a":${entry('U8', [9], 0, 9)}}`, 8), /is it truncated/],
    ['offsets in reverse', file(`{"a":${entry('U8', [2], 4, 2)}}`, 4), /is it truncated/],
    ['negative offsets', file(`{"a":${entry('U8', [2], -2, 0)}}`, 4), /is it truncated/],
    [
      'a fraction as offset',
      file(`{"a":${entry('U8', [1], 0.5, 1.5)},"b":${entry('U8', [1], 1.5, 2.5)}}`, 3),
      /leave a hole/,
    ],
    [
      'overlapping tensors',
      file(`{"a":${entry('U8', [4], 0, 4)},"b":${entry('U8', [4], 2, 6)}}`, 6),
      /overlap at byte 2/,
    ],
    ['the same bytes twice', file(`{"a":${entry('U8', [4], 0, 4)},"b":${entry('U8', [4], 0, 4)}}`, 4), /overlap/],
    ['a hole', file(`{"a":${entry('U8', [2], 0, 2)},"b":${entry('U8', [2], 4, 6)}}`, 6), /leave a hole at byte 2/],
    ['data after the last tensor', file(`{"a":${entry('U8', [2], 0, 2)}}`, 3), /the file at 3/],
    ['a tensor twice', file(`{"a":${entry('U8', [2], 0, 2)},"a":${entry('U8', [2], 0, 2)}}`, 2), /twice/],
    [
      'a tensor twice, once escaped',
      file(`{"a":${entry('U8', [2], 0, 2)},"\\u0061":${entry('U8', [2], 0, 2)}}`, 2),
      /twice/,
    ],
    ['a field twice', file('{"a":{"dtype":"U8","dtype":"U8","shape":[2],"data_offsets":[0,2]}}', 2), /twice/],
  ])('%s is a FormatError', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes)).toThrow(FormatError);
    expect(() => decodeSafetensors(bytes)).toThrow(message);
  });

  test('header text that is not UTF-8 is a FormatError', () => {
    const bytes = file('{"?":{}}', 0);
    bytes[10] = 0xff;
    expect(() => decodeSafetensors(bytes)).toThrow(/not UTF-8/);
  });

  test('names from a prototype pollute nothing', () => {
    const bytes = file(`{"__metadata__":{"__proto__":"x"},"__proto__":${entry('U8', [1], 0, 1)}}`, 1);
    const { tensors, metadata } = decodeSafetensors(bytes);
    expect([...tensors.keys()]).toEqual(['__proto__']);
    expect(Object.entries(metadata)).toEqual([['__proto__', 'x']]);
    expect(({} as Record<string, unknown>).dtype).toBeUndefined();
  });

  test('any mutation of a good file is read or is a FormatError, and nothing else', () => {
    const good = encodeSafetensors(
      new Map<string, Tensor>([
        ['users', { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
        ['kinds', { dtype: 'U8', shape: [2], data: Uint8Array.of(0, 1) }],
      ]),
      { options: '{}' },
    );
    let refused = 0;
    const change = fc.record({
      at: fc.nat(good.length - 1),
      byte: fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('"{}[],:0123456789-e\\'))),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.option(fc.nat(good.length)), (changes, cut) => {
        let bytes = good.slice();
        for (const { at, byte } of changes) bytes[at] = byte;
        if (cut !== null) bytes = bytes.slice(0, cut);
        try {
          decodeSafetensors(bytes);
        } catch (error) {
          refused++;
          if (!(error instanceof FormatError)) throw error;
        }
      }),
      { numRuns: 5000 },
    );
    expect(refused).toBeGreaterThan(2500);
  });
});
