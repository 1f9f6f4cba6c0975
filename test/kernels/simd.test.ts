// WebAssembly = JavaScript, bit for bit: the contract with every call made by both (test/support/on-heap.ts), and the
// update rules against the optimizers.

import fc from 'fast-check';
import { Stream } from '../../src/core/random';
import { Heap } from '../../src/kernels/heap';
import { commonMultiply, LIST, multiplyInJs } from '../../src/kernels/matrix';
import { kernelsContract } from '../contract/kernels';
import { expectSameBits, onHeap, programs } from '../support/on-heap';

test('this machine compiles the kernels, and they are small', () => {
  for (const program of programs) expect(program.compiled()).toBeInstanceOf(WebAssembly.Module);
  expect(programs.reduce((sum, program) => sum + program.encode().length, 0)).toBeLessThan(22_700);
});

kernelsContract('on a heap', onHeap);

const shapes = fc.record({
  count: fc.integer({ min: 0, max: 40 }),
  // Some lengths have code of their own.
  dim: fc.oneof(fc.integer({ min: 1, max: 67 }), fc.constantFrom(1, 32, 64)),
  seed: fc.nat(),
});

test('the slots of rows', () => {
  fc.assert(
    fc.property(shapes, ({ count, seed }) => {
      const stream = Stream.of(seed);
      const size = 1 + stream.below(30);
      const rows = Int32Array.from({ length: count }, () => stream.below(size));
      const slotOf = new Int32Array(size).fill(-1);
      const [slot, slotRow, occurrences] = [new Int32Array(count), new Int32Array(count), new Int32Array(count)];
      const used = onHeap.selectRows(rows, count, slotOf, slot, slotRow, occurrences);
      const different = [...new Set(rows)];
      expect(used).toBe(different.length);
      expect([...slotRow.subarray(0, used)]).toEqual(different);
      expect([...slot]).toEqual(Array.from(rows, (row) => different.indexOf(row)));
      expect([...occurrences.subarray(0, used)]).toEqual(different.map((row) => rows.filter((r) => r === row).length));
      expect(slotOf.every((place) => place === -1)).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test('the penalty', () => {
  fc.assert(
    fc.property(shapes, fc.boolean(), ({ count, dim, seed }, byFrequency) => {
      const stream = Stream.of(seed);
      const size = 1 + stream.below(9);
      const reals = (length: number) => Float32Array.from({ length }, () => stream.normal());
      const integers = (below: number) => Int32Array.from({ length: count }, () => stream.below(below));
      const values = reals(size * dim);
      const at = integers(size);
      const occurrences = integers(5);
      const grads = reals(count * dim);
      const lambdas = byFrequency ? Float64Array.from({ length: size }, () => stream.uniform()) : null;
      const rows = integers(size);
      onHeap.startPenalty(values, at, rows, occurrences, lambdas, 0.3, 7, dim, count, grads);
      for (let u = 0; u < count; u++) {
        const weight = Math.fround(((lambdas?.[rows[u]!] ?? 0.3) * occurrences[u]!) / 7);
        for (let k = 0; k < dim; k++) {
          expect(grads[u * dim + k]).toBe(Math.fround(weight * values[at[u]! * dim + k]!));
        }
      }
    }),
    { numRuns: 30 },
  );
});

// Sums of more terms, and more rows, than WebAssembly takes at a time: onHeap compares with the reference.
test.each([
  [70, 127, 9],
  [64, 128, 8],
  [131, 129, 6],
  [3, 300, 17],
])('matrix products in parts: %d x %d x %d', (m, k, n) => {
  const stream = Stream.of(m);
  const reals = (length: number) => Float32Array.from({ length }, () => stream.normal());
  for (const [rows, terms] of [
    [m, k],
    [k, m],
  ] as const) {
    for (const ids of [null, Int32Array.from({ length: rows }, () => stream.below(5))]) {
      const a = reals((ids === null ? rows : 5) * terms);
      const c = reals(Math.max(rows, terms) * n);
      onHeap.multiply(a, ids, reals(terms * n), rows, terms, n, c);
      expect(c.slice(0, rows * n).every(Number.isFinite)).toBe(true);
      const transposed = new Float32Array(rows * terms);
      onHeap.transpose(a, ids, rows, terms, transposed);
      expect(transposed[terms > 1 ? rows : 0]).toBe(a[(ids?.[0] ?? 0) * terms + 1]);
    }
  }
});

test.each([
  [70, 127, 8],
  [64, 128, 24],
  [131, 257, 44],
])('products without terms of 0, in parts: %d x %d x %d', (m, k, n) => {
  const stream = Stream.of(m);
  const a = Float32Array.from({ length: m * k }, () => (stream.uniform() < 0.6 ? 0 : stream.normal()));
  const b = Float32Array.from({ length: k * n }, () => stream.normal());
  const [c, dense] = [new Float32Array(m * n), new Float32Array(m * n)];
  onHeap.multiplySparse(a, b, m, k, n, c, new Int32Array(m * LIST));
  multiplyInJs(a, null, b, m, k, n, dense);
  expectSameBits(c, dense);
});

test('products of matrices in ordinary memory', () => {
  const inCommon = commonMultiply('wasm');
  const sizes = fc.record({
    m: fc.integer({ min: 0, max: 600 }),
    k: fc.integer({ min: 1, max: 40 }),
    n: fc.integer({ min: 1, max: 40 }),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(sizes, ({ m, k, n, seed }) => {
      const stream = Stream.of(seed);
      const reals = (length: number) => Float32Array.from({ length }, () => stream.normal());
      const ids = stream.below(2) === 0 ? null : Int32Array.from({ length: m }, () => stream.below(5));
      const [a, b] = [reals((ids === null ? m : 5) * k), reals(k * n)];
      const [c, wanted] = [reals(m * n + 3), new Float32Array(m * n + 3)];
      wanted.set(c);
      inCommon(a, ids, b, m, k, n, c);
      multiplyInJs(a, ids, b, m, k, n, wanted);
      expectSameBits(c, wanted);
    }),
    { numRuns: 40 },
  );
});

test('a heap moves each array once, and out again to memory of its own', () => {
  const shared = Float32Array.of(1, 2, 3);
  const held = { a: shared, b: shared, c: Int32Array.of(4) };
  const heap = Heap.holding((move) => {
    held.a = move(held.a);
    held.b = move(held.b);
    held.c = move(held.c);
  }, 'wasm');
  expect(heap).not.toBeNull();
  expect(held.a).toBe(held.b);
  expect(held.a).not.toBe(shared);
  expect([...held.a, ...held.c]).toEqual([1, 2, 3, 4]);
  expect(held.c.buffer).toBe(held.a.buffer);
  // What is made from a view is of ordinary memory.
  expect(held.a.slice().buffer.byteLength).toBe(12);
});
