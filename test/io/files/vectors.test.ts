// Vectors in files of other programs.

import fc from 'fast-check';
import { encodeNpy, encodeVectorCsv, OptionError } from 'opmf';

test('an .npy file: magic, version, a padded header of the shape, the numbers little-endian', () => {
  const bytes = encodeNpy(Float32Array.of(1, -2, 0.5, 3, 4, 5), 2, 3);
  const view = new DataView(bytes.buffer);
  expect([...bytes.subarray(0, 8)]).toEqual([0x93, ...Buffer.from('NUMPY'), 1, 0]);
  const length = view.getUint16(8, true);
  expect((10 + length) % 64).toBe(0);
  const header = Buffer.from(bytes.subarray(10, 10 + length)).toString('latin1');
  expect(header).toMatch(/^\{'descr': '<f4', 'fortran_order': False, 'shape': \(2, 3\), \} *\n$/);
  expect(Array.from({ length: 6 }, (_, k) => view.getFloat32(10 + length + 4 * k, true))).toEqual([
    1, -2, 0.5, 3, 4, 5,
  ]);
});

test('CSV quotes ids where it must, and an empty one so that it is not NULL', () => {
  const ids = ['a', 'b,c', 'say "x"', '', 7, 'two\nlines'];
  const text = [...encodeVectorCsv(ids, new Float32Array(6), 1)].join('');
  expect(text).toBe('id,embedding\na,"[0]"\n"b,c","[0]"\n"say ""x""","[0]"\n"","[0]"\n7,"[0]"\n"two\nlines","[0]"\n');
});

test('numbers in CSV are the float32 they were, in no more digits than 9', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const [, line] = [...encodeVectorCsv(['x'], Float32Array.of(value), 1)].join('').split('\n');
      const written = line!.slice(4, -2);
      expect(Math.fround(Number(written))).toBe(value + 0);
      expect(written.replace(/e.*|[-.]|^-?0\.0*/g, '').length).toBeLessThanOrEqual(22);
    }),
  );
});

test('many rows come in chunks, none lost', () => {
  const chunks = [
    ...encodeVectorCsv(
      Array.from({ length: 2500 }, (_, id) => id),
      new Float32Array(2500),
      1,
    ),
  ];
  expect(chunks.length).toBe(3);
  expect(chunks.join('').trimEnd().split('\n')).toHaveLength(2501);
});

test.each<[string, () => unknown, string]>([
  [
    'a table in place of its parts',
    () => encodeVectorCsv({ ids: [], dim: 1, values: [] } as never, 0 as never, 1),
    'table.ids',
  ],
  [
    'a table for numbers',
    () => encodeNpy({ values: [] } as never, 1, 1),
    'values is an object with values; want a Float32Array',
  ],
  [
    'too few numbers',
    () => encodeNpy(new Float32Array(5), 2, 3),
    'values.length is 5; want 6 of them, rows 2 x cols 3',
  ],
  ['too many ids', () => encodeVectorCsv(['a', 'b'], new Float32Array(3), 3), 'want 6 of them, ids.length 2 x dim 3'],
  ['no dim', () => encodeVectorCsv(['a'], new Float32Array(3), undefined as never), 'dim is undefined'],
  ['a part of a row', () => encodeNpy(new Float32Array(3), 2, 1.5), 'cols is 1.5'],
  ['doubles', () => encodeNpy(new Float64Array(3) as never, 1, 3), 'want a Float32Array'],
  ['an id that is none', () => encodeVectorCsv([null as never], new Float32Array(1), 1), 'ids[0] is null'],
  ['NaN', () => encodeVectorCsv(['a'], Float32Array.of(Number.NaN), 1), 'values[0] is NaN; want a finite number'],
])('%s is an OptionError', (_, call, message) => {
  expect(call).toThrow(OptionError);
  expect(call).toThrow(message);
});
