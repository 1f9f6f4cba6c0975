// Normal draws in WebAssembly against Stream.normals, which defines them.

import * as fc from 'fast-check';
import { Stream } from '../../src/core/random';
import { drawNormals } from '../../src/kernels/normals';

const bitsOf = (numbers: Float32Array) => [...new Uint32Array(numbers.buffer)];

test('the same bits, whatever the part, and what was drawn before', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.nat(5000),
      fc.nat(20),
      fc.nat(3),
      fc.constantFrom(1, 0.1, 1e-40, 1e30),
      (seed, count, from, before, scale) => {
        const [one, other] = [Stream.of(seed), Stream.of(seed)];
        for (let k = 0; k < before; k++) expect(one.uint32()).toBe(other.uint32());
        const [defined, drawn] = [new Float32Array(from + count + 3), new Float32Array(from + count + 3)];
        one.normals(defined, from, from + count, scale);
        drawNormals(other, drawn, from, from + count, scale, 'wasm');
        expect(bitsOf(drawn)).toEqual(bitsOf(defined));
        // And it leaves the stream where the definition does.
        expect(other.uint32()).toBe(one.uint32());
      },
    ),
    { numRuns: 100 },
  );
});

test('a million draws', () => {
  const [defined, drawn] = [new Float32Array(1_000_000), new Float32Array(1_000_000)];
  Stream.of('a').normals(defined, 0, defined.length, 1);
  drawNormals(Stream.of('a'), drawn, 0, drawn.length, 1, 'auto');
  expect(Buffer.from(drawn.buffer).equals(Buffer.from(defined.buffer))).toBe(true);
});
