// Random strided views for the tests of opmf/math, and the naive walks over indices that they are compared with.

import * as fc from 'fast-check';
import ndarray, { type NdArray } from 'ndarray';

export type Dtype = 'float32' | 'float64' | 'array' | 'int16';

const make: Record<Dtype, (values: number[]) => Float32Array | Float64Array | Int16Array | number[]> = {
  float32: (values) => new Float32Array(values),
  float64: (values) => new Float64Array(values),
  int16: (values) => new Int16Array(values),
  array: (values) => values,
};

export const inputTypes: Dtype[] = ['float32', 'float64', 'array', 'int16'];
export const outputTypes: Dtype[] = ['float32', 'float64', 'array'];

export const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
export const size = fc.integer({ min: 0, max: 6 });
export const coefficients = fc.oneof(fc.constantFrom(0, 1, -1), fc.double({ min: -8, max: 8, noNaN: true }));

/** A view of the given shape: axes in any order in memory, steps of 1 to 3, either sign, stride 0 (inputs), any offset. */
export function view(shape: readonly number[], kind: 'input' | 'output'): fc.Arbitrary<NdArray> {
  const steps = fc.integer({ min: kind === 'input' ? 0 : 1, max: 3 });
  const axes = shape.map((_, axis) => axis);
  return fc
    .record({
      order: fc.shuffledSubarray(axes, { minLength: axes.length }),
      steps: fc.array(steps, { minLength: axes.length, maxLength: axes.length }),
      flips: fc.array(fc.boolean(), { minLength: axes.length, maxLength: axes.length }),
      before: fc.integer({ min: 0, max: 5 }),
      after: fc.integer({ min: 0, max: 3 }),
      dtype: fc.constantFrom(...(kind === 'input' ? inputTypes : outputTypes)),
      seed: fc.integer({ min: 1, max: 2 ** 31 - 2 }),
    })
    .map(({ order, steps, flips, before, after, dtype, seed }) => {
      const stride = shape.map(() => 0);
      let reach = 0;
      let offset = before;
      for (const axis of order) {
        const step = steps[axis] === 0 ? 0 : reach + steps[axis]!;
        const far = step * Math.max(0, shape[axis]! - 1);
        stride[axis] = flips[axis] ? -step : step;
        if (flips[axis]) offset += far;
        reach += far;
      }
      return ndarray(make[dtype](numbers(before + reach + 1 + after, seed)), [...shape], stride, offset) as NdArray;
    });
}

/** `count` numbers of magnitude up to 100 (Lehmer's generator: the seed shrinks, the data need not). */
function numbers(count: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (state * 48271) % 2147483647;
    return (state / 2147483647 - 0.5) * 200;
  });
}

/** Every index of a shape, the last axis fastest. */
export function* indices(shape: readonly number[]): Generator<number[]> {
  if (shape.length === 0) yield [];
  else for (let i = 0; i < shape[0]!; i++) for (const rest of indices(shape.slice(1))) yield [i, ...rest];
}

/** The elements in the order of `indices`. */
export function elements(x: NdArray): number[] {
  return [...indices(x.shape)].map((index) => x.get(...index));
}

/** A dense float64 copy: what an input was before anything was written. */
export function snapshot(x: NdArray): NdArray<Float64Array> {
  return ndarray(new Float64Array(elements(x)), [...x.shape]);
}

/** The whole storage after the elements of `x` were set to `f(index)`: rounded as stored, other cells as they are. */
export function storageAfter(x: NdArray, f: (...index: number[]) => number): number[] {
  const storage = (x.data as Float64Array).slice();
  const copy = ndarray(storage, x.shape, x.stride, x.offset);
  const results = [...indices(x.shape)].map((index) => [index, f(...index)] as const);
  for (const [index, value] of results) copy.set(...index, value);
  return [...storage];
}

export function storage(x: NdArray): number[] {
  return [...(x.data as Float64Array)];
}

export function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Two views of one buffer that may overlap in any way, of equal shape. */
export const overlapping = fc
  .record({
    shape: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 2 }),
    shift: fc.integer({ min: 0, max: 6 }),
    flip: fc.boolean(),
    window: fc.boolean(),
  })
  .map(({ shape, shift, flip, window }) => {
    const data = new Float64Array(numbers(48, 7));
    const out = ndarray(data, shape, undefined, 8) as NdArray;
    // A second typed array over the same memory is another object, and overlaps all the same.
    const mine = window ? new Float64Array(data.buffer, 16) : data;
    const x = ndarray(mine, shape, out.stride, out.offset + shift - (window ? 2 : 0)) as NdArray;
    return { x: flip ? x.step(...shape.map(() => -1)) : x, out };
  });
